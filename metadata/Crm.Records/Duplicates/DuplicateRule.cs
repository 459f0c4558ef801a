using System.Collections.Immutable;
using System.Globalization;
using Crm.Sdk;
using Npgsql;

namespace Crm.Records;

/// <summary>A rule about duplicates as SQL: two records are alike when they are in all of its fields.</summary>
internal sealed class DuplicateRule
{
    private DuplicateRule(RuleDefinition definition, ImmutableArray<DuplicatePart> parts) => (Definition, Parts) = (definition, parts);

    public RuleDefinition Definition { get; }

    public ImmutableArray<DuplicatePart> Parts { get; }

    /// <summary>How alike, from 0 to 1, as SQL writes it.</summary>
    public string Threshold => (Definition.Duplicate!.Similarity / 100m).ToString(CultureInfo.InvariantCulture);

    /// <summary>The entity's rules whose fields are all there.</summary>
    public static ImmutableArray<DuplicateRule> Of(EntityDefinition entity, IReadOnlyDictionary<string, TableField> fields) =>
    [
        .. entity.Rules
            .Where(r => r is { Duplicate: not null, Fields.IsEmpty: false } && r.Fields.All(fields.ContainsKey))
            .Select(r => new DuplicateRule(r, [.. r.Fields.Select((f, i) => new DuplicatePart(fields[f], i, r.Duplicate!.Similarity))])),
    ];

    /// <summary>Whether a record has a value in all the fields: what is empty is not alike.</summary>
    public bool Matches(object?[] values) => Parts.All(p => p.KeyOf(values[p.Field.Index]) is not null);

    /// <summary>What records have in common that are alike; null when that is more than the same text.</summary>
    public string? KeyOf(object?[] values) => Parts.Any(p => p.IsSimilar || p.IsList) ? null : string.Join('\u001F', Parts.Select(p => p.KeyOf(values[p.Field.Index])));
}

/// <summary>One field of a rule about duplicates.</summary>
internal sealed class DuplicatePart(TableField compared, int place, int similarity)
{
    private const char Separator = '\u001F';

    // A key says more than the text it was made of: numbers in any notation, names without their legal form.
    private readonly KeyColumn? key = compared.Keys.FirstOrDefault(k => k.Key.IsIdentity) ?? compared.Keys.FirstOrDefault();

    public TableField Field => compared;

    /// <summary>Whether texts may differ a little. Numbers and addresses that differ are others.</summary>
    public bool IsSimilar => similarity < 100 && compared.Type == Fields.Text;

    public bool IsList => key?.Key.IsList == true;

    public string Alias => string.Create(CultureInfo.InvariantCulture, $"v{place}");

    private StorageKind Storage => key is null ? compared.Columns[0].Storage : StorageKind.Text;

    private bool IsText => Storage == StorageKind.Text && key is null;

    private string Limit => (similarity / 100m).ToString(CultureInfo.InvariantCulture);

    /// <summary>The values of all records, in a place of their own.</summary>
    public string Input(string parameter) => $"{parameter}::{ColumnArray.TypeName(Storage)}[]";

    /// <summary>What is compared of a value; null when there is nothing.</summary>
    public object? KeyOf(object? value)
    {
        if (value is null)
        {
            return null;
        }

        if (key is not null)
        {
            return key.Key.ColumnOf(compared.Definition, value) is string[] list ? string.Join(Separator, list) : key.Key.ColumnOf(compared.Definition, value);
        }

        var columns = new object?[compared.Columns.Length];
        compared.Type.ToColumns(value, columns);
        return columns[0];
    }

    public NpgsqlParameter Parameter(List<object?> values)
    {
        var column = ColumnArray.Of(Storage, values.Count);
        for (var row = 0; row < values.Count; row++)
        {
            column.Set(row, KeyOf(values[row]));
        }

        return column.ToParameter();
    }

    /// <summary>What is compared of a stored row.</summary>
    public string Stored(string alias) => key is null ? $"{alias}.{compared.Columns[0].Quoted}" : $"{alias}.{key.Quoted}";

    /// <summary>Whether a given value is like the one of a row.</summary>
    /// <param name="value">The column of <see cref="Input"/>.</param>
    /// <param name="alias">The row.</param>
    public string LikeGiven(string value, string alias) => Compare(IsList ? $"string_to_array({value}, '{Separator}')" : value, alias);

    /// <summary>Whether two rows are alike.</summary>
    public string Like(string one, string other) => Compare(Stored(one), other);

    private string Compare(string value, string alias)
    {
        if (IsList)
        {
            return $"{Stored(alias)} && {value}";
        }

        if (!IsSimilar)
        {
            return IsText ? $"crm.fold({Stored(alias)}) = crm.fold({value})" : $"{Stored(alias)} = {value}";
        }

        // The index is over the text as a whole and finds what holds something like it; how like they are is asked in both directions, so that a long name is not like each of its words.
        var (mine, theirs) = key is null ? ($"crm.fold({value})", $"crm.fold({Stored(alias)})") : (value, Stored(alias));
        return $"crm.is_similar({mine}, crm.fold({alias}.{compared.Columns[0].Quoted})) AND least(crm.search_fit({mine}, {theirs}), crm.search_fit({theirs}, {mine})) >= {Limit}";
    }
}
