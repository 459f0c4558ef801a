using Crm.Browser.Tests.Harness;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Crm.Browser.Tests.Forms;

[Collection(Harness.Browser.Second)]
public sealed class NoteTests(Harness.Browser browser, EmptyCrm shared) : OneCrm(shared)
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

    [Fact]
    public Task CON_45_Files_are_dropped_onto_a_record_several_at_once_looked_at_and_deleted() => browser.VisitAsync(Crm, Screen.Desktop, async visit =>
    {
        var page = visit.Page;
        var company = await Crm.CreateAsync("company", ("name", "Filed"));
        await visit.OpenAsync($"/e/company/{company.Id}?tab=file");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "No files yet" })).ToBeVisibleAsync();
        await page.Locator(".files[data-ready]").EvaluateAsync(
            """
            root => {
              const dropped = new DataTransfer();
              dropped.items.add(new File(['First line\nSecond line'], 'minutes.txt', { type: 'text/plain' }));
              dropped.items.add(new File([new Uint8Array(3000)], 'scan.bin'));
              dropped.items.add(new File([new Uint8Array(51 * 1024 * 1024)], 'film.mp4', { type: 'video/mp4' }));
              root.dispatchEvent(new DragEvent('drop', { dataTransfer: dropped, bubbles: true, cancelable: true }));
            }
            """);
        await Expect(page.GetByText("Not uploaded: it has more than 50 MB.")).ToBeVisibleAsync();
        var minutes = page.GetByRole(AriaRole.Button, new() { Name = "minutes.txt", Exact = true });
        await Expect(minutes).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "scan.bin", Exact = true })).ToBeVisibleAsync();
        await visit.CheckAccessibilityAsync();
        await visit.ScreenshotAsync("files");
        await page.GetByRole(AriaRole.Button, new() { Name = "Dismiss film.mp4" }).ClickAsync();
        await minutes.ClickAsync();
        await Expect(page.GetByRole(AriaRole.Dialog).Locator("pre")).ToHaveTextAsync("First line\nSecond line");
        await visit.CheckAccessibilityAsync();
        await visit.ScreenshotAsync("file");
        await page.Keyboard.PressAsync("Escape");
        await Expect(minutes).ToBeFocusedAsync();

        await page.GetByLabel("Add files").SetInputFilesAsync(new FilePayload { Name = "chosen.png", MimeType = "image/png", Buffer = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] });
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "chosen.png", Exact = true })).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete scan.bin" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "scan.bin", Exact = true })).ToHaveCountAsync(0);
        await page.Locator(".toast").GetByRole(AriaRole.Button, new() { Name = "Undo" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "scan.bin", Exact = true })).ToBeVisibleAsync();
        await page.SetViewportSizeAsync(390, 844);
        await visit.CheckWidthAsync();
        await visit.ScreenshotAsync("files-narrow");
    });
}
