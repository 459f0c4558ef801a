using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Records.Tests.Writing;

public sealed class SaveTests(Engine engine) : IClassFixture<Engine>
{
    private RecordService Records => engine.Records;

    [Fact]
    public async Task A_record_is_read_as_it_was_saved()
    {
        var company = await Records.SavedAsync(Values.Company("Acme"));
        var saved = await Records.SavedAsync(Values.Deal(
            ("company", company.Id), ("budget", new Money(1054.5m, "USD")), ("count", 7), ("ratio", 0.12345m), ("urgent", true), ("due", "2026-11-21"),
            ("met_at", "2026-11-21T09:30:00.1234567+02:00"), ("kind", "old"), ("tags", new[] { "b", "we\"ird\\" }), ("notes", "two\r\nlines"),
            ("phone", "+49 30 901820"), ("site", "example.com")));

        var read = await Records.FindAsync("deal", saved.Id);

        Assert.NotNull(read);
        Assert.Equal(1, read.Version);
        Assert.Equal(new Money(1054.5m, "USD"), read["budget"]);
        Assert.Equal(0.1235m, read["ratio"]);
        Assert.Equal(10m, read["chance"]);
        Assert.Equal(new DateOnly(2026, 11, 21), read["due"]);
        Assert.Equal(new DateTimeOffset(2026, 11, 21, 7, 30, 0, TimeSpan.Zero).AddTicks(1234560), read["met_at"]);
        Assert.Equal(["b", "we\"ird\\"], read.Get<ImmutableArray<string>>("tags").ToArray());
        Assert.Equal("two\nlines", read["notes"]);
        Assert.Equal("lead", read["stage"]);
        Assert.Equal(Engine.User.UserId, read["owner"]);
        Assert.Equal(Engine.User.UserId, read["created_by"]);
        Assert.Equal(true, read["is_active"]);
        Assert.Null(read["score"]);
        foreach (var (name, value) in saved.Values)
        {
            if (value is ImmutableArray<string> list)
            {
                Assert.Equal(list.ToArray(), read.Get<ImmutableArray<string>>(name).ToArray());
            }
            else
            {
                Assert.Equal(value, read[name]);
            }
        }
    }

    [Fact]
    public async Task Input_may_name_properties_instead_of_fields()
    {
        var company = await Records.SavedAsync(Values.Company("Acme"));
        var saved = await Records.SavedAsync(Values.Deal(("company_id", company.Id.ToString()), ("budget", 5), ("budget_currency", "chf")));
        Assert.Equal(company.Id, saved["company"]);
        Assert.Equal(new Money(5, "CHF"), saved["budget"]);

        saved = await Records.SavedAsync(Values.Update(saved, ("budget", 6)));
        Assert.Equal(new Money(6, "CHF"), saved["budget"]);
        saved = await Records.SavedAsync(Values.Update(saved, ("budget_currency", "EUR")));
        Assert.Equal(new Money(6, "EUR"), saved["budget"]);
        saved = await Records.SavedAsync(Values.Update(saved, ("budget", null)));
        Assert.Null(saved["budget"]);
        Assert.Null((await Records.FindAsync("deal", saved.Id))!["budget"]);
    }

    [Fact]
    public async Task A_field_given_twice_is_refused()
    {
        var company = await Records.SavedAsync(Values.Company("Acme"));
        var error = await Records.RefusedOnceAsync(Values.Deal(("company_id", company.Id), ("company", null)));
        Assert.Equal(("company", ErrorCodes.BadRequest), (error.Field, error.Code));
    }

    [Fact]
    public async Task Only_what_changes_is_written()
    {
        var first = await Records.SavedAsync(Values.Deal(("count", 1)));
        var same = await Records.SavedAsync(Values.Update(first, ("count", "1"), ("title", " A deal "), ("stage", "Lead")));
        Assert.Equal(1, same.Version);
        Assert.Single(await Records.HistoryAsync("deal", first.Id));

        var next = await Records.SavedAsync(Values.Update(first, ("count", 2)));
        Assert.Equal(2, next.Version);
        Assert.Equal(first["created_at"], next["created_at"]);
        Assert.True((DateTimeOffset)next["modified_at"]! > (DateTimeOffset)first["modified_at"]!);
        var change = Assert.Single((await Records.HistoryAsync("deal", first.Id))[0].Changes);
        Assert.Equal(new FieldChange("count", 1L, 2L), change);
    }

