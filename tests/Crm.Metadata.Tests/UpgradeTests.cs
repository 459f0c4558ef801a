using System.Text.Json;
using System.Text.Json.Nodes;
using Crm.Sdk;

namespace Crm.Metadata.Tests;

/// <summary>Two versions of a module and a customer in between: what the customer has not changed follows the module, the rest stays and is reported.</summary>
public sealed class UpgradeTests
{
    private const string Base = """
        {"name":"thing","owner":true,"label":"Thing","plural":"Things","icon":"category","title":["name"],"search":["name"],"fields":[
          {"name":"name","type":"text","label":"Name","help":"One","required":true,"max_length":100,"default":"A"},
          {"name":"code","type":"text","unique":true},
          {"name":"count","type":"decimal","minimum":0,"maximum":10,"scale":2},
          {"name":"price","type":"money","currency":"EUR"},
          {"name":"kind","type":"choice","choices":[{"name":"a","label":"A"},{"name":"b","label":"B"}]},
          {"name":"about","type":"any_lookup","targets":["thing"]},
          {"name":"number","type":"auto_number","prefix":"T","width":5,"start":1},
          {"name":"step","type":"stage","stages":[{"name":"open","label":"Open","kind":"open","probability":0},{"name":"done","label":"Done","kind":"won","probability":100}]},
          {"name":"twice","type":"formula","result":"decimal","formula":"count * 2"}],
         "views":[{"name":"main","label":"Main","columns":["name","code"]}],
         "rules":[{"name":"coded","kind":"required","condition":"count > 5","fields":["code"]}],
         "form":{"sections":[{"label":"First","fields":["name","code"]}]},
         "placements":[{"area":"settings","section":"access","order":1}]}
        """;

    /// <summary>A path, what the second version of the module says there, and what the customer says.</summary>
    public static TheoryData<string, string, string> Properties { get; } = new()
    {
        { "label", "\"Item\"", "\"Article\"" },
        { "plural", "\"Items\"", "\"Articles\"" },
        { "icon", "\"widgets\"", "\"star\"" },
        { "title", "[\"code\"]", "[\"code\",\"name\"]" },
        { "search", "[\"code\"]", "[\"code\",\"name\"]" },
        { "placements", "[]", """[{"area":"settings","section":"access","order":9}]""" },
        { "fields/name/label", "\"Title\"", "\"Caption\"" },
        { "fields/name/help", "\"Two\"", "\"Three\"" },
        { "fields/name/required", "false", "true" },
        { "fields/name/max_length", "200", "50" },
        { "fields/name/default", "\"B\"", "\"C\"" },
        { "fields/code/unique", "false", "true" },
        { "fields/price/read_only", "true", "false" },
        { "fields/count/minimum", "1", "2" },
        { "fields/count/maximum", "20", "30" },
        { "fields/count/scale", "3", "4" },
        { "fields/price/currency", "\"USD\"", "\"GBP\"" },
        { "fields/kind/choices", """[{"name":"a","label":"One"},{"name":"c","label":"C"}]""", """[{"name":"a","label":"Mine"},{"name":"d","label":"D"}]""" },
        { "fields/about/targets", "[\"user\"]", "[\"thing\",\"user\"]" },
        { "fields/twice/formula", "\"count * 3\"", "\"count * 4\"" },
        { "views/main", """{"name":"main","label":"Main","columns":["code"]}""", """{"name":"main","label":"Main","columns":["name"]}""" },
        { "views/fresh", """{"name":"fresh","label":"Fresh","columns":["code"]}""", """{"name":"fresh","label":"Ours","columns":["name"]}""" },
        { "rules/coded", """{"name":"coded","kind":"required","condition":"count > 6","fields":["code"]}""", """{"name":"coded","kind":"required","condition":"count > 7","fields":["code"]}""" },
        { "form", """{"sections":[{"label":"First","fields":["name"]}]}""", """{"sections":[{"label":"Mine","fields":["name","code"]}]}""" },
    };

