using System.Text;
using Crm.Browser.Tests.Harness;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Crm.Browser.Tests.Import;

[Collection(Harness.Browser.Collection)]
public sealed class ExportAndUndoTests(Harness.Browser browser) : OwnCrm
{
    [Theory]
    [InlineData("1440")]
    [InlineData("390")]
    public Task A_list_is_taken_out_and_put_in_again_and_an_import_is_taken_back(string screen) => browser.VisitAsync(Crm, Shell.SignInTests.Of(screen), async visit =>
    {
        await Sample.AddAsync(Crm);
        var page = visit.Page;
        await visit.OpenAsync("/e/opportunity?view=active");
        await page.Locator("[data-grid][data-ready]").WaitForAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Export Opportunities" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await Expect(dialog).ToContainTextAsync("Export 130 Opportunities");
        await visit.ScreenshotAsync("1-export");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();
        var download = await page.RunAndWaitForDownloadAsync(() => dialog.GetByRole(AriaRole.Link, new() { Name = "Download" }).ClickAsync());
        Assert.EndsWith(".xlsx", download.SuggestedFilename, StringComparison.Ordinal);
        await Expect(dialog).Not.ToBeVisibleAsync();

        await visit.OpenAsync("/import/opportunity");
        await page.Locator("input[type=file]").SetInputFilesAsync(new FilePayload { Name = download.SuggestedFilename, MimeType = "application/octet-stream", Buffer = await File.ReadAllBytesAsync(await download.PathAsync()) });
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Columns and fields" })).ToBeVisibleAsync();
        await Expect(page.GetByLabel("Sheet")).ToHaveValueAsync("Opportunities");
        await visit.ScreenshotAsync("2-workbook");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();

        await visit.OpenAsync("/import/company");
        await page.Locator("input[type=file]").SetInputFilesAsync(new FilePayload { Name = "wrong.csv", MimeType = "text/csv", Buffer = Encoding.UTF8.GetBytes("account\nMistake Ltd\nError Inc\n") });
        await page.GetByRole(AriaRole.Button, new() { Name = "Check all rows" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Import 2 rows" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Imported" })).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Imports" }).ClickAsync();
        await Expect(page.Locator("[data-import][data-job-state=succeeded]")).ToHaveCountAsync(2);
        await visit.ScreenshotAsync("3-imports");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();
        await page.Locator("[data-undo-import]").ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Undo" }).ClickAsync();
        await page.WaitForURLAsync("**/bulk/*");
        await Expect(page.Locator("section[data-job-state=succeeded]")).ToBeVisibleAsync();
        await Expect(page.Locator("[data-figure=changed] .tile-value")).ToHaveTextAsync("2");
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Do it again" })).Not.ToBeVisibleAsync();
    });
}
