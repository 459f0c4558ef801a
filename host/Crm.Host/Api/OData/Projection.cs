using System.Collections.Immutable;
using System.Text.Json;
using Crm.Records;
using Crm.Sdk;

namespace Crm.Host.Api.OData;

/// <summary>What of a record is written, prepared once so that a row costs a few look-ups only.</summary>
internal sealed class Projection
{
    private readonly ImmutableArray<Column> columns;

    private Projection(ImmutableArray<Column> columns, ImmutableArray<Expansion> expansions, ImmutableArray<CollectionExpansion> collections)
    {
        this.columns = columns;
        Expansions = expansions;
        Collections = collections;
        HasCollections = !collections.IsEmpty || expansions.Any(e => e.Content.HasCollections);
    }

    /// <summary>Lookups whose records are written inside.</summary>
    public ImmutableArray<Expansion> Expansions { get; }

    /// <summary>Collections that are written inside; they are read when it is known for which records.</summary>
    public ImmutableArray<CollectionExpansion> Collections { get; }

    /// <summary>Whether there are collections in it, at any depth.</summary>
    public bool HasCollections { get; }

    /// <summary>All visible properties of an entity.</summary>
    /// <param name="entity">The entity.</param>
    /// <param name="path">Path from what is read to its records, ending in a dot; empty for their own.</param>
    public static Projection Of(EntityDefinition entity, string path = "") =>
        new([.. entity.Fields.Where(f => !f.IsHidden).SelectMany(f => f.Type.Columns.Select((c, i) => new Column(f, i, path)))], [], []);

    /// <summary>The given properties.</summary>
    /// <param name="properties">Visible properties.</param>
    /// <param name="path">Path from the record to them, ending in a dot; empty for the record's own.</param>
    public static Projection Of(IEnumerable<PropertyDefinition> properties, string path) =>
        new([.. properties.Select(p => new Column(p.Field, p.Field.Type.Columns.IndexOf(p.Column), path))], [], []);

    /// <summary>The own properties of this projection, with other lookups and collections.</summary>
    public Projection With(ImmutableArray<Expansion> expansions, ImmutableArray<CollectionExpansion> collections) => new(columns, expansions, collections);

    /// <summary>The paths a query must select for it.</summary>
    public IEnumerable<string> Paths =>
        columns.Select(c => c.Path).Concat(Expansions.SelectMany(e => e.Content.Paths.Prepend(e.KeyPath))).Concat(Collections.Select(c => c.KeyPath).OfType<string>()).Distinct();

    /// <summary>Writes the properties of a record into the object that is open.</summary>
    public void Write(Utf8JsonWriter json, Record record)
    {
        foreach (var column in columns)
        {
            json.WritePropertyName(column.Name);
            column.Write(json, record);
        }

        foreach (var expansion in Expansions)
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

        foreach (var collection in Collections)
        {
            collection.Write(json, record);
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
