using System.Globalization;
using System.Text.Json.Nodes;
using Crm.Sdk;
using FsCheck;
using FsCheck.Fluent;

namespace Crm.Metadata.Tests;

/// <summary>A change somebody might make: what exactly depends on the definitions it meets, so that most of them are possible.</summary>
internal sealed record RandomChange(int Kind, int First, int Second, int Third, string Text)
{
    private const int Kinds = 20;

    private static readonly string[] Texts =
        ["Plain", "yes", "null", "12", "- dash", "a: b #c", "\"quoted\" 'text'", "Größe 😀", "two\nlines", "\ttab ", "trailing\n", " lead", "back\\slash", "\u2028\u0085", "[x]", "~", "1e3", "|", "&a *b !c %d @e `f"];

    private static readonly string[] Types =
        ["text", "long_text", "email", "phone", "url", "integer", "decimal", "money", "percent", "yes_no", "date", "date_time", "choice", "multi_choice", "lookup", "many_to_many", "auto_number"];

    /// <summary>Lists of changes; a failing one is made shorter.</summary>
    public static Arbitrary<RandomChange[]> Lists { get; } = Arb.From(
        Gen.ArrayOf(
            from kind in Gen.Choose(0, Kinds - 1)
            from first in Gen.Choose(0, 1000)
            from second in Gen.Choose(0, 1000)
            from third in Gen.Choose(0, 1000)
            from text in Gen.Elements(Texts)
            select new RandomChange(kind, first, second, third, text)),
        changes => Enumerable.Range(0, changes.Length).Select(i => changes.Where((_, at) => at != i).ToArray()));

    /// <summary>The change as the API takes it.</summary>
    public string Json(MetadataSnapshot snapshot)
    {
        var entities = snapshot.Entities.Values.OrderBy(e => e.Name, StringComparer.Ordinal).ToList();
        var entity = entities[First % entities.Count];
        var field = entity.Fields[Second % entity.Fields.Length];
        var json = Kind switch
        {
            0 => Change("create_entity", null, ("name", "x_e" + Text2(First % 5)), ("label", Line), ("fields", new JsonArray(Field("name", "text"), Field("x_" + Types[Third % Types.Length], Types[Third % Types.Length])))),
            1 or 2 => Change("add_field", entity, ("field", Field("x_f" + Text2(Second % 15), Types[Third % Types.Length]))),
            3 => Change("change_field", entity, ("field", new JsonObject { ["name"] = field.Name, ["label"] = Line, ["help"] = Third % 3 == 0 ? null : Text })),
            4 => Change("change_field", entity, ("field", new JsonObject { ["name"] = field.Name, ["required"] = Third % 3 == 0 ? null : Third % 3 == 1, ["max_length"] = Third % 2 == 0 ? null : 50 })),
            5 => Change("change_field", entity, ("field", new JsonObject { ["name"] = field.Name, ["unique"] = Third % 2 == 0 })),
            6 => Change(Third % 3 > 0 ? "hide_field" : "show_field", entity, ("field", field.Name)),
            7 => Change("change_entity", entity, ("label", Third % 4 == 0 ? null : Line), ("icon", Third % 3 == 0 ? null : "star"), ("title", Third % 5 == 0 ? null : new JsonArray(field.Name))),
            8 => Change("set_view", entity, ("view", new JsonObject
            {
                ["name"] = "v" + Text2(Third % 3),
                ["label"] = Line,
                ["columns"] = new JsonArray([.. entity.Fields.Where(f => !f.IsHidden).Skip(Second % 4).Take(1 + (Third % 4)).Select(f => (JsonNode)f.Name)]),
                ["sort"] = Third % 2 == 0 ? null : new JsonArray(new JsonObject { ["path"] = "created_at", ["descending"] = true }),
                ["filter"] = Third % 3 == 0 ? null : JsonNode.Parse("""{"all":[{"path":"is_active","operator":"equal","value":true},{"not":{"path":"created_at","operator":"equal","value":null}}]}"""),
            })),
            9 => Change("remove_view", entity, ("view", entity.Views.IsEmpty ? "all" : entity.Views[Second % entity.Views.Length].Name)),
            10 => Change("set_form", entity, ("form", Third % 4 == 0 ? null : new JsonObject
            {
                ["sections"] = new JsonArray(new JsonObject { ["label"] = Line, ["fields"] = new JsonArray([.. entity.Fields.Where(f => !f.IsHidden && !f.IsSystem).Skip(Second % 3).Select(f => (JsonNode)f.Name)]) }),
            })),
            11 => Change("set_rule", entity, ("rule", new JsonObject
            {
                ["name"] = "r" + Text2(Third % 2),
                ["kind"] = Third % 3 == 0 ? "read_only" : "required",
                ["condition"] = Numbers(snapshot, entity, 3) + " > 1",
                ["label"] = Line,
                ["fields"] = new JsonArray(field.Name),
            })),
            12 => Change("remove_rule", entity, ("rule", "r" + Text2(Third % 2))),
            13 => Change("add_field", entity, ("field", new JsonObject { ["name"] = "x_sum" + Text2(Third % 3), ["type"] = "formula", ["result"] = "integer", ["formula"] = Numbers(snapshot, entity, 1), ["label"] = Line })),
            14 or 15 when Own(entity) is { } own => Change("rename_field", entity, ("field", own.Name), ("to", "x_f" + Text2(Third % 15))),
            16 when Own(entity) is { } own && TypeConversion.Targets(own.Type) is { IsEmpty: false } types => Change("change_type", entity, ("field", Field(own.Name, types[Third % types.Length].Name))),
            17 => Change("change_settings", null, ("phone_country", Third % 3 == 0 ? null : Third % 3 == 1 ? "DE" : "FR")),
            18 when entities.Where(e => e.Origin == Origins.Custom).ToList() is { Count: > 0 } made => Change("rename_entity", made[First % made.Count], ("to", "x_e" + Text2(Third % 7))),
            _ => Change(Third % 3 == 0 ? "hide_entity" : "show_entity", entity),
        };
        return "[" + json.ToJsonString() + "]";
    }

