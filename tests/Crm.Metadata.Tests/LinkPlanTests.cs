using Crm.Sdk;

namespace Crm.Metadata.Tests;

public sealed class LinkPlanTests : NodeTests
{
    private const string Venue = """{"change":"create_entity","name":"x_venue","label":"Venue","plural":"Venues","fields":[{"name":"name","type":"text"}]}""";

    private const string Partners =
        """
        {"change":"add_field","entity":"company","field":{"name":"x_venues","type":"many_to_many","label":"Venues","target":"x_venue",
         "link":{"name":"x_booking","label":"Booking","plural":"Bookings","fields":[{"name":"role","type":"choice","choices":["Host","Guest"]},{"name":"since","type":"date"}]},
         "inverse":{"name":"companies","label":"Who books"}}}
        """;

    [Fact]
    public async Task A_new_many_to_many_field_is_an_entity_of_links_and_a_field_at_both_sides()
    {
        await node.ChangeAsync($"[{Venue},{Partners}]");

        var (company, venue, booking) = (node.Store.Current.Entity("company"), node.Store.Current.Entity("x_venue"), node.Store.Current.Entity("x_booking"));
        Assert.Equal(new LinkView("x_booking", "company", "x_venue"), company.Field("x_venues").Link);
        Assert.Equal(("Who books", new LinkView("x_booking", "x_venue", "company"), "company"), (venue.Field("companies").Label, venue.Field("companies").Link, venue.Field("companies").Target));
        Assert.Equal((new LinkEnds("company", "x_venue"), "Bookings"), (booking.Link, booking.PluralLabel));
        Assert.Equal(["company", "x_venue", "role", "since"], booking.Fields.Where(f => !f.IsSystem).Select(f => f.Name));
        Assert.Empty(booking.Placements);
        Assert.True((await node.Consistency.RunAsync()).Differences.IsEmpty);
        Assert.Equal(
            [
                "x_booking__company_id_u: CREATE UNIQUE INDEX x_booking__company_id_u ON records.x_booking USING btree (company_id, x_venue_id)",
                "x_booking__x_venue_id_i: CREATE INDEX x_booking__x_venue_id_i ON records.x_booking USING btree (x_venue_id)",
            ],
            await node.ListAsync("SELECT indexname || ': ' || indexdef FROM pg_indexes WHERE tablename = 'x_booking' AND indexname ~ '(company|venue)_id' ORDER BY 1"));
        Assert.Equal(0, await node.ScalarAsync<long>("SELECT count(*) FROM information_schema.columns WHERE column_name LIKE 'x_venues%'"));
    }

    [Fact]
    public async Task Names_that_are_not_given_are_made_and_an_entity_may_be_linked_with_itself()
    {
        await node.ChangeAsync("""[{"change":"add_field","entity":"company","field":{"name":"x_partners","type":"many_to_many","target":"company"}},{"change":"add_field","entity":"company","field":{"name":"x_rivals","type":"many_to_many","target":"company"}}]""");

        var company = node.Store.Current.Entity("company");
        Assert.Equal(new LinkView("x_company_partners", "company", "other_company"), company.Field("x_partners").Link);
        Assert.Equal(new LinkView("x_company_partners", "other_company", "company"), company.Field("x_companies").Link);
        Assert.Equal(new LinkView("x_company_rivals", "other_company", "company"), company.Field("x_companies_2").Link);
        Assert.Equal("Company: Partners", node.Store.Current.Entity("x_company_partners").Label);
        Assert.True((await node.Consistency.RunAsync()).Differences.IsEmpty);
    }