    [Theory]
    [MemberData(nameof(Properties))]
    public void What_both_changed_stays_the_customers_and_is_reported(string path, string next, string yours)
    {
        var layers = Declare(Start(), Base);
        layers = Customised(layers, path, yours);
        var mine = Effective(layers, path);

        var draft = Plan(layers, With(Base, path, next));

        var finding = Assert.Single(UpgradeReport.Of(draft, "things", []));
        Assert.Equal((UpgradeKind.Kept, "thing", path), (finding.Kind, finding.Entity, finding.Key));
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(next), JsonNode.Parse(finding.After!)), finding.After);
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(yours), JsonNode.Parse(finding.Yours!)), finding.Yours);
        Assert.Equal(mine, Effective(draft.After, path));

        // Going back to the layer below takes what the module says now.
        var taken = Samples.After($$"""[{"change":"reset","entity":"thing","path":[{{string.Join(',', path.Split('/').Select(p => $"\"{p}\""))}}]}]""", draft.After);
        Assert.Equal(Effective(Declare(Declare(Start(), Base), With(Base, path, next)), path), Effective(taken, path));
    }

    [Theory]
    [MemberData(nameof(Properties))]
    public void What_the_customer_has_not_changed_follows_the_module_and_is_not_reported(string path, string next, string yours)
    {
        Assert.NotEqual(next, yours);
        var layers = Declare(Start(), Base);
        // The customer changed something else.
        layers = Samples.After("""[{"change":"change_field","entity":"thing","field":{"name":"number","label":"No."}}]""", layers);

        var draft = Plan(layers, With(Base, path, next));

        Assert.Empty(UpgradeReport.Of(draft, "things", []));
        Assert.Equal(Effective(Declare(Declare(Start(), Base), With(Base, path, next)), path), Effective(draft.After, path));
    }

    [Theory]
    // Additions of both, a new label of the module's, one it takes out, one the customer took out.
    [InlineData("a b", "a b c", "a b d", "a b c d")]
    [InlineData("a b", "c a b", "d b a", "c d b a")]
    [InlineData("a b", "a:One b", "a b d", "a:One b d")]
    [InlineData("a b", "a:One b", "a b:Two", "a:One b:Two")]
    [InlineData("a b", "a c", "a b d", "a c d")]
    [InlineData("a b", "a b c", "a d", "a c d")]
    [InlineData("a b", "a b c", "a b c:Mine", null)]
    [InlineData("a b", "a:One b", "a:Mine b d", null)]
    [InlineData("a b", "a:One b", "b d", null)]
    [InlineData("a b", "b c", "a:Mine b", null)]
    public void Choices_that_both_changed_are_merged_and_what_contradicts_is_reported(string before, string after, string yours, string? merged)
    {
        const string Path = "fields/kind/choices";
        var layers = Customised(Declare(Start(), With(Base, Path, Choices(before))), Path, Choices(yours));

        var draft = Plan(layers, With(Base, Path, Choices(after)));

        Assert.Empty(draft.Errors);
        Assert.Equal(merged ?? yours, string.Join(' ', draft.After.Effective("thing").Field("kind").Choices.Select(c => string.Equals(c.Label, c.Name, StringComparison.OrdinalIgnoreCase) ? c.Name : $"{c.Name}:{c.Label}")));
        Assert.Equal(merged is null ? [Path] : [], UpgradeReport.Of(draft, "things", []).Select(f => f.Key));
        // The next start of the same version changes nothing.
        Assert.False(ChangePlanner.Differ(draft.After, Plan(draft.After, With(Base, Path, Choices(after))).After));

        static string Choices(string names) =>
            "[" + string.Join(",", names.Split(' ').Select(n => n.Split(':')).Select(n => $$"""{"name":"{{n[0]}}","label":"{{(n.Length > 1 ? n[1] : n[0].ToUpperInvariant())}}"}""")) + "]";
    }

    [Fact]
    public void Stages_that_both_added_are_merged_with_their_moves_and_the_customers_own_list_goes_when_it_says_nothing_more()
    {
        static StagesDefinition Stages(string names, string moves) => new(
            [.. names.Split(' ').Select(n => new StageDefinition(n, n, n == "done" ? StageKind.Won : StageKind.Open, 0))],
            [.. moves.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(m => new StageMove(m.Split('>')[0], m.Split('>')[1]))]);
        static string Written(StagesDefinition? stages) => stages is null ? "-" : string.Join(' ', stages.Stages.Select(s => s.Name)) + " / " + string.Join(' ', stages.Moves.Select(m => $"{m.From}>{m.To}"));

        var before = Stages("open done", "open>done");
        Assert.Equal("open offer board done / open>board board>done open>offer", Written(ListMerge.Of(before, Stages("open offer done", "open>offer"), Stages("open board done", "open>done open>board board>done"))));
        Assert.Equal("open board done / ", Written(ListMerge.Of(Stages("open done", ""), Stages("open done", ""), Stages("open board done", ""))));
        // Every move was allowed, and now the module allows some: which of the customer's stage's are, nobody said.
        Assert.Equal("-", Written(ListMerge.Of(Stages("open done", ""), Stages("open done", "open>done"), Stages("open board done", ""))));

        var layers = Customised(Declare(Start(), Base), "fields/kind/choices", """[{"name":"a","label":"A"},{"name":"b","label":"B"},{"name":"c","label":"C"}]""");
        var draft = Plan(layers, With(Base, "fields/kind/choices", """[{"name":"a","label":"A"},{"name":"b","label":"B"},{"name":"c","label":"C"}]"""));
        Assert.Null(draft.After.Custom.Entity("thing").Field("kind")?.Choices);
        Assert.Equal(3, draft.After.Effective("thing").Field("kind").Choices.Length);
    }

    [Fact]
    public void What_the_module_says_like_the_customer_is_not_reported()
    {
        var layers = Customised(Declare(Start(), Base), "label", "\"Article\"");

        Assert.Empty(UpgradeReport.Of(Plan(layers, With(Base, "label", "\"Article\"")), "things", []));
    }

    [Fact]
    public void A_field_that_goes_is_hidden_and_who_misses_it_is_named()
    {
        var layers = Samples.After("""[{"change":"set_view","entity":"thing","view":{"name":"prices","label":"Prices","columns":["name","price"]}}]""", Declare(Start(), Base));

        var draft = Plan(layers, Without(Base, "price"));

        var finding = Assert.Single(UpgradeReport.Of(draft, "things", []));
        Assert.Equal((UpgradeKind.Gone, "fields/price/hidden"), (finding.Kind, finding.Key));
        Assert.Contains("its data is kept. The view “Prices”", finding.Text, StringComparison.Ordinal);
        Assert.True(draft.After.Effective("thing").Field("price").IsHidden);
        Assert.Equal("price", Assert.Single(draft.After.Effective("thing").Holes).Path);
        Assert.Equal(UpgradeKind.Back, Assert.Single(UpgradeReport.Of(Plan(draft.After, Base), "things", [])).Kind);
    }

    [Fact]
    public void A_field_that_goes_stays_shown_while_a_calculation_or_a_rule_of_the_customers_needs_it()
    {
        var layers = Samples.After(
            """
            [{"change":"add_field","entity":"thing","field":{"name":"x_half","type":"formula","result":"decimal","formula":"twice / 4"}},
             {"change":"set_rule","entity":"thing","rule":{"name":"known","kind":"required","condition":"kind = \"a\"","fields":["name"]}}]
            """,
            Declare(Start(), Base));

        // The formula of the module goes too: alone it would keep nothing.
        var less = With(Without(Base, "count", "twice", "kind", "price"), "rules/coded", """{"name":"coded","kind":"required","condition":"name = 'A'","fields":["code"]}""");
        var draft = Plan(layers, less);

        Assert.Empty(draft.Errors);
        var thing = draft.After.Effective("thing");
        Assert.Equal(["count", "kind", "price", "twice"], thing.Fields.Where(f => f.Name is "count" or "kind" or "price" or "twice").Select(f => f.Name).Order(StringComparer.Ordinal));
        Assert.Equal(["price"], thing.Fields.Where(f => f.IsHidden).Select(f => f.Name));
        var findings = UpgradeReport.Of(draft, "things", []).ToList();
        Assert.Equal(4, findings.Count);
        Assert.Contains("Half", findings.Single(f => f.Key == "fields/twice/hidden").Text, StringComparison.Ordinal);

        // When nothing needs it any more, the next start hides it.
        var freed = Samples.After("""[{"change":"hide_field","entity":"thing","field":"x_half"},{"change":"remove_rule","entity":"thing","rule":"known"}]""", draft.After);
        var next = Plan(freed, less);
        Assert.Equal(["count", "kind", "price", "twice"], next.After.Effective("thing").Fields.Where(f => f.IsHidden && f.Origin == "things").Select(f => f.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void An_entity_that_goes_is_hidden_and_comes_back_as_it_was()
    {
        var layers = Declare(Start(), Base);

        var draft = ChangePlanner.Plan(layers, [new MetadataChange.Declare(Module, DeclaredShape.Empty)], DatabaseFeatures.Full);

        Assert.Contains("Thing", Assert.Single(UpgradeReport.Of(draft, "things", [])).Text, StringComparison.Ordinal);
        Assert.True(draft.After.Effective("thing").IsHidden);
        Assert.False(draft.After.Effective("thing").Field("name").IsHidden);
        Assert.False(ChangePlanner.Differ(layers, Declare(draft.After, Base)));
    }

    [Fact]
    public void A_field_under_a_new_name_takes_along_everything_that_names_it_also_formulas_and_other_entities()
    {
        var layers = Samples.After(
            """
            [{"change":"change_field","entity":"thing","field":{"name":"count","label":"How many"}},
             {"change":"add_field","entity":"thing","field":{"name":"x_half","type":"formula","result":"decimal","formula":"COUNT / 2 + if(name = \"count\", count, 0)"}},
             {"change":"set_rule","entity":"thing","rule":{"name":"few","kind":"valid","condition":"count < 100","fields":["count"]}},
             {"change":"create_entity","name":"x_part","fields":[{"name":"name","type":"text"},{"name":"thing","type":"lookup","target":"thing"}],
              "views":[{"name":"main","label":"Main","columns":["name","thing.count"],"filter":{"path":"thing.count","operator":"greater","value":1},"sort":[{"path":"thing.count"}]}]}]
            """,
            Declare(Start(), Base));
        var next = Base.Replace("count", "amount", StringComparison.Ordinal).Replace("\"name\":\"amount\",", "\"name\":\"amount\",\"renamed_from\":\"count\",\"label\":\"Amount\",", StringComparison.Ordinal);

        var draft = Plan(layers, next);

        Assert.Empty(draft.Errors);
        var (thing, part) = (draft.After.Effective("thing"), draft.After.Effective("x_part"));
        Assert.Equal("How many", thing.Field("amount").Label);
        Assert.Equal("amount / 2 + if(name = \"count\", amount, 0)", thing.Field("x_half").Formula);
        Assert.Equal(("amount < 100", "amount"), (thing.Rules.Single(r => r.Name == "few").Condition, thing.Rules.Single(r => r.Name == "few").Fields.Single()));
        Assert.Equal(["name", "thing.amount"], part.Views[0].Columns.AsEnumerable());
        Assert.Equal("thing.amount", ((Filter.Compare)part.Views[0].Filter!).Path);
        // The label the customer gave it stays and the module's is kept to look at.
        var finding = Assert.Single(UpgradeReport.Of(draft, "things", []));
        Assert.Equal(("fields/amount/label", "\"Amount\"", "\"How many\""), (finding.Key, finding.After, finding.Yours));
    }

    [Fact]
    public void A_module_that_builds_on_a_renamed_field_can_be_upgraded_after_it()
    {
        var layers = Declare(Start(), Base);
        var pack = new ModuleInfo("pack", "Pack", "things");
        static DeclaredShape Shape(string field)
        {
            var builder = new MetadataBuilder("pack");
            builder.Entity("pack_item", e => e.Field("name", Fields.Text).Field("thing", Fields.Lookup("thing")).View("main", "Main", "name", "thing." + field));
            return builder.Build();
        }

        layers = Samples.Declare(layers, pack, Shape("code"));
        layers = Declare(layers, Base.Replace("\"code\"", "\"sign\"", StringComparison.Ordinal).Replace("\"name\":\"sign\",", "\"name\":\"sign\",\"renamed_from\":\"code\",", StringComparison.Ordinal));
        Assert.Equal(["name", "thing.sign"], layers.Effective("pack_item").Views[0].Columns.AsEnumerable());

        Samples.Declare(layers, pack, Shape("sign"));
        // The old version of it is refused with the reason.
        var old = ChangePlanner.Plan(layers, [new MetadataChange.Declare(pack, Shape("code"))], DatabaseFeatures.Full);
        Assert.Contains("thing.code", Assert.Single(old.Errors).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text", "integer", null)]
    [InlineData("decimal", "text", null)]
    [InlineData("text", "multi_choice", "type")]
    [InlineData("formula", "text", "type")]
    public void A_new_type_is_taken_where_values_can_become_it_and_refused_otherwise(string from, string to, string? error)
    {
        static string Field(string type) => type == "formula"
            ? """{"name":"value","type":"formula","result":"decimal","formula":"count * 2"}"""
            : $$"""{"name":"value","type":"{{type}}"}""";
        var layers = Declare(Start(), Base.Replace("{\"name\":\"price\"", Field(from) + ",{\"name\":\"price\"", StringComparison.Ordinal));

        var draft = Plan(layers, Base.Replace("{\"name\":\"price\"", Field(to) + ",{\"name\":\"price\"", StringComparison.Ordinal));

        Assert.Equal(error, draft.Errors.Select(e => e.Code).FirstOrDefault());
        Assert.Equal(error is null, draft.Questions.Any(q => q is { Kind: QuestionKind.Unconvertible, IsError: true }));
    }

    private static ModuleInfo Module { get; } = new("things", "Things");

    private static MetadataLayers Start() => Samples.Declare(MetadataLayers.None, PlatformShape.Module, PlatformShape.Shape);

    private static MetadataLayers Declare(MetadataLayers layers, string entity)
    {
        var draft = Plan(layers, entity);
        Assert.Empty(draft.Errors);
        return draft.After.At(layers.Version + 1);
    }

    private static PlanDraft Plan(MetadataLayers layers, string entity) =>
        ChangePlanner.Plan(layers, [new MetadataChange.Declare(Module, new DeclaredShape([Read(entity, "things")], []))], DatabaseFeatures.Full);

    private static MetadataLayers Customised(MetadataLayers layers, string path, string yours) =>
        layers.With(layers.Custom.With(Read(With("""{"name":"thing"}""", path, yours), Origins.Custom)));

    private static EntityShape Read(string entity, string origin)
    {
        using var document = JsonDocument.Parse(entity);
        var errors = new List<PlanMessage>();
        using var json = new JsonInput(document.RootElement, "", errors);
        var shape = ShapeJson.ReadEntity(json, errors, json.RequiredText("name"), origin, isStored: true, out _);
        Assert.Empty(errors);
        return shape;
    }

    /// <summary>The definition with another value at a path; parts on the way are made.</summary>
    private static string With(string entity, string path, string value)
    {
        var json = JsonNode.Parse(entity)!.AsObject();
        if (path.Split('/') is [var list, var name, .. var rest])
        {
            var items = json[list] as JsonArray ?? [];
            json[list] = items.Parent is null ? items : json[list];
            var item = items.FirstOrDefault(i => i!["name"]!.GetValue<string>() == name)?.AsObject();
            if (item is null)
            {
                items.Add(item = new JsonObject { ["name"] = name });
            }

            if (rest is [var property])
            {
                item[property] = JsonNode.Parse(value);
            }
            else
            {
                items[items.IndexOf(item)] = JsonNode.Parse(value);
            }
        }
        else
        {
            json[path] = JsonNode.Parse(value);
        }

        return json.ToJsonString();
    }

    private static string Without(string entity, params string[] fields)
    {
        var json = JsonNode.Parse(entity)!.AsObject();
        foreach (var field in json["fields"]!.AsArray().Where(f => fields.Contains(f!["name"]!.GetValue<string>(), StringComparer.Ordinal)).ToList())
        {
            json["fields"]!.AsArray().Remove(field);
        }

        return json.ToJsonString();
    }

    private static string? Effective(MetadataLayers layers, string path)
    {
        var json = MetadataJson.WriteEntity(MetadataState.Of(layers), layers.Effective("thing"));
        return path.Split('/') switch
        {
            [var list, var name, var property] => json[list]!.AsArray().Single(i => i!["name"]!.GetValue<string>() == name)![property]?.ToJsonString(),
            [var list, var name] => json[list]!.AsArray().SingleOrDefault(i => i!["name"]!.GetValue<string>() == name)?.ToJsonString(),
            [var property] => json[property]?.ToJsonString(),
            _ => throw new ArgumentException("No such path.", nameof(path)),
        };
    }
}
