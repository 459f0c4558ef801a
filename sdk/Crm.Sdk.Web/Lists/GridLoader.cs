using System.Collections.Immutable;

namespace Crm.Sdk.Web;

/// <summary>Reads the page of records a list shows.</summary>
/// <param name="records">Reads for the user.</param>
/// <param name="metadata">Taken once; the list is drawn from the same one.</param>
/// <param name="entity">The entity listed.</param>
public sealed class GridLoader(IRecordService records, MetadataSnapshot metadata, EntityDefinition entity)
{
    /// <summary>Where the user's days begin; null for UTC.</summary>
    public TimeZoneInfo? TimeZone { get; init; }

    /// <summary>The definitions the list is drawn from.</summary>
    public MetadataSnapshot Metadata => metadata;

    /// <summary>Views to choose from.</summary>
    public ImmutableArray<ViewDefinition> Views => entity.Views;

    /// <summary>The view of a state; the entity's first one when the state names none that exists.</summary>
    public ViewDefinition View(GridState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        return entity.Views.FirstOrDefault(v => v.Name == state.View) ?? entity.Views.FirstOrDefault() ?? new ViewDefinition("all", entity.PluralLabel, entity.TitleFields);
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
        var chosen = state.Sort.Where(s => FieldPath.Find(metadata, entity, s.Path)?.Field.Type.CanSort == true).ToImmutableArray();
        return !chosen.IsEmpty ? chosen : View(state).Sort.IsDefault ? [] : View(state).Sort;
    }

    /// <summary>Reads the page; a page behind the last one gives the last one.</summary>
    /// <param name="state">What to show.</param>
    /// <param name="within">Limits the list beyond its view; null for nothing.</param>
    /// <param name="ct">Gives up.</param>
    public async Task<(GridState State, RecordPage Page)> ReadAsync(GridState state, Filter? within, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(state);
        var query = Query(state, within) with
        {
            Select = Selected(View(state)),
            Sort = Order(state),
            Top = state.PageSize,
            Skip = (state.Page - 1) * state.PageSize,
            Count = true,
        };
        var page = await records.QueryAsync(query, ct);
        if (page.Records.IsEmpty && state.Page > 1 && page.Count is { } count and > 0)
        {
            state = state with { Page = (int)((count - 1) / state.PageSize) + 1 };
            page = await records.QueryAsync(query with { Skip = (state.Page - 1) * state.PageSize }, ct);
        }

        return (state, await WithLinksAsync(View(state), page, ct));
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
            Filter = new[] { View(state).Filter, state.Find, within }.OfType<Filter>().ToImmutableArray() switch { [] => null, [var one] => one, var several => new Filter.All(several) },
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

    private async Task<RecordPage> WithLinksAsync(ViewDefinition view, RecordPage page, CancellationToken ct)
    {
        var links = Columns(view).Where(c => c.Path == c.Field.Name).Select(c => c.Field);
        return page with { Records = await LinkTitles.AddAsync(records, metadata, links, page.Records, ct) };
    }

    private ImmutableArray<string> Selected(ViewDefinition view) =>
        [.. Columns(view).SelectMany(c => c.Selected).Concat(entity.TitleFields).Append("is_active").Distinct(StringComparer.Ordinal)];
}
