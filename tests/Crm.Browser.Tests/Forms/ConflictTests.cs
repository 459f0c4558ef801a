using Crm.Browser.Tests.Harness;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Crm.Browser.Tests.Forms;

[Collection(Harness.Browser.Second)]
public sealed class ConflictTests(Harness.Browser browser, SampleCrm sample) : IClassFixture<SampleCrm>
{
    [Fact]
    public Task From_the_list_to_an_edit_that_meets_a_conflict_with_a_second_tab() => browser.VisitAsync(sample.Crm, Screen.Desktop, async visit =>
    {
        var record = await sample.Crm.CreateAsync("opportunity", ("title", "Disputed deal"), ("budget", 1000m), ("description", "As it was."));
        await visit.OpenAsync("/e/opportunity?search=disputed");
        await visit.Page.Locator("a[data-open]").First.ClickAsync();
        await Expect(visit.Page.Locator(".record-form[data-ready]")).ToBeVisibleAsync();

        var other = await visit.Page.Context.NewPageAsync();
        await other.GotoAsync($"/e/opportunity/{record.Id}");
        await Expect(other.Locator(".record-form[data-ready]")).ToBeVisibleAsync();
        await other.Input("title").FillAsync("Deal of the other tab");
        await other.Input("description").FillAsync("Of the other tab.");
        await other.Command("Save").ClickAsync();
        await other.ToastAsync("was saved");

        await visit.Page.Input("title").FillAsync("Deal of mine");
        await visit.Page.Input("budget").FillAsync("2,000");
        await visit.Page.Command("Save").ClickAsync();
        var conflict = visit.Page.Locator(".conflict");
        await Expect(conflict).ToContainTextAsync("Somebody else saved this record meanwhile");
        await Expect(conflict.Locator("tbody tr")).ToHaveCountAsync(1);
        await Expect(conflict).ToContainTextAsync("Deal of mine");
        await Expect(conflict).ToContainTextAsync("Deal of the other tab");
        await Expect(conflict).ToContainTextAsync("Description");
        await visit.ScreenshotAsync("conflict");
        await visit.CheckAccessibilityAsync();
        Assert.Equal("Deal of the other tab", (await sample.Crm.ReadAsync(record))["title"]);

        var save = conflict.GetByRole(AriaRole.Button, new() { Name = "Save the chosen values" });
        await Expect(save).ToBeDisabledAsync();
        await conflict.GetByRole(AriaRole.Radio, new() { Name = "Keep mine" }).CheckAsync();
        await save.ClickAsync();
        await visit.Page.ToastAsync("“Deal of mine” was saved.");
        await Expect(conflict).ToHaveCountAsync(0);

        var stored = await sample.Crm.ReadAsync(record);
        Assert.Equal("Deal of mine", stored["title"]);
        Assert.Equal("Of the other tab.", stored["description"]);
        Assert.Equal(new Crm.Sdk.Money(2000m, "EUR"), stored["budget"]);
    });

    [Fact]
    public Task Taking_theirs_drops_only_what_was_in_dispute() => browser.VisitAsync(sample.Crm, Screen.Phone, async visit =>
    {
        var record = await sample.Crm.CreateAsync("company", ("name", "Disputed company"));
        await visit.OpenFormAsync($"/e/company/{record.Id}");
        await sample.Crm.Records().SaveAsync(Crm.Sdk.RecordChange.Update("company", record.Id, new Dictionary<string, object?> { ["name"] = "Theirs" }));
        await visit.Page.Input("name").FillAsync("Mine");
        await visit.Page.Input("city").FillAsync("Berlin");
        await visit.Page.Command("Save").ClickAsync();
        var conflict = visit.Page.Locator(".conflict");
        await conflict.GetByRole(AriaRole.Radio, new() { Name = "Take theirs" }).CheckAsync();
        await visit.ScreenshotAsync("conflict");
        await visit.CheckWidthAsync();
        await conflict.GetByRole(AriaRole.Button, new() { Name = "Save the chosen values" }).ClickAsync();
        await visit.Page.ToastAsync("“Theirs” was saved.");
        var stored = await sample.Crm.ReadAsync(record);
        Assert.Equal(("Theirs", "Berlin"), (stored["name"], stored["city"]));
    });
}
