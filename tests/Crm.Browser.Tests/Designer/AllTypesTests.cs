using Crm.Browser.Tests.Forms;
using Crm.Browser.Tests.Harness;
using Crm.Browser.Tests.Shell;
using Crm.Sdk;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Crm.Browser.Tests.Designer;

/// <summary>Every type there is, found in the registry: a type somebody adds has to pass here.</summary>
[Collection(Harness.Browser.Second)]
public sealed class AllTypesTests(Harness.Browser browser) : OwnCrm
{
    [Theory]
    [InlineData("1440")]
    [InlineData("390")]
    public Task Every_type_of_field_is_added_a_warning_shown_a_removal_confirmed_by_name_and_a_change_undone(string screen) => browser.VisitAsync(Crm, SignInTests.Of(screen), async visit =>
    {
        var page = visit.Page;
        var dialog = page.GetByRole(AriaRole.Dialog);
        await Crm.CreateAsync("company", ("name", "Acme"));
        await visit.OpenAsync("/admin/designer/company");
        // On a phone those whose editors are the largest, and those that are needed below.
        string[] types = screen == "390" ? ["choice", "stage", "any_lookup", "roll_up", "integer", "decimal"] : [.. Fields.Designable.Select(t => t.Name), "formula", "roll_up"];
        foreach (var type in types)
        {
            await page.GetByRole(AriaRole.Button, new() { Name = "Add field" }).ClickAsync();
            await dialog.GetByLabel("Label").FillAsync("Kind " + type);
            await dialog.GetByLabel("Type", new() { Exact = true }).SelectOptionAsync(type);
            await Expect(dialog.Locator($".designer-field[data-type={type}]")).ToBeVisibleAsync();
            await FillAsync(dialog, type);
            if (type is "choice" or "stage" or "roll_up" or "any_lookup")
            {
                await visit.ScreenshotAsync(type);
                await visit.CheckWidthAsync();
                await visit.CheckAccessibilityAsync();
            }

            await dialog.GetByRole(AriaRole.Button, new() { Name = "Done" }).ClickAsync();
            await Expect(dialog).ToHaveCountAsync(0);
        }

        // One of them is needed, and a company lacks it: the plan warns.
        await page.GetByRole(AriaRole.Button, new() { Name = "Edit the field Website" }).ClickAsync();
        await dialog.GetByLabel("Required").CheckAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Done" }).ClickAsync();
        await Expect(page.Locator(".designer-pending li")).ToHaveCountAsync(types.Length + 1);
        await page.GetByRole(AriaRole.Button, new() { Name = "Review plan" }).ClickAsync();
        await Expect(dialog.Locator(".alert-warning")).ToContainTextAsync("without a value in Website: 1", new() { Timeout = 30_000 });
        await visit.ScreenshotAsync("plan");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();
        await page.ConfirmAsync("Everything");
        var company = Crm.Metadata.Current.Entity("company");
        Assert.All(types, type => Assert.True(company.TryField("x_kind_" + type, out _), type));
        await visit.OpenFormAsync("/e/company/new");
        Assert.All(types.Except(["stage", "auto_number", "formula", "roll_up"]), type => Assert.Contains(company.Form.Sections.SelectMany(s => s.Fields), f => f == "x_kind_" + type));
        await visit.ScreenshotAsync("form");
        await visit.CheckWidthAsync();

        await visit.OpenAsync("/admin/designer/company");
        await visit.ScreenshotAsync("entity");
        await page.GetByRole(AriaRole.Button, new() { Name = "Hide the field Kind integer" }).ClickAsync();
        await ReviewAsync(page, "Hidden");
        await page.GetByRole(AriaRole.Button, new() { Name = "Remove the field Kind integer" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Review plan" }).ClickAsync();
        await Expect(dialog.GetByRole(AriaRole.Button, new() { Name = "Apply" })).ToBeDisabledAsync();
        await dialog.GetByLabel("Type x_kind_integer to confirm").FillAsync("x_kind_integer");
        await visit.ScreenshotAsync("confirm");
        await visit.CheckWidthAsync();
        await page.ConfirmAsync("Removed");
        Assert.False(Crm.Metadata.Current.Entity("company").TryField("x_kind_integer", out _));

        await page.GetByRole(AriaRole.Button, new() { Name = "Hide the field Kind decimal" }).ClickAsync();
        await ReviewAsync(page, "By mistake");
        await visit.OpenAsync("/admin/designer/history");
        await page.Locator("article", new() { HasText = "By mistake" }).GetByRole(AriaRole.Button).ClickAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Apply" }).ClickAsync();
        await page.ToastAsync("The version was taken back.");
        await visit.ScreenshotAsync("undone");
        Assert.False(Crm.Metadata.Current.Entity("company").Field("x_kind_decimal").IsHidden);
    });

    /// <summary>What a type asks for before it can be used.</summary>
    private static async Task FillAsync(ILocator dialog, string type)
    {
        switch (type)
        {
            case "formula":
                await dialog.Locator("textarea").FillAsync("employees * 2");
                return;
            case "roll_up":
                await dialog.GetByLabel("Records").SelectOptionAsync("opportunity.company");
                return;
            default:
                break;
        }

        // Whatever else there is to fill in is marked: choices without a label, and what must be chosen.
        if (type is "choice" or "multi_choice")
        {
            await dialog.GetByLabel("Choice 1").FillAsync("One");
            await dialog.GetByLabel("Choice 2").FillAsync("Two");
        }

        foreach (var needed in await dialog.Locator(".field-required select").AllAsync())
        {
            await needed.SelectOptionAsync("contact");
        }
    }

    private static async Task ReviewAsync(IPage page, string comment)
    {
        await page.GetByRole(AriaRole.Button, new() { Name = "Review plan" }).ClickAsync();
        await page.ConfirmAsync(comment);
    }
}
