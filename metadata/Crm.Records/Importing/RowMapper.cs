using System.Collections.Frozen;
using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Records.Importing;

/// <summary>One thing to say about a row.</summary>
/// <param name="IsError">Whether the row is left out because of it; otherwise a warning.</param>
/// <param name="Code">Stable code.</param>
/// <param name="Field">The field; null for the whole row.</param>
/// <param name="Column">The column it comes from.</param>
/// <param name="Value">The text at fault.</param>
/// <param name="Message">For the user.</param>
public sealed record RowIssue(bool IsError, string Code, string? Field, string? Column, string? Value, string Message)
{
    private const int MaxLength = 300;

    /// <summary>The text at fault; a long one is cut.</summary>
    public string? Value { get; init; } = Cut(Value);

    /// <summary>For the user; a long one, which repeats a long value, is cut.</summary>
    public string Message { get; init; } = Cut(Message)!;

    private static string? Cut(string? text) => text is { Length: > MaxLength } ? text[..MaxLength] + "…" : text;
}

/// <summary>A reference of a row by name, still to be found.</summary>
internal sealed record NamedReference(FieldPlan Plan, string Name);

/// <summary>A row as it will be saved.</summary>
internal sealed class MappedRow(ImportRow source)
{
    public ImportRow Source { get; } = source;

    /// <summary>Input by field or property name.</summary>
    public Dictionary<string, object?> Values { get; } = new(StringComparer.Ordinal);

    public List<NamedReference> References { get; } = [];

    /// <summary>Takes a record that was found; a field that holds many takes it beside the others.</summary>
    public void Refer(FieldPlan plan, Guid? id)
    {
        if (!plan.IsList)
        {
            Values[plan.Key] = id;
        }
        else if (id is { } found)
        {
            Values[plan.Key] = Values.GetValueOrDefault(plan.Key) is ImmutableArray<Guid> others ? others.Add(found) : ImmutableArray.Create(found);
        }
    }

    /// <summary>References to rows that come later in the file.</summary>
    public List<NamedReference> Pending { get; } = [];

    /// <summary>On a dry run: fields that would refer to records yet to be made.</summary>
    public HashSet<string> WouldExist { get; } = new(StringComparer.Ordinal);

    public List<RowIssue> Issues { get; } = [];

    public bool HasErrors => Issues.Exists(i => i.IsError);

    /// <summary>Texts by key as the file has them, for reports.</summary>
    public Dictionary<string, string> Texts { get; } = new(StringComparer.Ordinal);
}

/// <summary>Turns rows into values by field; pure, one row at a time.</summary>
internal sealed class RowMapper
{
    private readonly CellReader reader;
    private readonly FrozenDictionary<string, int> columns;
    private readonly FrozenDictionary<string, FieldPlan> planByColumn;
    private readonly bool keepsEmpty;

