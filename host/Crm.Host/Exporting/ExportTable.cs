using System.Collections.Immutable;
using Crm.Sdk;
using Crm.Sdk.Web;

namespace Crm.Host.Exporting;

/// <summary>The columns of an export: what is read, what it is called, and what of each record goes into a cell.</summary>
internal sealed class ExportTable
{
    private readonly ImmutableArray<Column> columns;

    private ExportTable(ImmutableArray<Column> columns, ImmutableArray<string> select, ImmutableArray<FieldDefinition> followed) =>
        (this.columns, Select, Followed, Headings) = (columns, select, followed, Distinct(columns));

    public ImmutableArray<string> Headings { get; }

    /// <summary>Paths a query selects for it.</summary>
    public ImmutableArray<string> Select { get; }

    /// <summary>Fields whose records cannot be joined, see <see cref="ExportLinks"/>.</summary>
    public ImmutableArray<FieldDefinition> Followed { get; }

    /// <summary>Makes the table of some columns.</summary>
    /// <param name="metadata">As who asks sees it.</param>
    /// <param name="entity">The entity.</param>
    /// <param name="paths">Fields, or paths through lookups.</param>
    /// <param name="withIds">Whether the ids of the records, and of those they point to, come along, so that the file can be imported again.</param>
    public static ExportTable Of(MetadataSnapshot metadata, EntityDefinition entity, IEnumerable<string> paths, bool withIds)
    {
        var shown = GridColumn.Of(metadata, entity, paths);
        IEnumerable<Column> id = withIds && !shown.Any(c => c.Path == "id") ? [new Column("id", "id", r => r.Id.ToString())] : [];
        return new ExportTable(
            [.. id, .. shown.SelectMany(c => Columns(c, withIds))],
            [.. shown.SelectMany(c => c.Selected).Append("id").Distinct(StringComparer.Ordinal)],
            [.. shown.Where(c => c.Path == c.Field.Name && (c.Field.Link is not null || c.Field.Type is AnyLookupType)).Select(c => c.Field)]);
    }

    /// <summary>The cells of a record.</summary>
    public object?[] Cells(Record record)
    {
        var cells = new object?[columns.Length];
        for (var i = 0; i < cells.Length; i++)
        {
            cells[i] = columns[i].Value(record);
        }

        return cells;
    }

    private static IEnumerable<Column> Columns(GridColumn shown, bool withIds)
    {
        if (shown.ReferencePath is { } reference)
        {
            yield return new Column(shown.Path, shown.Label, r => r[reference] is null ? null : shown.TitleOf(r));
            if (withIds)
            {
                var name = reference + shown.Field.Type.Columns[0].Suffix;
                yield return new Column(name, name, r => r[reference]?.ToString());
            }
        }
        else if (shown.Field.Type is MoneyType)
        {
            // A sheet adds up numbers, and an amount with its currency is none.
            yield return new Column(shown.Path, shown.Label, r => r[shown.Path] is Money money ? money.Amount : null);
            yield return new Column(shown.Path + ".currency", ExportTexts.Of("CurrencyOf", shown.Label), r => r[shown.Path] is Money money ? money.Currency : null);
        }
        else
        {
            yield return new Column(shown.Path, shown.Label, r => Value(shown.Field, r[shown.Path]));
        }
    }

    private static object? Value(FieldDefinition field, object? value) => value switch
    {
        null or DateOnly or DateTimeOffset or TimeOnly => value,
        long seconds when field.Type is DurationType => TimeSpan.FromSeconds(seconds),
        long or decimal => value,
        int number => (long)number,
        double number => (decimal)number,
        Guid id => id.ToString(),
        string text when field.Type.ValueType == typeof(string) && field.Choices.IsEmpty && field.Stages is null && field.Type.Name != "rich_text" => text,
        ExportLinks links => links.Titles,
        _ => field.Type.Format(field, value, System.Globalization.CultureInfo.CurrentCulture),
    };

    // A file whose columns cannot be told apart cannot be imported.
    private static ImmutableArray<string> Distinct(ImmutableArray<Column> columns)
    {
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        return [.. columns.Select(c => seen.Add(c.Heading) ? c.Heading : $"{c.Heading} ({c.Path})")];
    }

    private sealed record Column(string Path, string Heading, Func<Record, object?> Value);
}
