using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>Grants as JSON: <c>{"name":"sales_rep","read":"all","write":"own","fields":[{"name":"budget","access":"none"}]}</c>, where the name is the role's.</summary>
internal static class GrantJson
{
    private static readonly AccessOperation[] Operations = Enum.GetValues<AccessOperation>();

    public static JsonObject Write(GrantDefinition grant)
    {
        var json = new JsonObject { ["name"] = grant.Role };
        foreach (var (operation, reach) in grant.Reaches)
        {
            json[ShapeJson.Word(operation)] = ShapeJson.Word(reach);
        }

        if (!grant.Fields.IsEmpty)
        {
            json["fields"] = new JsonArray([.. grant.Fields.Select(f => new JsonObject { ["name"] = f.Key, ["access"] = ShapeJson.Word(f.Value) })]);
        }

        return json;
    }

    public static GrantDefinition Read(JsonElement element, string path, List<PlanMessage> errors, string origin)
    {
        using var json = new JsonInput(element, path, errors);
        var reaches = ImmutableSortedDictionary.CreateBuilder<AccessOperation, Reach>();
        foreach (var operation in Operations)
        {
            if (ReadWord<Reach>(json, ShapeJson.Word(operation)) is { } reach)
            {
                reaches[operation] = reach;
            }
        }

        var fields = ImmutableSortedDictionary.CreateBuilder<string, FieldAccess>(StringComparer.Ordinal);
        foreach (var (item, place) in json.Items("fields"))
        {
            using var field = new JsonInput(item, place, errors);
            var name = field.RequiredText("name");
            fields[name] = ReadWord<FieldAccess>(field, "access") ?? FieldAccess.None;
        }

        return new GrantDefinition(json.RequiredText("name")) { Reaches = reaches.ToImmutable(), Fields = fields.ToImmutable(), Origin = origin };
    }

    /// <summary>One of the words of an enumeration; null when the property is missing.</summary>
    public static T? ReadWord<T>(JsonInput json, string name)
        where T : struct, Enum
    {
        if (json.Text(name) is not { } word)
        {
            return null;
        }

        foreach (var value in Enum.GetValues<T>())
        {
            if (ShapeJson.Word(value) == word)
            {
                return value;
            }
        }

        json.Error(ErrorCodes.Unknown, name, MetadataTexts.Of("UnknownWord", LayerEdit.Short(word), string.Join(", ", Enum.GetValues<T>().Select(v => ShapeJson.Word(v)))));
        return null;
    }
}
