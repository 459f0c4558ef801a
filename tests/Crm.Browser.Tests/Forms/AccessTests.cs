using Crm.Browser.Tests.Harness;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Crm.Browser.Tests.Forms;

[Collection(Harness.Browser.Second)]
public sealed class AccessTests(Harness.Browser browser) : OwnCrm
{
    [Fact]
    public Task CON_11_CON_12_D_03_A_record_is_shared_by_keyboard_marked_and_says_why() => browser.VisitAsync(Crm, Screen.Desktop, async visit =>
    {
        await Crm.CreateAsync("user", ("name", "Bo Ek"), ("user_name", "bo"));
        await Crm.CreateAsync("user", ("name", "Kim Lee"), ("user_name", "kim"));
        var record = await Crm.CreateAsync("company", ("name", "Acme Corporation"), ("relationship_type", "client"), ("owner", Crm.Admin.UserId));
        var page = visit.Page;
        await visit.OpenFormAsync($"/e/company/{record.Id}");
        var mark = page.Locator(".record-title .badge");
        await Expect(mark).ToHaveCountAsync(0);
        await page.Locator("#tab-details").FocusAsync();
        await page.Keyboard.PressAsync("ArrowLeft");
        var panel = page.Locator("#panel-access");
        await Expect(panel).ToContainTextAsync("The record is not shared with anybody.");

        // Walking through the names shares nothing, and without a name the form says what is missing.
        var with = panel.GetByLabel("Share with");
        await page.Keyboard.PressAsync("Tab");
        await Expect(with).ToBeFocusedAsync();
        await panel.GetByRole(AriaRole.Button, new() { Name = "Share", Exact = true }).PressAsync("Enter");
        await Expect(panel.GetByRole(AriaRole.Alert)).ToHaveTextAsync("Choose first with whom.");
        await Expect(with).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("ArrowDown");
        await page.Keyboard.PressAsync("ArrowDown");
        await page.Keyboard.PressAsync("ArrowDown");
        await Expect(with.Locator("option:checked")).ToHaveTextAsync("Kim Lee");
        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.PressAsync("ArrowDown");
        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.PressAsync("Enter");
        await Expect(panel.GetByRole(AriaRole.Status)).ToHaveTextAsync("Saved: shared with Kim Lee.");
        await Expect(panel.GetByRole(AriaRole.Listitem).Filter(new() { HasText = "Kim Lee" }).GetByRole(AriaRole.Combobox)).ToHaveValueAsync("Write");
        await Expect(mark).ToContainTextAsync("Shared");

        await panel.GetByLabel("User").FocusAsync();
        await page.Keyboard.PressAsync("k");
        await Expect(panel).ToContainTextAsync("The record is shared with Kim Lee for reading and changing.");
        await Expect(panel).ToContainTextAsync("May change the record");
        await Expect(panel).ToContainTextAsync("May not delete the record");
        await visit.ScreenshotAsync("shared");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();
        await page.SetViewportSizeAsync(390, 844);
        await page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark });
        await visit.ScreenshotAsync("shared-390-dark");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();

        await panel.GetByRole(AriaRole.Button, new() { Name = "Stop sharing with Kim Lee" }).PressAsync("Enter");
        await Expect(with).ToBeFocusedAsync();
        await Expect(mark).ToHaveCountAsync(0);
        await with.SelectOptionAsync(new SelectOptionValue { Label = "Everybody" });
        await panel.GetByRole(AriaRole.Button, new() { Name = "Share", Exact = true }).PressAsync("Enter");
        await Expect(mark).ToContainTextAsync("Shared with everybody");
    });
}
