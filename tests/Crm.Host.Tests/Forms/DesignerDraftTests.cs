using System.Collections.Frozen;
using System.Text.Json;
using Crm.Host.Pages.Designer;
using Crm.Metadata;
using Crm.Sdk;

namespace Crm.Host.Tests.Forms;

public sealed class DesignerDraftTests
{
    private static readonly EntityDefinition Company = new()
    {
        Name = "company",
        Origin = "contacts",
        Label = "Company",
        PluralLabel = "Companies",
        SetName = "companies",
        Fields =
        [
            FieldTextTests.Field(Fields.Text, "name") with { IsRequired = true, MaxLength = 80, Help = "As in the register.", Origin = "contacts" },
            FieldTextTests.Field(Fields.Choice, "kind") with { Choices = [new ChoiceDefinition("customer", "Customer", "#0a0"), new ChoiceDefinition("supplier", "Supplier")] },
            FieldTextTests.Field(Fields.Text, "old") with { IsHidden = true },
        ],
    };

    [Theory]
    [InlineData("Venue", "x_venue", "Venues", "x_venues")]
    [InlineData("Company visit", "x_company_visit", "Company visits", "x_company_visits")]
    [InlineData("Größe", "x_grosse", "Größes", "x_grosses")]
    [InlineData("Very long name of a kind of thing", "x_very_long_name_of_a_ki", "Very long name of a kind of things", "x_very_long_name_of_a_kis")]
    [InlineData("42", "", "42s", "")]
    public void Names_are_proposed_from_the_label(string label, string name, string plural, string set)
    {
        var draft = new EntityDraft { Label = label };
        Assert.Equal((name, plural, set), (draft.Name, draft.Plural, draft.SetName));
    }

    [Fact]
    public void A_name_that_was_typed_is_not_proposed_over()
    {
        var draft = new EntityDraft { Label = "Venue" };
        (draft.Name, draft.IsNameTyped) = ("x_place", true);
        draft.Label = "Stadium";
        Assert.Equal(("x_place", "x_places", "Stadiums"), (draft.Name, draft.SetName, draft.Plural));
    }

    [Fact]
    public void PLT_36_The_venue_of_the_designer_is_the_entity_that_is_created()
    {
        var draft = new EntityDraft { Label = "Venue", Icon = "stadium", Place = "sales/extensions" };
        draft.Fields.Add(new FieldDraft { Label = "Name", Required = true });
        draft.Fields.Add(new FieldDraft { Label = "Address", Type = "long_text" });
        draft.Fields.Add(new FieldDraft());
        var entity = draft.ToChange().Entity;

        Assert.Equal(("x_venue", "Venue", "Venues", "x_venues", "stadium"), (entity.Name, entity.Label, entity.PluralLabel, entity.SetName, entity.Icon));
        Assert.Equal([new Placement("sales", "extensions")], entity.Placements!.Value.AsEnumerable());
        Assert.Equal(["name", "address"], entity.Fields.Select(f => f.Name));
        Assert.True(entity.Fields[0].IsRequired);
        Assert.Equal(Fields.LongText, entity.Fields[1].Type);
    }

    [Fact]
    public void A_field_of_a_module_s_entity_gets_the_customer_s_prefix()
    {
        var draft = new FieldDraft { Prefix = Names.CustomPrefix, Label = "Rating" };
        Assert.Equal("x_rating", draft.Name);
    }

    [Fact]
    public void Options_of_another_type_are_not_sent()
    {
        var draft = new FieldDraft { Label = "Seats", Type = "choice", MaxLength = 5, Minimum = 1, Unique = true };
        draft.Prepare();
        draft.Choices[0].Label = "Many";
        var shape = draft.ToShape();
        Assert.Null(shape.MaxLength);
        Assert.Null(shape.Minimum);
        Assert.False(shape.IsUnique);
        Assert.Equal(new ChoiceDefinition("many", "Many"), Assert.Single(shape.Choices!.Value));
    }

    [Fact]
    public void Only_what_differs_is_a_change_and_what_was_emptied_goes_back()
    {
        var field = Company.Field("name");
        Assert.Null(FieldDraft.Of(field).ToChange("company", field));

        var draft = FieldDraft.Of(field);
        (draft.Required, draft.MaxLength, draft.Help) = (false, null, "");
        var change = draft.ToChange("company", field);
        Assert.NotNull(change);
        Assert.False(change.Field.IsRequired);
        Assert.Null(change.Field.Label);
        Assert.Equal(["help", "max_length"], change.Reset.AsEnumerable());
    }

    [Fact]
    public void A_choice_that_is_renamed_keeps_its_stored_name_and_colour()
    {
        var field = Company.Field("kind");
        var draft = FieldDraft.Of(field);
        draft.Choices[0].Label = "Client";
        draft.Choices.Add(new ChoiceDraft { Label = "Trade press" });
        var choices = draft.ToChange("company", field)!.Field.Choices!.Value;
        Assert.Equal(new ChoiceDefinition("customer", "Client", "#0a0"), choices[0]);
        Assert.Equal("trade_press", choices[2].Name);
    }

