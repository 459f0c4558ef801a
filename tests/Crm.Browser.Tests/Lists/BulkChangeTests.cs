using Crm.Browser.Tests.Forms;
using Crm.Browser.Tests.Harness;
using Crm.Sdk;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Crm.Browser.Tests.Lists;

[Collection(Harness.Browser.Collection)]
public sealed class BulkChangeTests(Harness.Browser browser) : OwnCrm
{
    [Theory]
    [InlineData("1440")]
    [InlineData("390")]
    public Task PLT_28_Everything_a_list_finds_is_changed_and_taken_back(string screen) => browser.VisitAsync(Crm, Shell.SignInTests.Of(screen), async visit =>
    {
        await Sample.AddAsync(Crm);
        await Crm.ChangeAsync("""{"change":"set_rule","entity":"opportunity","rule":{"name":"lost_is_lost","label":"Lost is lost","kind":"read_only","condition":"stage = \"lost\"","fields":["expected_close"]}}""");
        var page = visit.Page;
        await visit.OpenAsync("/e/opportunity?view=active");
        await page.Locator("[data-grid][data-ready]").WaitForAsync();
        if (page.ViewportSize!.Width > 720)
        {
            await page.Locator("tr[data-row] [data-select]").First.CheckAsync();
        }
        else
        {
            var row = page.Locator("tr[data-row]").First;
            await row.GetByRole(AriaRole.Button).TapAsync();
            await row.GetByRole(AriaRole.Menuitem, new() { Name = "Select, or not any more" }).TapAsync();
        }

        await Expect(page.Locator("[data-selected-count]")).ToHaveTextAsync("1");
        await page.GetByRole(AriaRole.Button, new() { Name = "Select all 130" }).ClickAsync();
        await Expect(page.Locator("[data-selected-count]")).ToHaveTextAsync("130");
        await visit.ScreenshotAsync("selected");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Change …" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await Expect(dialog).ToContainTextAsync("Change 130 Opportunities");
        await dialog.GetByLabel("Field to change").SelectOptionAsync(new SelectOptionValue { Label = "Expected close" });
        var preview = dialog.GetByRole(AriaRole.Button, new() { Name = "See what would happen" });
        await preview.ClickAsync();
        await Expect(dialog.GetByRole(AriaRole.Alert)).ToContainTextAsync("Give Expected close a value");
        await page.Input("expected_close").FillAsync("24/12/2026");
        await dialog.GetByLabel("One more field").SelectOptionAsync(new SelectOptionValue { Label = "Description" });
        await page.Input("description").FillAsync("Before the holidays");
        await preview.ClickAsync();
        await Expect(dialog.Locator("[data-bulk-preview]")).ToContainTextAsync("98 would change");
        await Expect(dialog.Locator("[data-bulk-preview]")).ToContainTextAsync("32 Expected close cannot be changed here (rule “Lost is lost”).");
        await visit.ScreenshotAsync("preview");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();

        await dialog.GetByRole(AriaRole.Button, new() { Name = "Change 130 records" }).ClickAsync();
        await page.WaitForURLAsync("**/bulk/*");
        await Expect(page.Locator("[data-job-state=succeeded]")).ToBeVisibleAsync();
        await Expect(page.Locator("[data-figure=changed] .tile-value")).ToHaveTextAsync("98");
        await Expect(page.Locator("[data-figure=refused] .tile-value")).ToHaveTextAsync("32");
        await Expect(page.GetByRole(AriaRole.Table)).ToContainTextAsync("Lost is lost");
        await visit.ScreenshotAsync("done");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();
        Assert.Equal(98, await Crm.CountAsync("opportunity", "description", "Before the holidays"));

        // One of them is changed before all are taken back.
        var one = (await Crm.Records().QueryAsync(new RecordQuery { Entity = "opportunity", Filter = Filter.Equal("description", "Before the holidays"), Top = 1 })).Records[0];
        await Crm.Records().SaveAsync(RecordChange.Update("opportunity", one.Id, new Dictionary<string, object?> { ["description"] = "Mine" }));
        await page.GetByRole(AriaRole.Button, new() { Name = "Undo" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Undo" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Take back a change of 98 Opportunities" })).ToBeVisibleAsync();
        await Expect(page.Locator("[data-job-state=succeeded]")).ToBeVisibleAsync();
        await Expect(page.Locator("[data-figure=changed] .tile-value")).ToHaveTextAsync("97");
        await Expect(page.GetByRole(AriaRole.Table)).ToContainTextAsync("was changed by somebody else since");
        await visit.ScreenshotAsync("undone");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();
        Assert.Equal(0, await Crm.CountAsync("opportunity", "description", "Before the holidays"));
    });

    [Fact]
    public Task A_search_ends_the_choice_of_everything_and_ticked_rows_get_another_owner() => browser.VisitAsync(Crm, Screen.Desktop, async visit =>
    {
        await Sample.AddAsync(Crm);
        var page = visit.Page;
        await visit.OpenAsync("/e/opportunity?view=active&sort=title");
        await page.Locator("[data-select-all]").CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Select all 130" }).ClickAsync();
        await Expect(page.Locator("[data-selected-count]")).ToHaveTextAsync("130");
        await page.Locator("tr[data-row] [data-select]").First.UncheckAsync();
        await Expect(page.Locator("[data-selected-count]")).ToHaveTextAsync("49");
        await page.GetByRole(AriaRole.Button, new() { Name = "Clear selection" }).ClickAsync();

        await visit.OpenAsync("/e/opportunity?view=active&search=MG Special");
        await Expect(page.Locator("[data-count]")).ToHaveAttributeAsync("data-count", "26");
        await page.Locator("tr[data-row] [data-select]").Nth(0).CheckAsync();
        await page.Locator("tr[data-row] [data-select]").Nth(1).CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Change …" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await Expect(dialog).ToContainTextAsync("Change 2 Opportunities");
        await dialog.GetByLabel("Field to change").SelectOptionAsync(new SelectOptionValue { Label = "Owner" });
        await page.Input("owner").FillAsync("Admin");
        await dialog.Locator(".popup [role=option]").First.ClickAsync();
        await visit.ScreenshotAsync("owner");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "See what would happen" }).ClickAsync();
        await Expect(dialog.Locator("[data-bulk-preview]")).ToContainTextAsync("2 would change");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Change 2 records" }).ClickAsync();
        await Expect(page.Locator("[data-job-state=succeeded]")).ToBeVisibleAsync();
        await Expect(page.Locator(".bulk-changes")).ToContainTextAsync("Administrator");
        Assert.Equal(2, await Crm.CountAsync("opportunity", "owner", Crm.Admin.UserId));
    });

    [Fact]
    public Task Everything_a_list_finds_is_deleted_after_it_was_tried() => browser.VisitAsync(Crm, Screen.Desktop, async visit =>
    {
        await Sample.AddAsync(Crm);
        var page = visit.Page;
        await visit.OpenAsync("/e/opportunity?view=active&size=25&search=MG Special");
        await page.Locator("tr[data-row] [data-select]").First.CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Select all 26" }).ClickAsync();
        await page.Locator("[data-delete-selected]").ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await Expect(dialog).ToContainTextAsync("26 would be deleted");
        await visit.ScreenshotAsync("question");
        await visit.CheckAccessibilityAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Delete 26 records" }).ClickAsync();
        await Expect(page.Locator("[data-job-state=succeeded]")).ToBeVisibleAsync();
        await Expect(page.Locator("[data-figure=changed] .tile-value")).ToHaveTextAsync("26");
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Undo" })).ToHaveCountAsync(0);
        await page.GetByRole(AriaRole.Link, new() { Name = "Show Opportunities" }).ClickAsync();
        await Expect(page.Locator("h1")).ToHaveTextAsync("Opportunities");
    });
}
