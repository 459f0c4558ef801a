using System.Collections.Immutable;

namespace Crm.Sdk.Web;

/// <summary>Reads the page of records a list shows.</summary>
/// <param name="records">Reads for the user.</param>
/// <param name="metadata">Taken once; the list is drawn from the same one.</param>
/// <param name="entity">The entity listed.</param>
public sealed class GridLoader(IRecordService records, MetadataSnapshot metadata, EntityDefinition entity)
{
    // Words of two letters are like very many.
    private const int FewestLetters = 3;

    /// <summary>Where the user's days begin; null for UTC.</summary>
    public TimeZoneInfo? TimeZone { get; init; }

    /// <summary>The definitions the list is drawn from.</summary>
    public MetadataSnapshot Metadata => metadata;

    /// <summary>Views of the entity, to choose from.</summary>
    public ImmutableArray<ViewDefinition> Views => entity.Views;

    /// <summary>Views that users saved, to choose from beside those of the entity.</summary>
    public ImmutableArray<ViewDefinition> Saved { get; init; } = [];

    /// <summary>Name of the view shown when a state names none; null for the entity's first.</summary>
    public string? Default { get; init; }

    /// <summary>Columns the user chose, by name of the view.</summary>
    public ImmutableDictionary<string, ImmutableArray<string>> Chosen { get; init; } = ImmutableDictionary<string, ImmutableArray<string>>.Empty;

    /// <summary>The view of a state, with the columns the user chose; the entity's first one when the state names none that exists.</summary>
    public ViewDefinition View(GridState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        var view = Named(state.View) ?? Named(Default) ?? entity.Views.FirstOrDefault() ?? new ViewDefinition("all", entity.PluralLabel, entity.TitleFields);
        return Chosen.TryGetValue(view.Name, out var columns) ? view with { Columns = columns } : view;
    }

    /// <summary>The view with the filter and the order in force: what is saved when somebody saves the list.</summary>
    public ViewDefinition Shown(GridState state) => View(state) with { Filter = Everything(state), Sort = Order(state) };

    /// <summary>The filter the user sees and changes; null for none. That of a saved view is the user's own, that of a view of the entity is not.</summary>
    public Filter? Find(GridState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        return (IsSaved(View(state)) ? state.Find ?? View(state).Filter : state.Find) is { } filter && !Equals(filter, Filter.AllOf()) ? filter : null;
    }

    /// <summary>The state with another filter; null for none.</summary>
    public GridState WithFind(GridState state, Filter? filter)
    {
        ArgumentNullException.ThrowIfNull(state);
        var view = View(state);
        return state with { Page = 1, Find = !IsSaved(view) ? filter : Equals(filter, view.Filter) ? null : filter ?? Filter.AllOf() };
    }

    /// <summary>Columns of a view.</summary>
    public ImmutableArray<GridColumn> Columns(ViewDefinition view)
    {
        ArgumentNullException.ThrowIfNull(view);
        return GridColumn.Of(metadata, entity, view.Columns);
    }

    /// <summary>The order in force: the user's where it can be followed, otherwise the view's.</summary>
    public ImmutableArray<Sort> Order(GridState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        var chosen = Usable(state.Sort);
        return chosen.IsEmpty ? Usable(View(state).Sort) : chosen;
    }

    /// <summary>Reads the page; a page behind the last one gives the last one.</summary>
    /// <param name="state">What to show.</param>
    /// <param name="within">Limits the list beyond its view; null for nothing.</param>
    /// <param name="ct">Gives up.</param>
    public async Task<GridPage> ReadAsync(GridState state, Filter? within, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(state);
        var query = Query(state, within) with
        {
            Select = Selected(View(state)),
            Sort = [.. Order(state).SelectMany(s => Whole(View(state), s))],
            Top = state.PageSize,
            Skip = (state.Page - 1) * state.PageSize,
            Count = true,
            Estimate = true,
            // Whoever chose an order wants that one.
            SearchMode = state.Sort.IsEmpty ? SearchMode.BestFirst : SearchMode.Sorted,
        };
        var page = await records.QueryAsync(query, ct);
        var isSimilar = page.Count == 0 && query.Search is { Length: >= FewestLetters } search && search.All(c => char.IsLetter(c) || c is ' ' or '-' or '\'' or '’');
        if (isSimilar)
        {
            // Nothing is written like that: perhaps it is misspelt. Numbers and addresses are meant as they are.
            query = query with { SearchMode = SearchMode.Similar };
            page = await records.QueryAsync(query, ct);
        }

        if (page.Records.IsEmpty && state.Page > 1 && page.IsEstimate)
        {
            // Only what there really is says which page is the last one.
            query = query with { Estimate = false };
            page = await records.QueryAsync(query, ct);
        }

        if (page.Records.IsEmpty && state.Page > 1 && page.Count is { } count and > 0)
        {
            state = state with { Page = (int)((count - 1) / state.PageSize) + 1 };
            page = await records.QueryAsync(query with { Skip = (state.Page - 1) * state.PageSize }, ct);
        }

        return new GridPage(state, await WithLinksAsync(View(state), page, ct), isSimilar && !page.Records.IsEmpty);
    }

