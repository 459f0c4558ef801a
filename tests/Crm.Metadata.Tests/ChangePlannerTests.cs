using Crm.Sdk;

namespace Crm.Metadata.Tests;

public sealed class ChangePlannerTests
{
    private const string Venue = """{"change":"create_entity","name":"x_venue","label":"Venue","plural":"Venues","fields":[{"name":"name","type":"text","required":true},{"name":"brand","type":"text"},{"name":"description","type":"long_text"}]}""";

    public static TheoryData<string, string, string, string> Refused => new()
    {
        { "no fields", """{"change":"create_entity","name":"x_venue","fields":[]}""", "required", "x_venue" },
        { "hostile field name", """{"change":"create_entity","name":"x_venue","fields":[{"name":"select\"; drop table","type":"text"}]}""", "name", "x_venue.select\"; drop table" },
        { "hostile entity name", """{"change":"create_entity","name":"x_\"; drop","fields":[{"name":"name","type":"text"}]}""", "name", "x_\"; drop" },
        { "entity without prefix", """{"change":"create_entity","name":"venue","fields":[{"name":"name","type":"text"}]}""", "name", "venue" },
        { "entity name too long", """{"change":"create_entity","name":"x_abcdefghijklmnopqrstuvw","fields":[{"name":"name","type":"text"}]}""", "name", "x_abcdefghijklmnopqrstuvw" },
        { "reserved field", """{"change":"create_entity","name":"x_venue","fields":[{"name":"owner","type":"text"}]}""", "name", "x_venue.owner" },
        { "entity exists", """{"change":"create_entity","name":"company","fields":[{"name":"name","type":"text"}]}""", "exists", "company" },
        { "set without prefix", """{"change":"create_entity","name":"x_venue","set":"companies","fields":[{"name":"name","type":"text"}]}""", "name", "x_venue" },
        { "field twice", """{"change":"create_entity","name":"x_venue","fields":[{"name":"name","type":"text"},{"name":"name","type":"email"}]}""", "exists", "x_venue.name" },
        { "no type", """{"change":"create_entity","name":"x_venue","fields":[{"name":"name"}]}""", "required", "x_venue.name" },
        { "empty label", """{"change":"create_entity","name":"x_venue","label":" ","fields":[{"name":"name","type":"text"}]}""", "required", "x_venue" },
        { "label with control character", """{"change":"create_entity","name":"x_venue","label":"a\nb","fields":[{"name":"name","type":"text"}]}""", "option", "x_venue" },
        { "icon", """{"change":"create_entity","name":"x_venue","icon":"<b>","fields":[{"name":"name","type":"text"}]}""", "option", "x_venue" },
        { "unknown place", """{"change":"create_entity","name":"x_venue","placements":[{"area":"nowhere","section":"x"}],"fields":[{"name":"name","type":"text"}]}""", "unknown", "x_venue" },
        { "unknown title", """{"change":"create_entity","name":"x_venue","title":["nothing"],"fields":[{"name":"name","type":"text"}]}""", "unknown_field", "x_venue" },
        { "title of references", """{"change":"change_entity","entity":"company","title":["parent"]}""", "layout", "company" },
        { "search in numbers", """{"change":"change_entity","entity":"company","search":["employees"]}""", "layout", "company" },
        { "two stages", """{"change":"add_field","entity":"opportunity","field":{"name":"x_stage","type":"stage","stages":[{"name":"one"}]}}""", "limit", "opportunity" },
        { "no stages", """{"change":"add_field","entity":"company","field":{"name":"x_stage","type":"stage"}}""", "option", "company.x_stage" },
        { "move to nowhere", """{"change":"add_field","entity":"company","field":{"name":"x_stage","type":"stage","stages":[{"name":"one"}],"moves":[{"from":"one","to":"two"}]}}""", "option", "company.x_stage" },
        { "field without prefix", """{"change":"add_field","entity":"company","field":{"name":"score","type":"integer"}}""", "name", "company.score" },
        { "field exists", """{"change":"add_field","entity":"company","field":{"name":"name","type":"text"}}""", "name", "company.name" },
        { "unknown entity", """{"change":"add_field","entity":"planet","field":{"name":"x_moons","type":"integer"}}""", "unknown_entity", "planet" },
        { "lookup to nothing", """{"change":"add_field","entity":"company","field":{"name":"x_planet","type":"lookup","target":"planet"}}""", "unknown_entity", "company.x_planet" },
        { "lookup without target", """{"change":"add_field","entity":"company","field":{"name":"x_planet","type":"lookup"}}""", "option", "company.x_planet" },
        { "choice without choices", """{"change":"add_field","entity":"company","field":{"name":"x_size","type":"choice"}}""", "option", "company.x_size" },
        { "choice twice", """{"change":"add_field","entity":"company","field":{"name":"x_size","type":"choice","choices":["big","big"]}}""", "option", "company.x_size" },
        { "choices of a text", """{"change":"add_field","entity":"company","field":{"name":"x_size","type":"text","choices":["big"]}}""", "option", "company.x_size" },
        { "length of a number", """{"change":"add_field","entity":"company","field":{"name":"x_size","type":"integer","max_length":3}}""", "option", "company.x_size" },
        { "range of a text", """{"change":"add_field","entity":"company","field":{"name":"x_size","type":"text","minimum":3}}""", "option", "company.x_size" },
        { "reversed range", """{"change":"add_field","entity":"company","field":{"name":"x_size","type":"integer","minimum":3,"maximum":1}}""", "option", "company.x_size" },
        { "scale", """{"change":"add_field","entity":"company","field":{"name":"x_size","type":"decimal","scale":11}}""", "option", "company.x_size" },
        { "unique yes or no", """{"change":"add_field","entity":"company","field":{"name":"x_flag","type":"yes_no","unique":true}}""", "option", "company.x_flag" },
        { "unique long text", """{"change":"add_field","entity":"company","field":{"name":"x_page","type":"url","unique":true}}""", "limit", "company.x_page" },
        { "default of another type", """{"change":"add_field","entity":"company","field":{"name":"x_count","type":"integer","default":"many"}}""", "type", "company.x_count" },
        { "default out of range", """{"change":"add_field","entity":"company","field":{"name":"x_count","type":"integer","maximum":5,"default":6}}""", "range", "company.x_count" },
        { "currency", """{"change":"add_field","entity":"company","field":{"name":"x_price","type":"money","currency":"euro"}}""", "option", "company.x_price" },
        { "auto-number without format", """{"change":"add_field","entity":"company","field":{"name":"x_number","type":"auto_number"}}""", "option", "company.x_number" },
        { "change type", """{"change":"change_field","entity":"company","field":{"name":"employees","type":"text"}}""", "type", "company.employees" },
        { "change target", """{"change":"change_field","entity":"company","field":{"name":"parent","target":"opportunity"}}""", "type", "company.parent" },
        { "change nothing known", """{"change":"change_field","entity":"company","field":{"name":"planet","label":"Planet"}}""", "unknown_field", "company.planet" },
        { "change a system field", """{"change":"change_field","entity":"company","field":{"name":"version","required":true}}""", "read_only", "company.version" },
        { "no choices left", """{"change":"change_field","entity":"company","field":{"name":"sector","choices":[]}}""", "option", "company.sector" },
        { "set of a module", """{"change":"change_entity","entity":"company","set":"firms"}""", "read_only", "company" },
        { "fields in change_entity", """{"change":"change_entity","entity":"company","fields":[{"name":"x_a","type":"text"}]}""", "option", "company" },
        { "hide the user", """{"change":"hide_entity","entity":"user"}""", "read_only", "user" },
        { "hide a system field", """{"change":"hide_field","entity":"company","field":"owner"}""", "read_only", "company.owner" },
        { "hide what a filter needs", """{"change":"hide_field","entity":"opportunity","field":"stage"}""", "in_use", "opportunity.stage" },
        { "hide what a filter elsewhere needs", """{"change":"hide_field","entity":"company","field":"sector"}""", "in_use", "company.sector" },
        { "view without columns", """{"change":"set_view","entity":"company","view":{"name":"mine","columns":[]}}""", "required", "company.mine" },
        { "view of nothing", """{"change":"set_view","entity":"company","view":{"name":"mine","columns":["name","moon"]}}""", "unknown_field", "company.mine" },
        { "view along no lookup", """{"change":"set_view","entity":"company","view":{"name":"mine","columns":["name.length"]}}""", "unknown_field", "company.mine" },
        { "view name", """{"change":"set_view","entity":"company","view":{"name":"My view","columns":["name"]}}""", "name", "company.My view" },
        { "column twice", """{"change":"set_view","entity":"company","view":{"name":"mine","columns":["name","name"]}}""", "exists", "company.mine" },
        { "filter by nothing", """{"change":"set_view","entity":"company","view":{"name":"mine","columns":["name"],"filter":{"path":"moon","value":1}}}""", "unknown_field", "company.mine" },
        { "filter with a wrong value", """{"change":"set_view","entity":"company","view":{"name":"mine","columns":["name"],"filter":{"path":"employees","value":"many"}}}""", "type", "company.mine" },
        { "filter with a wrong operator", """{"change":"set_view","entity":"company","view":{"name":"mine","columns":["name"],"filter":{"path":"employees","operator":"contains","value":"1"}}}""", "layout", "company.mine" },
        { "filter by an unknown choice", """{"change":"set_view","entity":"company","view":{"name":"mine","columns":["name"],"filter":{"path":"sector","in":["retail","space"]}}}""", "unknown", "company.mine" },
        { "remove no view", """{"change":"remove_view","entity":"company","view":"mine"}""", "unknown", "company" },
        { "form of nothing", """{"change":"set_form","entity":"company","form":{"sections":[{"fields":["moon"]}]}}""", "unknown_field", "company" },
        { "field twice on the form", """{"change":"set_form","entity":"company","form":{"sections":[{"fields":["name"]},{"fields":["name"]}]}}""", "exists", "company" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void A_change_that_makes_no_sense_is_refused_with_code_and_target(string what, string change, string code, string target)
    {
        var draft = Samples.PlanJson($"[{change}]");

        Assert.True(draft.Errors.Any(e => e.Code == code && e.Target == target), $"{what}: {string.Join("; ", draft.Errors)}");
        Assert.Empty(draft.Steps);
        Assert.All(draft.Errors, e => Assert.False(string.IsNullOrWhiteSpace(e.Message)));
    }

    [Fact]
    public void All_errors_of_all_changes_are_reported_at_once()
    {
        var draft = Samples.PlanJson("""
            [
              {"change":"create_entity","name":"venue","fields":[{"name":"id","type":"text"},{"name":"kind","type":"choice"}]},
              {"change":"add_field","entity":"company","field":{"name":"score","type":"integer"}},
              {"change":"add_field","entity":"planet","field":{"name":"x_moons","type":"integer"}}
            ]
            """);

        Assert.Equal(["name:venue", "name:venue.id", "name:company.score", "unknown_entity:planet", "option:venue.kind"], draft.Errors.Select(e => $"{e.Code}:{e.Target}"));
    }

    [Theory]
    [InlineData("""{"name":"x_budget","type":"money"}""", """{"name":"x_budget_currency","type":"text"}""")]
    [InlineData("""{"name":"x_place","type":"lookup","target":"company"}""", """{"name":"x_place_id","type":"text"}""")]
    [InlineData("""{"name":"x_seller","type":"owner"}""", """{"name":"x_seller_user","type":"text"}""")]
    public void Two_fields_that_need_the_same_property_are_refused(string one, string other)
    {
        foreach (var (first, second) in new[] { (one, other), (other, one) })
        {
            var draft = Samples.PlanJson($$"""[{"change":"add_field","entity":"company","field":{{first}} },{"change":"add_field","entity":"company","field":{{second}} }]""");

            Assert.Equal("exists", Assert.Single(draft.Errors).Code);
        }
    }

    [Fact]
    public void Set_names_are_unique()
    {
        var draft = Samples.PlanJson($$"""[{{Venue}},{"change":"create_entity","name":"x_other","set":"x_venues","fields":[{"name":"name","type":"text"}]}]""");

        Assert.Contains("x_venues", Assert.Single(draft.Errors).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_limit_of_fields_is_stated()
    {
        var fields = string.Join(',', Enumerable.Range(1, Names.MaxFields + 1).Select(n => $$"""{"name":"f{{n}}","type":"integer"}"""));

        var draft = Samples.PlanJson($$"""[{"change":"create_entity","name":"x_wide","fields":[{{fields}}] }]""");

        var error = Assert.Single(draft.Errors);
        Assert.Equal("limit", error.Code);
        Assert.Contains("at most 500", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_limit_of_entities_is_stated()
    {
        var entities = string.Join(',', Enumerable.Range(1, SnapshotCheck.MaxEntities).Select(n => $$"""{"change":"create_entity","name":"x_e{{n}}","fields":[{"name":"name","type":"text"}]}"""));

        var draft = Samples.PlanJson($"[{entities}]");

        Assert.Contains(draft.Errors, e => e.Code == "limit" && e.Message.Contains("1,000", StringComparison.Ordinal));
    }

    [Fact]
    public void PLT_36_An_administrator_makes_the_entity_Venue()
    {
        var layers = Samples.After($"[{Venue}]");

        var venue = layers.Effective("x_venue");
        Assert.Equal(("Venue", "Venues", "x_venues", Origins.Custom), (venue.Label, venue.PluralLabel, venue.SetName, venue.Origin));
        Assert.Equal(["name", "brand", "description", "id", "version", "created_at", "created_by", "modified_at", "modified_by", "owner", "is_active"], venue.Fields.Select(f => f.Name));
        Assert.Equal(["Active Venues", "Inactive Venues", "All Venues"], venue.Views.Select(v => v.Label));
        Assert.Equal(["name", "brand", "description", "owner"], Assert.Single(venue.Form.Sections).Fields.AsEnumerable());
        Assert.Equal(["name"], venue.TitleFields.AsEnumerable());
        Assert.Equal(["name"], venue.SearchFields.AsEnumerable());
        Assert.Equal("sales", Assert.Single(venue.Placements).Area);
    }

    [Fact]
    public void A_change_may_build_on_the_one_before_it()
    {
        var layers = Samples.After($$"""
            [
              {{Venue}},
              {"change":"add_field","entity":"x_venue","field":{"name":"capacity","type":"integer","minimum":0} },
              {"change":"create_entity","name":"x_event","fields":[{"name":"name","type":"text","required":true},{"name":"venue","type":"lookup","target":"x_venue"}]},
              {"change":"set_view","entity":"x_event","view":{"name":"big","label":"Big ones","columns":["name","venue.capacity"],"filter":{"path":"venue.capacity","operator":"greater","value":1000},"sort":[{"path":"venue.capacity","descending":true}]} }
            ]
            """);

        Assert.Equal("big", layers.Effective("x_event").Views[0].Name);
    }

    [Fact]
    public void Customised_properties_win_one_by_one_and_go_back_when_reset()
    {
        var layers = Samples.After("""
            [
              {"change":"change_entity","entity":"company","label":"Account","icon":"storefront"},
              {"change":"change_field","entity":"company","field":{"name":"name","label":"Firm","max_length":80}},
              {"change":"change_field","entity":"company","field":{"name":"employees","required":true}},
              {"change":"change_field","entity":"company","field":{"name":"owner","label":"Salesperson"}}
            ]
            """);

        var company = layers.Effective("company");
        Assert.Equal(("Account", "Companies", "storefront"), (company.Label, company.PluralLabel, company.Icon));
        Assert.Equal(("Firm", true, 80), (company.Field("name").Label, company.Field("name").IsRequired, company.Field("name").MaxLength));
        Assert.Equal((true, 0m), (company.Field("employees").IsRequired, company.Field("employees").Minimum));
        Assert.Equal("Salesperson", company.Field("owner").Label);

        var back = Samples.After("""
            [
              {"change":"change_entity","entity":"company","label":null,"icon":null},
              {"change":"change_field","entity":"company","field":{"name":"name","label":null,"max_length":null}},
              {"change":"change_field","entity":"company","field":{"name":"employees","required":null}},
              {"change":"change_field","entity":"company","field":{"name":"owner","label":null}}
            ]
            """, layers);

        Assert.False(ChangePlanner.Differ(Samples.Layers, back));
    }

    [Fact]
    public void A_new_version_of_the_module_shines_through_where_nothing_was_customised()
    {
        var layers = Samples.After("""[{"change":"change_field","entity":"company","field":{"name":"website","label":"Home page"}}]""");

        layers = Samples.Declare(layers, Samples.Contacts, Samples.ContactsShape(e => e.Label("Organisation", "Organisations").Field("phone", Fields.Phone)));

        var company = layers.Effective("company");
        Assert.Equal(("Organisation", "Home page"), (company.Label, company.Field("website").Label));
        Assert.True(company.TryField("phone", out _));
        Assert.True(company.TryField("rating", out var rating) && rating.Origin == "sales");
    }

    [Fact]
    public void Declaring_the_same_again_does_nothing()
    {
        var draft = Samples.Plan(new MetadataChange.Declare(Samples.Sales, Samples.SalesShape()));

        Assert.Empty(draft.Errors);
        Assert.Empty(draft.Steps);
    }

    [Fact]
    public void A_field_the_module_does_not_declare_any_more_is_hidden_and_comes_back()
    {
        var layers = Samples.Declare(Samples.Layers, Samples.Contacts, Samples.ContactsShape(e => e.Field("fax", Fields.Phone)));
        var draft = ChangePlanner.Plan(layers, [new MetadataChange.Declare(Samples.Contacts, Samples.ContactsShape())], DatabaseFeatures.Full);
        Assert.Contains("Fax", Assert.Single(draft.Warnings).Message, StringComparison.Ordinal);
        Assert.DoesNotContain(draft.Steps, s => s.Sql is not null);
        layers = draft.After;
        Assert.True(layers.Effective("company").Field("fax").IsHidden);
        Assert.Empty(ChangePlanner.Plan(layers, [new MetadataChange.Declare(Samples.Contacts, Samples.ContactsShape())], DatabaseFeatures.Full).Steps);

        layers = Samples.Declare(layers, Samples.Contacts, Samples.ContactsShape(e => e.Field("fax", Fields.Phone)));
        Assert.False(layers.Effective("company").Field("fax").IsHidden);
    }

    [Fact]
    public void A_renamed_field_keeps_its_column_data_and_what_was_customised()
    {
        var layers = Samples.Declare(Samples.Layers, Samples.Sales, Samples.SalesShape(e => e.Field("amount", Fields.Money)));
        layers = Samples.After("""
            [
              {"change":"change_field","entity":"opportunity","field":{"name":"amount","label":"Worth"}},
              {"change":"set_view","entity":"opportunity","view":{"name":"big","columns":["title","amount"],"filter":{"path":"amount","operator":"greater","value":1000},"sort":[{"path":"amount"}]}}
            ]
            """, layers);

        var draft = ChangePlanner.Plan(layers, [new MetadataChange.Declare(Samples.Sales, Samples.SalesShape(e => e.Field("worth", Fields.Money, f => f.RenamedFrom("amount"))))], DatabaseFeatures.Full);

        Assert.Empty(draft.Errors);
        Assert.Equal(
            "ALTER TABLE records.\"opportunity\" RENAME COLUMN \"amount\" TO \"worth\";\nALTER TABLE records.\"opportunity\" RENAME COLUMN \"amount_currency\" TO \"worth_currency\"",
            Assert.Single(draft.Steps, s => s.Sql is not null).Sql);
        var opportunity = draft.After.Effective("opportunity");
        Assert.Equal("Worth", opportunity.Field("worth").Label);
        Assert.False(opportunity.TryField("amount", out _));
        Assert.Equal(["title", "worth"], opportunity.Views.Single(v => v.Name == "big").Columns.AsEnumerable());
    }

    [Theory]
    [InlineData("company", "exists")]
    [InlineData("x_thing", "name")]
    [InlineData("metadata", "name")]
    public void A_module_cannot_take_a_name_that_is_not_its_own(string name, string code)
    {
        var builder = new MetadataBuilder("other");
        builder.Entity(name, e => e.Field("name", Fields.Text));

        var draft = Samples.Plan(new MetadataChange.Declare(new ModuleInfo("other", "Other"), builder.Build()));

        Assert.Contains(draft.Errors, e => e.Code == code && e.Target == name);
    }

    [Fact]
    public void A_module_adds_only_to_what_it_depends_on()
    {
        var builder = new MetadataBuilder("other");
        builder.Extend("company", e => e.Field("colour", Fields.Text)).Extend("planet", e => e.Field("moons", Fields.Integer));

        var draft = Samples.Plan(new MetadataChange.Declare(new ModuleInfo("other", "Other"), builder.Build()));

        Assert.Equal(["option:company", "unknown_entity:planet"], draft.Errors.Select(e => $"{e.Code}:{e.Target}"));
        Assert.Empty(Samples.Plan(new MetadataChange.Declare(new ModuleInfo("other", "Other", "sales"), new DeclaredShape([builder.Build().Entities[0]], []))).Errors);
    }

    [Fact]
    public void Questions_to_the_records_are_asked_only_where_something_becomes_stricter()
    {
        var draft = Samples.PlanJson("""
            [
              {"change":"change_field","entity":"company","field":{"name":"website","required":true,"unique":true,"max_length":100}},
              {"change":"change_field","entity":"company","field":{"name":"sector","choices":["retail","software","space"]}},
              {"change":"change_field","entity":"company","field":{"name":"employees","maximum":10}},
              {"change":"change_field","entity":"company","field":{"name":"name","label":"Firm"}},
              {"change":"add_field","entity":"company","field":{"name":"x_code","type":"text","required":true,"unique":true}}
            ]
            """);

        Assert.Equal(
            ["Columns name", "Missing website", "Doubles website", "TooLong website", "OutOfRange employees", "RemovedChoice sector", "Missing x_code"],
            draft.Questions.Select(q => $"{q.Kind} {q.Field.Name}").OrderBy(q => q.EndsWith("code", StringComparison.Ordinal) ? 3 : q.EndsWith("sector", StringComparison.Ordinal) ? 2 : q.EndsWith("employees", StringComparison.Ordinal) ? 1 : 0));
        Assert.Equal(["medical"], draft.Questions.Single(q => q.Kind == QuestionKind.RemovedChoice).Values.AsEnumerable());
    }
}
