using Crm.Browser.Tests.Harness;
using Crm.Browser.Tests.Shell;
using Crm.Sdk.Testing;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;
using Record = Crm.Sdk.Record;

namespace Crm.Browser.Tests.Forms;

[Collection(Harness.Browser.Second)]
public sealed class BrokenLayoutTests(Harness.Browser browser, BrokenLayouts layouts) : IClassFixture<BrokenLayouts>
{
    private const string Hole = "The field x_rating is hidden or gone.";

    private TestCrm Crm => layouts.Crm;

    [Theory]
    [InlineData("1440")]
    [InlineData("390")]
    [InlineData("1440-dark")]
    public Task Safe_mode_opens_lists_and_forms_without_what_was_laid_out(string screen) => browser.VisitAsync(Crm, SignInTests.Of(screen), async visit =>
    {
        var page = visit.Page;
        await visit.OpenAsync("/e/company?view=x_none");
        await Expect(page.Locator("tr[data-row]")).ToHaveCountAsync(0);
        await visit.OpenAsync("/e/company?view=x_none&safe-mode=1");
        await Expect(page.GetByRole(AriaRole.Status).Filter(new() { HasText = "Safe mode" })).ToBeVisibleAsync();
        await Expect(page.Locator("tr[data-row]")).ToHaveCountAsync(1);
        await Expect(page.Locator("tr[data-row]")).ToContainTextAsync("Nobody finds it.");
        await visit.ScreenshotAsync("list");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();

        // Searching stays in safe mode; leaving it keeps the view.
        await page.GetByPlaceholder("Search for records").FillAsync("quiet");
        await page.WaitForURLAsync(url => url.Contains("search=quiet", StringComparison.Ordinal) && url.Contains("safe-mode=1", StringComparison.Ordinal));
        await visit.OpenAsync("/e/company?view=x_none&safe-mode=1");
        await page.GetByRole(AriaRole.Link, new() { Name = "Leave safe mode" }).ClickAsync();
        await page.WaitForURLAsync("**/e/company?view=x_none");
        await Expect(page.Locator("tr[data-row]")).ToHaveCountAsync(0);

        await visit.OpenFormAsync($"/e/company/{layouts.Company.Id}?safe-mode=1");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Our way" })).ToHaveCountAsync(0);
        await Expect(page.Locator(".form-section")).ToHaveCountAsync(1);
        await Expect(page.Input("description")).ToHaveValueAsync("Nobody finds it.");
        await visit.ScreenshotAsync("form");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();
        await page.Input("city").FillAsync("Bern " + screen);
        await page.Command("Save").ClickAsync();
        await page.ToastAsync("“Quiet Ltd” was saved.");
        await page.GetByRole(AriaRole.Link, new() { Name = "Leave safe mode" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Our way" })).ToBeVisibleAsync();
        await Expect(page.Input("city")).ToHaveValueAsync("Bern " + screen);

        await visit.OpenAsync("/e/opportunity?safe-mode=1");
        await visit.OpenFormAsync("/e/opportunity/new?safe-mode=1");
        await Expect(page.Input("title")).ToBeVisibleAsync();
    });

    [Theory]
    [InlineData("1440")]
    [InlineData("390")]
    [InlineData("1440-dark")]
    public Task A_hidden_field_on_a_list_or_form_is_a_named_hole_that_is_repaired(string screen) => browser.VisitAsync(Crm, SignInTests.Of(screen), async visit =>
    {
        var page = visit.Page;
        await layouts.HideAsync();
        await visit.OpenAsync("/e/opportunity?view=x_best");
        var holes = page.Locator(".layout-holes");
        await Expect(page.Locator("tr[data-row]")).ToHaveCountAsync(1);
        await Expect(holes).ToContainTextAsync(Hole);
        await visit.ScreenshotAsync("list");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();
        await visit.OpenFormAsync($"/e/opportunity/{layouts.Opportunity.Id}");
        await Expect(holes).ToContainTextAsync(Hole);
        await visit.ScreenshotAsync("form");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();

        await visit.OpenAsync("/e/opportunity?view=x_best");
        await holes.GetByRole(AriaRole.Link, new() { Name = "Repair" }).ClickAsync();
        await page.WaitForURLAsync("**/admin/designer/opportunity");
        await page.Locator("tr", new() { HasText = "x_rating" }).GetByRole(AriaRole.Button, new() { Name = "Show the field" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Review plan" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Apply" }).ClickAsync();
        await page.ToastAsync("Opportunity was changed.");
        await visit.OpenFormAsync($"/e/opportunity/{layouts.Opportunity.Id}");
        await Expect(page.Input("x_rating")).ToBeVisibleAsync();
        await Expect(holes).ToHaveCountAsync(0);
    });

    [Fact]
    public Task Holes_are_named_to_administrators_only() => browser.VisitAsStrangerAsync(Crm, Screen.Desktop, async kim =>
    {
        await layouts.HideAsync();
        await kim.SignInAsync("kim", TestCrm.AdminPassword);
        await kim.OpenAsync("/e/opportunity?view=x_best");
        await Expect(kim.Page.Locator("tr[data-row]")).ToHaveCountAsync(1);
        await Expect(kim.Page.Locator(".layout-holes")).ToHaveCountAsync(0);
        await kim.OpenFormAsync($"/e/opportunity/{layouts.Opportunity.Id}");
        await Expect(kim.Page.Locator(".layout-holes")).ToHaveCountAsync(0);
    });
}

/// <summary>Companies whose list and form show next to nothing, and an opportunity of Kim's with a field that is hidden at times.</summary>
public sealed class BrokenLayouts : OwnCrm
{
    private Record? company;
    private Record? opportunity;

    public Record Company => company!;

    public Record Opportunity => opportunity!;

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        await Crm.ChangeAsync(
            """
            {"change":"set_view","entity":"company","view":{"name":"x_none","label":"Nobody","columns":["name"],"filter":{"path":"name","value":"nobody"}}},
            {"change":"set_form","entity":"company","form":{"sections":[{"label":"Our way","fields":["city"]}]}},
            {"change":"add_field","entity":"opportunity","field":{"name":"x_rating","type":"integer"}},
            {"change":"set_view","entity":"opportunity","view":{"name":"x_best","label":"Best","columns":["title","x_rating"]}},
            {"change":"set_form","entity":"opportunity","form":{"sections":[{"label":"Main","fields":["title","x_rating"]}]}}
            """);
        var kim = await Crm.CreateUserAsync("Kim Lee", "kim", TestCrm.AdminPassword);
        company = await Crm.CreateAsync("company", ("name", "Quiet Ltd"), ("description", "Nobody finds it."));
        opportunity = await Crm.CreateAsync("opportunity", ("title", "Quiet deal"), ("owner", kim.Id));
    }

    /// <summary>Makes the hole where there is none.</summary>
    public async Task HideAsync()
    {
        if (!Crm.Metadata.Current.Entity("opportunity").Field("x_rating").IsHidden)
        {
            await Crm.ChangeAsync("""{"change":"hide_field","entity":"opportunity","field":"x_rating"}""");
        }
    }
}