    /// <summary>Counts everything the list finds, however long that takes.</summary>
    /// <exception cref="QueryException">It takes too long.</exception>
    public async Task<long> CountAsync(GridState state, Filter? within, CancellationToken ct)
    {
        var page = await records.QueryAsync(Query(state, within) with { Select = ["id"], Top = 1, Count = true }, ct);
        return page.Count ?? 0;
    }

    /// <summary>Everything the list finds, on all its pages.</summary>
    /// <param name="state">What is shown.</param>
    /// <param name="within">Limits the list beyond its view; null for nothing.</param>
    public RecordQuery Query(GridState state, Filter? within)
    {
        ArgumentNullException.ThrowIfNull(state);
        return new RecordQuery
        {
            Entity = entity.Name,
            Filter = Everything(state, within),
            TimeZone = TimeZone,
            Search = string.IsNullOrWhiteSpace(state.Search) ? null : state.Search.Trim(),
        };
    }

    /// <summary>Reads one row of a list again, whether it still belongs to the list or not; null when the record is gone.</summary>
    public async Task<Record?> ReadRowAsync(GridState state, Guid id, CancellationToken ct)
    {
        var page = await records.QueryAsync(new RecordQuery { Entity = entity.Name, Select = Selected(View(state)), Filter = Filter.Equal("id", id), Top = 1 }, ct);
        return (await WithLinksAsync(View(state), page, ct)).Records.FirstOrDefault();
    }

    /// <summary>What a record is called.</summary>
    public string TitleOf(Record record)
    {
        ArgumentNullException.ThrowIfNull(record);
        var title = string.Join(' ', entity.TitleFields.Select(f => record[f] as string).Where(t => !string.IsNullOrEmpty(t)));
        return title.Length == 0 ? Texts.Of("Untitled") : title;
    }

    // A saved view may name a field that is gone.
    /// <summary>Where a column shows records of several entities, they come in the order of their names, one entity after the other.</summary>
    private IEnumerable<Sort> Whole(ViewDefinition view, Sort sort) =>
        [sort, .. Columns(view).Where(c => c.SortPath == sort.Path).Take(1).SelectMany(c => c.Others).Select(o => sort with { Path = o.TitlePaths[0] })];

    private ImmutableArray<Sort> Usable(ImmutableArray<Sort> order) => order.IsDefault ? [] : [.. order.Where(s => FieldPath.Find(metadata, entity, s.Path)?.Field.Type.CanSort == true)];

    private ViewDefinition? Named(string? name) => name is null ? null : entity.Views.Concat(Saved).FirstOrDefault(v => v.Name == name);

    private bool IsSaved(ViewDefinition view) => Saved.Any(v => v.Name == view.Name);

    private Filter? Everything(GridState state, Filter? within = null)
    {
        var own = IsSaved(View(state)) ? null : View(state).Filter;
        ImmutableArray<Filter> filters = [.. new[] { own, Find(state), within }.OfType<Filter>().SelectMany(f => f is Filter.All all ? all.Filters : [f])];
        return filters switch { [] => null, [var one] => one, _ => new Filter.All(filters) };
    }

    private async Task<RecordPage> WithLinksAsync(ViewDefinition view, RecordPage page, CancellationToken ct)
    {
        var links = Columns(view).Where(c => c.Path == c.Field.Name).Select(c => c.Field);
        return page with { Records = await LinkTitles.AddAsync(records, metadata, links, page.Records, ct) };
    }

    private ImmutableArray<string> Selected(ViewDefinition view) =>
        [.. Columns(view).SelectMany(c => c.Selected).Concat(entity.TitleFields).Append("is_active").Distinct(StringComparer.Ordinal)];
}

/// <summary>What a list shows.</summary>
/// <param name="State">The state it belongs to: of a page behind the last one, the last one.</param>
/// <param name="Page">The records.</param>
/// <param name="IsSimilar">Whether no record holds the words searched for, so that those with similar ones are shown.</param>
public sealed record GridPage(GridState State, RecordPage Page, bool IsSimilar);