    [Fact]
    public async Task The_links_go_with_the_last_field_that_shows_them_once_their_name_was_typed()
    {
        await node.ChangeAsync($"[{Venue},{Partners}]");
        await node.ChangeAsync("""[{"change":"hide_field","entity":"company","field":"x_venues"},{"change":"purge_field","entity":"company","field":"x_venues"}]""", "x_venues");
        Assert.True(node.Store.Current.TryEntity("x_booking", out _));
        Assert.True(node.Store.Current.Entity("x_venue").TryField("companies", out _));

        var plan = await node.Editor.PlanAsync(Samples.Read("""[{"change":"hide_field","entity":"x_venue","field":"companies"},{"change":"purge_field","entity":"x_venue","field":"companies"}]"""), Node.Admin);
        Assert.Empty(plan.Errors);
        Assert.Equal(["companies", "x_booking"], plan.Confirm.AsEnumerable());
        Assert.Empty((await node.Editor.ApplyAsync(plan.Id, Node.Admin, new ApplyOptions(Confirm: plan.Confirm))).Errors);

        Assert.False(node.Store.Current.TryEntity("x_booking", out _));
        Assert.Null(await node.ScalarAsync<string>("SELECT to_regclass('records.x_booking')::text"));
        Assert.True((await node.Consistency.RunAsync()).Differences.IsEmpty);
    }

    [Fact]
    public async Task A_link_that_was_made_is_taken_back_and_comes_again()
    {
        await node.ChangeAsync($"[{Venue}]");
        var made = await node.ChangeAsync($"[{Partners}]");
        var undone = await node.ChangeAsync($$"""[{"change":"revert","version":{{made.Version}} }]""");
        Assert.True(node.Store.Current.Entity("company").Field("x_venues").IsHidden);
        Assert.True(node.Store.Current.Entity("x_booking").IsHidden);

        await node.ChangeAsync($$"""[{"change":"revert","version":{{undone.Version}} }]""");
        Assert.False(node.Store.Current.Entity("company").Field("x_venues").IsHidden);
        Assert.False(node.Store.Current.Entity("x_booking").IsHidden);
        Assert.True((await node.Consistency.RunAsync()).Differences.IsEmpty);
    }

    [Fact]
    public void Fields_of_a_link_need_no_name_of_the_link()
    {
        var field = new FieldShape("x_people")
        {
            Type = Fields.ManyToMany,
            Target = "company",
            NewLink = new NewLink(new EntityShape("") { Fields = [new FieldShape("role") { Type = Fields.Choice, Choices = [new ChoiceDefinition("buyer", "Buyer")] }] }, null, "Other side"),
        };

        var draft = ChangePlanner.Plan(Samples.Layers, [new MetadataChange.AddField("company", field)], DatabaseFeatures.Full);
        var read = Samples.PlanJson($$"""[{"change":"add_field","entity":"company","field":{{ShapeJson.Write(field).ToJsonString()}} }]""");

        Assert.All(new[] { draft, read }, d =>
        {
            Assert.Empty(d.Errors);
            Assert.Equal("Buyer", d.Snapshot.Entity("x_company_people").Field("role").Choices.Single().Label);
            Assert.Equal("Other side", d.Snapshot.Entity("company").Field("x_companies").Label);
        });
    }

    [Fact]
    public void A_package_carries_links_and_both_fields()
    {
        var layers = Samples.After($"[{Venue},{Partners}]");
        var package = MetadataPackage.Export(MetadataState.Of(layers));
        var (change, errors) = MetadataPackage.Read(new MemoryStream(package), isComplete: true);
        Assert.Empty(errors);

        var draft = ChangePlanner.Plan(Samples.Layers, [change!], DatabaseFeatures.Full);

        Assert.Empty(draft.Errors);
        Assert.Equal(package, MetadataPackage.Export(MetadataState.Of(draft.After)));
        Assert.Empty(ChangePlanner.Plan(layers, [change!], DatabaseFeatures.Full).Steps);
    }

