using System.Collections.Immutable;
using Crm.Host.Pages.Bulk;
using Crm.Host.Tests.Api;
using Crm.Host.Tests.Forms;
using Crm.Records.Bulk;
using Crm.Records.Jobs;
using Crm.Sdk;
using Crm.Sdk.Web;
using Crm.Sdk.Web.Forms;
using Microsoft.Extensions.DependencyInjection;
using Record = Crm.Sdk.Record;

namespace Crm.Host.Tests.Bulk;

/// <summary>What users put together in the dialog reaches the records as they typed it, whatever the type of the field.</summary>
public sealed class BulkDraftTests(ApiCrm crm) : IClassFixture<ApiCrm>
{
    [Fact]
    public async Task Values_of_every_kind_arrive_as_they_were_typed()
    {
        var firm = (await crm.Crm.Records.SaveAsync(RecordChange.Create("x_firm", new Dictionary<string, object?> { ["name"] = "Draft Ltd" }))).Record!;
        var deal = await DealAsync();
        var draft = Draft(deal.Id);
        Type(draft, "notes", FieldParts.Of("Two\nlines"));
        Type(draft, "seats", FieldParts.Of("12"));
        Type(draft, "weight", FieldParts.Of("1.25"));
        Type(draft, "budget", FieldParts.Empty.With(FieldParts.Amount, "1,054.50").With(FieldParts.Currency, "CHF"));
        Type(draft, "close_date", FieldParts.Of("24/12/2026"));
        Type(draft, "next_call", FieldParts.Empty.With(FieldParts.Date, "24/12/2026").With(FieldParts.Time, "09:30"));
        Type(draft, "source", FieldParts.Of("fair"));
        Type(draft, "stage", FieldParts.Of("won"));
        draft.Choose("urgent");
        draft.Choose("email");
        draft.Change("email", BulkMode.Empty);
        draft.Choose("firm");
        draft.Form.Set(draft.Form.Entity.Field("firm"), firm.Id);
        draft.Choose("tags");
        draft.Form.Set(draft.Form.Entity.Field("tags"), ImmutableArray.Create("cold"));
        Assert.Null(draft.Problem());

        var stored = await RunAsync(draft, deal);
        Assert.Equal(("Two\nlines", 12L, 1.25m, new Money(1054.5m, "CHF")), (stored["notes"], stored["seats"], stored["weight"], stored["budget"]));
        Assert.Equal((new DateOnly(2026, 12, 24), new DateTimeOffset(2026, 12, 24, 8, 30, 0, TimeSpan.Zero)), (stored["close_date"], stored["next_call"]));
        Assert.Equal(("fair", "won", false, null, firm.Id), (stored["source"], stored["stage"], stored["urgent"], stored["email"], stored["firm"]));
        Assert.Equal(["hot", "cold"], stored.Get<ImmutableArray<string>>("tags").AsEnumerable());
    }

    [Fact]
    public async Task Only_fields_that_many_records_can_share_are_offered()
    {
        var offered = Draft((await DealAsync()).Id).Offered.Select(f => f.Name).ToList();
        Assert.DoesNotContain("code", offered);
        Assert.DoesNotContain("number", offered);
        Assert.DoesNotContain("modified_at", offered);
        Assert.Contains("owner", offered);
        Assert.Contains("is_active", offered);
    }

    [Fact]
    public async Task What_is_missing_is_told_before_anything_is_tried()
    {
        var draft = Draft((await DealAsync()).Id);
        Assert.NotNull(draft.Problem());
        draft.Choose("seats");
        Assert.Contains("Seats", draft.Problem(), StringComparison.Ordinal);
        draft.Form.Type(draft.Form.Entity.Field("seats"), FieldParts.Of("many"));
        Assert.NotNull(draft.Problem());
        draft.Change("seats", BulkMode.Empty);
        draft.Form.Type(draft.Form.Entity.Field("seats"), FieldParts.Of(""));
        Assert.Null(draft.Problem());
        draft.Leave(draft.Form.Entity.Field("seats"));
        Assert.NotNull(draft.Problem());
    }

    private static void Type(BulkDraft draft, string field, FieldParts parts)
    {
        draft.Choose(field);
        draft.Form.Type(draft.Form.Entity.Field(field), parts);
    }

    private BulkDraft Draft(Guid id) =>
        new(new GridOperation(new GridSelection(crm.Crm.Metadata.Current.Entity("x_deal"), [id], null, 1), IsDelete: false), FieldTextTests.Text("en-GB"));

    private async Task<Record> DealAsync()
    {
        var values = new Dictionary<string, object?> { ["title"] = "Draft", ["email"] = "a@example.com", ["tags"] = "hot" };
        return (await crm.Crm.Records.SaveAsync(RecordChange.Create("x_deal", values))).Record!;
    }

    private async Task<Record> RunAsync(BulkDraft draft, Record record)
    {
        var started = await crm.Crm.Services.GetRequiredService<BulkService>().StartAsync(draft.ToRequest(), crm.Crm.Admin);
        var job = await crm.Crm.Services.GetRequiredService<JobQueue>().WaitAsync(started.Id);
        Assert.True(BulkService.ReportOf(job).Changed == 1, job.Report);
        return (await crm.Crm.Records.FindAsync(record.Entity, record.Id))!;
    }
}
