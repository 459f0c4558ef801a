using System.Collections.Immutable;

namespace Crm.Metadata;

/// <summary>
/// Other values for a column of a big table, without writing the table anew while everybody waits: a second column is kept in step by a trigger, filled batch by
/// batch, indexed, and then takes the place of the first.
/// </summary>
/// <param name="Table">The entity; one that gets another name in the same plan, by the name it has until then.</param>
/// <param name="Source">Name of the column before the plan.</param>
/// <param name="Column">Its name afterwards.</param>
/// <param name="Type">Its SQL type afterwards.</param>
/// <param name="Values">How a value becomes the new one, given where it is read.</param>
/// <param name="Indexes">Indexes the column keeps, by their names afterwards.</param>
internal sealed record ColumnConversion(string Table, string Source, string Column, string Type, Func<string, TypeConversion> Values, ImmutableArray<IndexShape> Indexes)
{
    /// <summary>What the entity is called when the second column takes over.</summary>
    public string Later { get; init; } = Table;

    /// <summary>Name of the field's type afterwards, for whoever gives a value that does not fit; null where all do.</summary>
    public string? TypeName { get; init; }

    private const string Mark = "__new";

    /// <summary>The second column; no name of a field holds <c>__</c>.</summary>
    public string Shadow => ShadowOf(Source);

    /// <summary>Indexes of the second column, by names of their own until it takes over.</summary>
    public ImmutableArray<IndexShape> ShadowIndexes => [.. Indexes.Select(i => new IndexShape(
        Temporary(i.Name), Shadow, i.Expression.Replace(Sql.Quote(Column), Sql.Quote(Shadow), StringComparison.Ordinal), i.IsUnique))];

    /// <summary>What is done in one transaction at the end, once per column.</summary>
    public string Swap => string.Join(";\n", (IEnumerable<string>)
    [
        .. DropTrigger(Table, Later),
        $"ALTER TABLE {Sql.Table(Later)} DROP COLUMN {Sql.Quote(Column)}",
        $"ALTER TABLE {Sql.Table(Later)} RENAME COLUMN {Sql.Quote(Shadow)} TO {Sql.Quote(Column)}",
        .. Indexes.Select(i => $"ALTER INDEX {Sql.Table(Temporary(i.Name))} RENAME TO {Sql.Quote(i.Name)}"),
    ]);

    /// <summary>Everything in its order, for the administrator.</summary>
    public string Script => string.Join(";\n", (IEnumerable<string>)
        [.. Begin([this]), Fill([this]), .. ShadowIndexes.Select(i => i.CreateConcurrently(Table)), Analyze([this]), Swap]);

    /// <summary>The column a field's values are gathered in.</summary>
    public static string ShadowOf(string source) => source + Mark;

    /// <summary>The trigger, and its function in the schema <c>crm</c>, that keep the second columns of a table in step.</summary>
    public static string TriggerOf(string table) => table + Mark;

    /// <summary>Whether a column, index or trigger is there for the time of a conversion only.</summary>
    public static bool IsTemporary(string name) => name.EndsWith(Mark, StringComparison.Ordinal) || (TableNames.TryParse(name, out _, out _) && char.IsAsciiLetterUpper(name[^1]));

    /// <summary>Adds the second columns and keeps them in step from then on.</summary>
    public static ImmutableArray<string> Begin(ImmutableArray<ColumnConversion> columns)
    {
        var table = columns[0].Table;
        var body = $"""
            BEGIN
            {string.Join("\n", columns.Select(c => c.Keep()))}
            RETURN NEW;
            END
            """;
        return
        [
            $"ALTER TABLE {Sql.Table(table)} {string.Join(", ", columns.Select(c => $"ADD COLUMN {Sql.Quote(c.Shadow)} {c.Type}"))}",
            $"CREATE FUNCTION crm.{Sql.Quote(TriggerOf(table))}() RETURNS trigger LANGUAGE plpgsql AS {Sql.Literal(body)}",
            $"CREATE TRIGGER {Sql.Quote(TriggerOf(table))} BEFORE INSERT OR UPDATE OF {string.Join(", ", columns.Select(c => Sql.Quote(c.Source)))} ON {Sql.Table(table)} FOR EACH ROW EXECUTE FUNCTION crm.{Sql.Quote(TriggerOf(table))}()",
        ];
    }

