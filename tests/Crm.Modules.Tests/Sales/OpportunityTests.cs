using Crm.Sdk;

namespace Crm.Modules.Tests.Sales;

public sealed class OpportunityTests(CrmFixture fixture) : IClassFixture<CrmFixture>
{
    [Fact]
    public void SAL_11_Stages_are_prospect_and_offer_and_end_as_order_or_lost()
    {
        var stages = fixture.Crm.Metadata.Current.Entity("opportunity").StageField!.Stages!.Stages;

        Assert.Equal(
            [("prospect", StageKind.Open, 10), ("offer", StageKind.Open, 50), ("order", StageKind.Won, 100), ("lost", StageKind.Lost, 0)],
            stages.Select(s => (s.Name, s.Kind, s.Probability)));
    }

    [Fact]
    public async Task SAL_02_Choosing_a_stage_sets_the_probability()
    {
        var deal = await fixture.CreateAsync("opportunity", ("title", "New roof"));
        Assert.Equal(("prospect", 10m), ((string)deal["stage"]!, (decimal)deal["probability"]!));

        deal = await fixture.UpdateAsync(deal, ("stage", "offer"));
        Assert.Equal(50m, deal["probability"]);

        deal = await fixture.UpdateAsync(deal, ("probability", 65));
        Assert.Equal(65m, deal["probability"]);

        deal = await fixture.UpdateAsync(deal, ("stage", "prospect"), ("probability", 25));
        Assert.Equal(25m, deal["probability"]);

        deal = await fixture.UpdateAsync(deal, ("stage", "order"), ("probability", 30));
        Assert.Equal(100m, deal["probability"]);
    }

    [Fact]
    public async Task A_deal_that_ends_without_a_date_ended_today()
    {
        var deal = await fixture.CreateAsync("opportunity", ("title", "Window"));
        Assert.Null(deal["close_date"]);

        deal = await fixture.UpdateAsync(deal, ("stage", "lost"));

        var modified = (DateTimeOffset)deal["modified_at"]!;
        Assert.Equal(DateOnly.FromDateTime(modified.UtcDateTime), deal["close_date"]);
        Assert.Equal(0m, deal["probability"]);
    }

    [Fact]
    public async Task A_given_closing_date_is_kept_and_goes_when_the_deal_is_opened_again()
    {
        var date = new DateOnly(2017, 3, 1);
        var deal = await fixture.CreateAsync("opportunity", ("title", "Door"), ("stage", "order"), ("close_date", date));
        Assert.Equal(date, deal["close_date"]);

        deal = await fixture.UpdateAsync(deal, ("stage", "lost"));
        Assert.Equal(date, deal["close_date"]);

        deal = await fixture.UpdateAsync(deal, ("stage", "offer"));
        Assert.Null(deal["close_date"]);
        Assert.Equal(50m, deal["probability"]);
    }

    [Fact]
    public async Task The_reference_of_another_system_is_unique()
    {
        await fixture.CreateAsync("opportunity", ("title", "First"), ("source_reference", "1C1I7A6R"));

        var second = await fixture.Records.SaveAsync(RecordChange.Create("opportunity", new Dictionary<string, object?> { ["title"] = "Second", ["source_reference"] = "1C1I7A6R" }));

        Assert.Equal(new { Field = (string?)"source_reference", Code = ErrorCodes.Unique }, second.Errors.Select(e => new { e.Field, e.Code }).Single());
    }
}
