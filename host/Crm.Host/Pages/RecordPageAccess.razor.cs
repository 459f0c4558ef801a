using Crm.Records;
using Crm.Sdk;
using Microsoft.AspNetCore.Components;

namespace Crm.Host.Pages;

/// <summary>Who sees a record besides what roles say, and why somebody may or may not do something with it.</summary>
public sealed partial class RecordPageAccess
{
    private const int MostPeople = 1000;

    private static readonly AccessOperation[] Operations = [AccessOperation.Read, AccessOperation.Write, AccessOperation.Delete, AccessOperation.Share];

    // One after the other, in the order they were asked for: nothing that was chosen is lost while something else is saved.
    private Task last = Task.CompletedTask;
    private readonly Dictionary<Guid, ElementReference> stops = [];
    private ElementReference heading;
    private ElementReference with;
    private Sharing? sharing;
    private List<(Guid Id, string Name, bool IsTeam)> people = [];
    private List<(AccessOperation Operation, AccessVerdict Verdict)> verdicts = [];
    private Guid asked;
    private Guid? picked;
    private ShareLevel given = ShareLevel.Read;
    private string? problem;
    private string? said;
    private bool isNobody;
    private bool isBusy;
    private bool isGone;

    /// <summary>Entity of the record.</summary>
    [Parameter, EditorRequired]
    public EntityDefinition Entity { get; set; } = null!;

    /// <summary>The record.</summary>
    [Parameter, EditorRequired]
    public Record Record { get; set; } = null!;

    /// <summary>Called when something else holds.</summary>
    [Parameter]
    public EventCallback Changed { get; set; }

    /// <inheritdoc/>
    protected override async Task OnInitializedAsync()
    {
        asked = Current.Value.UserId;
        people = [.. await NamedAsync("team", isTeam: true), .. await NamedAsync("user", isTeam: false)];
        await ReadAsync();
    }

    private static string NameOf(Share share) => share.With == Guid.Empty ? RecordTexts.Of("ShareEverybody") : share.Name;

    private async Task<IEnumerable<(Guid Id, string Name, bool IsTeam)>> NamedAsync(string entity, bool isTeam)
    {
        // Roles may hide who else there is.
        if (!Metadata.Current.TryEntity(entity, out var known) || known.IsHidden)
        {
            return [];
        }

        var page = await Records.QueryAsync(new RecordQuery { Entity = entity, Select = ["name"], Filter = Filter.Equal("is_active", true), Sort = [new Sort("name")], Top = MostPeople });
        return page.Records.Select(r => (r.Id, r.Get<string>("name") ?? "", isTeam));
    }

    // The owner needs no share.
    private bool IsFree(Guid id) => id != Record.Get<Guid?>("owner") && sharing!.Shares.All(s => s.With != id);

    private async Task AddAsync()
    {
        isNobody = picked is null;
        if (picked is not { } id)
        {
            said = null;
            await with.FocusAsync();
            return;
        }

        var share = new Share(id, given);
        await SaveAsync(now => now with { Shares = [.. now.Shares.Where(s => s.With != id), share] }, now => RecordTexts.Of("SharedNow", NameOf(now.Shares.FirstOrDefault(s => s.With == id) ?? share)));
        if (problem is null)
        {
            (picked, given) = (null, ShareLevel.Read);
        }
    }

    private Task ChangeAsync(Share share, ChangeEventArgs e) => Enum.TryParse<ShareLevel>(e.Value?.ToString(), out var level)
        ? SaveAsync(now => now with { Shares = [.. now.Shares.Select(s => s.With == share.With ? s with { Level = level } : s)] }, _ => RecordTexts.Of("ShareChanged", NameOf(share), RecordTexts.Of("Share" + level)))
        : Task.CompletedTask;

    private async Task StopAsync(Share share)
    {
        var place = sharing!.Shares.IndexOf(share);
        await SaveAsync(now => now with { Shares = now.Shares.RemoveAll(s => s.With == share.With) }, _ => RecordTexts.Of("NotSharedNow", NameOf(share)));
        if (sharing is { MayChange: true, Shares: var left } && !isGone)
        {
            // The button that had the focus is gone.
            StateHasChanged();
            await (left.IsEmpty ? with : stops[left[Math.Clamp(place, 0, left.Length - 1)].With]).FocusAsync();
        }
        else if (!isGone)
        {
            await heading.FocusAsync();
        }
    }

    private Task RestrictAsync(ChangeEventArgs e)
    {
        var restrict = e.Value is true;
        return SaveAsync(now => now with { IsRestricted = restrict }, _ => RecordTexts.Of(restrict ? "RestrictedNow" : "NotRestrictedNow"));
    }

    private Task SaveAsync(Func<Sharing, Sharing> change, Func<Sharing, string> words) => last = SaveAfterAsync(last, change, words);

    // On top of what holds now, which somebody else may have changed since the page was opened.
    private async Task SaveAfterAsync(Task earlier, Func<Sharing, Sharing> change, Func<Sharing, string> words)
    {
        await earlier;
        (isBusy, isNobody, said) = (true, false, null);
        try
        {
            if (await Sharing.FindAsync(Current.Value, Entity.Name, Record.Id) is { } now)
            {
                var result = await Sharing.SaveAsync(Current.Value, Entity.Name, Record.Id, change(now));
                problem = result?.Error?.Message;
                said = result?.Sharing is { } saved ? words(saved) : null;
            }

            await ReadAsync();
            await Changed.InvokeAsync();
        }
        finally
        {
            isBusy = false;
        }
    }

    private Task AskAsync(ChangeEventArgs e)
    {
        asked = Guid.TryParse(e.Value?.ToString(), out var id) ? id : Current.Value.UserId;
        return ReadAsync();
    }

    // Whoever gave their own share back may see nothing any more.
    private async Task ReadAsync()
    {
        var now = await Sharing.FindAsync(Current.Value, Entity.Name, Record.Id);
        if (now is null)
        {
            isGone = true;
            return;
        }

        var found = new List<(AccessOperation, AccessVerdict)>();
        foreach (var operation in Operations)
        {
            found.Add((operation, await Explainer.WhyAsync(Current.Value, asked, Entity.Name, Record.Id, operation, null)));
        }

        (sharing, verdicts) = (now, found);
    }
}
