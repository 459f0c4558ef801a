using Crm.Sdk;

namespace Crm.Metadata.Tests;

public sealed class SnapshotBuilderTests
{
    [Fact]
    public void Declared_views_come_first_and_those_of_every_entity_follow()
    {
        var company = Samples.Layers.Effective("company");

        Assert.Equal(["default", "active", "inactive", "all"], company.Views.Select(v => v.Name));
        Assert.Equal(company.Views[0].Columns, company.Views[1].Columns.AsEnumerable());
        Assert.Equal(["contacts", "platform"], company.Views.Select(v => v.Origin).Distinct());
        Assert.Equal("Active Companies", company.Views[1].Label);
    }

    [Fact]
    public void Customer_views_follow_and_replace_views_of_the_same_name_in_place()
    {
        var company = Samples.After("""
            [
              {"change":"set_view","entity":"company","view":{"name":"mine","columns":["name"]}},
              {"change":"set_view","entity":"company","view":{"name":"default","label":"Firms","columns":["website"]}},
              {"change":"remove_view","entity":"company","view":"inactive"}
            ]
            """).Effective("company");

        Assert.Equal(["default", "active", "all", "mine"], company.Views.Select(v => v.Name));
        Assert.Equal(("Firms", "custom"), (company.Views[0].Label, company.Views[0].Origin));
    }

    [Fact]
    public void A_removed_view_comes_back_when_it_is_set_again()
    {
        var layers = Samples.After("""[{"change":"remove_view","entity":"company","view":"all"}]""");

        layers = Samples.After("""[{"change":"set_view","entity":"company","view":{"name":"all","columns":["name"]}}]""", layers);

        Assert.Contains("all", layers.Effective("company").Views.Select(v => v.Name));
    }

    [Fact]
    public void Hidden_fields_leave_views_forms_titles_and_search()
    {
        var company = Samples.After("""
            [
              {"change":"hide_field","entity":"company","field":"name"},
              {"change":"hide_field","entity":"company","field":"website"}
            ]
            """).Effective("company");

        Assert.True(company.Field("name").IsHidden);
        Assert.False(company.Field("name").IsRequired);
        Assert.Equal(["sector"], company.Views[0].Columns.AsEnumerable());
        Assert.DoesNotContain("website", company.Form.Sections.SelectMany(s => s.Fields));
        Assert.DoesNotContain("name", company.TitleFields);
        Assert.Empty(company.SearchFields);
    }

    [Fact]
    public void What_views_and_the_form_name_and_cannot_show_is_known_as_a_hole()
    {
        Assert.Empty(Samples.Layers.Effective("company").Holes);
        var layers = Samples.After("""
            [
              {"change":"add_field","entity":"company","field":{"name":"x_rating","type":"integer"}},
              {"change":"set_view","entity":"company","view":{"name":"x_best","label":"Best","columns":["name","x_rating"],"sort":[{"path":"x_rating"}]}},
              {"change":"set_form","entity":"company","form":{"sections":[{"label":"Main","fields":["name","x_rating"]}]}}
            ]
            """);
        Assert.Empty(layers.Effective("company").Holes);

        var hidden = Samples.After("""[{"change":"hide_field","entity":"company","field":"x_rating"}]""", layers).Effective("company");
        Assert.Equal(["x_best: x_rating", "form: x_rating"], hidden.Holes.Select(Text));
        Assert.All(hidden.Holes, hole => Assert.Equal("company", hole.Entity));
        Assert.Equal(["name"], hidden.Views.Single(v => v.Name == "x_best").Columns.AsEnumerable());

        // Hiding what a filter names is refused; what a module takes along when it goes is not asked about.
        var five = new ViewDefinition("x_five", "Five", ["name"], Filter.Equal("parent.moon", 5));
        var broken = MetadataLayers.Of(9, layers.Items.Select(l => l.IsCustom ? l with { Entities = l.Entities.SetItem("company", l.Entities["company"].With(five)) } : l));
        Assert.Equal(["x_five: parent.moon, left out"], broken.Effective("company").Holes.Select(Text));
        Assert.DoesNotContain("x_five", broken.Effective("company").Views.Select(v => v.Name));

        static string Text(LayoutHole hole) => $"{hole.View?.Name ?? "form"}: {hole.Path}{(hole.IsViewLeftOut ? ", left out" : "")}";
    }

    [Fact]
    public void A_field_another_layer_adds_appears_on_a_form_laid_out_before()
    {
        var layers = Samples.After("""[{"change":"add_field","entity":"company","field":{"name":"x_limit","type":"money"}}]""");

        var sections = layers.Effective("company").Form.Sections;

        Assert.Equal(["", "Figures", "More"], sections.Select(s => s.Label));
        Assert.Equal(["rating", "x_limit"], sections[2].Fields.AsEnumerable());
    }

    [Fact]
    public void On_a_form_the_customer_laid_out_a_new_field_comes_last_and_what_was_left_out_stays_out()
    {
        var layers = Samples.After("""[{"change":"set_form","entity":"company","form":{"sections":[{"label":"Main","fields":["name"]},{"label":"Rest","fields":["website"]}]}}]""");
        layers = Samples.After("""[{"change":"add_field","entity":"company","field":{"name":"x_limit","type":"money"}}]""", layers);
        layers = Samples.Declare(layers, Samples.Contacts, Samples.ContactsShape(e => e.Field("phone", Fields.Phone)));

        var sections = layers.Effective("company").Form.Sections;

        Assert.Equal(["Main", "Rest"], sections.Select(s => s.Label));
        Assert.Equal(["website", "x_limit", "phone"], sections[1].Fields.AsEnumerable());
        Assert.Equal(["name", "website", "sector", "parent"], Samples.After("""[{"change":"set_form","entity":"company","form":null}]""", layers).Effective("company").Form.Sections[0].Fields.AsEnumerable());
    }

