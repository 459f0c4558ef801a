using Crm.Browser.Tests.Forms;
using Crm.Browser.Tests.Harness;
using Crm.Browser.Tests.Shell;
using Crm.Sdk;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Crm.Browser.Tests.Designer;

[Collection(Harness.Browser.Collection)]
public sealed class LayoutTests(Harness.Browser browser) : OwnCrm
{
    [Theory]
    [InlineData("1440")]
    [InlineData("390")]
    public Task A_list_and_the_form_are_laid_out_by_keyboard_and_a_hole_is_taken_out(string screen) => browser.VisitAsync(Crm, SignInTests.Of(screen), async visit =>
    {
        var page = visit.Page;
        var dialog = page.GetByRole(AriaRole.Dialog);
        await visit.OpenAsync("/admin/designer/company");

        // A new list: columns, one through a lookup, an order and two conditions.
        await page.GetByRole(AriaRole.Button, new() { Name = "Add list" }).ClickAsync();
        await dialog.GetByLabel("Name of the list").FillAsync("Big in Berlin");
        for (var left = await dialog.Locator("[data-column]").CountAsync(); left > 0; left--)
        {
            await dialog.Locator("[data-column]").First.GetByRole(AriaRole.Button).Last.ClickAsync();
            await Expect(dialog.Locator("[data-column]")).ToHaveCountAsync(left - 1);
        }

        foreach (var column in new[] { "city", "parent.city", "name" })
        {
            await dialog.GetByLabel("Add column").SelectOptionAsync(column);
            await Expect(dialog.Locator($"[data-column='{column}']")).ToBeVisibleAsync();
        }

        await Expect(dialog.GetByLabel("Add column")).ToHaveValueAsync("");

        // By keyboard only: the focus goes along with what is moved.
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Move Company name up" }).FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(dialog.Locator("[data-column]").Nth(1)).ToHaveAttributeAsync("data-column", "name");
        await Expect(dialog.GetByRole(AriaRole.Button, new() { Name = "Move Company name up" })).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(dialog.Locator("[data-column]").First).ToHaveAttributeAsync("data-column", "name");
        await dialog.GetByLabel("Add order").SelectOptionAsync("employees");
        await dialog.GetByLabel("Direction of Employees").SelectOptionAsync("Descending");
        foreach (var (index, field, comparison, value) in new[] { (1, "employees", "GreaterOrEqual", "100"), (2, "city", "Equal", "Berlin") })
        {
            await dialog.GetByRole(AriaRole.Button, new() { Name = "Add condition" }).ClickAsync();
            await dialog.GetByLabel($"Field of condition {index}").SelectOptionAsync(field);
            await dialog.GetByLabel($"Comparison of condition {index}").SelectOptionAsync(comparison);
            await dialog.GetByLabel($"Value of condition {index}").FillAsync(value);
            await dialog.GetByLabel($"Value of condition {index}").BlurAsync();
        }

        await visit.ScreenshotAsync("list");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Done" }).ClickAsync();

        // The form: a field to the section before, a new section, one field away.
        await page.GetByRole(AriaRole.Button, new() { Name = "Edit the form" }).ClickAsync();
        var first = dialog.Locator("[data-section='1']");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Remove Website" }).ClickAsync();
        await Expect(dialog.Locator("[data-field=website]")).ToHaveCountAsync(0);
        var sections = await dialog.Locator("[data-section]").CountAsync() + 1;
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Add section" }).ClickAsync();
        await Expect(dialog.Locator("[data-section]")).ToHaveCountAsync(sections);
        await dialog.GetByLabel($"Heading of section {sections}").FillAsync("On the web");
        await dialog.GetByLabel($"Add field to section {sections}").SelectOptionAsync("website");
        await Expect(dialog.Locator($"[data-section='{sections}'] [data-field=website]")).ToBeVisibleAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Move Company name down" }).ClickAsync();
        await Expect(first.Locator("[data-field]").Nth(1)).ToHaveAttributeAsync("data-field", "name");
        await visit.ScreenshotAsync("form");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Done" }).ClickAsync();
        await Expect(page.Locator(".designer-pending li")).ToHaveCountAsync(2);
        await page.ApplyAsync();

        var company = Crm.Metadata.Current.Entity("company");
        var view = company.Views.Single(v => v.Name == "x_big_in_berlin");
        Assert.Equal(["name", "city", "parent.city"], view.Columns.AsEnumerable());
        Assert.Equal(new Sort("employees", Descending: true), Assert.Single(view.Sort));
        Assert.Equal(2, Assert.IsType<Filter.All>(view.Filter).Filters.Length);
        Assert.Equal(("On the web", "website"), (company.Form.Sections[^1].Label, company.Form.Sections[^1].Fields.Single()));
        await Crm.CreateAsync("company", ("name", "Big"), ("city", "Berlin"), ("employees", 200));
        await Crm.CreateAsync("company", ("name", "Small"), ("city", "Berlin"), ("employees", 2));
        await visit.OpenAsync("/e/company?view=x_big_in_berlin");
        await Expect(page.Locator("tr[data-row]")).ToHaveCountAsync(1);

        // A field that is hidden leaves a hole in both; it is taken out of the form and comes out of the list.
        await visit.OpenAsync("/admin/designer/company");
        await page.GetByRole(AriaRole.Button, new() { Name = "Hide the field Website" }).ClickAsync();
        await page.ApplyAsync();
        await Expect(page.Locator("[data-view='']")).ToContainTextAsync("Hidden or gone");
        await page.GetByRole(AriaRole.Button, new() { Name = "Edit the form" }).ClickAsync();
        await Expect(dialog.Locator("[data-field=website]")).ToContainTextAsync("Hidden or gone");
        await visit.ScreenshotAsync("hole");
        await visit.CheckAccessibilityAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Remove what is hidden or gone (1)" }).ClickAsync();
        await Expect(dialog.Locator("[data-field=website]")).ToHaveCountAsync(0);
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Done" }).ClickAsync();
        await page.ApplyAsync();
        await Expect(page.Locator("[data-view='']")).Not.ToContainTextAsync("Hidden or gone");

        // The customer's list goes again, the form goes back to the module's.
        await page.GetByRole(AriaRole.Button, new() { Name = "Remove the list Big in Berlin" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Reset Form" }).ClickAsync();
        await page.ApplyAsync();
        Assert.DoesNotContain(Crm.Metadata.Current.Entity("company").Views, v => v.Name == "x_big_in_berlin");
        Assert.DoesNotContain("On the web", Crm.Metadata.Current.Entity("company").Form.Sections.Select(s => s.Label));
    });
}
