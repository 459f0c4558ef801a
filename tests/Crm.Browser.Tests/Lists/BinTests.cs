using Crm.Browser.Tests.Harness;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Crm.Browser.Tests.Lists;

[Collection(Harness.Browser.Collection)]
public sealed class BinTests(Harness.Browser browser) : OwnCrm
{
    [Fact]
    public async Task A_deleted_record_is_brought_back_by_undo_and_from_the_bin()
    {
        await Sample.AddAsync(Crm);
        await browser.VisitAsync(Crm, Screen.Desktop, async visit =>
        {
            var page = visit.Page;
            await visit.OpenAsync("/e/contact?search=Levy");
            var row = page.Locator("tr[data-row]").First;
            var name = (await row.Locator(".grid-open").InnerTextAsync()).Trim();
            await row.Locator(".grid-open").ClickAsync();
            await page.WaitForURLAsync("**/e/contact/*");
            var record = new Uri(page.Url).AbsolutePath;
            await DeleteAsync();
            await page.GetByRole(AriaRole.Button, new() { Name = "Undo" }).ClickAsync();
            await page.WaitForURLAsync("**" + record);
            await Expect(page.GetByRole(AriaRole.Heading, new() { Name = name, Level = 1 })).ToBeVisibleAsync();

            await DeleteAsync();
            await visit.OpenAsync("/bin?entity=contact");
            await visit.CheckWidthAsync();
            await visit.CheckAccessibilityAsync();
            await visit.ScreenshotAsync("bin");
            await page.GetByRole(AriaRole.Checkbox, new() { Name = "Select " + name }).CheckAsync();
            await page.GetByRole(AriaRole.Button, new() { Name = "Delete for good (1)" }).ClickAsync();
            var yes = page.GetByRole(AriaRole.Button, new() { Name = "Delete for good", Exact = true });
            await Expect(yes).ToBeDisabledAsync();
            await page.GetByLabel("Type “delete” to confirm").FillAsync("delete");
            await Expect(yes).ToBeEnabledAsync();
            await visit.CheckAccessibilityAsync();
            await visit.ScreenshotAsync("purge");
            await page.Keyboard.PressAsync("Escape");
            await page.GetByRole(AriaRole.Button, new() { Name = "Restore (1)" }).ClickAsync();
            await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Nothing deleted fits." })).ToBeVisibleAsync();
            await visit.OpenAsync(record);
            await Expect(page.GetByRole(AriaRole.Heading, new() { Name = name, Level = 1 })).ToBeVisibleAsync();
            await page.SetViewportSizeAsync(390, 844);
            await visit.OpenAsync("/bin");
            await visit.CheckWidthAsync();

            async Task DeleteAsync()
            {
                await page.GetByRole(AriaRole.Button, new() { Name = "More commands" }).ClickAsync();
                await page.GetByRole(AriaRole.Menuitem, new() { Name = "Delete" }).ClickAsync();
                await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();
                await page.WaitForURLAsync("**/e/contact**");
                await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Undo" })).ToBeVisibleAsync();
            }
        });
    }
}
