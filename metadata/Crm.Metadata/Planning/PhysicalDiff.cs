using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>A field that is called otherwise now; its data stays.</summary>
internal sealed record FieldRename(string Entity, string From, string To);

/// <summary>Steps that turn the tables of one snapshot into those of another. Only indexes are dropped without being asked for; columns and tables go when an administrator purges them.</summary>
internal static class PhysicalDiff
{
    public static ImmutableArray<PlanStep> Steps(
        MetadataSnapshot before, MetadataSnapshot after, IReadOnlyCollection<FieldRename> renames, IReadOnlyCollection<(string Entity, string? Field)> purges, DatabaseFeatures features)
    {
        var steps = new List<PlanStep>();
        var keys = new List<PlanStep>();
        foreach (var entity in after.Entities.Values.OrderBy(e => e.Name, StringComparer.Ordinal))
        {
            var wanted = TableShape.Of(entity, features);
            if (before.TryEntity(entity.Name, out var known))
            {
                var existing = Renamed(TableShape.Of(known, features), entity, renames, steps);
                existing = Purged(existing, known, [.. purges.Where(p => p.Entity == entity.Name).Select(p => p.Field).OfType<string>()], steps);
                Change(entity, existing, wanted, before, renames, steps, keys);
            }
            else
            {
                Create(entity, wanted, steps, keys);
            }
        }

        foreach (var purge in purges.Where(p => p.Field is null && before.TryEntity(p.Entity, out _)))
        {
            var gone = before.Entity(purge.Entity);
            steps.Add(new PlanStep(
                MetadataTexts.Of("StepDropTable", gone.PluralLabel),
                $"DROP TABLE {Sql.Table(gone.Name)};\nDELETE FROM crm.counter WHERE entity = {Sql.Literal(gone.Name)}",
                StepLock.Brief,
                gone.Name,
                IsDestructive: true));
        }

        // Foreign keys come when all tables are there, so that new entities may point to each other.
        return [.. steps, .. keys];
    }

    /// <summary>Whether a column is of another type than before, so that statements prepared for it do not fit any more.</summary>
    public static bool ConvertsColumns(MetadataSnapshot before, MetadataSnapshot after) =>
        after.Entities.Values.Any(e => before.TryEntity(e.Name, out var old)
            && e.Fields.Any(f => old.TryField(f.Name, out var former) && former.Type != f.Type && !former.Type.Columns.SequenceEqual(f.Type.Columns)));

    private static void Create(EntityDefinition entity, TableShape table, List<PlanStep> steps, List<PlanStep> keys)
    {
        var columns = table.Columns.Select(c => c.Definition).Append($"CONSTRAINT {Sql.Quote(TableNames.PrimaryKey(table.Name))} PRIMARY KEY (\"id\")");
        // Nothing reads or writes the table yet, so that its indexes are no steps an administrator has to think about.
        var statements = table.Indexes.Select(i => i.Create(table.Name)).Concat(table.Columns.Where(c => c.Key is not null).Select(c => KeySteps.Note(table.Name, c)))
            .Prepend($"CREATE TABLE {Sql.Table(table.Name)} (\n    {string.Join(",\n    ", columns)}\n)")
            .Concat(PrincipalTrigger.Of(table.Name).Select(t => t.Create(table.Name)));
        steps.Add(new PlanStep(MetadataTexts.Of("StepCreateTable", entity.Label), string.Join(";\n", statements), StepLock.None, entity.Name));
        if (!table.ForeignKeys.IsEmpty)
        {
            keys.Add(new PlanStep(
                MetadataTexts.Of("StepAddKeys", entity.Label, string.Join(", ", table.ForeignKeys.Select(k => Label(entity, k.Column)))),
                $"ALTER TABLE {Sql.Table(table.Name)}\n    {string.Join(",\n    ", table.ForeignKeys.Select(k => "ADD " + k.Definition))}",
                StepLock.Brief,
                entity.Name)
            { Work = StepWork.Check });
        }
    }

