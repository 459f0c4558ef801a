using System.Collections.Immutable;
using Crm.Sdk.Web.Forms;
using Crm.Sdk.Web.Live;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.JSInterop;

namespace Crm.Sdk.Web;

/// <summary>A list of records: views, search, order, pages and actions, all done by the server. The caller keeps the <see cref="State"/>.</summary>
public sealed partial class RecordGrid : IAsyncDisposable
{
    // Long enough that a word typed at speed is one query, short enough not to be felt.
    private static readonly TimeSpan TypingPause = TimeSpan.FromMilliseconds(160);

    private readonly ILogger<RecordGrid> log;
    private readonly TimeProvider time;
    private readonly GridCommands rows;
    private ElementReference element;
    private EntityDefinition entity = null!;
    private GridLoader loader = null!;
    private ImmutableArray<GridColumn> columns = [];
    private ImmutableArray<Sort> order = [];
    private RecordPage? page;
    private object pageKey = new();
    private GridState? loaded;

    // Asked for last, and not here yet.
    private GridState? coming;
    private Filter? loadedWithin;
    private CancellationTokenSource loading = new();
    private CancellationTokenSource typing = new();
    private readonly List<string> asked = [];
    private string searched = "";
    private int searchBox;
    private string? failure;
    private bool isLoading;
    private bool isAllEmpty;
    private bool isSimilar;
    private bool isDisposed;

    /// <summary>Made by Blazor.</summary>
    public RecordGrid(ILogger<RecordGrid> log, TimeProvider time, IServiceProvider services)
    {
        this.log = log;
        this.time = time;
        rows = new GridCommands(services, ReloadAsync, () => Restore);
        live = services.GetRequiredService<LivePages>().Watch(FollowAsync);
        toasts = services.GetRequiredService<Toasts>();
        browser = new GridBrowser(services.GetRequiredService<IJSRuntime>(), this);
        editing = new GridEditing(services.GetRequiredService<IRecordService>(), services.GetRequiredService<IMetadata>(), services.GetRequiredService<FieldText>(), time);
    }

    /// <summary>Name of the entity listed.</summary>
    [Parameter, EditorRequired] public string Entity { get; set; } = "";

    /// <summary>What is shown.</summary>
    [Parameter] public GridState State { get; set; } = new();

    /// <summary>The user wants to see something else; the caller gives the new state back.</summary>
    [Parameter] public EventCallback<GridState> StateChanged { get; set; }

    /// <summary>Limits the list beyond its view, for a list on a page of another record.</summary>
    [Parameter] public Filter? Within { get; set; }

    /// <summary>Shows all fields of all records instead of the entity's views, see <see cref="SafeMode"/>. Decided when the list is made.</summary>
    [Parameter] public bool IsSafe { get; set; }

    /// <summary>Heading shown before the views.</summary>
    [Parameter] public RenderFragment? Heading { get; set; }

    /// <summary>More buttons of the list, before the one for a new record.</summary>
    [Parameter] public RenderFragment? Actions { get; set; }

    /// <summary>Views that users saved, to choose from beside those of the entity.</summary>
    [Parameter] public ImmutableArray<ViewDefinition> SavedViews { get; set; } = [];

    /// <summary>Name of the view shown when the state names none; null for the entity's first.</summary>
    [Parameter] public string? DefaultView { get; set; }

    /// <summary>Columns the user chose, by name of the view.</summary>
    [Parameter] public ImmutableDictionary<string, ImmutableArray<string>> ChosenColumns { get; set; } = ImmutableDictionary<string, ImmutableArray<string>>.Empty;

    /// <summary>Further items of the menu of views, given the view as it is shown: elements of class <c>menu-item</c>.</summary>
    [Parameter] public RenderFragment<ViewDefinition>? ViewActions { get; set; }

    /// <summary>Further buttons beside the filter in words, given everything the list finds.</summary>
    [Parameter] public RenderFragment<RecordQuery>? FindActions { get; set; }

    /// <summary>Further items of the menu of a row: elements of class <c>menu-item</c>.</summary>
    [Parameter] public RenderFragment<Record>? RowActions { get; set; }

