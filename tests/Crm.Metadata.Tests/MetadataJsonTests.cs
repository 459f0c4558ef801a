using System.Text.Json;
using Crm.Sdk;

namespace Crm.Metadata.Tests;

public sealed class MetadataJsonTests
{
    public static TheoryData<string, string> Unreadable => new()
    {
        { "[]", "" },
        { "17", "" },
        { "{}", "changes" },
        { """{"changes":{}}""", "changes" },
        { """{"changes":[]}""", "changes" },
        { """{"changes":null}""", "changes" },
        { """{"changes":[1]}""", "changes[0]" },
        { """{"changes":[{}]}""", "changes[0].change" },
        { """{"changes":[{"change":7}]}""", "changes[0].change" },
        { """{"changes":[{"change":"drop_database"}]}""", "changes[0].change" },
        { """{"changes":[{"change":"declare","module":"sales"}]}""", "changes[0].change" },
        { """{"changes":[{"change":"hide_entity","entity":"company","force":true}]}""", "changes[0].force" },
        { """{"changes":[{"change":"hide_entity","entity":["company"]}]}""", "changes[0].entity" },
        { """{"changes":[{"change":"hide_entity","entity":"company","entity":"user"}]}""", "changes[0].entity" },
        { """{"changes":[{"change":"hide_entity","entity":"\ud800"}]}""", "changes[0].entity" },
        { """{"changes":[{"change":"hide_entity","entity":"a\u0000b"}]}""", "changes[0].entity" },
        { """{"changes":[{"change":"hide_entity","entity":"a","\ud800":1}]}""", "changes[0]" },
        { """{"changes":[{"change":"add_field","entity":"company"}]}""", "changes[0].field" },
        { """{"changes":[{"change":"add_field","entity":"company","field":"x_a"}]}""", "changes[0].field" },
        { """{"changes":[{"change":"add_field","entity":"company","field":{"type":"text"}}]}""", "changes[0].field.name" },
        { """{"changes":[{"change":"add_field","entity":"company","field":{"name":"x_a","type":"blob"}}]}""", "changes[0].field.type" },
        { """{"changes":[{"change":"add_field","entity":"company","field":{"name":"x_a","type":"key"}}]}""", "changes[0].field.type" },
        { """{"changes":[{"change":"add_field","entity":"company","field":{"name":"x_a","type":"text","required":"yes"}}]}""", "changes[0].field.required" },
        { """{"changes":[{"change":"add_field","entity":"company","field":{"name":"x_a","type":"text","max_length":1.5}}]}""", "changes[0].field.max_length" },
        { """{"changes":[{"change":"add_field","entity":"company","field":{"name":"x_a","type":"text","max_length":99999999999}}]}""", "changes[0].field.max_length" },
        { """{"changes":[{"change":"add_field","entity":"company","field":{"name":"x_a","type":"integer","minimum":"1"}}]}""", "changes[0].field.minimum" },
        { """{"changes":[{"change":"add_field","entity":"company","field":{"name":"x_a","type":"integer","minimum":1e400}}]}""", "changes[0].field.minimum" },
        { """{"changes":[{"change":"add_field","entity":"company","field":{"name":"x_a","type":"text","default":{"a":1}}}]}""", "changes[0].field.default" },
        { """{"changes":[{"change":"add_field","entity":"company","field":{"name":"x_a","type":"choice","choices":"big"}}]}""", "changes[0].field.choices" },
        { """{"changes":[{"change":"add_field","entity":"company","field":{"name":"x_a","type":"choice","choices":[{"label":"Big"}]}}]}""", "changes[0].field.choices[0].name" },
        { """{"changes":[{"change":"add_field","entity":"company","field":{"name":"x_a","type":"choice","choices":["\ud800"]}}]}""", "changes[0].field.choices[0]" },
        { """{"changes":[{"change":"add_field","entity":"company","field":{"name":"x_a","type":"stage","stages":[{"name":"a","kind":"maybe"}]}}]}""", "changes[0].field.stages[0].kind" },
        { """{"changes":[{"change":"add_field","entity":"company","field":{"name":"x_a","type":"text","hidden":true}}]}""", "changes[0].field.hidden" },
        { """{"changes":[{"change":"change_field","entity":"opportunity","field":{"name":"number","prefix":"O"}}]}""", "changes[0].field.width" },
        { """{"changes":[{"change":"create_entity","name":"x_a","owner":true,"fields":[]}]}""", "changes[0].owner" },
        { """{"changes":[{"change":"create_entity","name":"x_a","fields":{"name":"text"}}]}""", "changes[0].fields" },
        { """{"changes":[{"change":"create_entity","name":"x_a","title":["a",1]}]}""", "changes[0].title" },
        { """{"changes":[{"change":"set_view","entity":"company","view":{"name":"a","columns":["name"],"filter":{"path":"name","operator":"like","value":"a"}}}]}""", "changes[0].view.filter.operator" },
        { """{"changes":[{"change":"set_view","entity":"company","view":{"name":"a","columns":["name"],"filter":{"operator":"equal","value":"a"}}}]}""", "changes[0].view.filter.path" },
        { """{"changes":[{"change":"set_view","entity":"company","view":{"name":"a","columns":["name"],"filter":{"all":[{"not":null}]}}}]}""", "changes[0].view.filter.all[0].not" },
        { """{"changes":[{"change":"set_view","entity":"company","view":{"name":"a","columns":["name"],"filter":{"path":"name","in":"a"}}}]}""", "changes[0].view.filter.in" },
    };

