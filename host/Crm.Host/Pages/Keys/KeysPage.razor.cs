using System.Collections.Immutable;
using Crm.Host.Pages.Access;
using Crm.Host.Security;
using Crm.Sdk;
using Crm.Sdk.Web;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Authorization;

namespace Crm.Host.Pages.Keys;

/// <summary>The personal API keys of whoever looks.</summary>
public sealed partial class KeysPage
{
    private readonly HashSet<string> open = new(StringComparer.Ordinal);
    private ImmutableArray<ApiKey>? keys;
    private ImmutableArray<ValidationError> errors = [];
    private Security.Session? session;
    private KeyDraft? draft;
    private string? secret;
    private string? secretOf;
    private bool isBusy;

    [Inject]
    private SessionStore Sessions { get; set; } = null!;

    [Inject]
    private AuthenticationStateProvider Authentication { get; set; } = null!;

    [Inject]
    private IMetadata Metadata { get; set; } = null!;

    [Inject]
    private DisplayContext Display { get; set; } = null!;

    [Inject]
    private Dialogs Dialogs { get; set; } = null!;

    [Inject]
    private Toasts Toasts { get; set; } = null!;

    protected override async Task OnInitializedAsync()
    {
        await LoadAsync();
        StateHasChanged();
    }

    // A key makes and removes no keys, whichever door it comes through.
    private async Task LoadAsync()
    {
        session = Security.Session.From((await Authentication.GetAuthenticationStateAsync()).User) is { Kind: not SessionKind.Key } found ? found : null;
        keys = session is null ? [] : await Sessions.KeysAsync(session.UserId, CancellationToken.None);
    }

    private async Task SaveAsync()
    {
        if (draft is null || isBusy)
        {
            return;
        }

        isBusy = true;
        try
        {
            await LoadAsync();
            errors = KeyRules.Errors(Metadata.Current, draft.Name, draft.Days, draft.Entities);
            if (session is null || !errors.IsEmpty)
            {
                return;
            }

            (secretOf, secret) = (draft.Name.Trim(), (await Sessions.CreateAsync(
                SessionKind.Key, session.UserId, draft.Name.Trim(), draft.Days is { } days ? TimeSpan.FromDays(days) : null, null, draft.Entities, CancellationToken.None)).Secret);
            draft = null;
            await LoadAsync();
        }
        finally
        {
            isBusy = false;
        }
    }

    private async Task RemoveAsync(ApiKey key)
    {
        if (await Dialogs.ConfirmAsync(new Confirmation(KeyTexts.Of("RemoveTitle", key.Name), KeyTexts.Of("RemoveText"), KeyTexts.Of("Remove"), IsDestructive: true)))
        {
            await LoadAsync();
            if (session is not null && await Sessions.EndAsync(session.UserId, key.Id, CancellationToken.None))
            {
                Toasts.Success(KeyTexts.Of("Removed", key.Name));
            }

            await LoadAsync();
        }
    }

    private void Toggle(string entity)
    {
        if (!open.Remove(entity))
        {
            open.Add(entity);
        }
    }

    private string When(ApiKey key) => KeyTexts.Of("When", Time(key.CreatedAt), Time(key.LastUsedAt), key.ExpiresAt is { } end ? KeyTexts.Of("Ends", Time(end)) : KeyTexts.Of("NoEnd"));

    private string Time(DateTime at) => Display.Format(new DateTimeOffset(at, TimeSpan.Zero));

    private string Words(string name, EntityScope scope)
    {
        var snapshot = Metadata.Current;
        var entity = snapshot.TryEntity(name, out var found) && !found.IsHidden ? found : null;
        var operations = string.Join(", ", KeyRules.Operations.Where(scope.Operations.Contains).Select(o => AccessTexts.Of("Operation_" + o)));
        return scope.Fields is not { } fields
            ? KeyTexts.Of("Scope", entity?.PluralLabel ?? name, operations)
            : KeyTexts.Of("ScopeFields", entity?.PluralLabel ?? name, operations, string.Join(", ", fields.Select(f => entity is not null && entity.TryField(f, out var field) && !field.IsHidden ? field.Label : f)));
    }
}
