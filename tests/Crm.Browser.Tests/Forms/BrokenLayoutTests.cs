using Crm.Browser.Tests.Harness;
using Crm.Browser.Tests.Shell;
using Crm.Sdk.Testing;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Crm.Browser.Tests.Forms;

[Collection(Harness.Browser.Second)]
public sealed class BrokenLayoutTests(Harness.Browser browser) : OwnCrm
{
    [Theory]
    [InlineData("1440")]
    [InlineData("390")]
    [InlineData("1440-dark")]
    public Task Safe_mode_opens_lists_and_forms_without_what_was_laid_out(string screen) => browser.VisitAsync(Crm, SignInTests.Of(screen), async visit =>
    {
        var page = visit.Page;
        var record = await Crm.CreateAsync("company", ("name", "Quiet Ltd"), ("description", "Nobody finds it."));
        await Crm.ChangeAsync("""{"change":"set_view","entity":"company","view":{"name":"x_none","label":"Nobody","columns":["name"],"filter":{"path":"name","value":"nobody"}}}""");
        await Crm.ChangeAsync("""{"change":"set_form","entity":"company","form":{"sections":[{"label":"Our way","fields":["city"]}]}}""");

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

        await visit.OpenFormAsync($"/e/company/{record.Id}?safe-mode=1");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Our way" })).ToHaveCountAsync(0);
        await Expect(page.Locator(".form-section")).ToHaveCountAsync(1);
        await Expect(page.Input("description")).ToHaveValueAsync("Nobody finds it.");
        await visit.ScreenshotAsync("form");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();
        await page.Input("city").FillAsync("Bern");
        await page.Command("Save").ClickAsync();
        await page.ToastAsync("“Quiet Ltd” was saved.");
        await page.GetByRole(AriaRole.Link, new() { Name = "Leave safe mode" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Our way" })).ToBeVisibleAsync();
        await Expect(page.Input("city")).ToHaveValueAsync("Bern");

        await visit.OpenAsync("/e/opportunity?safe-mode=1");
        await visit.OpenFormAsync("/e/opportunity/new?safe-mode=1");
        await Expect(page.Input("title")).ToBeVisibleAsync();
    });

    [Theory]
    [InlineData("1440")]
    [InlineData("390")]
    [InlineData("1440-dark")]
    public Task A_hidden_field_on_a_list_or_form_is_a_named_hole_for_administrators_only(string screen) => browser.VisitAsync(Crm, SignInTests.Of(screen), async visit =>
    {
        var page = visit.Page;
        var kims = await Crm.CreateAsync("user", ("name", "Kim Lee"), ("user_name", "kim"));
        var record = await Crm.CreateAsync("company", ("name", "Quiet Ltd"), ("owner", kims.Id));
        await Crm.ChangeAsync("""{"change":"add_field","entity":"company","field":{"name":"x_rating","type":"integer"}}""");
        await Crm.ChangeAsync("""{"change":"set_view","entity":"company","view":{"name":"x_best","label":"Best","columns":["name","x_rating"]}}""");
        await Crm.ChangeAsync("""{"change":"set_form","entity":"company","form":{"sections":[{"label":"Main","fields":["name","x_rating"]}]}}""");
        await Crm.ChangeAsync("""{"change":"hide_field","entity":"company","field":"x_rating"}""");

        await visit.OpenAsync("/e/company?view=x_best");
        var holes = page.Locator(".layout-holes");
        await Expect(page.Locator("tr[data-row]")).ToHaveCountAsync(1);
        await Expect(holes).ToContainTextAsync("The field x_rating is hidden or gone.");
        await visit.ScreenshotAsync("list");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();
        await visit.OpenFormAsync($"/e/company/{record.Id}");
        await Expect(holes).ToContainTextAsync("The field x_rating is hidden or gone.");
        await visit.ScreenshotAsync("form");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();

        await visit.OpenFormAsync($"/e/user/{kims.Id}");
        await page.GetByRole(AriaRole.Tab, new() { Name = "Sign-in" }).ClickAsync();
        await page.GetByLabel("New password").FillAsync(TestCrm.AdminPassword);
        await page.GetByRole(AriaRole.Button, new() { Name = "Set password and allow sign-in" }).ClickAsync();
        await page.ToastAsync("The password of Kim Lee was set.");
        await browser.VisitAsStrangerAsync(Crm, Screen.Desktop, async kim =>
        {
            await kim.SignInAsync("kim", TestCrm.AdminPassword);
            await kim.OpenAsync("/e/company?view=x_best");
            await Expect(kim.Page.Locator("tr[data-row]")).ToHaveCountAsync(1);
            await Expect(kim.Page.Locator(".layout-holes")).ToHaveCountAsync(0);
            await kim.OpenFormAsync($"/e/company/{record.Id}");
            await Expect(kim.Page.Locator(".layout-holes")).ToHaveCountAsync(0);
        });

        await visit.OpenAsync("/e/company?view=x_best");
        await holes.GetByRole(AriaRole.Link, new() { Name = "Repair" }).ClickAsync();
        await page.WaitForURLAsync("**/admin/designer/company");
        await page.Locator("tr", new() { HasText = "x_rating" }).GetByRole(AriaRole.Button, new() { Name = "Show the field" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Review plan" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Apply" }).ClickAsync();
        await page.ToastAsync("Company was changed.");
        await visit.OpenFormAsync($"/e/company/{record.Id}");
        await Expect(page.Input("x_rating")).ToBeVisibleAsync();
        await Expect(holes).ToHaveCountAsync(0);
    });
}