    [Theory]
    [MemberData(nameof(Unreadable))]
    public void What_cannot_be_read_is_named_with_its_place(string body, string target)
    {
        using var document = JsonDocument.Parse(body);

        var (_, errors) = MetadataJson.ReadChanges(document.RootElement);

        Assert.Contains(errors, e => e.Target == target);
    }

    [Fact]
    public void A_filter_nested_too_deeply_is_refused()
    {
        var filter = """{"path":"name","value":"a"}""";
        for (var depth = 0; depth < 25; depth++)
        {
            filter = $$"""{"not":{{filter}} }""";
        }

        using var document = JsonDocument.Parse($$"""{"changes":[{"change":"set_view","entity":"company","view":{"name":"a","columns":["name"],"filter":{{filter}} } }]}""");

        Assert.Equal("limit", Assert.Single(MetadataJson.ReadChanges(document.RootElement).Errors).Code);
    }

    [Fact]
    public void Changes_written_are_read_back_the_same()
    {
        const string Changes = """
            [
              {"change":"create_entity","name":"x_venue","label":"Venue","plural":"Venues","set":"x_venues","icon":"stadium","title":["name"],"search":["name"],"fields":[
                {"name":"name","type":"text","label":"Name","help":"What it is called","required":true,"unique":true,"max_length":80,"default":"New"},
                {"name":"size","type":"decimal","minimum":0,"maximum":10.5,"scale":3,"default":1.25},
                {"name":"kind","type":"choice","choices":["Small",{"name":"big","label":"Big","colour":"#f00"}]},
                {"name":"rent","type":"money","currency":"CHF"},
                {"name":"at","type":"lookup","target":"company"},
                {"name":"stage","type":"stage","stages":[{"name":"new","label":"New","probability":10},{"name":"done","kind":"won"}],"moves":[{"from":"new","to":"done"}]},
                {"name":"number","type":"auto_number","prefix":"V","width":5,"start":7}],
               "views":[{"name":"mine","label":"Mine","columns":["name"]}],
               "form":{"sections":[{"label":"All","fields":["name"]}]},
               "placements":[{"area":"sales","section":"customers","order":5}]},
              {"change":"change_entity","entity":"company","label":"Account","icon":null},
              {"change":"hide_entity","entity":"company"},
              {"change":"show_entity","entity":"company"},
              {"change":"add_field","entity":"company","field":{"name":"x_a","type":"text"}},
              {"change":"change_field","entity":"company","field":{"name":"x_a","label":"A","help":null}},
              {"change":"hide_field","entity":"company","field":"x_a"},
              {"change":"show_field","entity":"company","field":"x_a"},
              {"change":"set_view","entity":"company","view":{"name":"v","label":"V","columns":["name"],"sort":[{"path":"name","descending":true}],
                "filter":{"any":[{"all":[{"path":"name","operator":"starts_with","value":"a"},{"path":"employees","operator":"greater_or_equal","value":3}]},{"not":{"path":"sector","in":["retail",null]}},{"path":"name","operator":"not_equal","value":null}]}}},
              {"change":"remove_view","entity":"company","view":"v"},
              {"change":"set_form","entity":"company","form":null},
              {"change":"set_form","entity":"company","form":{"sections":[{"label":"","fields":["name"]}]}}
            ]
            """;
        var once = MetadataJson.Write(Samples.Read(Changes)).ToJsonString();

        var twice = MetadataJson.Write(Samples.Read(JsonDocument.Parse(once).RootElement.GetProperty("changes").GetRawText())).ToJsonString();

        Assert.Equal(once, twice);
        Assert.Contains("\"icon\":null", once, StringComparison.Ordinal);
        Assert.Contains("\"kind\":\"won\"", once, StringComparison.Ordinal);
        Assert.Contains("{\"name\":\"Small\",\"label\":\"Small\"}", once, StringComparison.Ordinal);
    }

