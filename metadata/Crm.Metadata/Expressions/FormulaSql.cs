using System.Collections.Immutable;
using System.Globalization;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>Formulas of one entity as SQL: over its records, called <c>r</c>, with the records they look up joined.</summary>
public sealed class FormulaSql
{
    private readonly Dictionary<string, (string Alias, string Join)> joins = new(StringComparer.Ordinal);
    private readonly EntityDefinition entity;
    private readonly string table;
    private readonly ImmutableArray<(string Column, string Value)> values;

    /// <summary>Writes formulas.</summary>
    /// <param name="entity">The entity.</param>
    /// <param name="formulas">Some of its formulas.</param>
    public FormulaSql(EntityDefinition entity, params ImmutableArray<Formula> formulas)
    {
        ArgumentNullException.ThrowIfNull(entity);
        this.entity = entity;
        table = Sql.Table(entity.Name);
        var writer = new ExpressionSql(Column);
        values = [.. formulas.Select(f => (Sql.Quote(f.Field.Name), writer.Write(f)))];
    }

    /// <summary>Tables of the records that are looked up.</summary>
    public ImmutableArray<string> Tables { get; private set; } = [];

    /// <summary>The assignment for formulas that look nothing up.</summary>
    public string Set => string.Join(", ", values.Select(v => $"{v.Column} = {v.Value}"));

    /// <summary>Whether a record holds something else than it should.</summary>
    public string Differs => string.Join(" OR ", values.Select(v => $"r.{v.Column} IS DISTINCT FROM {v.Value}"));

    private string From => $"{table} AS r{string.Concat(joins.Values.Select(j => j.Join))}";

    /// <summary>Counts the records in which something else is stored.</summary>
    public string Count() => $"SELECT count(*) FROM {From} WHERE {Differs}";

    /// <summary>Gives records that hold something else the value they should hold.</summary>
    /// <param name="where">Which records, called <c>r</c>, are meant; null for all.</param>
    public string Update(string? where)
    {
        if (joins.Count == 0)
        {
            // For one table the database needs no second look at the record.
            return $"UPDATE {table} AS r SET {Set} WHERE " + (where is null ? Differs : values.Length == 1 ? $"{where} AND {Differs}" : $"{where} AND ({Differs})");
        }

        static string Name(int index) => string.Create(CultureInfo.InvariantCulture, $"v{index}");
        return $"UPDATE {table} AS t SET {string.Join(", ", values.Select((v, i) => $"{v.Column} = x.{Name(i)}"))} "
            + $"FROM (SELECT r.id, {string.Join(", ", values.Select((v, i) => $"{v.Value} AS {Name(i)}"))} FROM {From}{(where is null ? "" : " WHERE " + where)}) AS x "
            + $"WHERE t.id = x.id AND ({string.Join(" OR ", values.Select((v, i) => $"t.{v.Column} IS DISTINCT FROM x.{Name(i)}"))})";
    }

    /// <summary>As <see cref="Update"/>, answering with the <see cref="CalculatedColumns"/> of those that changed.</summary>
    public string UpdateReturning(string where) => $"{Update(where)} RETURNING {CalculatedColumns.Of(entity, joins.Count == 0 ? "r" : "t")}";

    private string Column(FieldPath path)
    {
        var alias = "r";
        var way = "";
        foreach (var step in path.Steps)
        {
            way += "." + step.Name;
            if (!joins.TryGetValue(way, out var known))
            {
                var target = Sql.Table(((ReferenceType)step.Type).TargetOf(step)!);
                var next = string.Create(CultureInfo.InvariantCulture, $"l{joins.Count}");
                known = (next, $" LEFT JOIN {target} AS {next} ON {next}.id = {alias}.{Sql.Quote(step.Name + step.Type.Columns[0].Suffix)}");
                joins.Add(way, known);
                Tables = [.. Tables.Append(target).Distinct(StringComparer.Ordinal)];
            }

            alias = known.Alias;
        }

        return $"{alias}.{Sql.Quote(path.Field.Name + path.Field.Type.Columns[path.Part].Suffix)}";
    }
}
