using System.Collections.Immutable;
using System.Globalization;
using Crm.Host.Api;
using Crm.Host.Api.OData;
using Crm.Host.Security;
using Crm.Metadata;
using Crm.Records.Importing;
using Crm.Sdk;
using Crm.Sdk.Web;

namespace Crm.Host.Exporting;

/// <summary>What a request for an export asks for, read strictly: an option that is not understood is refused.</summary>
internal sealed record ExportOptions(RecordQuery Query, ExportTable Table, ImmutableArray<string> Columns)
{
    private static readonly string[] Known =
        ["$format", "$view", "$select", "$filter", "$search", "$orderby", "$sort", "$find", "$ids", "$separator", "$bom", "$culture", "$zone", "$keys"];

    /// <summary><c>csv</c> or <c>xlsx</c>.</summary>
    public required string Format { get; init; }

    public required EntityDefinition Entity { get; init; }

    public char Separator { get; init; }

    public bool HasMark { get; init; }

    public CultureInfo? Culture { get; init; }

    public required TimeZoneInfo Zone { get; init; }

    public static async Task<ExportOptions> ReadAsync(HttpRequest request, string name, ODataModel model, SavedViews views, IRecordService records, IMetadata metadata, CurrentActor actor, TimeProvider time)
    {
        var set = model.ByEntity.GetValueOrDefault(name) ?? model.Set(name);
        var entity = set.Entity;
        var given = QueryOptions.Read(request, model, set, Known);
        var zone = ZoneOf(given["$zone"]);
        var view = await ViewAsync(given["$view"], entity, views, actor, request.HttpContext.RequestAborted);
        var columns = ColumnsOf(given["$select"], view, metadata.Current, entity);
        var table = ExportTable.Of(metadata.Current, entity, columns, Flag(given, "$keys", missing: false));
        // The same words mean the same records as in a list.
        var loader = new GridLoader(records, metadata.Current, view is { IsSaved: true } ? entity : entity with { Views = view is null ? [] : [view.Value.Definition] })
        {
            TimeZone = zone,
            Saved = view is { IsSaved: true } saved ? [saved.Definition] : [],
        };
        var state = GridState.Read(view?.Definition.Name, null, given["$sort"], null, null) with { Find = Find(given["$find"]) };
        ImmutableArray<Filter> within = [.. new[] { given.Filter() is { } filter ? new FilterTranslator(set, time).Translate(filter.Expression) : null, Ids(given["$ids"]) }.OfType<Filter>()];
        var culture = CultureOf(given["$culture"]);
        return new ExportOptions(
            loader.Query(state, within.IsEmpty ? null : new Filter.All(within)) with
            {
                Select = table.Select,
                Search = ListRequest.Search(given["$search"]),
                Sort = given["$orderby"] is null ? loader.Order(state) : ListRequest.Order(set, given.OrderBy()),
            },
            table,
            columns)
        {
            Format = given["$format"] switch
            {
                null or "csv" => "csv",
                "xlsx" => "xlsx",
                var other => throw Wrong("format", "UnknownFormat", other),
            },
            Entity = entity,
            Culture = culture,
            Separator = SeparatorOf(given["$separator"], culture),
            HasMark = Flag(given, "$bom", missing: true),
            Zone = zone,
        };
    }

    private static ImmutableArray<string> ColumnsOf(string? select, (ViewDefinition Definition, bool IsSaved)? view, MetadataSnapshot metadata, EntityDefinition entity)
    {
        if (select is null)
        {
            return view?.Definition.Columns ?? [.. entity.Fields.Where(f => !f.IsHidden).Select(f => f.Name)];
        }

        // Paths as views write them, or as OData does.
        ImmutableArray<string> paths = [.. select.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(p => p.Replace('/', '.'))];
        return paths.FirstOrDefault(p => Sdk.Web.FieldPath.Find(metadata, entity, p) is null) is { } unknown
            ? throw new ApiException(new ApiError(StatusCodes.Status400BadRequest, ErrorCodes.UnknownField, ExportTexts.Of("UnknownColumn", entity.Label, unknown.Length > 64 ? unknown[..64] + "…" : unknown), "$select"))
            : paths;
    }

    private static async Task<(ViewDefinition Definition, bool IsSaved)?> ViewAsync(string? name, EntityDefinition entity, SavedViews views, CurrentActor actor, CancellationToken ct)
    {
        if (name is null)
        {
            return null;
        }

        if (entity.Views.FirstOrDefault(v => v.Name == name) is { } declared)
        {
            return (declared, false);
        }

        return Guid.TryParse(name, out var id) && await views.FindAsync(id, actor.Value, ct) is { } saved && saved.Entity == entity.Name
            ? (saved.Definition, true)
            : throw new ApiException(ApiError.NotFound(ExportTexts.Of("UnknownView", entity.PluralLabel, name), "view"));
    }

    private static Filter? Find(string? text) => text is null ? null : FilterJson.Parse(text) ?? throw Wrong("find", "UnknownFind");

    private static Filter.In? Ids(string? text)
    {
        if (text is null)
        {
            return null;
        }

        var ids = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return ids.Length > 0 && ids.All(id => Guid.TryParse(id, out _)) ? new Filter.In("id", [.. ids.Select(id => (object?)Guid.Parse(id))]) : throw Wrong("ids", "UnknownIds");
    }

    private static TimeZoneInfo ZoneOf(string? id) =>
        id is null ? TimeZoneInfo.Utc : TimeZoneInfo.TryFindSystemTimeZoneById(id, out var zone) ? zone : throw Wrong("zone", "UnknownZone", id);

    private static CultureInfo? CultureOf(string? name)
    {
        try
        {
            return name is null ? null : CultureInfo.GetCultureInfo(name, predefinedOnly: true);
        }
        catch (CultureNotFoundException)
        {
            throw Wrong("culture", "UnknownCulture", name);
        }
    }

    // Where numbers have a comma, spreadsheets expect a semicolon between them.
    private static char SeparatorOf(string? text, CultureInfo? culture)
    {
        try
        {
            return CsvTable.ParseDelimiter(text) ?? (culture?.NumberFormat.NumberDecimalSeparator == "," ? ';' : ',');
        }
        catch (ImportFileException refused)
        {
            throw new ApiException(ApiError.BadRequest(refused.Message, "separator"));
        }
    }

    private static bool Flag(QueryOptions given, string name, bool missing) => given[name] switch
    {
        null => missing,
        "true" => true,
        "false" => false,
        _ => throw Wrong(name[1..], "UnknownFlag"),
    };

    private static ApiException Wrong(string name, string text, string? value = null) => new(ApiError.BadRequest(ExportTexts.Of(text, name, value), name));
}
