using Crm.Sdk;
using Crm.Sdk.Web.Forms;
using Crm.Sdk.Web.Live;
using Microsoft.Extensions.DependencyInjection;
using Record = Crm.Sdk.Record;

namespace Crm.Host.Tests.Live;

/// <summary>A record's form open at one host while the record is changed at the other.</summary>
public sealed class LiveFormTests(TwoHosts hosts) : IClassFixture<TwoHosts>
{
    [Fact]
    public async Task A_form_takes_what_others_store_and_keeps_what_was_typed()
    {
        var offer = await TwoHosts.CreateAsync(hosts.First, ("title", "Before"), ("amount", 1));
        var (page, form) = await OpenAsync(hosts.First.Admin, offer);
        await using var open = page;
        var amount = form.Entity.Field("amount");
        await TwoHosts.UpdateAsync(hosts.First, offer.Id, ("title", "After"));
        await page.ShowsAsync("You changed Title in another window just now.");
        Assert.Equal("After", form["title"]);

        await page.DoAsync(() => form.Type(amount, FieldParts.Of("7")));
        await TwoHosts.UpdateAsync(hosts.First, offer.Id, ("title", "Later"), ("amount", 5));
        var html = await page.ShowsAsync("field-dispute");
        Assert.Contains("Later", html, StringComparison.Ordinal);
        Assert.Equal(("Later", 7L, 5L), (form["title"], form["amount"], form.Before("amount")));
        await page.DoAsync(() => form.Decide(amount, keepMine: true));
        Assert.Empty((await hosts.First.Records.SaveAsync(form.ToChange())).Errors);
        Assert.Equal(("Later", 7L), await StoredAsync(offer));
    }

    [Fact]
    public async Task A_record_that_is_deleted_or_out_of_sight_says_so_and_one_that_comes_back_goes_on()
    {
        var offer = await TwoHosts.CreateAsync(hosts.First, ("title", "Shared with Bob"), ("owner", hosts.Bob.UserId));
        var (bobs, bobsForm) = await OpenAsync(hosts.Bob, offer);
        var (admins, adminsForm) = await OpenAsync(hosts.First.Admin, offer);
        await using var first = bobs;
        await using var second = admins;

        await TwoHosts.UpdateAsync(hosts.First, offer.Id, ("owner", hosts.First.Admin.UserId), ("title", "Not for Bob"));
        var html = await bobs.ShowsAsync("This record was deleted meanwhile");
        Assert.DoesNotContain("Not for Bob", html, StringComparison.Ordinal);
        Assert.NotNull(bobsForm.ReadOnlyReason);
        await admins.ShowsAsync("Not for Bob");

        await TwoHosts.UpdateAsync(hosts.First, offer.Id, ("owner", hosts.Bob.UserId), ("title", "Back"));
        await bobs.UntilAsync(h => h.Contains("Back", StringComparison.Ordinal) && !h.Contains("This record was deleted meanwhile", StringComparison.Ordinal));
        Assert.Null(bobsForm.ReadOnlyReason);
        await hosts.First.Records.SaveAsync(RecordChange.Delete("x_offer", offer.Id));
        await admins.ShowsAsync("This record was deleted meanwhile");
        Assert.NotNull(adminsForm.ReadOnlyReason);
    }

    [Fact]
    public async Task A_form_that_closes_is_forgotten()
    {
        var offer = await TwoHosts.CreateAsync(hosts.First, ("title", "Short"));
        var hub = hosts.Second.Services.GetRequiredService<LiveHub>();
        var before = hub.Count;
        var (page, _) = await OpenAsync(hosts.First.Admin, offer);
        Assert.Equal(before + 1, hub.Count);
        await page.DisposeAsync();
        Assert.Equal(before, hub.Count);
    }

    private async Task<(RenderedPage Page, FormModel Form)> OpenAsync(Actor actor, Record offer)
    {
        FormModel? form = null;
        var page = await RenderedPage.OpenAsync<RecordForm>(hosts.Second, actor, async services =>
        {
            var stored = await services.GetRequiredService<IRecordService>().FindAsync("x_offer", offer.Id);
            form = new FormModel(services.GetRequiredService<IMetadata>().Current.Entity("x_offer"), stored, services.GetRequiredService<FieldText>());
            return new Dictionary<string, object?> { ["Form"] = form, ["DraftKey"] = "draft" };
        });
        return (page, form!);
    }

    private async Task<(object?, object?)> StoredAsync(Record offer)
    {
        var stored = await hosts.First.Records.FindAsync("x_offer", offer.Id);
        return (stored!["title"], stored["amount"]);
    }
}
