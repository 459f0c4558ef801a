using Crm.Browser.Tests.Harness;
using Crm.Browser.Tests.Shell;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Crm.Browser.Tests.Designer;

[Collection(Harness.Browser.Collection)]
public sealed class OriginTests(Harness.Browser browser) : OwnCrm
{
    [Theory]
    [InlineData("1440")]
    [InlineData("390")]
    public Task What_a_module_says_and_what_you_say_are_shown_and_your_change_is_reset(string screen) => browser.VisitAsync(Crm, SignInTests.Of(screen), async visit =>
    {
        var page = visit.Page;
        var dialog = page.GetByRole(AriaRole.Dialog);
        await visit.OpenAsync("/admin/designer/company");
        await Expect(page.Locator(".origin-note")).ToHaveCountAsync(0);
        await page.Locator("#entity-label").FillAsync("Account");
        await page.Locator("#entity-label").BlurAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Edit the field Website" }).ClickAsync();
        await dialog.GetByLabel("Label").FillAsync("Home page");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Done" }).ClickAsync();
        await page.ApplyAsync();

        var label = page.Locator("[data-origin=label]");
        await Expect(label).ToContainTextAsync("Contacts 0.1.0 says: “Company”.");
        await Expect(label).ToContainTextAsync("You say: “Account” (");
        await Expect(label).ToContainTextAsync("Administrator");
        await Expect(page.Locator("[data-origin='fields/website/label']")).ToContainTextAsync("Home page › Label");
        await label.ScrollIntoViewIfNeededAsync();
        await visit.ScreenshotAsync("page");
        // Half a button below the bar on top would be found too small.
        await page.EvaluateAsync("() => scrollTo(0, 0)");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Edit the field Home page" }).ClickAsync();
        await Expect(dialog.Locator(".origin-note")).ToHaveCountAsync(1);
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Reset Home page › Label" }).ClickAsync();
        await visit.ScreenshotAsync("field");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Done" }).ClickAsync();
        await Expect(page.Locator(".designer-pending")).ToContainTextAsync("Reset Home page › Label");
        await page.ApplyAsync();

        await Expect(page.Locator(".origin-note")).ToHaveCountAsync(1);
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Edit the field Website" })).ToBeVisibleAsync();
        await Expect(page.Locator("#entity-label")).ToHaveValueAsync("Account");
    });
}