    /// <summary>The user wants to change or delete many records; without it, ticked rows can be deleted.</summary>
    [Parameter] public EventCallback<GridOperation> OnOperation { get; set; }

    /// <summary>Brings deleted records back, and says why when one of them could not be; without it, deleting offers no way back.</summary>
    [Parameter] public Func<ImmutableArray<Guid>, Task<string?>>? Restore { get; set; }

    /// <summary>The user wants what the list shows, or the ticked rows, as a file; without it nothing is offered.</summary>
    [Parameter] public EventCallback<GridExport> OnExport { get; set; }

    private bool CanExport => OnExport.HasDelegate && !IsSafe && entity.Allows(AccessOperation.Export);

    private bool CanWrite => entity.Allows(AccessOperation.Write);

    /// <inheritdoc/>
    protected override void OnInitialized() => Metadata.Changed += OnMetadataChanged;

    /// <inheritdoc/>
    protected override async Task OnParametersSetAsync()
    {
        var isStale = false;
        if (entity is null || entity.Name != Entity)
        {
            page = null;
            loaded = null;
            Use(Metadata.Current);
        }
        else if (!loader.Saved.SequenceEqual(SavedViews) || loader.Default != DefaultView || !ReferenceEquals(loader.Chosen, ChosenColumns))
        {
            // What was saved may be what is shown.
            isStale = true;
            Use(loader.Metadata);
        }

        if (!isStale && loaded == State && Equals(loadedWithin, Within))
        {
            return;
        }

        FollowSearch();
        await LoadAsync();
    }

    // The box belongs to who types: writing back what was typed a moment ago would swallow what was typed since. Only a search
    // that came from elsewhere (a link, going back, "clear") makes a new box with its words.
    private void FollowSearch()
    {
        var echo = asked.IndexOf(State.Search);
        if (echo >= 0)
        {
            asked.RemoveRange(0, echo + 1);
        }
        else if (loaded?.Search != State.Search)
        {
            searched = State.Search;
            searchBox++;
        }
    }

    private void Use(MetadataSnapshot metadata)
    {
        entity = IsSafe ? SafeMode.Of(metadata.Entity(Entity)) : metadata.Entity(Entity);
        loader = new GridLoader(Records, metadata, entity) { TimeZone = Display.TimeZone, Saved = SavedViews, Default = DefaultView, Chosen = ChosenColumns };
        rows.Use(entity, loader);
    }

    private async Task LoadAsync()
    {
        // What is being read is said before anything is awaited: the caller may set the same state again meanwhile.
        var wanted = State;
        coming = null;
        (loaded, loadedWithin, isLoading, failure, refusal) = (wanted, Within, true, null, null);
        var before = loading;
        loading = new CancellationTokenSource();
        var ct = loading.Token;
        await before.CancelAsync();
        before.Dispose();
        if (ct.IsCancellationRequested)
        {
            return;
        }

        editing.Cancel();
        open = null;
        columns = loader.Columns(loader.View(wanted));
        order = loader.Order(wanted);
        FollowOthers(wanted);
        try
        {
            criterion = await CriterionAsync(ct);
            var (read, isEmpty) = await ReadAsync(wanted, ct);
            // What was read to its end just when more was typed would bring back what was asked before.
            ct.ThrowIfCancellationRequested();
            pageKey = new object();
            isLoading = false;
            await TakeAsync(read, read.Page.Records, isEmpty);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // A newer state is being read.
        }
        catch (QueryException problem) when (loader.Find(State) is not null)
        {
            (refusal, isLoading) = (problem.Message, false);
        }
        catch (Exception problem)
        {
            failure = ErrorIds.Next();
            isLoading = false;
            log.LogError(problem, "The list of {Entity} could not be read ({ErrorId}).", entity.Name, failure);
        }
    }

    private async Task<(GridPage Read, bool IsEmpty)> ReadAsync(GridState wanted, CancellationToken ct)
    {
        var read = await WithCountAsync(await loader.ReadAsync(wanted, Within, ct), ct);
        // "Nothing yet" is said only when the entity has no record at all, not when a view or a search is empty.
        return (read, read.Page.Records.IsEmpty && wanted.Search.Length == 0 && loader.Find(wanted) is null && await IsEntityEmptyAsync(ct));
    }

