using System.Collections.Immutable;
using Crm.Records.Webhooks;
using Crm.Sdk;

namespace Crm.Host.Webhooks;

/// <summary>A webhook as somebody typed it, on the page or over the API.</summary>
public sealed class WebhookDraft
{
    private const int MaxName = 100;
    private const int MaxUrl = 2000;

    public string Name { get; set; } = "";

    public string Url { get; set; } = "";

    /// <summary>Names of entities; none for all.</summary>
    public ISet<string> Entities { get; init; } = new SortedSet<string>(StringComparer.Ordinal);

    public ISet<ChangeKind> Kinds { get; init; } = new SortedSet<ChangeKind> { ChangeKind.Create, ChangeKind.Update, ChangeKind.Delete };

    public bool IsActive { get; set; } = true;

    public static WebhookDraft Of(Webhook webhook)
    {
        ArgumentNullException.ThrowIfNull(webhook);
        return new()
        {
            Name = webhook.Name,
            Url = webhook.Url.AbsoluteUri,
            Entities = new SortedSet<string>(webhook.Entities, StringComparer.Ordinal),
            Kinds = new SortedSet<ChangeKind>(webhook.Kinds),
            IsActive = webhook.IsActive,
        };
    }

    /// <summary>What is wrong with it; the webhook when nothing is.</summary>
    internal ImmutableArray<ValidationError> Check(MetadataSnapshot metadata, bool allowPrivate, out WebhookInput? input)
    {
        var errors = ImmutableArray.CreateBuilder<ValidationError>();
        var name = Name.Trim();
        if (name.Length is 0 or > MaxName)
        {
            errors.Add(new ValidationError("name", name.Length == 0 ? ErrorCodes.Required : ErrorCodes.Length, WebhookTexts.Of("NameLength", MaxName)));
        }

        var isUrl = Uri.TryCreate(Url.Trim(), UriKind.Absolute, out var url) && url.OriginalString.Length <= MaxUrl && url.UserInfo.Length == 0
            && (url.Scheme == Uri.UriSchemeHttps || (allowPrivate && url.Scheme == Uri.UriSchemeHttp));
        if (!isUrl)
        {
            errors.Add(new ValidationError("url", ErrorCodes.Type, WebhookTexts.Of("UrlHttps")));
        }

        foreach (var entity in Entities.Where(e => !metadata.TryEntity(e, out var found) || found.IsHidden))
        {
            errors.Add(new ValidationError("entities", ErrorCodes.UnknownEntity, WebhookTexts.Of("UnknownEntity", entity)));
        }

        if (Kinds.Count == 0)
        {
            errors.Add(new ValidationError("events", ErrorCodes.Required, WebhookTexts.Of("NoKinds")));
        }

        input = errors.Count == 0 ? new WebhookInput(name, url!, [.. Entities], [.. Kinds], IsActive) : null;
        return errors.ToImmutable();
    }
}
