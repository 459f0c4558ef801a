using System.Text;
using Crm.Browser.Tests.Harness;
using Crm.Records.Importing;
using Crm.Records.Jobs;
using Crm.Sdk;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Crm.Browser.Tests.Import;

[Collection(Harness.Browser.Collection)]
public sealed class ImportWizardTests(Harness.Browser browser, SampleCrm sample) : IClassFixture<SampleCrm>
{
    private const string Companies =
        "account;sector;year_established;employees;office_location;subsidiary_of\r\n"
        + "Zephyr Works;technolgy;1996;2822;Norway;Willow Holding\r\n"
        + "Thistle Foods;medical;1999;495;Kenya;\r\n"
        + "Zürcher Uhren;retail;;12;Switzerland;\r\n"
        + "Osprey Optics;retail;soon;12;Norway;\r\n"
        + "Willow Holding;finance;1950;9000;Norway;\r\n";

    [Theory]
    [InlineData("1440")]
    [InlineData("390")]
    public Task Companies_are_imported_through_the_wizard(string width) => browser.VisitAsync(sample.Crm, width == "390" ? Screen.Phone : Screen.Desktop, async visit =>
    {
        var page = visit.Page;
        await visit.OpenAsync("/e/company");
        await page.GetByRole(AriaRole.Link, new() { Name = "Import Companies" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Import Companies" })).ToBeVisibleAsync();
        await visit.ScreenshotAsync("1-file");
        await visit.CheckAccessibilityAsync();

        // Windows-1252, so that a wrong guess would show.
        await page.Locator("input[type=file]").SetInputFilesAsync(new FilePayload { Name = $"companies-{width}.csv", MimeType = "text/csv", Buffer = Encoding.Latin1.GetBytes(Companies.Replace("Osprey", "Osprey " + width, StringComparison.Ordinal)) });
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Columns and fields" })).ToBeVisibleAsync();
        await Expect(page.Locator(".import-preview")).ToContainTextAsync("Zürcher Uhren");
        await Expect(page.GetByLabel("Field for sector")).ToHaveValueAsync("industry");
        await Expect(page.GetByLabel("Field for subsidiary_of")).ToHaveValueAsync("parent");
        await Expect(page.Locator("[data-value=technolgy]")).ToBeVisibleAsync();
        await visit.ScreenshotAsync("2-columns");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();

        await page.GetByLabel("Meaning of technolgy").SelectOptionAsync("technology");
        await page.GetByRole(AriaRole.Button, new() { Name = "Check all rows" }).ClickAsync();
        await Expect(page.Locator("[data-job-state=succeeded]")).ToBeVisibleAsync();
        await Expect(page.Locator("[data-figure=created] .tile-value")).ToHaveTextAsync("4");
        await Expect(page.Locator("[data-figure=skipped] .tile-value")).ToHaveTextAsync("1");
        await Expect(page.Locator("table")).ToContainTextAsync("Founded in must be a whole number.");
        await visit.ScreenshotAsync("3-check");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();

        // Reloading loses nothing that was stored.
        await page.ReloadAsync();
        await Expect(page.Locator("[data-figure=created] .tile-value")).ToHaveTextAsync("4");
        await page.GetByRole(AriaRole.Button, new() { Name = "Back to the columns" }).ClickAsync();
        await page.GetByLabel("Meaning of technolgy").SelectOptionAsync("technology");
        await page.GetByRole(AriaRole.Button, new() { Name = "Check all rows" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Import 4 rows" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Imported" })).ToBeVisibleAsync();
        await Expect(page.Locator("[data-figure=created] .tile-value")).ToHaveTextAsync("4");
        await visit.ScreenshotAsync("4-result");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();

        var download = await page.RunAndWaitForDownloadAsync(() => page.GetByRole(AriaRole.Link, new() { Name = "Report" }).ClickAsync());
        Assert.Contains("line,outcome,record_id", await File.ReadAllTextAsync(await download.PathAsync()), StringComparison.Ordinal);

        await page.GetByRole(AriaRole.Link, new() { Name = "Show Companies" }).ClickAsync();
        await visit.ReadyAsync();
        var records = sample.Crm.Services.GetRequiredService<IRecords>().As(Actor.System);
        var found = await records.QueryAsync(new RecordQuery { Entity = "company", Select = ["name", "industry", "parent.name"], Filter = Filter.Equal("name", "Zephyr Works") });
        Assert.All(found.Records, record => Assert.Equal(("technology", "Willow Holding"), (record["industry"], record["parent.name"])));
        Assert.NotEmpty(found.Records);
    });

    [Fact]
    public Task A_file_that_does_not_say_how_it_is_written_is_asked_about() => browser.VisitAsync(sample.Crm, Screen.Desktop, async visit =>
    {
        var page = visit.Page;
        await visit.OpenAsync("/import/company");
        await page.Locator("input[type=file]").SetInputFilesAsync(new FilePayload { Name = "short.csv", MimeType = "text/csv", Buffer = [.. "account\n"u8, 0xE0, (byte)'\n'] });
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "How is the file written?" })).ToBeVisibleAsync();
        await visit.ScreenshotAsync("encoding");
        await visit.CheckAccessibilityAsync();
        await page.GetByRole(AriaRole.Row, new() { Name = "windows-1251" }).GetByRole(AriaRole.Button).ClickAsync();
        await Expect(page.Locator(".import-preview")).ToContainTextAsync("а");
    });

    [Fact]
    public Task A_mapping_is_kept_as_a_template_and_the_next_file_begins_with_it() => browser.VisitAsync(sample.Crm, Screen.Phone, async visit =>
    {
        var page = visit.Page;
        async Task UploadAsync(string name, string content)
        {
            await visit.OpenAsync("/import/company");
            await page.Locator("input[type=file]").SetInputFilesAsync(new FilePayload { Name = name, MimeType = "text/csv", Buffer = Encoding.UTF8.GetBytes(content) });
            await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Columns and fields" })).ToBeVisibleAsync();
        }

        await UploadAsync("may.csv", "Kunde,Branche\nAster,Technology\n");
        await page.GetByLabel("Field for Kunde").SelectOptionAsync("name");
        await page.GetByLabel("Field for Branche").SelectOptionAsync("industry");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save as template…" }).ClickAsync();
        await page.GetByLabel("Name", new() { Exact = true }).FillAsync("Monthly");
        await visit.CheckAccessibilityAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Save", Exact = true }).ClickAsync();
        await Expect(page.GetByLabel("Template", new() { Exact = true }).Locator("option:checked")).ToHaveTextAsync("Monthly");

        await UploadAsync("june.csv", "Branche,Kunde,Ort\nFinance,Birch,Bonn\n");
        await Expect(page.GetByLabel("Template", new() { Exact = true }).Locator("option:checked")).ToHaveTextAsync("Monthly");
        await Expect(page.GetByLabel("Field for Kunde")).ToHaveValueAsync("name");
        await visit.ScreenshotAsync("template");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();
        await page.GetByLabel("Template", new() { Exact = true }).SelectOptionAsync("");
        await Expect(page.GetByLabel("Field for Kunde")).ToHaveValueAsync("");

        await UploadAsync("other.csv", "Kunde\nCedar\n");
        await page.GetByLabel("Template", new() { Exact = true }).SelectOptionAsync(new SelectOptionValue { Label = "Monthly (columns missing: 1)" });
        await Expect(page.Locator("[data-template-gap]")).ToContainTextAsync("Branche");
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();
        await Expect(page.GetByLabel("Template", new() { Exact = true })).ToHaveCountAsync(0);
        await Expect(page.GetByLabel("Field for Kunde")).ToHaveValueAsync("name");
    });

    [Theory]
    [InlineData("1440")]
    [InlineData("390")]
    public Task All_jobs_are_seen_with_their_reasons_and_stopped(string width) => browser.VisitAsync(sample.Crm, width == "390" ? Screen.Phone.Dark : Screen.Desktop, async visit =>
    {
        var page = visit.Page;
        var queue = sample.Crm.Services.GetRequiredService<JobQueue>();
        var failed = await queue.EnqueueAsync("import", new ImportRequest("company", Guid.CreateVersion7(), "companies.csv", "utf-8", ',', new ImportMapping(), ImportMode.Create, [], DryRun: false), sample.Crm.Admin, 5000);
        await queue.WaitAsync(failed.Id);
        // Nobody does jobs of this kind: it waits for ever.
        var waiting = await queue.EnqueueAsync("nobody", new { }, sample.Crm.Admin, 100);
        await visit.OpenAsync("/jobs");
        await Expect(page.Locator($"[data-job='{failed.Id}']")).ToContainTextAsync("upload it again");
        await visit.ScreenshotAsync("jobs");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();
        await page.Locator($"[data-stop='{waiting.Id}']").ClickAsync();
        await Expect(page.Locator($"[data-job='{waiting.Id}'] .badge")).ToHaveTextAsync("Stopped");
        await page.GetByLabel("State").SelectOptionAsync("failed");
        await Expect(page.Locator($"[data-job='{waiting.Id}']")).ToHaveCountAsync(0);
        await Expect(page.Locator($"[data-retry='{failed.Id}']")).ToBeVisibleAsync();
    });

    [Fact]
    public Task A_broken_file_is_refused_with_its_line() => browser.VisitAsync(sample.Crm, Screen.Desktop, async visit =>
    {
        var page = visit.Page;
        await visit.OpenAsync("/import/company");
        await page.Locator("input[type=file]").SetInputFilesAsync(new FilePayload { Name = "broken.csv", MimeType = "text/csv", Buffer = "account\nGood\n\"Bad\n"u8.ToArray() });
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("Line 3");
    });
}
