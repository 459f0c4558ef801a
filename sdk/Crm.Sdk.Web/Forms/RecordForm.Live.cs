using System.Collections.Immutable;
using Crm.Sdk.Web.Live;
using Microsoft.AspNetCore.Components;

namespace Crm.Sdk.Web.Forms;

/// <summary>Goes on with what others store while the form is open.</summary>
public sealed partial class RecordForm
{
    private LiveWatch? live;
    private string? news;
    private bool isBehind;
    private string? reasonBefore;

    /// <summary>Whether the record was deleted while the form was open, or its user may no longer see it.</summary>
    public bool IsMissing { get; private set; }

    [Inject]
    private LivePages Pages { get; set; } = null!;

    private void FollowOthers()
    {
        (news, isBehind, IsMissing) = (null, false, false);
        live ??= Pages.Watch(FollowAsync);
        if (Form.Stored is { } stored)
        {
            live.Follow(stored.Entity, stored.Id);
        }
        else
        {
            live.Follow([]);
        }
    }

    private Task FollowAsync(ImmutableArray<LiveChange> changes, CancellationToken ct) => InvokeAsync(async () =>
    {
        if (changes.Any(c => c.IsAny || c.Versions.GetValueOrDefault(Form.Id) > (Form.Stored?.Version ?? long.MaxValue)))
        {
            await FollowAsync(ct);
        }
    });

    private async Task FollowAsync(CancellationToken ct)
    {
        var form = Form;
        isBehind = IsSaving;
        if (isGone || isBehind || form.Stored is not { } known)
        {
            // A save under way finds out by itself what is stored; afterwards is looked again.
            return;
        }

        var newer = await live!.ReadAsync(token => Records.FindAsync(known.Entity, known.Id, token), ct);
        if (newer is not null)
        {
            await form.Titles.LearnAsync(Records, Metadata.Current, form.Entity, name => newer[name], ct);
            // What was typed and not left yet would be written over.
            await CollectAsync();
        }

        isBehind = IsSaving;
        if (isGone || isBehind || !ReferenceEquals(form, Form))
        {
            return;
        }

        Miss(newer is null);
        if (newer is not null && form.TakeOver(newer) is { IsEmpty: false } changed)
        {
            news = News(form, newer, [.. changed.Where(form.IsVisible)]) ?? news;
        }

        StateHasChanged();
        await Changed.InvokeAsync();
    }

    private void Miss(bool isMissingNow)
    {
        if (IsMissing == isMissingNow)
        {
            return;
        }

        IsMissing = isMissingNow;
        if (IsMissing)
        {
            (reasonBefore, Form.ReadOnlyReason) = (Form.ReadOnlyReason, FormTexts.Text("MissingNow"));
        }
        else
        {
            Form.ReadOnlyReason = reasonBefore;
        }
    }

    private string? News(FormModel form, Record newer, ImmutableArray<FieldDefinition> changed)
    {
        var labels = string.Join(", ", changed.Select(f => f.Label));
        return changed.IsEmpty ? null
            : newer["modified_by"] is Guid user && user == Records.Actor.UserId ? FormTexts.Text("NewsOfMine", labels)
            : FormTexts.Text("News", form.NameOf(newer["modified_by"]), labels);
    }

    private void LookAgain()
    {
        if (isBehind)
        {
            isBehind = false;
            live?.Repeat();
        }
    }
}