    [Fact]
    public void Without_a_form_required_fields_come_first_and_the_stage_has_its_bar()
    {
        var opportunity = Samples.Declare(Samples.Layers, Samples.Sales, Samples.SalesShape(e => e.Field("reason", Fields.Text, f => f.Required()))).Effective("opportunity");

        Assert.Equal(["title", "reason", "number", "company", "budget", "owner"], Assert.Single(opportunity.Form.Sections).Fields.AsEnumerable());
    }

    [Fact]
    public void Layers_come_after_those_they_depend_on_whatever_their_names()
    {
        var layers = MetadataLayers.Of(1, [Layer.Empty(new ModuleInfo("a", "A", "b", "missing")), Layer.Empty(new ModuleInfo("c", "C", "c")), Layer.Empty(new ModuleInfo("b", "B"))]);

        Assert.Equal(["b", "a", "c", "custom"], layers.Items.Select(l => l.Name));
    }

    [Fact]
    public void Entities_of_a_module_stay_when_the_one_it_extends_is_missing()
    {
        var layers = MetadataLayers.Of(1, Samples.Layers.Items.Where(l => l.Name != "contacts"));

        var snapshot = SnapshotBuilder.Build(layers);

        Assert.False(snapshot.TryEntity("company", out _));
        Assert.DoesNotContain(snapshot.Entity("opportunity").Views, v => v.Name == "open");
    }

    [Fact]
    public void A_section_of_another_modules_area_is_merged_into_it()
    {
        var builder = new MetadataBuilder("other");
        builder.Section("sales", "tools", "Tools", order: 5).Entity("tool", e => e.Field("name", Fields.Text).In("sales", "tools"));

        var snapshot = SnapshotBuilder.Build(Samples.Declare(Samples.Layers, new ModuleInfo("other", "Other"), builder.Build()));

        var area = snapshot.Areas.Single(a => a.Name == "sales");
        Assert.Equal(("Sales", "contacts", "trending_up"), (area.Label, area.Origin, area.Icon));
        Assert.Equal(["tools", "customers"], area.Sections.Select(s => s.Name));
        Assert.Equal(["sales", "settings"], snapshot.Areas.Select(a => a.Name));
    }

    [Fact]
    public void Who_gives_an_area_a_label_owns_it_even_when_it_comes_later()
    {
        var early = new MetadataBuilder("early");
        early.Section("service", "desk", "Desk").Entity("case", e => e.Field("name", Fields.Text).In("service", "desk"));
        var late = new MetadataBuilder("late");
        late.Area("service", "Customer service", order: 5, icon: "support").Section("service", "tools", "Tools", order: 10);
        var layers = Samples.Declare(Samples.Layers, new ModuleInfo("early", "Early"), early.Build());
        Assert.Equal("Service", SnapshotBuilder.Build(layers).Areas.Single(a => a.Name == "service").Label);

        var area = SnapshotBuilder.Build(Samples.Declare(layers, new ModuleInfo("late", "Late"), late.Build())).Areas[0];

        Assert.Equal(("Customer service", "support", "late"), (area.Label, area.Icon, area.Origin));
        Assert.Equal(["tools", "desk"], area.Sections.Select(s => s.Name));
    }

    [Fact]
    public void An_entity_whose_area_is_missing_is_still_found_and_one_without_a_place_stays_out()
    {
        var builder = new MetadataBuilder("other");
        builder.Entity("tool", e => e.Field("name", Fields.Text).In("workshop", "tools")).Entity("tool_part", e => e.Field("name", Fields.Text));

        var snapshot = SnapshotBuilder.Build(Samples.Declare(Samples.Layers, new ModuleInfo("other", "Other"), builder.Build()));

        Assert.Equal([new Placement("sales", "custom")], snapshot.Entity("tool").Placements.AsEnumerable());
        Assert.Contains("custom", snapshot.Areas[0].Sections.Select(s => s.Name));
        Assert.Empty(snapshot.Entity("tool_part").Placements);
    }

    [Fact]
    public void Every_name_of_a_constraint_fits_and_can_be_taken_apart()
    {
        var entity = new string('e', Names.MaxEntityLength);
        var column = new string('c', Names.MaxFieldLength) + "_id";

        foreach (var name in new[] { TableNames.ForeignKey(entity, column), TableNames.Unique(entity, column), TableNames.Index(entity, column), TableNames.Trigram(entity, column), TableNames.PrimaryKey(entity) })
        {
            Assert.True(name.Length <= 63);
            Assert.True(TableNames.TryParse(name, out var parsedEntity, out var parsedColumn));
            Assert.Equal(entity, parsedEntity);
            Assert.True(parsedColumn == column || parsedColumn == "id");
        }

        Assert.False(TableNames.TryParse("company_pkey", out _, out _));
        Assert.False(TableNames.TryParse("a____u", out _, out _));
        Assert.False(TableNames.TryParse(null, out _, out _));
    }

    [Theory]
    [InlineData("company", "\"company\"")]
    [InlineData("a\"b", "\"a\"\"b\"")]
    public void Identifiers_are_quoted(string name, string quoted) => Assert.Equal(quoted, Sql.Quote(name));

    [Theory]
    [InlineData("")]
    [InlineData("a\0b")]
    public void What_cannot_be_an_identifier_is_not_quoted(string name) => Assert.Throws<ArgumentException>(() => Sql.Quote(name));
}