    private async Task TakeAsync(GridPage read, ImmutableArray<Record> shown, bool isEmpty)
    {
        (page, isAllEmpty, isSimilar) = (read.Page with { Records = shown }, isEmpty, read.IsSimilar);
        if (read.State != State)
        {
            loaded = read.State;
            await StateChanged.InvokeAsync(read.State);
        }
    }

    // Called from elsewhere too: a toast that takes something back outlives the page it came from.
    private Task ReloadAsync() => isDisposed ? Task.CompletedTask : InvokeAsync(async () =>
    {
        await LoadAsync();
        StateHasChanged();
    });

    private async Task OperateAsync(bool isDelete)
    {
        var (all, ids) = await rows.SelectedAsync(element);
        if (all && !await CountExactlyAsync())
        {
            return;
        }

        if (all && OnOperation.HasDelegate)
        {
            await OnOperation.InvokeAsync(new GridOperation(new GridSelection(entity, [], loader.Query(State, Within), page?.Count ?? 0), isDelete));
        }
        else if (isDelete)
        {
            await rows.DeleteAsync(element, ids);
        }
        else if (!ids.IsEmpty)
        {
            await OnOperation.InvokeAsync(new GridOperation(new GridSelection(entity, ids, null, ids.Length), IsDelete: false));
        }
    }

    private async Task ExportAsync(bool isSelection)
    {
        var (all, ids) = isSelection ? await rows.SelectedAsync(element) : (true, []);
        var view = loader.View(State);
        if (all ? await CountExactlyAsync() : !ids.IsEmpty)
        {
            await OnExport.InvokeAsync(new GridExport(entity, [.. columns.Select(c => c.Path)], order, all ? page?.Count ?? 0 : ids.Length)
            {
                View = loader.Views.Concat(loader.Saved).Any(v => v.Name == view.Name) ? view.Name : null,
                Search = State.Search.Trim(),
                Find = State.Find,
                Ids = all ? [] : ids,
            });
        }
    }

    private async Task<bool> IsEntityEmptyAsync(CancellationToken ct)
    {
        var any = await Records.QueryAsync(new RecordQuery { Entity = entity.Name, Select = ["id"], Top = 1 }, ct);
        return any.Records.IsEmpty;
    }

    // A click that comes before the one before it has changed the address goes on from what that asked for.
    private Task SortAsync(string path, bool adds)
    {
        var now = coming ?? State;
        return ShowAsync(now.SortedBy(path, loader.Order(now), adds));
    }

    private async Task ShowAsync(GridState next)
    {
        if (StateChanged.HasDelegate)
        {
            coming = next;
            await StateChanged.InvokeAsync(next);
        }
        else
        {
            State = next;
            FollowSearch();
            await LoadAsync();
        }
    }

    private async Task OnTypedAsync(ChangeEventArgs change)
    {
        var words = change.Value as string ?? "";
        // What was typed last is said before anything is awaited: otherwise an earlier letter that comes to its turn later would have the last word.
        var before = typing;
        typing = new CancellationTokenSource();
        var ct = typing.Token;
        await before.CancelAsync();
        before.Dispose();
        try
        {
            await Task.Delay(TypingPause, time, ct);
            if (asked.Count == 0 && words == State.Search)
            {
                return;
            }

            asked.Add(words);
            await ShowAsync((coming ?? State) with { Search = words, Page = 1 });
        }
        catch (OperationCanceledException)
        {
            // More was typed.
        }
    }

    private void OnMetadataChanged(MetadataSnapshot metadata) => _ = InvokeAsync(async () =>
    {
        if (!isDisposed && metadata.TryEntity(Entity, out var next) && !next.IsHidden)
        {
            Use(metadata);
            await LoadAsync();
            StateHasChanged();
        }
    });

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        isDisposed = true;
        live.Dispose();
        Metadata.Changed -= OnMetadataChanged;
        await loading.CancelAsync();
        loading.Dispose();
        await typing.CancelAsync();
        typing.Dispose();
        await browser.DisposeAsync();
    }
}
