using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Crm.Sdk;

namespace Crm.Host.Api.OData;

/// <summary>Writes a filter as the text of <c>$filter</c>: what a list shows can be asked of the API.</summary>
internal sealed class FilterText(ODataModel model)
{
    /// <summary>The address of what a list shows, below the root of the service.</summary>
    public string Link(EntityDefinition entity, RecordQuery query)
    {
        ArgumentNullException.ThrowIfNull(query);
        var options = new List<string>();
        if (query.Filter is { } filter && !Equals(filter, Filter.AllOf()))
        {
            options.Add("$filter=" + Uri.EscapeDataString(Write(model.ByEntity[entity.Name], filter, "")));
        }

        if (query.Search is { } search)
        {
            options.Add("$search=" + Uri.EscapeDataString('"' + search.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal) + '"'));
        }

        return $"/odata/v4/{entity.SetName}{(options.Count == 0 ? "" : "?" + string.Join('&', options))}";
    }

    /// <summary>The text of a filter on a set.</summary>
    public string Write(ODataSet set, Filter filter) => Write(set, filter, "");

    private string Write(ODataSet set, Filter filter, string start, int depth = 0) => filter switch
    {
        Filter.All { Filters.IsEmpty: true } => "true",
        Filter.Any { Filters.IsEmpty: true } => "false",
        Filter.All all => Join(set, all.Filters, " and ", start, depth),
        Filter.Any any => Join(set, any.Filters, " or ", start, depth),
        Filter.Not not => $"not ({Write(set, not.Filter, start, depth)})",
        Filter.Mine mine => $"{Functions.Mine}({Property(set, mine.Path, start).Text})",
        Filter.During during => $"{Functions.During}({Property(set, during.Path, start).Text},'{JsonNamingPolicy.SnakeCaseLower.ConvertName(during.Period.ToString())}',{during.Days.ToString(CultureInfo.InvariantCulture)})",
        Filter.In list => In(set, list, start),
        Filter.Compare compare => Compare(set, compare, start),
        Filter.Related related => Any(set, related, start, depth),
        Filter.Linked { Where: null } linked => $"{Property(set, linked.Path, start).Text}/any()",
        Filter.Linked { Where: { } where } linked when Property(set, linked.Path, start) is { Field.Type: AddressesType } addresses => Addresses(set, addresses.Text, addresses.Field, where, depth),
        // The links themselves are no part of the model: conditions on them have no words in OData.
        _ => throw Unsupported.Expression("The filter has a condition on links, which $filter cannot say"),
    };

    private string Any(ODataSet set, Filter.Related related, string start, int depth)
    {
        var found = set.Related.Values.FirstOrDefault(r => r.Set.Entity.Name == related.Entity && r.Lookup.Name == related.Lookup) ?? throw Unsupported.Expression($"There is no field '{related.Lookup}' of '{related.Entity}'", related.Lookup);
        var variable = string.Create(CultureInfo.InvariantCulture, $"r{depth + 1}");
        return start + found.Name + (related.Where is null ? "/any()" : $"/any({variable}: {Write(found.Set, related.Where, variable + "/", depth + 1)})");
    }

    private string Addresses(ODataSet set, string text, FieldDefinition field, Filter where, int depth)
    {
        var variable = string.Create(CultureInfo.InvariantCulture, $"a{depth + 1}");
        return $"{text}/any({variable}: {Write(set.RowsOf(field), where, variable + "/", depth + 1)})";
    }

    private string Join(ODataSet set, ImmutableArray<Filter> filters, string word, string start, int depth) =>
        "(" + string.Join(word, filters.Select(f => Write(set, f, start, depth))) + ")";

    private static string In(ODataSet set, Filter.In list, string start)
    {
        var (text, column, field) = Property(set, list.Path, start);
        var given = list.Values.Where(v => v is not null).Select(v => Literal(column, v!)).ToList();
        var condition = field.Type is TextListType ? $"{text}/any(t: {string.Join(" or ", given.Select(g => "t eq " + g))})" : $"{text} in ({string.Join(',', given)})";
        return given.Count == 0 ? "false" : list.Values.Length > given.Count ? $"({condition} or {text} eq null)" : condition;
    }

    private static string Compare(ODataSet set, Filter.Compare compare, string start)
    {
        var (text, column, field) = Property(set, compare.Path, start);
        if (compare.Value is null or "")
        {
            return field.Type is TextListType or KindsType
                ? compare.Operator == FilterOperator.Equal ? $"not ({text}/any())" : $"{text}/any()"
                : $"{text} {(compare.Operator == FilterOperator.Equal ? "eq" : "ne")} null";
        }

        var value = Literal(column, compare.Value);
        return compare.Operator switch
        {
            FilterOperator.Contains when field.Type is TextListType => $"{text}/any(t: t eq {value})",
            FilterOperator.Contains when field.Type is AddressesType => $"{text}/any(a: {string.Join(" or ", AddressesType.Parts.Select(p => $"contains(a/{p.Part},{Quoted(compare.Value)})"))})",
            FilterOperator.Contains when field.Type is SeveralType => $"{text}/any(p: p/value eq {Quoted(compare.Value)})",
            FilterOperator.Contains => $"contains({text},{value})",
            FilterOperator.StartsWith => $"startswith({text},{value})",
            FilterOperator.EndsWith => $"endswith({text},{value})",
            FilterOperator.Matches => $"{Functions.Matches}({text},{value})",
            FilterOperator.EqualAnyCase => $"tolower({text}) eq tolower({value})",
            FilterOperator.Equal => $"{text} eq {value}",
            FilterOperator.NotEqual => $"{text} ne {value}",
            FilterOperator.Less => $"{text} lt {value}",
            FilterOperator.LessOrEqual => $"{text} le {value}",
            FilterOperator.Greater => $"{text} gt {value}",
            FilterOperator.GreaterOrEqual => $"{text} ge {value}",
            _ => throw new InvalidOperationException($"Unknown operator {compare.Operator}."),
        };
    }

    private static string Literal(FieldColumn column, object value) => column.Storage switch
    {
        StorageKind.Text or StorageKind.TextList or StorageKind.Json => Quoted(value),
        StorageKind.Boolean => Inputs.ToBoolean(value) == true ? "true" : "false",
        _ => Convert.ToString(value is DateTimeOffset or DateOnly or TimeOnly ? JsonSerializer.SerializeToNode(value)!.GetValue<string>() : value, CultureInfo.InvariantCulture) ?? "null",
    };

    private static string Quoted(object value) => "'" + (Convert.ToString(value, CultureInfo.InvariantCulture) ?? "").Replace("'", "''", StringComparison.Ordinal) + "'";

    private static (string Text, FieldColumn Column, FieldDefinition Field) Property(ODataSet set, string path, string start)
    {
        var segments = path.Split('.');
        var words = new List<string>();
        foreach (var segment in segments[..^1])
        {
            var navigation = set.Navigations.Values.FirstOrDefault(n => n.Step == segment || n.Name == segment) ?? throw Unsupported.Expression($"There is no field '{path}'", path);
            words.Add(navigation.Name);
            set = navigation.Target;
        }

        var last = segments[^1];
        if (set.Entity.TryField(last, out var field) && !field.IsHidden)
        {
            return field.Type.Columns.IsEmpty
                ? (start + string.Join('/', [.. words, field.Name]), new FieldColumn("", "", StorageKind.Reference), field)
                : (start + string.Join('/', [.. words, field.Name + field.Type.Columns[0].Suffix]), field.Type.Columns[0], field);
        }

        return set.Entity.TryProperty(last, out var property) && !property.Field.IsHidden
            ? (start + string.Join('/', [.. words, last]), property.Column, property.Field)
            : throw Unsupported.Expression($"There is no field '{path}'", path);
    }
}