    [Fact]
    public void Defaults_given_in_code_survive_being_stored()
    {
        var builder = new MetadataBuilder("other");
        builder.Entity("thing", e => e
            .Field("name", Fields.Text, f => f.Default("New"))
            .Field("count", Fields.Integer, f => f.Default(3))
            .Field("share", Fields.Percent, f => f.Default(12.5))
            .Field("day", Fields.Date, f => f.Default(new DateOnly(2026, 11, 21)))
            .Field("price", Fields.Money, f => f.Default(new Money(9.90m, "CHF")))
            .Field("kinds", Fields.MultiChoice, f => f.Choice("a", "A").Choice("b", "B").Default(new[] { "a", "b" })));

        Assert.Empty(Samples.Plan(new MetadataChange.Declare(new ModuleInfo("other", "Other"), builder.Build())).Errors);
    }

    [Fact]
    public void Definitions_name_the_layer_of_each_property_that_was_customised()
    {
        var layers = Samples.After("""
            [
              {"change":"change_entity","entity":"company","label":"Account"},
              {"change":"change_field","entity":"company","field":{"name":"name","label":"Firm"}},
              {"change":"add_field","entity":"company","field":{"name":"x_limit","type":"money"}}
            ]
            """);
        var state = MetadataState.Of(layers);

        var json = MetadataJson.WriteEntity(state, state.Snapshot.Entity("company"));

        Assert.Equal("contacts", json["origin"]!.GetValue<string>());
        Assert.Equal("""{"label":"custom"}""", json["origins"]!.ToJsonString());
        var fields = json["fields"]!.AsArray().ToDictionary(f => f!["name"]!.GetValue<string>(), f => f!);
        Assert.Equal("""{"label":"custom"}""", fields["name"]["origins"]!.ToJsonString());
        Assert.Equal("custom", fields["x_limit"]["origin"]!.GetValue<string>());
        Assert.Equal("""["x_limit","x_limit_currency"]""", fields["x_limit"]["properties"]!.ToJsonString());
        Assert.Equal("sales", fields["rating"]["origin"]!.GetValue<string>());
        Assert.Null(fields["rating"]["origins"]);
        Assert.Equal(layers.Version, MetadataJson.WriteMetadata(state)["version"]!.GetValue<long>());
    }
}
