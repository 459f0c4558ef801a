using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>Names every difference between the tables the definitions want and those the database has. Pure.</summary>
internal sealed class CatalogueComparison(Catalogue catalogue, IReadOnlyDictionary<string, ImmutableArray<string>> conversions, Func<string, string> typeName)
{
    private readonly List<CatalogueDifference> found = [];

    public static ImmutableArray<CatalogueDifference> Of(
        MetadataSnapshot snapshot, Catalogue catalogue, IReadOnlyDictionary<string, ImmutableArray<string>> conversions, DatabaseFeatures features, Func<string, string> typeName)
    {
        var comparison = new CatalogueComparison(catalogue, conversions, typeName);
        foreach (var entity in snapshot.Entities.Values.OrderBy(e => e.Name, StringComparer.Ordinal))
        {
            comparison.Table(TableShape.Of(entity, features));
        }

        foreach (var extra in catalogue.Tables.Keys.Where(t => !snapshot.TryEntity(t, out _)).Order(StringComparer.Ordinal))
        {
            comparison.Extra(CataloguePart.Table, extra, extra, Sql.Table(extra));
        }

        return [.. comparison.found];
    }

    private void Table(TableShape wanted)
    {
        if (!catalogue.Tables.TryGetValue(wanted.Name, out var actual))
        {
            // Its records are gone: an empty table would hide that.
            Missing(CataloguePart.Table, wanted.Name, wanted.Name, Sql.Table(wanted.Name), sql: null);
            return;
        }

        Columns(wanted, actual);
        PrimaryKey(wanted, actual);
        Indexes(wanted, actual);
        Keys(wanted, actual);
        Triggers(wanted, actual);
    }

    private void Columns(TableShape wanted, CatalogueTable actual)
    {
        foreach (var column in wanted.Columns)
        {
            var expected = Describe(typeName(column.Type), IsRequired(column));
            if (actual.Columns.FirstOrDefault(c => c.Name == column.Name) is not { } there)
            {
                // What it held is gone; a system column cannot be made for rows that are there without saying what to put in.
                Missing(CataloguePart.Column, wanted.Name, column.Name, expected, column.Clause is null ? $"ALTER TABLE {Sql.Table(wanted.Name)} ADD COLUMN {column.Definition}" : null);
            }
            else if (Describe(there.Type, there.IsRequired) is var now && now != expected)
            {
                Different(CataloguePart.Column, wanted.Name, column.Name, expected, now, sql: null);
            }
        }

        foreach (var extra in actual.Columns.Where(c => wanted.Columns.All(w => w.Name != c.Name) && !IsOfConversion(wanted.Name, c.Name)))
        {
            Extra(CataloguePart.Column, wanted.Name, extra.Name, Describe(extra.Type, extra.IsRequired));
        }
    }

    private void PrimaryKey(TableShape wanted, CatalogueTable actual)
    {
        const string expected = "(id)";
        var name = TableNames.PrimaryKey(wanted.Name);
        if (actual.Indexes.FirstOrDefault(i => i.IsPrimary) is not { } there)
        {
            Missing(CataloguePart.PrimaryKey, wanted.Name, name, expected, $"ALTER TABLE {Sql.Table(wanted.Name)} ADD CONSTRAINT {Sql.Quote(name)} PRIMARY KEY (\"id\")");
        }
        else if (there.Name != name || Plain(AfterTable(there.Definition)) != expected)
        {
            Different(CataloguePart.PrimaryKey, wanted.Name, name, expected, there.Name + " " + AfterTable(there.Definition), sql: null);
        }
    }

    private void Indexes(TableShape wanted, CatalogueTable actual)
    {
        foreach (var index in wanted.Indexes)
        {
            var expected = (index.IsUnique ? "unique " : "") + index.Expression;
            if (actual.Indexes.FirstOrDefault(i => i.Name == index.Name) is not { } there)
            {
                Missing(CataloguePart.Index, wanted.Name, index.Name, expected, index.Create(wanted.Name));
            }
            else if (!there.IsValid || there.IsUnique != index.IsUnique || Plain(AfterTable(there.Definition)) != Plain(index.Expression))
            {
                var now = (there.IsValid ? "" : "invalid ") + (there.IsUnique ? "unique " : "") + AfterTable(there.Definition);
                Different(CataloguePart.Index, wanted.Name, index.Name, expected, now, $"DROP INDEX {Sql.Table(index.Name)};\n{index.Create(wanted.Name)}");
            }
        }

        foreach (var extra in actual.Indexes.Where(i => !i.IsPrimary && wanted.Indexes.All(w => w.Name != i.Name) && !IsOfConversion(wanted.Name, i.Name)))
        {
            Extra(CataloguePart.Index, wanted.Name, extra.Name, (extra.IsUnique ? "unique " : "") + AfterTable(extra.Definition));
        }
    }

