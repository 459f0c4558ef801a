using Crm.Browser.Tests.Forms;
using Crm.Browser.Tests.Harness;
using Crm.Browser.Tests.Shell;
using Crm.Sdk;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Crm.Browser.Tests.Designer;

[Collection(Harness.Browser.Collection)]
public sealed class ReworkTests(Harness.Browser browser) : OwnCrm
{
    [Theory]
    [InlineData("1440")]
    [InlineData("390")]
    public Task A_field_of_the_customers_gets_another_name_and_another_type(string screen) => browser.VisitAsync(Crm, SignInTests.Of(screen), async visit =>
    {
        var page = visit.Page;
        var editor = page.GetByRole(AriaRole.Dialog);
        await visit.OpenAsync("/admin/designer/company");
        await page.GetByRole(AriaRole.Button, new() { Name = "Add field" }).ClickAsync();
        await editor.GetByLabel("Label").FillAsync("Seats");
        await editor.GetByRole(AriaRole.Button, new() { Name = "Done" }).ClickAsync();
        await page.ApplyAsync();
        await page.ToastAsync("Company was changed.");
        var good = await Crm.CreateAsync("company", ("name", "Good"), ("x_seats", " 12 "));
        var bad = await Crm.CreateAsync("company", ("name", "Bad"), ("x_seats", "a dozen"));

        // A field of a module keeps its name and its type.
        await page.GetByRole(AriaRole.Button, new() { Name = "Edit the field Website" }).ClickAsync();
        await Expect(editor.GetByLabel("Type")).ToBeDisabledAsync();
        await Expect(editor.GetByLabel("Name", new() { Exact = true })).ToBeDisabledAsync();
        await editor.GetByRole(AriaRole.Button, new() { Name = "Done" }).ClickAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Edit the field Seats" }).ClickAsync();
        await Expect(editor.GetByLabel("Type").Locator("option[value=lookup]")).ToHaveCountAsync(0);
        await editor.GetByLabel("Type").SelectOptionAsync("integer");
        await editor.GetByLabel("Name", new() { Exact = true }).FillAsync("x_places");
        await visit.ScreenshotAsync("field");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();
        await editor.GetByRole(AriaRole.Button, new() { Name = "Done" }).ClickAsync();
        await Expect(page.Locator(".designer-pending li")).ToHaveCountAsync(2);
        await Expect(page.Locator(".designer-pending")).ToContainTextAsync("Change the type of Seats from Text to Whole number");
        await Expect(page.Locator(".designer-pending")).ToContainTextAsync("Rename x_seats to x_places");

        // What cannot be converted is named before anything happens.
        await page.GetByRole(AriaRole.Button, new() { Name = "Review plan" }).ClickAsync();
        await Expect(page.Locator(".page .alert-danger")).ToContainTextAsync("a dozen");
        await visit.ScreenshotAsync("refused");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();
        var corrected = await Crm.Records().SaveAsync(RecordChange.Update("company", bad.Id, new Dictionary<string, object?>(StringComparer.Ordinal) { ["x_seats"] = "13" }, bad.Version));
        Assert.True(corrected.Succeeded);

        await page.GetByRole(AriaRole.Button, new() { Name = "Review plan" }).ClickAsync();
        await Expect(editor).ToContainTextAsync("x_places");
        await visit.ScreenshotAsync("plan");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();
        await editor.GetByRole(AriaRole.Button, new() { Name = "Apply" }).ClickAsync();
        await Expect(page.Locator(".designer-pending")).ToHaveCountAsync(0);
        await visit.OpenFormAsync($"/e/company/{good.Id}");
        await Expect(page.Input("x_places")).ToHaveValueAsync("12");
        Assert.Equal(13L, (await Crm.ReadAsync(bad))["x_places"]);
    });

    [Theory]
    [InlineData("1440")]
    [InlineData("390")]
    public Task Two_tags_become_one_and_an_index_is_asked_for(string screen) => browser.VisitAsync(Crm, SignInTests.Of(screen), async visit =>
    {
        var page = visit.Page;
        var editor = page.GetByRole(AriaRole.Dialog);
        await visit.OpenAsync("/admin/designer/company");
        foreach (var (label, type) in new[] { ("Labels", "tags"), ("Rank", "integer") })
        {
            await page.GetByRole(AriaRole.Button, new() { Name = "Add field" }).ClickAsync();
            await editor.GetByLabel("Label").FillAsync(label);
            await editor.GetByLabel("Type").SelectOptionAsync(type);
            await editor.GetByRole(AriaRole.Button, new() { Name = "Done" }).ClickAsync();
        }

        await page.ApplyAsync();
        await page.ToastAsync("Company was changed.");
        var company = await Crm.CreateAsync("company", ("name", "Tagged"), ("x_labels", "prio, new"));

        await page.GetByRole(AriaRole.Button, new() { Name = "Edit the field Labels" }).ClickAsync();
        await editor.GetByLabel("This one goes").FillAsync("prio");
        await editor.GetByLabel("This one stays").FillAsync("urgent");
        await editor.GetByRole(AriaRole.Button, new() { Name = "Merge", Exact = true }).ClickAsync();
        await Expect(editor).ToContainTextAsync("prio becomes urgent");
        await visit.ScreenshotAsync("merge");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();
        await editor.GetByRole(AriaRole.Button, new() { Name = "Done" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Edit the field Rank" }).ClickAsync();
        await editor.GetByLabel("Lists are often filtered or sorted by it (index)").CheckAsync();
        await editor.GetByRole(AriaRole.Button, new() { Name = "Done" }).ClickAsync();
        await Expect(page.Locator(".designer-pending")).ToContainTextAsync("Merge prio into urgent in Labels");

        await page.GetByRole(AriaRole.Button, new() { Name = "Review plan" }).ClickAsync();
        await visit.ScreenshotAsync("merge-plan");
        await visit.CheckAccessibilityAsync();
        await Expect(editor.GetByRole(AriaRole.Button, new() { Name = "Apply" })).ToBeDisabledAsync();
        await editor.Locator("#confirm-prio").FillAsync("prio");
        await editor.GetByRole(AriaRole.Button, new() { Name = "Apply" }).ClickAsync();
        await Expect(page.Locator(".designer-pending")).ToHaveCountAsync(0);
        Assert.Equal(["urgent", "new"], ((System.Collections.Immutable.ImmutableArray<string>)(await Crm.ReadAsync(company))["x_labels"]!).AsEnumerable());
    });
}
