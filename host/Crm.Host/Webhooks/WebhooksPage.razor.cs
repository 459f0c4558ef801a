using System.Collections.Immutable;
using System.Text.Json;
using Crm.Host.Security;
using Crm.Metadata;
using Crm.Records.Webhooks;
using Crm.Sdk;
using Crm.Sdk.Web;
using Microsoft.AspNetCore.Components;

namespace Crm.Host.Webhooks;

/// <summary>Lets administrators make webhooks, see what was sent and send it again.</summary>
public sealed partial class WebhooksPage : ComponentBase
{
    private const int Page = 25;
    private const int MaxAnswer = 200;

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Dictionary<Guid, string> payloads = [];
    private ImmutableArray<Webhook>? webhooks;
    private ImmutableArray<WebhookDelivery> deliveries = [];
    private ImmutableArray<ValidationError> errors = [];
    private WebhookDraft? draft;
    private Guid? edited;
    private Guid? opened;
    private string? secret;
    private string? secretOf;
    private ImmutableArray<IDisposable> subscriptions = [];

    [Inject]
    private WebhookStore Store { get; set; } = null!;

    [Inject]
    private WebhookSecrets Secrets { get; set; } = null!;

    [Inject]
    private Notifications Notifications { get; set; } = null!;

    [Inject]
    private IMetadata Metadata { get; set; } = null!;

    [Inject]
    private CrmSettings Settings { get; set; } = null!;

    [Inject]
    private CurrentActor Actor { get; set; } = null!;

    [Inject]
    private DisplayContext Display { get; set; } = null!;

    [Inject]
    private Toasts Toasts { get; set; } = null!;

    [Inject]
    private Dialogs Dialogs { get; set; } = null!;

    public void Dispose()
    {
        foreach (var subscription in subscriptions)
        {
            subscription.Dispose();
        }
    }

    protected override async Task OnInitializedAsync()
    {
        // A browser may send any event: hiding the page is no protection.
        if (!Actor.Value.IsAdministrator)
        {
            return;
        }

        await LoadAsync();
        subscriptions = [Notifications.Subscribe(WebhookStore.Channel, FollowAsync), Notifications.Subscribe(WebhookStore.LogChannel, FollowAsync)];
    }

    private Task FollowAsync(string payload, CancellationToken ct) => InvokeAsync(async () =>
    {
        await LoadAsync();
        StateHasChanged();
    });

    private async Task LoadAsync()
    {
        webhooks = await Store.ListAsync();
        if (opened is { } id)
        {
            deliveries = await Store.DeliveriesAsync(id, null, null, Math.Max(deliveries.Length, Page));
        }
    }

    private void Edit(Webhook? webhook) => (draft, edited, errors) = (webhook is null ? new WebhookDraft() : WebhookDraft.Of(webhook), webhook?.Id, []);

    private async Task SaveAsync()
    {
        if (draft is null || !Actor.Value.IsAdministrator)
        {
            return;
        }

        errors = draft.Check(Metadata.Current, Settings.AllowPrivateWebhooks, out var input);
        if (input is null)
        {
            return;
        }

        if (edited is { } id)
        {
            await Store.UpdateAsync(id, input);
            Toasts.Success(WebhookTexts.Of("Saved", input.Name));
        }
        else
        {
            var (made, sealedSecret) = Secrets.Create();
            await Store.CreateAsync(input, sealedSecret, Actor.Value);
            (secret, secretOf) = (made, input.Name);
            Toasts.Success(WebhookTexts.Of("Created", input.Name));
        }

        draft = null;
        await LoadAsync();
    }

    private async Task NewSecretAsync(Webhook webhook)
    {
        if (Actor.Value.IsAdministrator
            && await Dialogs.ConfirmAsync(new Confirmation(WebhookTexts.Of("NewSecretTitle", webhook.Name), WebhookTexts.Of("NewSecretText"), WebhookTexts.Of("NewSecret"))))
        {
            var (made, sealedSecret) = Secrets.Create();
            await Store.SetSecretAsync(webhook.Id, sealedSecret);
            (secret, secretOf) = (made, webhook.Name);
        }
    }

    private async Task RemoveAsync(Webhook webhook)
    {
        if (Actor.Value.IsAdministrator && await Dialogs.ConfirmAsync(new Confirmation(WebhookTexts.Of("DeleteTitle", webhook.Name), WebhookTexts.Of("DeleteText"), WebhookTexts.Of("Remove"))))
        {
            await Store.DeleteAsync(webhook.Id);
            Toasts.Success(WebhookTexts.Of("Deleted", webhook.Name));
            await LoadAsync();
        }
    }

    private async Task OpenAsync(Webhook webhook)
    {
        (opened, deliveries) = (opened == webhook.Id ? null : webhook.Id, []);
        await LoadAsync();
    }

    private async Task MoreAsync(Webhook webhook) =>
        deliveries = [.. deliveries, .. await Store.DeliveriesAsync(webhook.Id, null, deliveries[^1].Event.EventId, Page)];

    private async Task ReadAsync(Webhook webhook, WebhookDelivery delivery)
    {
        if (Actor.Value.IsAdministrator && await Store.PayloadAsync(webhook.Id, delivery.Id) is { } text)
        {
            payloads[delivery.Id] = text.Length == 0 ? WebhookTexts.Of("PayloadNotYet") : JsonSerializer.Serialize(JsonSerializer.Deserialize<JsonElement>(text), Indented);
        }
    }

    private async Task ReplayAsync(Webhook webhook, WebhookDelivery delivery)
    {
        if (Actor.Value.IsAdministrator && await Store.ReplayAsync(webhook.Id, delivery.Id))
        {
            Toasts.Success(WebhookTexts.Of("Replayed"));
        }
    }

    private async Task ReplayFailedAsync(Webhook webhook)
    {
        if (Actor.Value.IsAdministrator)
        {
            Toasts.Success(WebhookTexts.Of("ReplayedFailed", await Store.ReplayFailedAsync(webhook.Id)));
        }
    }

    private string Summary(Webhook webhook) => WebhookTexts.Of(
        "Summary",
        webhook.Entities.IsEmpty ? WebhookTexts.Of("AllEntities") : string.Join(", ", webhook.Entities.Select(e => Metadata.Current.TryEntity(e, out var entity) ? entity.PluralLabel : e)),
        string.Join(", ", webhook.Kinds.Select(k => WebhookTexts.Of("Kind_" + k))));

    private string What(WebhookDelivery delivery) => WebhookTexts.Of(
        "Summary", Metadata.Current.TryEntity(delivery.Event.Entity, out var entity) ? entity.Label : delivery.Event.Entity, WebhookTexts.Of("Kind_" + delivery.Event.Kind));

    private string When(WebhookDelivery delivery)
    {
        var parts = new List<string> { Display.Format(delivery.Event.At) };
        if (delivery.Attempts > 1)
        {
            parts.Add(WebhookTexts.Of("Tries", delivery.Attempts));
        }

        if (delivery is { State: "waiting", Attempts: > 0 })
        {
            parts.Add(WebhookTexts.Of("NextAt", Display.Format(delivery.NextAt)));
        }

        return string.Join(" · ", parts);
    }

    private static string? Short(string? answer) => answer is { Length: > MaxAnswer } ? answer[..MaxAnswer] + "…" : answer;

    private static string Badge(string state) => state switch
    {
        "delivered" => "badge badge-dot badge-success",
        "failed" => "badge badge-dot badge-danger",
        _ => "badge badge-dot badge-info",
    };
}