    [Fact]
    public async Task A_stale_version_is_refused_with_the_stored_record()
    {
        var first = await Records.SavedAsync(Values.Deal());
        var second = await Records.SavedAsync(Values.Update(first, ("count", 2)));
        var result = await Records.SaveAsync(Values.Update(first, ("count", 3)));
        Assert.Equal(ErrorCodes.Conflict, Assert.Single(result.Errors).Code);
        Assert.Equal(second.Version, result.Stored!.Version);
        Assert.Equal(2L, result.Stored["count"]);
        Assert.Equal(2L, (await Records.FindAsync("deal", first.Id))!["count"]);
    }

    [Fact]
    public async Task Without_a_version_the_last_writer_wins()
    {
        var first = await Records.SavedAsync(Values.Deal());
        await Records.SavedAsync(Values.Update(first, ("count", 2)));
        var third = await Records.SavedAsync(RecordChange.Update("deal", first.Id, Values.Of(("count", 3))));
        Assert.Equal(3, third.Version);
    }

    [Fact]
    public async Task Of_two_writers_with_the_same_version_one_wins()
    {
        for (var round = 0; round < 20; round++)
        {
            var deal = await Records.SavedAsync(Values.Deal(("count", 0)));
            var results = await Task.WhenAll(Enumerable.Range(1, 4).Select(i => Records.SaveAsync(Values.Update(deal, ("count", i)))));
            Assert.Single(results, r => r.Succeeded);
            Assert.All(results.Where(r => !r.Succeeded), r => Assert.Equal(ErrorCodes.Conflict, Assert.Single(r.Errors).Code));
            Assert.Equal(2, (await Records.FindAsync("deal", deal.Id))!.Version);
        }
    }

    [Fact]
    public async Task A_deleted_record_is_gone_and_its_result_shows_it()
    {
        var deal = await Records.SavedAsync(Values.Deal());
        var result = await Records.SaveAsync(RecordChange.Delete("deal", deal.Id, deal.Version));
        Assert.True(result.Succeeded);
        Assert.Equal("A deal", result.Record["title"]);
        Assert.Null(await Records.FindAsync("deal", deal.Id));
        Assert.Equal(ErrorCodes.NotFound, (await Records.RefusedOnceAsync(RecordChange.Delete("deal", deal.Id))).Code);
        Assert.Equal(ErrorCodes.NotFound, (await Records.RefusedOnceAsync(Values.Update(deal, ("count", 1)))).Code);
    }

    [Fact]
    public async Task A_record_others_point_to_is_not_deleted()
    {
        var company = await Records.SavedAsync(Values.Company("Acme"));
        await Records.SavedAsync(Values.Deal(("company", company.Id)));
        await Records.SavedAsync(Values.Deal(("company", company.Id)));
        var error = await Records.RefusedOnceAsync(RecordChange.Delete("company", company.Id));
        Assert.Equal(ErrorCodes.InUse, error.Code);
        Assert.Contains("2 Deals", error.Message, StringComparison.Ordinal);
        Assert.NotNull(await Records.FindAsync("company", company.Id));
    }

    [Fact]
    public async Task A_deal_moves_only_as_its_stages_allow()
    {
        var deal = await Records.SavedAsync(Values.Deal());
        var error = await Records.RefusedOnceAsync(Values.Update(deal, ("stage", "order")));
        Assert.Equal(("stage", ErrorCodes.Stage), (error.Field, error.Code));
        Assert.Contains("from Lead to Order", error.Message, StringComparison.Ordinal);
        Assert.Contains("Offer, Lost", error.Message, StringComparison.Ordinal);
        deal = await Records.SavedAsync(Values.Update(deal, ("stage", "Offer")));
        deal = await Records.SavedAsync(Values.Update(deal, ("stage", "order")));
        Assert.Contains("no stage follows", (await Records.RefusedOnceAsync(Values.Update(deal, ("stage", "lead")))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_new_record_may_start_in_any_stage_and_keeps_the_first_one_when_given_none()
    {
        Assert.Equal("order", (await Records.SavedAsync(Values.Deal(("stage", "order"))))["stage"]);
        Assert.Equal("lead", (await Records.SavedAsync(Values.Deal(("stage", null), ("owner", null), ("is_active", ""))))["stage"]);
    }

    [Fact]
    public async Task A_default_can_be_emptied()
    {
        Assert.Null((await Records.SavedAsync(Values.Deal(("chance", null))))["chance"]);
    }
}