    [Fact]
    public void A_module_declares_a_link_once()
    {
        var builder = new MetadataBuilder("events");
        builder.Entity("event", e => e.Label("Event", "Events").Field("name", Fields.Text)
            .Field("guests", Fields.Links("company"), f => f.Inverse("visits", "Visits").Link("visit", v => v.Label("Visit", "Visits").Field("badge", Fields.Text))));
        var shape = builder.Build();

        Assert.Equal(["event", "visit", "company"], shape.Entities.Select(e => e.Name));
        Assert.Equal(new LinkView("visit", "event", "company"), shape.Entities[0].Field("guests")!.Link);
        var visits = shape.Entities[2].Field("visits")!;
        Assert.Equal((false, "event", "Visits", new LinkView("visit", "company", "event")), (shape.Entities[2].IsOwner, visits.Target, visits.Label, visits.Link));
        Assert.Equal(["event", "company", "badge"], shape.Entities[1].Fields.Select(f => f.Name));
        Assert.Empty(ChangePlanner.Plan(Samples.Layers, [new MetadataChange.Declare(new ModuleInfo("events", "Events", "contacts"), shape)], DatabaseFeatures.Full).Errors);
    }

    [Theory]
    [InlineData("""{"change":"add_field","entity":"company","field":{"name":"x_a","type":"many_to_many"}}""", "required", "company.x_a")]
    [InlineData("""{"change":"add_field","entity":"company","field":{"name":"x_a","type":"many_to_many","target":"x_moon"}}""", "unknown_entity", "x_moon")]
    [InlineData("""{"change":"add_field","entity":"company","field":{"name":"x_a","type":"many_to_many","target":"company","required":true}}""", "option", "company.x_a")]
    [InlineData("""{"change":"add_field","entity":"company","field":{"name":"x_a","type":"many_to_many","target":"company","inverse":{"name":"x_a"}}}""", "exists", "company.x_a")]
    [InlineData("""{"change":"add_field","entity":"company","field":{"name":"x_a","type":"many_to_many","target":"company","inverse":{"name":"others"}}}""", "name", "company.others")]
    [InlineData("""{"change":"add_field","entity":"company","field":{"name":"x_a","type":"many_to_many","target":"company","link":{"name":"link"}}}""", "name", "link")]
    [InlineData("""{"change":"add_field","entity":"company","field":{"name":"x_a","type":"many_to_many","target":"company","link":{"entity":"company","near":"parent","far":"parent"}}}""", "option", "company.x_a")]
    [InlineData("""{"change":"add_field","entity":"company","field":{"name":"x_a","type":"many_to_many","target":"company","link":{"name":"x_l","fields":[{"name":"company","type":"text"}]}}}""", "exists", "x_l.company")]
    [InlineData("""{"change":"add_field","entity":"company","field":{"name":"x_a","type":"many_to_many","target":"company","link":{"name":"x_l"}}},{"change":"hide_field","entity":"x_l","field":"company"}""", "option", "x_l")]
    [InlineData("""{"change":"add_field","entity":"company","field":{"name":"x_a","type":"many_to_many","target":"company","link":{"name":"x_l"}}},{"change":"rename_field","entity":"x_l","field":"company","to":"left"}""", "option", "x_l")]
    [InlineData("""{"change":"add_field","entity":"company","field":{"name":"x_a","type":"many_to_many","target":"company","link":{"name":"x_l"}}},{"change":"hide_entity","entity":"x_l"},{"change":"purge_entity","entity":"x_l"}""", "in_use", "x_l")]
    [InlineData("""{"change":"add_field","entity":"company","field":{"name":"x_a","type":"many_to_many","target":"company"}},{"change":"add_field","entity":"company","field":{"name":"x_f","type":"formula","result":"text","formula":"x_a & 'x'"}}""", "expression", "company.x_f")]
    public void Links_that_make_no_sense_are_refused(string changes, string code, string target)
    {
        var draft = Samples.PlanJson($"[{changes}]");

        Assert.Contains(draft.Errors, e => e.Code == code && e.Target == target);
        Assert.Empty(draft.Steps);
    }
}
