using System.Collections.Immutable;
using Crm.Sdk.Web.Live;

namespace Crm.Sdk.Web;

/// <summary>Shows what others change while the list is open.</summary>
public sealed partial class RecordGrid
{
    private readonly LiveWatch live;
    private ImmutableHashSet<Guid> fresh = [];
    private int turnOfOthers;
    private bool isFollowed;
    private bool isBehind;

    private void FollowOthers(GridState wanted)
    {
        isBehind = false;
        live.Follow(GridEntities.Of(loader.Metadata, entity, columns.SelectMany(c => c.Selected).Concat(order.Select(s => s.Path)), loader.Query(wanted, Within).Filter));
    }

    private Task FollowAsync(ImmutableArray<LiveChange> changes, CancellationToken ct) => InvokeAsync(async () =>
    {
        if (page is not null && failure is null && refusal is null && IsNews(changes))
        {
            await FollowAsync(ct);
        }
    });

    private async Task FollowAsync(CancellationToken ct)
    {
        if (isLoading)
        {
            // What is being read may be what it was before.
            await LoadAsync();
            StateHasChanged();
            return;
        }

        isBehind = false;
        var newer = loading.Token;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, newer);
        try
        {
            var (read, isEmpty) = await live.ReadAsync(token => ReadAsync(State, token), either.Token);
            either.Token.ThrowIfCancellationRequested();
            await ShowOthersAsync(read, isEmpty);
        }
        catch (OperationCanceledException) when (newer.IsCancellationRequested)
        {
            // Something else is being shown meanwhile.
        }
    }

    private async Task ShowOthersAsync(GridPage read, bool isEmpty)
    {
        var before = page!.Records.ToDictionary(r => r.Id);
        // What the user stored in the list while it was being read is newer.
        ImmutableArray<Record> now = [.. read.Page.Records.Select(r => before.TryGetValue(r.Id, out var old) && old.Version > r.Version ? old : r)];
        if (open is not null)
        {
            // No row comes, goes or moves while a cell is edited; that is done afterwards.
            var found = now.ToDictionary(r => r.Id);
            now = [.. page.Records.Select(r => found.GetValueOrDefault(r.Id, r))];
            read = read with { State = State, Page = page };
            isBehind = true;
        }

        fresh = [.. now.Where(r => !before.TryGetValue(r.Id, out var old) || columns.Any(c => !c.IsSame(old, r))).Select(r => r.Id)];
        // A row that looks as it did is not drawn again.
        now = [.. now.Select(r => before.TryGetValue(r.Id, out var old) && old.Version == r.Version && !fresh.Contains(r.Id) ? old : r)];
        if (read.Page.Count == page.Count && read.IsSimilar == isSimilar && now.AsEnumerable().SequenceEqual(page.Records, ReferenceEqualityComparer.Instance))
        {
            return;
        }

        turnOfOthers++;
        isFollowed = true;
        await TakeAsync(read, now, isEmpty);
        StateHasChanged();
    }

    // What the user did in this list is shown already.
    private bool IsNews(ImmutableArray<LiveChange> changes)
    {
        var shownAt = page!.Records.ToDictionary(r => r.Id, r => r.Version);
        return changes.Any(c => c.IsAny || c.Entity != entity.Name || columns.Any(column => column.Names(entity.Name)) || c.Versions.Any(v => shownAt.GetValueOrDefault(v.Key) < v.Value));
    }
}