    private static void Change(EntityDefinition entity, TableShape existing, TableShape wanted, MetadataSnapshot before, IReadOnlyCollection<FieldRename> renames, List<PlanStep> steps, List<PlanStep> keys)
    {
        var fields = existing.Columns.Where(c => c.Key is null).Select(c => c.Field).ToHashSet(StringComparer.Ordinal);
        var columns = wanted.Columns.ExceptBy(existing.Columns.Select(c => c.Name), c => c.Name).Where(c => c.Key is null || !fields.Contains(c.Field)).ToList();
        // A foreign key given with its new, empty column is not checked row by row; one to a table that is not there yet has to wait.
        var inline = wanted.ForeignKeys
            .Where(k => columns.Exists(c => c.Name == k.Column) && (k.Target is null || before.TryEntity(k.Target, out _)))
            .ToDictionary(k => k.Column, StringComparer.Ordinal);
        foreach (var field in columns.GroupBy(c => c.Field, StringComparer.Ordinal))
        {
            steps.Add(new PlanStep(
                MetadataTexts.Of("StepAddColumn", entity.Field(field.Key).Label, entity.Label),
                $"ALTER TABLE {Sql.Table(wanted.Name)} {string.Join(", ", field.Select(c => "ADD COLUMN " + c.Definition + (inline.TryGetValue(c.Name, out var key) ? " " + key.Inline : "")))}" + string.Concat(field.Where(c => c.Key is not null).Select(c => ";\n" + KeySteps.Note(wanted.Name, c))),
                StepLock.Brief,
                entity.Name)
            { Columns = field.Count() });
        }

        foreach (var index in existing.Indexes.Except(wanted.Indexes))
        {
            // IF EXISTS: an index over trigrams was not made where the extension was missing.
            steps.Add(new PlanStep(MetadataTexts.Of("StepDropIndex", Label(entity, index.Column), entity.Label), $"DROP INDEX IF EXISTS {Sql.Table(index.Name)}", StepLock.Brief, entity.Name));
        }

        steps.AddRange(KeySteps.Of(entity, existing, wanted));
        foreach (var column in wanted.Columns.Where(c => c.Key is null))
        {
            if (existing.Columns.FirstOrDefault(c => c.Name == column.Name) is { } former && former.Type != column.Type)
            {
                var (source, old) = Former(before.Entity(entity.Name), column.Field, renames);
                var conversion = TypeConversion.Of(old, entity.Field(column.Field))
                    ?? throw new InvalidOperationException($"Nobody knows how '{column.Name}' of '{entity.Name}' becomes {column.Type}.");
                steps.Add(new PlanStep(
                    MetadataTexts.Of("StepConvert", entity.Field(column.Field).Label, entity.Label),
                    $"ALTER TABLE {Sql.Table(wanted.Name)} ALTER COLUMN {Sql.Quote(column.Name)} TYPE {column.Type} USING {conversion.Value}",
                    StepLock.All,
                    entity.Name)
                {
                    Work = StepWork.Rewrite,
                    Columns = 1,
                    // What is made of the column's indexes anyway is made for the new one beforehand.
                    Conversion = new ColumnConversion(
                        wanted.Name, source, column.Name, column.Type, read => TypeConversion.Of(old, entity.Field(column.Field), read)!, [.. wanted.Indexes.Intersect(existing.Indexes).Where(i => i.Column == column.Name)])
                    {
                        TypeName = entity.Field(column.Field).Type.Name,
                    },
                });
            }
        }

        foreach (var index in wanted.Indexes.Except(existing.Indexes))
        {
            steps.Add(new PlanStep(Text(entity, index), index.Create(wanted.Name), StepLock.Writes, entity.Name)
            {
                Work = StepWork.Index,
                Online = new OnlineStep("index", index.Name, null, index.CreateConcurrently(wanted.Name)),
            });
        }

        AddKeys(entity, wanted, [.. wanted.ForeignKeys.Except(existing.ForeignKeys).Except(inline.Values)], keys);
    }

    /// <summary>The name the field has now, and the field as it was by the name its column has by the time it is converted.</summary>
    private static (string Source, FieldDefinition Field) Former(EntityDefinition known, string name, IReadOnlyCollection<FieldRename> renames)
    {
        var from = renames.Reverse().Where(r => r.Entity == known.Name).Aggregate(name, (now, rename) => rename.To == now ? rename.From : now);
        return (from, known.Field(from) with { Name = name });
    }

    /// <summary>The columns of purged fields go, and with them their indexes and keys.</summary>
    private static TableShape Purged(TableShape table, EntityDefinition known, ImmutableArray<string> fields, List<PlanStep> steps)
    {
        foreach (var name in fields.Where(f => known.TryField(f, out _)))
        {
            var field = known.Field(name);
            var columns = table.Columns.Where(c => c.Field == name).Select(c => c.Name).ToHashSet(StringComparer.Ordinal);
            if (columns.Count == 0)
            {
                continue;
            }

            var sql = $"ALTER TABLE {Sql.Table(table.Name)} {string.Join(", ", table.Columns.Where(c => c.Field == name).Select(c => "DROP COLUMN " + Sql.Quote(c.Name)))}";
            if (field.Type == Fields.AutoNumber)
            {
                sql += $";\nDELETE FROM crm.counter WHERE entity = {Sql.Literal(table.Name)} AND field = {Sql.Literal(name)}";
            }

            steps.Add(new PlanStep(MetadataTexts.Of("StepDropColumn", field.Label, known.Label), sql, StepLock.Brief, table.Name, IsDestructive: true));
            table = table with
            {
                Columns = table.Columns.RemoveAll(c => c.Field == name),
                ForeignKeys = table.ForeignKeys.RemoveAll(k => columns.Contains(k.Column)),
                Indexes = table.Indexes.RemoveAll(i => columns.Contains(i.Column)),
            };
        }

        return table;
    }

