using System.Text.Json.Nodes;
using Crm.Sdk;

namespace Crm.Metadata.Tests;

/// <summary>Every kind of property: the customer's value lies over the module's, both are known, and the way back is exact.</summary>
public sealed class PropertyOriginTests
{
    private static readonly MetadataLayers Start = Samples.Declare(
        Samples.Declare(Samples.Layers, Samples.Contacts, Samples.ContactsShape(e => e
            .Icon("business")
            .Field("code", Fields.Text, f => f.Help("As printed").Default("A"))
            .Field("margin", Fields.Decimal, f => f.Scale(2))
            .Field("margin_twice", Fields.Decimal, f => f.Formula("margin * 2"))
            .Field("about", Fields.AnyLookup, f => f.Targets("company"))
            .Title("name")
            .Search("name")
            .Rule(new RuleDefinition("site", RuleKind.Required, "employees > 100", ["website"])))),
        Samples.Sales,
        Samples.SalesShape());

    /// <summary>A change, the path it is about, what lies below and what the customer says.</summary>
    public static TheoryData<string, string, string, string> Kinds { get; } = new()
    {
        { """{"change":"change_entity","entity":"company","label":"Account"}""", "label", "\"Company\"", "\"Account\"" },
        { """{"change":"change_entity","entity":"company","plural":"Accounts"}""", "plural", "\"Companies\"", "\"Accounts\"" },
        { """{"change":"change_entity","entity":"company","icon":"domain"}""", "icon", "\"business\"", "\"domain\"" },
        { """{"change":"change_entity","entity":"company","title":["code"]}""", "title", "[\"name\"]", "[\"code\"]" },
        { """{"change":"change_entity","entity":"company","search":["code"]}""", "search", "[\"name\"]", "[\"code\"]" },
        { """{"change":"change_entity","entity":"company","placements":[]}""", "placements", """[{"area":"sales","section":"customers","order":100}]""", "[]" },
        { """{"change":"hide_entity","entity":"opportunity"}""", "opportunity:hidden", "false", "true" },
        { """{"change":"change_field","entity":"company","field":{"name":"website","label":"Home page"}}""", "fields/website/label", "\"Website\"", "\"Home page\"" },
        { """{"change":"change_field","entity":"company","field":{"name":"code","help":"On paper"}}""", "fields/code/help", "\"As printed\"", "\"On paper\"" },
        { """{"change":"change_field","entity":"company","field":{"name":"website","help":"Ours"}}""", "fields/website/help", "", "\"Ours\"" },
        { """{"change":"change_field","entity":"company","field":{"name":"name","required":false}}""", "fields/name/required", "true", "false" },
        { """{"change":"change_field","entity":"company","field":{"name":"website","unique":true}}""", "fields/website/unique", "false", "true" },
        { """{"change":"change_field","entity":"company","field":{"name":"code","read_only":true}}""", "fields/code/read_only", "false", "true" },
        { """{"change":"change_field","entity":"company","field":{"name":"code","default":"B"}}""", "fields/code/default", "\"A\"", "\"B\"" },
        { """{"change":"change_field","entity":"company","field":{"name":"website","max_length":200}}""", "fields/website/max_length", "500", "200" },
        { """{"change":"change_field","entity":"company","field":{"name":"employees","minimum":1}}""", "fields/employees/minimum", "0", "1" },
        { """{"change":"change_field","entity":"company","field":{"name":"employees","maximum":9}}""", "fields/employees/maximum", "1000000", "9" },
        { """{"change":"change_field","entity":"company","field":{"name":"margin","scale":4}}""", "fields/margin/scale", "2", "4" },
        { """{"change":"change_field","entity":"company","field":{"name":"revenue","currency":"EUR"}}""", "fields/revenue/currency", "\"USD\"", "\"EUR\"" },
        { """{"change":"change_field","entity":"company","field":{"name":"sector","choices":["retail","software","medical","farming"]}}""", "fields/sector/choices", "*", "*" },
        { """{"change":"change_field","entity":"company","field":{"name":"about","targets":["company","opportunity"]}}""", "fields/about/targets", "[\"company\"]", "[\"company\",\"opportunity\"]" },
        { """{"change":"change_field","entity":"opportunity","field":{"name":"stage","moves":[{"from":"prospect","to":"offer"}]}}""", "opportunity:fields/stage/stages", "*", "*" },
        { """{"change":"change_field","entity":"opportunity","field":{"name":"number","prefix":"X","width":4,"start":100}}""", "opportunity:fields/number/prefix", """{"prefix":"OPP","width":5,"start":100}""", """{"prefix":"X","width":4,"start":100}""" },
        { """{"change":"change_field","entity":"company","field":{"name":"margin_twice","formula":"margin * 3"}}""", "fields/margin_twice/formula", "\"margin * 2\"", "\"margin * 3\"" },
        { """{"change":"change_field","entity":"company","field":{"name":"owner","label":"Keeper"}}""", "fields/owner/label", "\"Owner\"", "\"Keeper\"" },
        { """{"change":"hide_field","entity":"company","field":"revenue"}""", "fields/revenue/hidden", "false", "true" },
        { """{"change":"set_view","entity":"company","view":{"name":"default","columns":["website"]}}""", "views/default", "*", """{"name":"default","label":"Default","columns":["website"]}""" },
        { """{"change":"set_view","entity":"company","view":{"name":"all","columns":["name"]}}""", "views/all", "*", """{"name":"all","label":"All","columns":["name"]}""" },
        { """{"change":"remove_view","entity":"company","view":"inactive"}""", "views/inactive", "*", "" },
        { """{"change":"set_rule","entity":"company","rule":{"name":"site","kind":"required","condition":"employees > 9","fields":["website"]}}""", "rules/site", "*", "*" },
        { """{"change":"remove_rule","entity":"company","rule":"site"}""", "rules/site", "*", "" },
        { """{"change":"set_form","entity":"company","form":{"sections":[{"label":"Main","fields":["name"]}]}}""", "form", "*", """{"sections":[{"label":"Main","fields":["name"]}]}""" },
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_changed_property_is_known_with_its_layers_and_goes_back(string change, string at, string below, string says)
    {
        var (entity, key) = at.Split(':') is [var named, var rest] ? (named, rest) : ("company", at);
        Assert.Empty(PropertyOrigins.Of(MetadataState.Of(Start), entity));
        var layers = Samples.After($"[{change}]", Start);

        var origin = Assert.Single(PropertyOrigins.Of(MetadataState.Of(layers), entity));

        Assert.Equal(key, origin.Key);
        Assert.Equal(2, origin.Layers.Length);
        Assert.Equal("custom", origin.Layers[1].Layer);
        Assert.NotEqual("custom", origin.Layers[0].Layer);
        AssertValue(below, origin.Layers[0].Value);
        AssertValue(says, origin.Layers[1].Value);
        var back = Samples.After(Reset(entity, key), layers);
        Assert.False(ChangePlanner.Differ(Start, back));
    }

    [Fact]
    public void Everything_about_an_entity_goes_back_at_once_and_what_is_the_customers_own_stays()
    {
        const string own = """[{"change":"add_field","entity":"company","field":{"name":"x_own","type":"text","label":"Own"}},{"change":"set_view","entity":"company","view":{"name":"own","columns":["x_own"]}}]""";
        var mine = Samples.After(own, Start);
        var changes = Kinds.Select(k => (string)((object[])k)[0]).Where(c => !c.Contains("opportunity\"", StringComparison.Ordinal) && !c.Contains("remove_rule", StringComparison.Ordinal));
        var all = Samples.After($"[{string.Join(',', changes)}]", mine);
        Assert.True(PropertyOrigins.Of(MetadataState.Of(all), "company").Length > 20);

        var back = Samples.After("""[{"change":"reset","entity":"company","path":[]}]""", all);

        Assert.False(ChangePlanner.Differ(mine, back));
    }

    [Theory]
    [InlineData("""["label"]""")]
    [InlineData("""["fields","x_own"]""")]
    [InlineData("""["fields","x_own","label"]""")]
    [InlineData("""["views","own"]""")]
    [InlineData("""["fields","nothing","label"]""")]
    [InlineData("""["nothing"]""")]
    [InlineData("""["name"]""")]
    [InlineData("[]")]
    public void What_has_nothing_below_it_is_not_reset(string path)
    {
        var layers = Samples.After("""[{"change":"add_field","entity":"company","field":{"name":"x_own","type":"text","label":"Own"}},{"change":"set_view","entity":"company","view":{"name":"own","columns":["x_own"]}}]""", Start);

        var draft = Samples.PlanJson($$"""[{"change":"reset","entity":"company","path":{{path}}}]""", layers);

        Assert.Contains("nothing there", Assert.Single(draft.Errors).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_module_over_another_module_is_a_layer_of_its_own()
    {
        var builder = new MetadataBuilder("pack");
        builder.Extend("company", e => e.Label("Client", "Clients"));
        var layers = Samples.Declare(Start, new ModuleInfo("pack", "Partner pack", "contacts"), builder.Build());
        Assert.Equal(["label: contacts, pack", "plural: contacts, pack"], Texts(layers));

        layers = Samples.After("""[{"change":"change_entity","entity":"company","label":"Account"}]""", layers);
        Assert.Equal(["label: contacts, pack, custom", "plural: contacts, pack"], Texts(layers));

        Assert.Equal("Client", Samples.After("""[{"change":"reset","entity":"company","path":["label"]}]""", layers).Effective("company").Label);

        static IEnumerable<string> Texts(MetadataLayers layers) =>
            PropertyOrigins.Of(MetadataState.Of(layers), "company").Select(o => $"{o.Key}: {string.Join(", ", o.Layers.Select(l => l.Layer))}");
    }

    private static string Reset(string entity, string key) => $$"""[{"change":"reset","entity":"{{entity}}","path":[{{string.Join(',', key.Split('/').Select(p => $"\"{p}\""))}}]}]""";

    private static void AssertValue(string expected, string? value)
    {
        if (expected == "*")
        {
            Assert.NotNull(value);
        }
        else
        {
            Assert.True(JsonNode.DeepEquals(expected.Length == 0 ? null : JsonNode.Parse(expected), value is null ? null : JsonNode.Parse(value)), $"{expected} is wanted, {value} was found");
        }
    }
}
