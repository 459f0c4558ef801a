using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>Steps that give a table another name, with everything that is called after it, and let stored pointers follow.</summary>
internal static class EntityRenameSteps
{
    /// <summary>The steps, to be run before all others: those say the new names.</summary>
    /// <param name="before">The definitions as they are, by the old names.</param>
    /// <param name="renames">The renames, in their order.</param>
    /// <param name="features">What the database can do.</param>
    public static IEnumerable<PlanStep> Of(MetadataSnapshot before, IReadOnlyList<EntityRename> renames, DatabaseFeatures features)
    {
        foreach (var rename in renames)
        {
            var entity = before.Entity(rename.From);
            yield return new PlanStep(MetadataTexts.Of("StepRenameTable", entity.PluralLabel, rename.From, rename.To), string.Join(";\n", Table(entity, rename, features)), StepLock.Brief, rename.To);
        }

        // When all tables have their names.
        foreach (var (pointing, field) in renames.Count == 0 ? [] : Pointers(before))
        {
            var now = renames.FirstOrDefault(r => r.From == pointing.Name)?.To ?? pointing.Name;
            var column = field.Name + field.Type.Columns[1].Suffix;
            yield return new PlanStep(
                MetadataTexts.Of("StepRenamePointers", field.Label, pointing.Label, string.Join(", ", renames.Select(r => before.Entity(r.From).PluralLabel))), Pointers(now, column, renames), StepLock.Brief, now)
            {
                Work = StepWork.Fill,
                Early = Pointers(pointing.Name, column, renames),
                Conversion = new ColumnConversion(pointing.Name, column, column, "text", read => new TypeConversion(Renamed(read, renames)), []) { Later = now },
            };
        }
    }

    private static IEnumerable<string> Table(EntityDefinition entity, EntityRename rename, DatabaseFeatures features)
    {
        var table = TableShape.Of(entity, features);
        string New(string name) => rename.To + name[rename.From.Length..];
        yield return $"ALTER TABLE {Sql.Table(rename.From)} RENAME TO {Sql.Quote(rename.To)}";
        foreach (var constraint in table.ForeignKeys.Select(k => k.Name).Prepend(TableNames.PrimaryKey(rename.From)))
        {
            yield return $"ALTER TABLE {Sql.Table(rename.To)} RENAME CONSTRAINT {Sql.Quote(constraint)} TO {Sql.Quote(New(constraint))}";
        }

        foreach (var index in table.Indexes)
        {
            // IF EXISTS: an index over trigrams was not made where the extension was missing.
            yield return $"ALTER INDEX IF EXISTS {Sql.Table(index.Name)} RENAME TO {Sql.Quote(New(index.Name))}";
        }

        // Here and not beforehand: whoever takes a number waits for this row.
        yield return $"UPDATE crm.counter SET entity = {Sql.Literal(rename.To)} WHERE entity = {Sql.Literal(rename.From)}";
        // Work that failed and may be tried again; what is open stands in the way of the plan.
        var (old, now) = (Sql.Quote(rename.From), Sql.Quote(rename.To));
        yield return $"UPDATE crm.metadata_step SET name = CASE WHEN starts_with(name, {Sql.Literal(rename.From + "__")}) THEN {Sql.Literal(rename.To)} || substr(name, {rename.From.Length + 1}) ELSE name END, "
            + $"sql = replace(replace(sql, {Sql.Literal(old)}, {Sql.Literal(now)}), {Sql.Literal($"\"{rename.From}__")}, {Sql.Literal($"\"{rename.To}__")}), plan = NULL "
            + $"WHERE state IN ('failed', 'cancelled') AND strpos(sql, {Sql.Literal(old)}) > 0";
    }

    /// <summary>All of them, also those that may not point to the entity today: values stay when that changes.</summary>
    private static IEnumerable<(EntityDefinition Entity, FieldDefinition Field)> Pointers(MetadataSnapshot before) =>
        from pointing in before.Entities.Values.OrderBy(e => e.Name, StringComparer.Ordinal)
        from field in pointing.Fields
        where field.Type is AnyLookupType
        select (pointing, field);

    private static string Pointers(string table, string column, IEnumerable<EntityRename> renames) =>
        $"UPDATE {Sql.Table(table)} SET {Sql.Quote(column)} = {Renamed(Sql.Quote(column), renames)} WHERE {Sql.Quote(column)} IN ({string.Join(", ", renames.Select(r => Sql.Literal(r.From)))})";

    /// <summary>All names at once: one may be given up for the next.</summary>
    private static string Renamed(string name, IEnumerable<EntityRename> renames) =>
        $"CASE {name} {string.Join(' ', renames.Select(r => $"WHEN {Sql.Literal(r.From)} THEN {Sql.Literal(r.To)}"))} ELSE {name} END";
}
