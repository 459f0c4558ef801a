using Crm.Browser.Tests.Harness;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Crm.Browser.Tests.Forms;

[Collection(Harness.Browser.Second)]
public sealed class NoteTests(Harness.Browser browser) : OwnCrm
{
    [Fact]
    public Task CON_44_A_note_is_saved_when_its_field_is_left_and_survives_a_lost_connection_and_a_restart() => browser.VisitAsync(Crm, Screen.Desktop, async visit =>
    {
        var page = visit.Page;
        var company = await Crm.CreateAsync("company", ("name", "Noted"));
        await visit.HoldConnectionAsync();
        await visit.OpenAsync($"/e/company/{company.Id}?tab=note");
        var field = page.GetByLabel("New note");
        await field.FillAsync("Pays late.\nAlways.");
        await page.Keyboard.PressAsync("Tab");
        await page.ToastAsync("Note saved");
        await Expect(page.Locator(".note-text")).ToHaveTextAsync("Pays late.\nAlways.");
        await Expect(field).ToHaveValueAsync("");

        // Left while the connection is gone, it is saved once there is one.
        await visit.CutConnectionAsync();
        await Expect(page.Locator("#components-reconnect-modal [data-state=show]")).ToBeVisibleAsync();
        await field.FillAsync("Written while cut", new() { Force = true });
        await field.EvaluateAsync("field => field.blur()");
        visit.MendConnection();
        await Expect(page.Locator(".note-text").First).ToHaveTextAsync("Written while cut", new() { Timeout = 30_000 });
        visit.Complaints.Clear();

        await page.GetByRole(AriaRole.Button, new() { Name = "Pin to the top: Pays late." }).ClickAsync();
        await Expect(page.Locator(".note-text").First).ToContainTextAsync("Pays late.");
        await page.GetByRole(AriaRole.Button, new() { Name = "Edit note: Pays late." }).ClickAsync();
        await Expect(page.Locator("textarea[data-focus]")).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("End");
        await page.Keyboard.TypeAsync(" Even then.");
        await visit.CheckAccessibilityAsync();
        await page.Keyboard.PressAsync("Control+Enter");
        await Expect(page.Locator(".note-text").First).ToHaveTextAsync("Pays late.\nAlways. Even then.");
        await visit.CheckAccessibilityAsync();
        await visit.ScreenshotAsync("notes");
        await page.Locator(".toast").Last.GetByRole(AriaRole.Button, new() { Name = "Undo" }).ClickAsync();
        await Expect(page.Locator(".note-text").First).ToHaveTextAsync("Pays late.\nAlways.");

        await page.GetByRole(AriaRole.Button, new() { Name = "Delete note: Written while cut" }).ClickAsync();
        await Expect(page.Locator(".note-text")).ToHaveCountAsync(1);
        await page.Locator(".toast", new() { HasText = "Note deleted" }).GetByRole(AriaRole.Button, new() { Name = "Undo" }).ClickAsync();
        await Expect(page.Locator(".note-text")).ToHaveCountAsync(2);

        await field.FillAsync("Not left yet");
        await page.EvaluateAsync("() => { window.isBeforeRestart = true; }");
        await Crm.RestartAsync();
        await page.WaitForFunctionAsync("() => !window.isBeforeRestart", null, new() { Timeout = 60_000 });
        await Expect(page.GetByLabel("New note")).ToHaveValueAsync("Not left yet", new() { Timeout = 60_000 });
        await page.SetViewportSizeAsync(390, 844);
        await visit.CheckWidthAsync();
        await visit.ScreenshotAsync("notes-narrow");
        visit.Complaints.Clear();
    });
}
