using Crm.Browser.Tests.Harness;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Crm.Browser.Tests.Shell;

[Collection(Harness.Browser.Collection)]
public sealed class SearchTests(Harness.Browser browser, SampleCrm sample) : IClassFixture<SampleCrm>
{
    [Fact]
    public Task Everything_is_searched_from_any_page_by_keyboard_alone() => browser.VisitAsync(sample.Crm, Screen.Desktop, async visit =>
    {
        await visit.OpenAsync("/e/opportunity");
        var page = visit.Page;
        // A page that has just been opened puts the focus on its heading.
        await Expect(page.Locator("h1")).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Control+k");
        await page.Keyboard.TypeAsync("muller");
        var list = page.GetByRole(AriaRole.Listbox, new() { Name = "Results" });
        await Expect(list.GetByRole(AriaRole.Option).First).ToContainTextAsync("Müller Logistik");
        await visit.ScreenshotAsync("accents");
        await visit.CheckAccessibilityAsync();
        // A number in another notation than the one that was typed in.
        await page.Keyboard.PressAsync("Control+a");
        await page.Keyboard.TypeAsync("0049 (30) 9018-05");
        await Expect(list.GetByRole(AriaRole.Option).First).ToContainTextAsync("Fasehatice");
        await page.Keyboard.PressAsync("Control+a");
        await page.Keyboard.TypeAsync("person3@example.com");
        await Expect(list.GetByRole(AriaRole.Group, new() { Name = "Contacts" }).GetByRole(AriaRole.Option)).ToContainTextAsync("person3@example.com");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("h1")).ToContainTextAsync("Elease Gluck");
        await Expect(page.Locator("h1")).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Control+k");
        await page.Keyboard.TypeAsync("Bergman");
        await Expect(list.GetByRole(AriaRole.Option).First).ToContainTextAsync("Bergmann");
        await page.Keyboard.PressAsync("ArrowUp");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("/search\\?q=Bergman$", System.Text.RegularExpressions.RegexOptions.None, TimeSpan.FromSeconds(1)));
        await Expect(page.GetByRole(AriaRole.Region, new() { Name = "Companies" }).GetByRole(AriaRole.Link)).ToContainTextAsync("Bergmann & Söhne");
        await visit.ScreenshotAsync("page");
        await visit.CheckAccessibilityAsync();

        await page.SetViewportSizeAsync(390, 844);
        await page.GetByRole(AriaRole.Link, new() { Name = "Search everything" }).ClickAsync();
        await page.Locator("main").GetByRole(AriaRole.Searchbox).FillAsync("fasehatize");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByText("spelt similarly")).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "Fasehatice" })).ToBeVisibleAsync();
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();
        await visit.ScreenshotAsync("page-narrow");
    });
}
