using Crm.Browser.Tests.Forms;
using Crm.Browser.Tests.Harness;
using Crm.Browser.Tests.Shell;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Crm.Browser.Tests.Designer;

[Collection(Harness.Browser.Collection)]
public sealed class DesignerTests(Harness.Browser browser, EmptyCrm shared) : OneCrm(shared)
{
    [Fact]
    public Task PLT_36_A_venue_is_invented_used_at_once_and_still_there_after_a_restart() => browser.VisitAsync(Crm, Screen.Desktop, async visit =>
    {
        var page = visit.Page;
        await visit.OpenAsync("/admin/designer");
        await page.GetByRole(AriaRole.Link, new() { Name = "New entity" }).ClickAsync();
        await page.GetByLabel("What one of them is called").FillAsync("Venue");
        await page.GetByLabel("Several of them").FocusAsync();
        await Expect(page.GetByLabel("Several of them")).ToHaveValueAsync("Venues");
        await page.Locator("#entity-icon").FillAsync("stadium");
        await AddFieldAsync(page, 1, "Brand", "text");
        await AddFieldAsync(page, 2, "Address", "long_text");
        await AddFieldAsync(page, 3, "Description", "long_text");
        await visit.ScreenshotAsync("entity");
        await visit.CheckAccessibilityAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Review plan" }).ClickAsync();
        var plan = page.GetByRole(AriaRole.Dialog);
        await Expect(plan).ToContainTextAsync("Create the table of Venue");
        await plan.GetByText("Details for the database").First.ClickAsync();
        await Expect(plan.Locator("pre").First).ToContainTextAsync("CREATE TABLE");
        await visit.ScreenshotAsync("plan");
        await visit.CheckAccessibilityAsync();
        await plan.GetByRole(AriaRole.Button, new() { Name = "Apply" }).ClickAsync();
        await Expect(page.GetByText("Venues can be used now.")).ToBeVisibleAsync();
        await visit.ScreenshotAsync("created");
        await visit.CheckAccessibilityAsync();

        await page.GetByRole(AriaRole.Link, new() { Name = "New Venue" }).ClickAsync();
        foreach (var (name, brand) in new[] { ("Olympiahalle", "Münchner Hallen"), ("Velodrom", "Berliner Hallen") })
        {
            await Expect(page.Locator(".record-form[data-ready]")).ToBeVisibleAsync();
            await Expect(page.Input("name")).ToHaveValueAsync("");
            await page.Input("name").FillAsync(name);
            await page.Input("brand").FillAsync(brand);
            await page.Input("address").FillAsync("Line one\nLine two");
            await Expect(page.Input("owner")).ToHaveValueAsync("Administrator");
            await page.Command("Save and New").ClickAsync();
            await page.ToastAsync($"“{name}” was saved.");
        }

        await visit.OpenAsync("/e/x_venue");
        await Expect(page.Locator("tr[data-row]")).ToHaveCountAsync(2);
        await visit.ScreenshotAsync("list");
        await page.Locator("a[data-open]").First.ClickAsync();
        await Expect(page.Locator(".record-form[data-ready]")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "More commands" }).ClickAsync();
        await page.GetByRole(AriaRole.Menuitem, new() { Name = "Deactivate" }).ClickAsync();
        await page.ToastAsync("was deactivated");

        await Crm.RestartAsync();
        await visit.OpenAsync("/e/x_venue?view=active");
        await Expect(page.Locator("tr[data-row]")).ToHaveCountAsync(1);
        await visit.OpenAsync("/e/x_venue?view=inactive");
        await Expect(page.Locator("tr[data-row]")).ToHaveCountAsync(1);
        await visit.OpenAsync("/e/x_venue?view=all");
        await Expect(page.Locator("tr[data-row]")).ToHaveCountAsync(2);
        visit.Complaints.Clear();
    });

    [Fact]
    public Task Errors_of_a_plan_are_shown_where_they_are_and_nothing_typed_is_lost() => browser.VisitAsync(Crm, Screen.Desktop, async visit =>
    {
        var page = visit.Page;
        await visit.OpenAsync("/admin/designer/new");
        await page.GetByLabel("What one of them is called").FillAsync("Room");
        await AddFieldAsync(page, 1, "Owner", "text");
        await AddFieldAsync(page, 2, "Building", "lookup");
        await page.GetByRole(AriaRole.Button, new() { Name = "Review plan" }).ClickAsync();
        await Expect(page.Locator(".designer-field").Nth(1).Locator(".field-error")).ToContainTextAsync("reserved");
        await Expect(page.Locator("#entity-label")).ToHaveValueAsync("Room");
        await visit.ScreenshotAsync("errors");
        await visit.CheckAccessibilityAsync();

        // Neither an error nor a reload costs what was typed.
        await page.ReloadAsync();
        await Expect(page.Locator("#entity-label")).ToHaveValueAsync("Room");
        await Expect(page.Locator(".designer-field")).ToHaveCountAsync(3);
        await page.Locator(".designer-field").Nth(1).GetByLabel("Label").FillAsync("Keeper");
        await page.Locator(".designer-field").Nth(2).GetByLabel("Points to").SelectOptionAsync("company");
        await page.GetByRole(AriaRole.Button, new() { Name = "Review plan" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Dialog)).ToContainTextAsync("Create the table of Room");
    });

    [Fact]
    public Task A_field_is_added_to_an_entity_of_a_module_and_changed_and_hidden() => browser.VisitAsync(Crm, Screen.Desktop, async visit =>
    {
        var page = visit.Page;
        await visit.OpenAsync("/admin/designer/company");
        await page.GetByRole(AriaRole.Button, new() { Name = "Add field" }).ClickAsync();
        var editor = page.GetByRole(AriaRole.Dialog);
        await editor.GetByLabel("Label").FillAsync("Rating");
        await editor.GetByLabel("Type").SelectOptionAsync("integer");
        await editor.GetByText("More options").ClickAsync();
        await Expect(editor.GetByLabel("Name", new() { Exact = true })).ToHaveValueAsync("x_rating");
        await visit.ScreenshotAsync("field");
        await visit.CheckAccessibilityAsync();
        await editor.GetByRole(AriaRole.Button, new() { Name = "Done" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Hide the field Industry" }).ClickAsync();
        await Expect(page.Locator(".designer-pending li")).ToHaveCountAsync(2);
        await visit.ScreenshotAsync("pending");
        await visit.CheckAccessibilityAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Review plan" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Apply" }).ClickAsync();
        await page.ToastAsync("Company was changed.");
        await Expect(page.Locator(".designer-pending")).ToHaveCountAsync(0);

        await visit.OpenFormAsync("/e/company/new");
        await Expect(page.Input("x_rating")).ToBeVisibleAsync();
        await Expect(page.Input("industry")).ToHaveCountAsync(0);
    });

    [Fact]
    public Task A_field_is_removed_by_typing_its_name_and_a_change_is_taken_back() => browser.VisitAsync(Crm, Screen.Desktop, async visit =>
    {
        var page = visit.Page;
        await visit.OpenAsync("/admin/designer/company");
        await page.GetByRole(AriaRole.Button, new() { Name = "Add field" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByLabel("Label").FillAsync("Grade");
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Done" }).ClickAsync();
        await page.ApplyAsync("First try");
        await page.GetByRole(AriaRole.Button, new() { Name = "Hide the field Grade" }).ClickAsync();
        await page.ApplyAsync("Nobody grades");
        await page.GetByRole(AriaRole.Button, new() { Name = "Hide the field Website" }).ClickAsync();
        await page.ApplyAsync("Not needed");

        await page.GetByRole(AriaRole.Button, new() { Name = "Remove the field Grade" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Review plan" }).ClickAsync();
        var plan = page.GetByRole(AriaRole.Dialog);
        await Expect(plan).ToContainTextAsync("Cannot be undone");
        await Expect(plan.GetByRole(AriaRole.Button, new() { Name = "Apply" })).ToBeDisabledAsync();
        await visit.ScreenshotAsync("confirm");
        await visit.CheckAccessibilityAsync();
        await plan.GetByLabel("Type x_grade to confirm").FillAsync("x_grade");
        await plan.GetByRole(AriaRole.Button, new() { Name = "Apply" }).ClickAsync();
        await page.ToastAsync("Company was changed.");
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Show the field Grade" })).ToHaveCountAsync(0);

        await visit.OpenAsync("/admin/designer/history");
        var hidden = page.Locator("article", new() { HasText = "Not needed" });
        await hidden.GetByRole(AriaRole.Link).ClickAsync();
        await Expect(page.Locator("table")).ToContainTextAsync("website");
        await visit.ScreenshotAsync("history");
        await visit.CheckAccessibilityAsync();
        await hidden.GetByRole(AriaRole.Button).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Apply" }).ClickAsync();
        await page.ToastAsync("The version was taken back.");
        await visit.OpenFormAsync("/e/company/new");
        await Expect(page.Input("website")).ToBeVisibleAsync();

        // What was removed after it was hidden is not shown again by reverting the hiding.
        await visit.OpenAsync("/admin/designer/history");
        await page.Locator("article", new() { HasText = "Nobody grades" }).GetByRole(AriaRole.Button).ClickAsync();
        await Expect(page.Locator(".page .alert-danger")).ToContainTextAsync("fields x_grade");
        await visit.ScreenshotAsync("refused");
    });

    [Theory]
    [InlineData("390")]
    [InlineData("1440-dark")]
    public Task The_designer_fits_the_screen(string screen) => browser.VisitAsync(Crm, SignInTests.Of(screen), async visit =>
    {
        foreach (var (path, name) in new[] { ("/admin/designer", "entities"), ("/admin/designer/new", "new"), ("/admin/designer/opportunity", "entity"), ("/admin/designer/history?from=1&to=2", "history") })
        {
            await visit.OpenAsync(path);
            await visit.ScreenshotAsync(name);
            await visit.CheckWidthAsync();
            await visit.CheckAccessibilityAsync();
        }
    });

    private static async Task AddFieldAsync(IPage page, int index, string label, string type)
    {
        await page.GetByRole(AriaRole.Button, new() { Name = "Add field" }).ClickAsync();
        var field = page.Locator(".designer-field").Nth(index);
        await field.GetByLabel("Label").FillAsync(label);
        await field.GetByLabel("Type").SelectOptionAsync(type);
    }
}