    public RowMapper(EntityDefinition entity, ImmutableArray<string> headers, ImportMapping mapping)
    {
        reader = new CellReader(mapping);
        keepsEmpty = mapping.Empty == EmptyCell.Keep;
        columns = headers.Select((header, i) => KeyValuePair.Create(header, i)).ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);
        Plans = [.. mapping.Fields.Select(f => FieldPlan.Create(f.Key, MappingCheck.Resolve(entity, f.Key)!, f.Value, columns))];
        planByColumn = Plans
            .Where(p => p is { ColumnName: not null, HasValues: true })
            .GroupBy(p => p.ColumnName!, StringComparer.OrdinalIgnoreCase)
            .ToFrozenDictionary(g => g.Key, g => g.First(), StringComparer.OrdinalIgnoreCase);
    }

    public ImmutableArray<FieldPlan> Plans { get; }

    /// <summary>Maps a row.</summary>
    public MappedRow Map(ImportRow row)
    {
        var mapped = new MappedRow(row);
        if (row.IsShort)
        {
            mapped.Issues.Add(new RowIssue(IsError: false, ImportCodes.ShortRow, null, null, null, Importing.Texts.Of("ShortRow")));
        }

        foreach (var plan in Plans)
        {
            var text = plan.Text(row.Values, column => ValueOf(row, column));
            mapped.Texts[plan.Key] = plan.Column is { } index ? row.Values[index] : text;
            if (text.Length == 0)
            {
                if (plan.IsReference && plan.ColumnName is not null)
                {
                    mapped.Issues.Add(new RowIssue(IsError: false, ImportCodes.Empty, plan.Key, plan.ColumnName, null, Importing.Texts.Of("EmptyReference", plan.Field.Label)));
                }

                if (!keepsEmpty)
                {
                    Put(mapped, plan, null);
                }
            }
            else if (plan.IsReference)
            {
                AddReference(mapped, plan, text);
            }
            else
            {
                AddValue(mapped, plan, text);
            }
        }

        return mapped;
    }

    /// <summary>Value of a column of a row, replaced as the field that takes the column says.</summary>
    public string ValueOf(ImportRow row, string column)
    {
        var text = row.Values[columns[column]];
        return planByColumn.TryGetValue(column, out var plan) ? plan.Replace(text) : text;
    }

    private static void AddReference(MappedRow mapped, FieldPlan plan, string text)
    {
        foreach (var name in plan.Names(text))
        {
            if (Guid.TryParse(name, out var id))
            {
                mapped.Refer(plan, id);
            }
            else
            {
                mapped.References.Add(new NamedReference(plan, plan.IsList ? plan.Replace(name) : name));
            }
        }
    }

    /// <summary>Columns of several kinds come together in one value, which leaves the kinds the file does not have as they are.</summary>
    private static void Put(MappedRow mapped, FieldPlan plan, object? value)
    {
        if (plan.Kind is not { } kind)
        {
            mapped.Values[plan.Key] = value;
            return;
        }

        if (!mapped.Values.TryGetValue(plan.Field.Name, out var given) || given is not Dictionary<string, object?> byKind)
        {
            // A column for the field as a whole is its first kind.
            var first = (given is ImmutableArray<KindValue> values ? values : []).DistinctBy(v => v.Kind);
            mapped.Values[plan.Field.Name] = byKind = first.ToDictionary(v => v.Kind, v => (object?)v.Value, StringComparer.Ordinal);
        }

        if (plan.AddressPart is { } part)
        {
            var parts = byKind.GetValueOrDefault(kind) as Dictionary<string, object?> ?? new(StringComparer.Ordinal);
            parts[part] = value;
            byKind[kind] = parts;
            return;
        }

        byKind[kind] = value is ImmutableArray<KindValue> { Length: 1 } one ? one[0].Value : null;
    }

    // The file's language says how texts mean numbers; a number of a workbook is none.
    private static bool IsNumber(ImportRow row, FieldPlan plan, string text) => plan.Column is { } column && row.Numbers?[column] == true && ReferenceEquals(text, row.Values[column]);

    private void AddValue(MappedRow mapped, FieldPlan plan, string text)
    {
        if (plan.IsPart)
        {
            mapped.Values[plan.Key] = text;
            return;
        }

        var input = plan switch
        {
            { AddressPart: { } part, Kind: { } home } => new Dictionary<string, object?>(StringComparer.Ordinal) { [home] = new Dictionary<string, object?>(StringComparer.Ordinal) { [part] = text } },
            { Kind: { } kind } => new KindValue[] { new(kind, text) }.ToImmutableArray(),
            _ when IsNumber(mapped.Source, plan, text) => text,
            _ => reader.Read(plan.Field.Type, text),
        };
        if (plan.Field.Type.TryNormalize(plan.Field, input, out var value, out var error))
        {
            // Money keeps its input form: the currency may come from another column; and so may the other parts of an address.
            Put(mapped, plan, plan.AddressPart is not null ? text : plan.Field.Type is MoneyType ? input : value);
        }
        else if (error.Code == ErrorCodes.Unknown && plan.Mapping.Unknown == UnknownValue.Empty)
        {
            mapped.Issues.Add(new RowIssue(IsError: false, ImportCodes.LeftEmpty, plan.Key, plan.ColumnName, text, Importing.Texts.Of("LeftEmpty", plan.Field.Label, text)));
        }
        else
        {
            mapped.Issues.Add(new RowIssue(IsError: true, error.Code, plan.Key, plan.ColumnName, text, error.Message));
        }
    }
}