    /// <summary>As <see cref="OnlineStep.Fill"/>, for what was saved before; the third answer is whether a record of the batch holds what cannot be converted.</summary>
    public static string Fill(ImmutableArray<ColumnConversion> columns)
    {
        var table = Sql.Table(columns[0].Table);
        return $"""
            WITH batch AS (SELECT id, {string.Join(" OR ", columns.Select(c => c.MisfitAt("r.")))} AS misfit FROM {table} AS r WHERE id > coalesce($1, '00000000-0000-0000-0000-000000000000'::uuid) ORDER BY id LIMIT $2 FOR NO KEY UPDATE),
            filled AS (UPDATE {table} AS r SET {string.Join(", ", columns.Select(c => $"{Sql.Quote(c.Shadow)} = {c.ValueAt("r.")}"))} FROM batch WHERE r.id = batch.id AND ({string.Join(" OR ", columns.Select(c => $"r.{Sql.Quote(c.Shadow)} IS DISTINCT FROM {c.ValueAt("r.")}"))}))
            SELECT (SELECT id FROM batch ORDER BY id DESC LIMIT 1), (SELECT count(*) FROM batch), (SELECT bool_or(misfit) FROM batch)
            """;
    }

    /// <summary>So that the database knows the new columns before anybody asks for them.</summary>
    public static string Analyze(ImmutableArray<ColumnConversion> columns) =>
        $"ANALYZE {Sql.Table(columns[0].Table)} ({string.Join(", ", columns.Select(c => Sql.Quote(c.Shadow)))})";

    /// <summary>Leaves the table as it was.</summary>
    /// <param name="table">The entity.</param>
    /// <param name="shadows">The second columns it has.</param>
    public static ImmutableArray<string> GiveUp(string table, IReadOnlyCollection<string> shadows) =>
        shadows.Count == 0 ? DropTrigger(table, table) : [.. DropTrigger(table, table), $"ALTER TABLE {Sql.Table(table)} {string.Join(", ", shadows.Select(s => "DROP COLUMN " + Sql.Quote(s)))}"];

    private static ImmutableArray<string> DropTrigger(string table, string now) =>
    [
        $"DROP TRIGGER IF EXISTS {Sql.Quote(TriggerOf(table))} ON {Sql.Table(now)}",
        $"DROP FUNCTION IF EXISTS crm.{Sql.Quote(TriggerOf(table))}()",
    ];

    // Small letters are those of the indexes themselves, so that the name is as long and never taken.
    private static string Temporary(string index) => index[..^1] + char.ToUpperInvariant(index[^1]);

    private TypeConversion At(string row) => Values(row + Sql.Quote(Source));

    // Nothing always fits, whatever a condition says of it.
    private string MisfitAt(string row) => At(row).Fits is { } fits ? $"({row}{Sql.Quote(Source)} IS NOT NULL AND coalesce(NOT ({fits}), false))" : "false";

    // What does not fit is not even tried: a cast of it would be an error that names nothing.
    private string ValueAt(string row)
    {
        var conversion = At(row);
        return conversion.Fits is { } fits ? $"CASE WHEN {fits} THEN {conversion.Value} END" : conversion.Value;
    }

    private string Keep()
    {
        var refusal = At("NEW.").Fits is null ? ""
            : $"IF {MisfitAt("NEW.")} THEN RAISE EXCEPTION USING ERRCODE = {Sql.Literal(SqlStates.Unconvertible)}, MESSAGE = {Sql.Literal($"A value of {Source} is no {TypeName}.")}, TABLE = {Sql.Literal(Table)}, COLUMN = {Sql.Literal(Source)}, DATATYPE = {Sql.Literal(TypeName!)}; END IF;\n";
        return $"{refusal}NEW.{Sql.Quote(Shadow)} := {ValueAt("NEW.")};";
    }
}