    [Fact]
    public void Pending_changes_are_named_in_order_and_can_be_taken_back()
    {
        var changes = new EntityChanges { Label = "Account" };
        changes.Added.Add(new FieldDraft { Prefix = Names.CustomPrefix, Label = "Rating", Type = "integer" });
        changes.ToggleHidden(Company.Field("kind"));
        changes.ToggleHidden(Company.Field("old"));
        changes.ToggleHidden(Company.Field("name"));
        changes.ToggleHidden(Company.Field("name"));

        var pending = changes.ToChanges(Company, MetadataState.Of(MetadataLayers.None));
        Assert.Equal(
            [typeof(MetadataChange.ChangeEntity), typeof(MetadataChange.AddField), typeof(MetadataChange.HideField), typeof(MetadataChange.ShowField)],
            pending.Select(p => p.Change.GetType()));

        pending[1].Undo();
        Assert.Equal(3, changes.ToChanges(Company, MetadataState.Of(MetadataLayers.None)).Count);
    }

    [Fact]
    public void A_draft_survives_being_kept_by_the_browser()
    {
        var draft = new EntityDraft { Label = "Venue" };
        (draft.Name, draft.IsNameTyped) = ("x_place", true);
        draft.Fields.Add(new FieldDraft { Label = "Kind", Type = "choice", Choices = { new ChoiceDraft { Label = "Hall" } } });
        var read = JsonSerializer.Deserialize<EntityDraft>(JsonSerializer.Serialize(draft))!;

        Assert.Equal(("Venue", "x_place", "Venues"), (read.Label, read.Name, read.Plural));
        Assert.Equal("Hall", read.Fields[0].Choices[0].Label);
        Assert.Equal(draft.Fields[0].Key, read.Fields[0].Key);
    }

    [Fact]
    public void Messages_of_a_plan_find_their_field()
    {
        var errors = new PlanErrors([new PlanMessage("name", "Bad name.", "x_venue.x_y"), new PlanMessage("exists", "There is one.", "x_venue"), new PlanMessage("busy", "Try again.")]);
        Assert.Equal(["Bad name."], errors.OfField("x_venue", "x_y"));
        Assert.Equal(["There is one.", "Try again."], errors.Others("x_venue", ["x_y"]));
    }

    [Fact]
    public void A_new_entity_is_proposed_for_the_extensions_of_an_area()
    {
        var metadata = new MetadataSnapshot(1, FrozenDictionary<string, EntityDefinition>.Empty, [new AreaDefinition("sales", "Sales", 1, null, [new SectionDefinition("work", "My work", 1), new SectionDefinition("extensions", "Extensions", 2)], "sales")]);
        Assert.Equal("sales/extensions", EntityDraft.New(metadata).Place);
        Assert.Equal(["name"], EntityDraft.New(metadata).Fields.Select(f => f.Name));
    }

    [Fact]
    public void Kinds_of_several_values_are_those_of_the_type_until_somebody_changes_them()
    {
        var draft = new FieldDraft { Label = "Numbers", Type = "phones" };
        draft.Prepare();
        Assert.Equal(["mobile", "work", "home", "fax", "other"], draft.Choices.Select(c => c.EffectiveName));
        Assert.Null(draft.ToShape().Choices);
        draft.Choices[4].Label = "Night porter";
        draft.Choices.RemoveAt(3);
        Assert.Equal([("mobile", "Mobile"), ("work", "Work"), ("home", "Home"), ("other", "Night porter")], draft.ToShape().Choices!.Value.Select(c => (c.Name, c.Label)));
        draft.Type = "urls";
        draft.Prepare();
        Assert.Equal("site", draft.Choices[0].EffectiveName);
        draft.Type = "text";
        draft.Prepare();
        Assert.Empty(draft.Choices);

        var field = FieldTextTests.Field(Fields.Emails, "mails") with { Choices = [new ChoiceDefinition("desk", "Desk")] };
        var existing = FieldDraft.Of(field);
        Assert.Null(existing.ToChange("company", field));
        existing.Choices.Add(new ChoiceDraft { Label = "Home office" });
        Assert.Equal(["desk", "home_office"], existing.ToChange("company", field)!.Field.Choices!.Value.Select(c => c.Name));
        existing.Choices.Clear();
        Assert.Equal(["choices"], existing.ToChange("company", field)!.Reset.ToArray());
        Assert.Null(FieldDraft.Of(field with { Choices = [] }).ToChange("company", field with { Choices = [] }));
    }

    [Fact]
    public void A_stage_that_is_split_gives_the_new_one_its_kind()
    {
        var stages = new StagesDefinition([new StageDefinition("offer", "Offer", StageKind.Open, 50), new StageDefinition("lost", "Lost", StageKind.Lost, 0)], []);
        var entity = Company with { Fields = [.. Company.Fields, FieldTextTests.Field(Fields.Stage, "stage") with { Stages = stages }] };
        var changes = new EntityChanges();
        var draft = FieldDraft.Of(entity.Field("stage"));
        draft.Splits.Add(new SplitDraft("lost", "Lost to a rival", 0, "name = \"A\""));
        changes.Changed.Add(draft);
        var state = new MetadataState(new MetadataSnapshot(1, new[] { entity }.ToFrozenDictionary(e => e.Name), []), null!);

        var (text, change, undo) = Assert.Single(changes.ToChanges(entity, state));

        Assert.Equal(new MetadataChange.SplitStage("company", "stage", "lost", new StageDefinition("lost_to_a_rival", "Lost to a rival", StageKind.Lost, 0), "name = \"A\""), change);
        Assert.Contains("Lost to a rival", text, StringComparison.Ordinal);
        undo();
        Assert.Empty(changes.ToChanges(entity, state));
    }
}
