using System.Collections.Immutable;
using System.Text.Json;
using Crm.Records;
using Crm.Sdk;

namespace Crm.Host.Api.OData;

/// <summary>What of a record is written, prepared once so that a row costs a few look-ups only.</summary>
internal sealed class Projection
{
    private readonly ImmutableArray<Column> columns;
    private readonly ImmutableArray<Expansion> expansions;

    private Projection(ImmutableArray<Column> columns, ImmutableArray<Expansion> expansions, ImmutableArray<LinkExpansion> links)
    {
        this.columns = columns;
        this.expansions = expansions;
        Links = links;
    }

    /// <summary>Many-to-many fields whose records are written inside; they are read when it is known for which records.</summary>
    public ImmutableArray<LinkExpansion> Links { get; }

    /// <summary>All visible properties of an entity.</summary>
    public static Projection Of(EntityDefinition entity) =>
        new([.. entity.Fields.Where(f => !f.IsHidden).SelectMany(f => f.Type.Columns.Select((c, i) => new Column(f, i, "")))], [], []);

    /// <summary>The given properties.</summary>
    /// <param name="properties">Visible properties.</param>
    /// <param name="path">Path from the record to them, ending in a dot; empty for the record's own.</param>
    public static Projection Of(IEnumerable<PropertyDefinition> properties, string path) =>
        new([.. properties.Select(p => new Column(p.Field, p.Field.Type.Columns.IndexOf(p.Column), path))], [], []);

    /// <summary>This projection with lookups and links followed.</summary>
    public Projection With(ImmutableArray<Expansion> more, ImmutableArray<LinkExpansion> links) => new(columns, more, links);

    /// <summary>This projection with other links.</summary>
    public Projection WithLinks(ImmutableArray<LinkExpansion> links) => new(columns, expansions, links);

    /// <summary>The paths a query must select for it.</summary>
    public IEnumerable<string> Paths =>
        columns.Select(c => c.Path).Concat(expansions.SelectMany(e => e.Content.Paths.Prepend(e.KeyPath))).Distinct();

    /// <summary>Writes the properties of a record into the object that is open.</summary>
    public void Write(Utf8JsonWriter json, Record record)
    {
        foreach (var column in columns)
        {
            json.WritePropertyName(column.Name);
            column.Write(json, record);
        }

        foreach (var expansion in expansions)
        {
            json.WritePropertyName(expansion.Name);
            if (record[expansion.KeyPath] is null)
            {
                json.WriteNullValue();
                continue;
            }

            json.WriteStartObject();
            expansion.Content.Write(json, record);
            json.WriteEndObject();
        }

        foreach (var link in Links)
        {
            link.Write(json, record.Id);
        }
    }

    /// <summary>A lookup whose record is written inside.</summary>
    /// <param name="Name">Name of the navigation property.</param>
    /// <param name="KeyPath">Path whose value is null when the lookup is empty.</param>
    /// <param name="Content">What of the record is written.</param>
    internal sealed record Expansion(JsonEncodedText Name, string KeyPath, Projection Content);

    private sealed class Column(FieldDefinition field, int index, string prefix)
    {
        private readonly FieldType type = field.Type;
        private readonly bool own = prefix.Length == 0;
        private readonly bool isKey = field.IsSystem && field.Name == "id";
        private readonly bool isVersion = field.IsSystem && field.Name == "version";

        public JsonEncodedText Name { get; } = JsonEncodedText.Encode(field.Name + field.Type.Columns[index].Suffix);

        public string Path { get; } = prefix + field.Name;

        public void Write(Utf8JsonWriter json, Record record)
        {
            if (own && isKey)
            {
                json.WriteStringValue(record.Id);
            }
            else if (own && isVersion)
            {
                json.WriteNumberValue(record.Version);
            }
            else
            {
                ValueJson.Write(json, type, index, record.Values.GetValueOrDefault(Path));
            }
        }
    }
}