    private static void AddKeys(EntityDefinition entity, TableShape table, ImmutableArray<ForeignKeyShape> added, List<PlanStep> keys)
    {
        // One by one: each is checked for itself when the table is big.
        foreach (var key in added)
        {
            var add = $"ALTER TABLE {Sql.Table(table.Name)} ADD {key.Definition}";
            keys.Add(new PlanStep(MetadataTexts.Of("StepAddKeys", entity.Label, Label(entity, key.Column)), add, StepLock.Brief, entity.Name)
            {
                Work = StepWork.Check,
                Online = new OnlineStep("key", key.Name, add + " NOT VALID", $"ALTER TABLE {Sql.Table(table.Name)} VALIDATE CONSTRAINT {Sql.Quote(key.Name)}"),
            });
        }
    }

    private static TableShape Renamed(TableShape table, EntityDefinition entity, IReadOnlyCollection<FieldRename> renames, List<PlanStep> steps)
    {
        foreach (var rename in renames.Where(r => r.Entity == table.Name))
        {
            string New(string column, string field) => field == rename.From ? rename.To + column[rename.From.Length..] : column;
            if (table.Columns.All(c => c.Field != rename.From))
            {
                continue;
            }

            var moved = table.Columns.Where(c => c.Field == rename.From).ToDictionary(c => c.Name, c => New(c.Name, c.Field), StringComparer.Ordinal);
            var statements = moved.Select(m => $"ALTER TABLE {Sql.Table(table.Name)} RENAME COLUMN {Sql.Quote(m.Key)} TO {Sql.Quote(m.Value)}").ToList();
            string? NewName(string name, string column) => moved.TryGetValue(column, out var to) ? string.Concat(table.Name, "__", to, name.AsSpan(name.Length - 2)) : null;

            table = table with
            {
                Columns = [.. table.Columns.Select(c => c.Field == rename.From ? c with { Name = moved[c.Name], Field = rename.To } : c)],
                ForeignKeys = [.. table.ForeignKeys.Select(k => NewName(k.Name, k.Column) is { } name ? Note(k with { Name = name, Column = moved[k.Column] }, $"ALTER TABLE {Sql.Table(table.Name)} RENAME CONSTRAINT {Sql.Quote(k.Name)} TO {Sql.Quote(name)}") : k)],
                Indexes = [.. table.Indexes.Select(i => NewName(i.Name, i.Column) is { } name
                    ? Note(i with { Name = name, Column = moved[i.Column], Expression = i.Expression.Replace(Sql.Quote(i.Column), Sql.Quote(moved[i.Column]), StringComparison.Ordinal) }, $"ALTER INDEX IF EXISTS {Sql.Table(i.Name)} RENAME TO {Sql.Quote(name)}")
                    : i)],
            };
            statements.AddRange(table.Columns.Where(c => c.Key is not null && c.Field == rename.To).Select(c => KeySteps.Rename(table.Name, moved.First(m => m.Value == c.Name).Key, c.Name)));
            if (entity.Field(rename.To).Type == Fields.AutoNumber)
            {
                statements.Add($"UPDATE crm.counter SET field = {Sql.Literal(rename.To)} WHERE entity = {Sql.Literal(table.Name)} AND field = {Sql.Literal(rename.From)}");
            }

            steps.Add(new PlanStep(MetadataTexts.Of("StepRename", rename.From, rename.To, entity.Label), string.Join(";\n", statements), StepLock.Brief, entity.Name));

            T Note<T>(T shape, string statement)
            {
                statements.Add(statement);
                return shape;
            }
        }

        return table;
    }

    private static string Text(EntityDefinition entity, IndexShape index) =>
        MetadataTexts.Of(index.IsUnique ? "StepUnique" : "StepIndex", Label(entity, index.Column), entity.Label);

    private static string Label(EntityDefinition entity, string column) => entity.TryProperty(column, out var property) || entity.TryProperty(TableNames.FieldOf(column), out property) ? property.Field.Label : column;
}
