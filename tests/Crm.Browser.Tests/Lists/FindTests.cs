using Crm.Browser.Tests.Harness;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Crm.Browser.Tests.Lists;

[Collection(Harness.Browser.Collection)]
public sealed class FindTests(Harness.Browser browser, SampleCrm sample) : IClassFixture<SampleCrm>
{
    [Fact]
    public Task PLT_15_PLT_16_Records_are_found_by_any_field_and_the_address_keeps_the_criterion() => browser.VisitAsync(sample.Crm, Screen.Desktop, async visit =>
    {
        await visit.OpenAsync("/e/company");
        var page = visit.Page;
        await page.GetByRole(AriaRole.Button, new() { Name = "Find by any field" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await dialog.GetByLabel("Field of condition 1").SelectOptionAsync(new SelectOptionValue { Label = "City" });
        await dialog.GetByLabel("Value of condition 1").FillAsync("berl");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Condition", Exact = true }).ClickAsync();
        await dialog.GetByLabel("Field of condition 2").SelectOptionAsync(new SelectOptionValue { Label = "Opportunities" });
        var inner = dialog.GetByRole(AriaRole.Group, new() { Name = "Conditions on Opportunities" });
        await inner.GetByRole(AriaRole.Button, new() { Name = "Condition", Exact = true }).ClickAsync();
        await inner.GetByLabel("Field of condition 1").SelectOptionAsync("stage");
        await inner.GetByText("Order", new() { Exact = true }).ClickAsync();
        await visit.ScreenshotAsync("builder");
        await visit.CheckAccessibilityAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Show results" }).ClickAsync();

        var criterion = page.Locator("[data-criterion]");
        await Expect(criterion).ToContainTextAsync("City contains “berl” and has Opportunities where Stage is any of Order");
        var count = page.Locator("[data-count]");
        var found = await count.GetAttributeAsync("data-count");
        Assert.InRange(int.Parse(found!, System.Globalization.CultureInfo.InvariantCulture), 1, Sample.Companies / 2);
        await Expect(criterion).ToContainTextAsync(found + " Companies");
        await visit.ScreenshotAsync("results");
        await visit.CheckAccessibilityAsync();
        await page.ReloadAsync();
        await Expect(criterion).ToContainTextAsync("City contains “berl”");
        await page.GetByRole(AriaRole.Button, new() { Name = "Clear", Exact = true }).ClickAsync();
        await Expect(count).ToHaveAttributeAsync("data-count", Sample.Companies.ToString(System.Globalization.CultureInfo.InvariantCulture));
        await page.GoBackAsync();
        await Expect(count).ToHaveAttributeAsync("data-count", found!);
        await page.SetViewportSizeAsync(390, 844);
        await page.GetByRole(AriaRole.Button, new() { Name = "Change", Exact = true }).ClickAsync();
        await Expect(inner.GetByLabel("Order")).ToBeCheckedAsync();
        await visit.ScreenshotAsync("builder-narrow");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();
        await page.Keyboard.PressAsync("Escape");
        await visit.CheckWidthAsync();
        await visit.ScreenshotAsync("results-narrow");
    });

    [Fact]
    public Task PLT_17_A_query_is_saved_as_a_view_renamed_shared_deleted_and_brought_back() => browser.VisitAsync(sample.Crm, Screen.Desktop, async visit =>
    {
        var page = visit.Page;
        var views = page.Locator(".grid-view");
        var count = page.Locator("[data-count]");
        await visit.OpenAsync("/e/opportunity?view=all&find=" + Uri.EscapeDataString("""{"all":[{"path":"stage","in":["offer"]},{"path":"budget","operator":"greater","value":1000}]}""") + "&sort=-budget");
        await Expect(page.Locator("[data-criterion]")).ToContainTextAsync("Stage is any of Offer and");
        var found = (await count.GetAttributeAsync("data-count"))!;
        await views.ClickAsync();
        await page.GetByRole(AriaRole.Menuitem, new() { Name = "Save as a view…" }).ClickAsync();
        await page.GetByLabel("Name", new() { Exact = true }).FillAsync("Big offers");
        await visit.ScreenshotAsync("save");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save", Exact = true }).ClickAsync();
        await Expect(views).ToContainTextAsync("Big offers");
        Assert.DoesNotContain("find=", page.Url, StringComparison.Ordinal);
        await Expect(count).ToHaveAttributeAsync("data-count", found);
        await Expect(page.GetByRole(AriaRole.Columnheader, new() { Name = "Budget" })).ToHaveAttributeAsync("aria-sort", "descending");

        await views.ClickAsync();
        await page.GetByRole(AriaRole.Menuitem, new() { Name = "Show this view first" }).ClickAsync();
        await visit.OpenAsync("/e/opportunity");
        await Expect(views).ToContainTextAsync("Big offers");
        await page.GetByRole(AriaRole.Button, new() { Name = "Clear", Exact = true }).ClickAsync();
        await Expect(count).ToHaveAttributeAsync("data-count", Sample.Opportunities.ToString(System.Globalization.CultureInfo.InvariantCulture));
        await views.ClickAsync();
        await visit.ScreenshotAsync("menu");
        await visit.CheckAccessibilityAsync();
        await page.GetByRole(AriaRole.Menuitem, new() { Name = "Rename or share “Big offers”…" }).ClickAsync();
        await page.GetByLabel("Name", new() { Exact = true }).FillAsync("Large offers");
        await page.GetByLabel("Share with everybody").CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Save", Exact = true }).ClickAsync();
        await Expect(views).ToContainTextAsync("Large offers");
        await views.ClickAsync();
        await page.GetByRole(AriaRole.Menuitem, new() { Name = "Delete “Large offers”" }).ClickAsync();
        await Expect(views).Not.ToContainTextAsync("Large offers");
        await page.GetByRole(AriaRole.Button, new() { Name = "Undo" }).Last.ClickAsync();
        await views.ClickAsync();
        await page.GetByRole(AriaRole.Menuitemradio, new() { Name = "Large offers" }).ClickAsync();
        await Expect(count).ToHaveAttributeAsync("data-count", found);

        await views.ClickAsync();
        await page.GetByRole(AriaRole.Menuitem, new() { Name = "Choose columns…" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Remove Owner" }).ClickAsync();
        await page.Locator("#list-column").SelectOptionAsync("company.country");
        await visit.ScreenshotAsync("columns");
        await visit.CheckAccessibilityAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Save", Exact = true }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Columnheader, new() { Name = "Company · Country" })).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Columnheader, new() { Name = "Owner" })).ToHaveCountAsync(0);
    });
}
