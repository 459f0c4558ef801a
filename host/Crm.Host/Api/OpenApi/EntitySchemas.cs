using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Nodes;
using Crm.Host.Api.OData;
using Crm.Sdk;
using Microsoft.OpenApi;

namespace Crm.Host.Api.OpenApi;

/// <summary>Describes the JSON of an entity's records.</summary>
internal static class EntitySchemas
{
    /// <summary>What is read.</summary>
    public static OpenApiSchema Record(ODataSet set) => new()
    {
        Type = JsonSchemaType.Object,
        Title = set.Entity.Label,
        Properties = Properties(set, _ => true),
    };

    /// <summary>What may be written.</summary>
    public static OpenApiSchema Changes(ODataSet set) => new()
    {
        Type = JsonSchemaType.Object,
        Title = set.Entity.Label,
        Properties = Properties(set, field => !field.IsReadOnly),
    };

    /// <summary>What a new record must have.</summary>
    public static ISet<string>? Required(ODataSet set)
    {
        var names = set.Entity.Fields
            .Where(f => f is { IsHidden: false, IsReadOnly: false, IsSystem: false, IsRequired: true, Default: null } && f.Type is not StageType)
            .Select(f => f.Name + f.Type.Columns[0].Suffix).ToHashSet();
        return names.Count == 0 ? null : names;
    }

    private static Dictionary<string, IOpenApiSchema> Properties(ODataSet set, Func<FieldDefinition, bool> include) => set.Entity.Fields
        .Where(f => !f.IsHidden && include(f))
        .SelectMany(f => f.Type.Columns.Select(c => (Name: f.Name + c.Suffix, Schema: (IOpenApiSchema)Property(set, f, c))))
        .Concat(set.Links.Values.Where(l => include(l.Field)).Select(l => (Name: l.Field.Name, Schema: (IOpenApiSchema)Links(l))))
        .ToDictionary(p => p.Name, p => p.Schema);

    private static OpenApiSchema Links(LinkNavigation links) => new OpenApiSchema
    {
        Description = $"{links.Field.Label}: ids of {links.Target.Entity.SetName}, or objects with an id and fields of {links.Links.Entity.SetName}. Written as a whole list; answers hold it with $expand={links.Field.Name}.",
        Type = JsonSchemaType.Array | JsonSchemaType.Null,
        Items = new OpenApiSchema(),
    };

    private static OpenApiSchema Property(ODataSet set, FieldDefinition field, FieldColumn column)
    {
        var isFirst = column == field.Type.Columns[0];
        var schema = new OpenApiSchema
        {
            Description = Describe(set, field, column),
            ReadOnly = field.IsReadOnly,
            Default = isFirst ? Default(field) : null,
        };
        var nullable = field.IsSystem ? default : JsonSchemaType.Null;
        switch (column.Storage)
        {
            case StorageKind.Text:
                schema.Type = JsonSchemaType.String | nullable;
                schema.MaxLength = column.MaxLength ?? (field.Type is SingleTextType text ? field.MaxLength ?? text.DefaultMaxLength : null);
                schema.Enum = isFirst ? Options(field) : null;
                break;
            case StorageKind.Integer:
                (schema.Type, schema.Format) = (JsonSchemaType.Integer | nullable, "int64");
                SetRange(schema, field);
                break;
            case StorageKind.Decimal:
                (schema.Type, schema.Format) = (JsonSchemaType.Number | nullable, "decimal");
                SetRange(schema, field);
                break;
            case StorageKind.Boolean:
                schema.Type = JsonSchemaType.Boolean | nullable;
                break;
            case StorageKind.Date:
                (schema.Type, schema.Format) = (JsonSchemaType.String | nullable, "date");
                break;
            case StorageKind.Instant:
                (schema.Type, schema.Format) = (JsonSchemaType.String | nullable, "date-time");
                break;
            case StorageKind.Reference:
                (schema.Type, schema.Format) = (JsonSchemaType.String | nullable, "uuid");
                break;
            case StorageKind.Time:
                (schema.Type, schema.Format) = (JsonSchemaType.String | nullable, "time");
                break;
            case StorageKind.Json when field.Type is KindsType several:
                var properties = new Dictionary<string, IOpenApiSchema> { ["kind"] = new OpenApiSchema { Type = JsonSchemaType.String, Enum = [.. several.KindsOf(field).Select(k => (JsonNode)k.Name)] } };
                foreach (var part in several is AddressesType ? AddressesType.Parts.Select(p => p.Part) : ["value"])
                {
                    properties[part] = new OpenApiSchema { Type = several is AddressesType ? JsonSchemaType.String | JsonSchemaType.Null : JsonSchemaType.String };
                }

                schema.Type = JsonSchemaType.Array;
                schema.Items = new OpenApiSchema { Type = JsonSchemaType.Object, Properties = properties };
                break;
            case StorageKind.Json:
                (schema.Type, schema.Format) = (JsonSchemaType.String | nullable, "json");
                break;
            case StorageKind.TextList:
                schema.Type = JsonSchemaType.Array;
                schema.Items = new OpenApiSchema { Type = JsonSchemaType.String, Enum = Options(field) };
                break;
            default:
                throw new InvalidOperationException($"No schema for {column.Storage}.");
        }

        return schema;
    }

    private static void SetRange(OpenApiSchema schema, FieldDefinition field)
    {
        schema.Minimum = field.Minimum?.ToString(CultureInfo.InvariantCulture);
        schema.Maximum = field.Maximum?.ToString(CultureInfo.InvariantCulture);
    }

    private static List<JsonNode>? Options(FieldDefinition field)
    {
        var names = field.Stages?.Stages.Select(s => s.Name).ToImmutableArray() ?? [.. field.Choices.Select(c => c.Name)];
        return names.IsEmpty ? null : [.. names.Select(n => (JsonNode)n)];
    }

    private static string Describe(ODataSet set, FieldDefinition field, FieldColumn column)
    {
        var text = column == field.Type.Columns[0] ? field.Label : $"{field.Label} ({column.Part})";
        if (field.Help is { Length: > 0 } help)
        {
            text += ". " + help;
        }

        var navigations = set.NavigationsOf(field).ToList();
        return navigations.Count == 0 ? text : $"{text} (id in {string.Join(" or ", navigations.Select(n => n.Target.Entity.SetName))}; $expand={string.Join(',', navigations.Select(n => n.Name))})";
    }

    private static JsonNode? Default(FieldDefinition field) => field.Default switch
    {
        string text => text,
        bool flag => flag,
        int number => number,
        long number => number,
        decimal number => number,
        double number => number,
        _ => null,
    };
}