    /// <summary>A number that follows as many lookups as there are, at most so many.</summary>
    private string Numbers(MetadataSnapshot snapshot, EntityDefinition entity, int lookups)
    {
        var path = "";
        for (var step = 0; step < Math.Min(lookups, Third % 4); step++)
        {
            if (entity.Fields.FirstOrDefault(f => f is { IsHidden: false, IsSystem: false, Type: LookupType }) is not { } lookup || !snapshot.TryEntity(lookup.Target!, out entity!))
            {
                break;
            }

            path += lookup.Name + ".";
        }

        return $"year(date({path}created_at))";
    }

    private FieldDefinition? Own(EntityDefinition entity)
    {
        var own = entity.Fields.Where(f => f.Origin == Origins.Custom).ToList();
        return own.Count == 0 ? null : own[Second % own.Count];
    }

    private string Line => new([.. Text.Where(c => !char.IsControl(c))]);

    private static string Text2(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static JsonObject Change(string kind, EntityDefinition? entity, params (string Name, JsonNode? Value)[] more)
    {
        var json = new JsonObject { ["change"] = kind };
        if (entity is not null)
        {
            json["entity"] = entity.Name;
        }

        foreach (var (name, value) in more)
        {
            json[name] = value;
        }

        return json;
    }

    private JsonObject Field(string name, string type)
    {
        var field = new JsonObject { ["name"] = name, ["type"] = type, ["label"] = Line, ["help"] = Text };
        switch (type)
        {
            case "choice" or "multi_choice":
                field["choices"] = new JsonArray(new JsonObject { ["name"] = "one", ["label"] = Line }, new JsonObject { ["name"] = "yes", ["label"] = "No", ["colour"] = "red" });
                break;
            case "lookup" or "many_to_many":
                field["target"] = "company";
                break;
            case "auto_number":
                field["prefix"] = "N";
                field["width"] = 4;
                break;
            case "decimal":
                field["scale"] = 3;
                field["minimum"] = 0.50m;
                field["default"] = 1.250m;
                break;
        }

        return field;
    }
}