    private void Keys(TableShape wanted, CatalogueTable actual)
    {
        foreach (var key in wanted.ForeignKeys)
        {
            var add = $"ALTER TABLE {Sql.Table(wanted.Name)} ADD {key.Definition}";
            var expected = key.Definition[key.Definition.IndexOf("FOREIGN", StringComparison.Ordinal)..];
            if (actual.Keys.FirstOrDefault(k => k.Name == key.Name) is not { } there)
            {
                Missing(CataloguePart.ForeignKey, wanted.Name, key.Name, expected, add);
            }
            else if (Plain(there.Definition) != Plain(expected))
            {
                Different(CataloguePart.ForeignKey, wanted.Name, key.Name, expected, there.Definition, $"ALTER TABLE {Sql.Table(wanted.Name)} DROP CONSTRAINT {Sql.Quote(key.Name)};\n{add}");
            }
        }

        foreach (var extra in actual.Keys.Where(k => wanted.ForeignKeys.All(w => w.Name != k.Name)))
        {
            Extra(CataloguePart.ForeignKey, wanted.Name, extra.Name, extra.Definition);
        }
    }

    /// <summary>Those of principals are always there; others are while columns get another type, and then they must be.</summary>
    private void Triggers(TableShape wanted, CatalogueTable actual)
    {
        var trigger = ColumnConversion.TriggerOf(wanted.Name);
        var isExpected = conversions.TryGetValue(wanted.Name, out var columns);
        foreach (var column in isExpected ? columns.Select(ColumnConversion.ShadowOf) : [])
        {
            if (actual.Columns.All(c => c.Name != column))
            {
                Missing(CataloguePart.Column, wanted.Name, column, column, sql: null);
            }

            if (actual.Triggers.All(t => t.Name != trigger))
            {
                Missing(CataloguePart.Trigger, wanted.Name, trigger, column, sql: null);
            }
        }

        foreach (var missing in PrincipalTrigger.Of(wanted.Name).Where(p => actual.Triggers.All(t => t.Name != p.Name)))
        {
            Missing(CataloguePart.Trigger, wanted.Name, missing.Name, missing.When, missing.Create(wanted.Name));
        }

        // The platform's own triggers begin with its name.
        foreach (var extra in actual.Triggers.Where(t => (!isExpected || t.Name != trigger) && !t.Name.StartsWith("crm_", StringComparison.Ordinal)))
        {
            Extra(CataloguePart.Trigger, wanted.Name, extra.Name, extra.Definition);
        }
    }

    private bool IsOfConversion(string table, string name) => conversions.ContainsKey(table) && ColumnConversion.IsTemporary(name);

    private void Missing(CataloguePart part, string table, string name, string expected, string? sql) =>
        Add(DifferenceKind.Missing, part, table, name, expected, null, sql);

    private void Different(CataloguePart part, string table, string name, string expected, string actual, string? sql) =>
        Add(DifferenceKind.Different, part, table, name, expected, actual, sql);

    private void Extra(CataloguePart part, string table, string name, string actual) =>
        Add(DifferenceKind.Extra, part, table, name, null, actual, null);

    private void Add(DifferenceKind kind, CataloguePart part, string table, string name, string? expected, string? actual, string? sql)
    {
        var text = "Catalogue" + kind + (part == CataloguePart.Table ? "Table" : "");
        found.Add(new CatalogueDifference(kind, part, table, name, expected, actual, MetadataTexts.Of(text, MetadataTexts.Of("Catalogue" + part), name, table, expected, actual), sql));
    }

    private static bool IsRequired(ColumnShape column) => column.Clause?.StartsWith("NOT NULL", StringComparison.Ordinal) == true;

    private static string Describe(string type, bool isRequired) => isRequired ? type + " NOT NULL" : type;

    /// <summary>What follows the table's name: <c>USING btree (company_id)</c>.</summary>
    private static string AfterTable(string definition)
    {
        var at = definition.IndexOf(" USING ", StringComparison.Ordinal);
        return (at < 0 ? definition : definition[(at + 1)..]).Replace("USING btree ", "", StringComparison.Ordinal);
    }

    /// <summary>Without what PostgreSQL writes otherwise than we do: quotes and blanks.</summary>
    private static string Plain(string text) => text.Replace("\"", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal);
}
