using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>Steps about columns of match keys. Keys follow from values, so that a column of them comes and goes without anybody's data being lost.</summary>
internal static class KeySteps
{
    /// <summary>Notes beside a column how its keys are made.</summary>
    public static string Note(string table, ColumnShape column) => $"COMMENT ON COLUMN {Sql.Table(table)}.{Sql.Quote(column.Name)} IS {Sql.Literal(column.Key!)}";

    /// <summary>A step that makes the keys at the moment goes on under the new name.</summary>
    public static string Rename(string table, string from, string to) =>
        $"UPDATE crm.metadata_step SET name = {Sql.Literal(to)} WHERE kind = 'keys' AND entity = {Sql.Literal(table)} AND name = {Sql.Literal(from)} AND state IN ('waiting', 'running')";

    /// <summary>What becomes of the keys of fields that were there before.</summary>
    public static IEnumerable<PlanStep> Of(EntityDefinition entity, TableShape existing, TableShape wanted)
    {
        foreach (var gone in existing.Columns.Where(c => c.Key is not null && !wanted.Columns.Any(w => IsSame(w, c))))
        {
            yield return new PlanStep(
                MetadataTexts.Of("StepDropKeys", Label(entity, gone), entity.Label), $"ALTER TABLE {Sql.Table(wanted.Name)} DROP COLUMN {Sql.Quote(gone.Name)}", StepLock.Brief, entity.Name);
        }

        foreach (var column in wanted.Columns.Where(c => c.Key is not null && existing.Columns.Any(e => e.Key is null && e.Field == c.Field)))
        {
            var former = existing.Columns.FirstOrDefault(c => IsSame(c, column));
            if (former?.Key != column.Key)
            {
                yield return Fill(entity, wanted.Name, column, isNew: former is null);
            }
        }
    }

    /// <summary>Makes the keys of all records that are there.</summary>
    public static PlanStep Fill(EntityDefinition entity, string table, ColumnShape column, bool isNew)
    {
        var now = (isNew ? $"ALTER TABLE {Sql.Table(table)} ADD COLUMN {column.Definition};\n" : "") + Note(table, column);
        return new PlanStep(MetadataTexts.Of("StepFillKeys", Label(entity, column), entity.Label), now, StepLock.Brief, entity.Name)
        {
            Work = StepWork.Fill,
            Online = new OnlineStep(OnlineStep.Keys, column.Name, now, $"-- {column.Name}: {column.Key}") { IsAlways = true },
        };
    }

    public static bool IsSame(ColumnShape left, ColumnShape right) => left.Name == right.Name && left.Type == right.Type;

    private static string Label(EntityDefinition entity, ColumnShape column) => entity.TryField(column.Field, out var field) ? field.Label : column.Field;
}
