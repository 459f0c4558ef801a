using System.Text.RegularExpressions;
using Crm.Browser.Tests.Forms;
using Crm.Browser.Tests.Harness;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Crm.Browser.Tests.Designer;

[Collection(Harness.Browser.Collection)]
public sealed partial class EntityRenameTests(Harness.Browser browser) : OwnCrm
{
    [Fact]
    public Task An_entity_gets_another_name_and_its_old_addresses_lead_on() => browser.VisitAsync(Crm, Screen.Phone, async visit =>
    {
        var page = visit.Page;
        var dialog = page.GetByRole(AriaRole.Dialog);
        await Crm.ChangeAsync(
            """
            {"change":"create_entity","name":"x_venue","label":"Venue","plural":"Venues","set":"x_venues","fields":[{"name":"name","type":"text","label":"Name"}]},
            {"change":"add_field","entity":"company","field":{"name":"x_home","type":"lookup","label":"Home venue","target":"x_venue"}}
            """);
        var hall = await Crm.CreateAsync("x_venue", ("name", "Town hall"));
        await visit.OpenAsync("/admin/designer/company");
        await Expect(page.Locator("main")).ToContainTextAsync("Given by the module");

        await visit.OpenAsync("/admin/designer/x_venue");
        await page.GetByRole(AriaRole.Button, new() { Name = "Rename…" }).ClickAsync();
        await dialog.GetByLabel("New name").FillAsync("x_place");
        await visit.ScreenshotAsync("name");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Review plan" }).ClickAsync();

        // The plan says what uses it.
        await Expect(dialog).ToContainTextAsync("Home venue");
        await Expect(dialog).ToContainTextAsync("x_place");
        await visit.ScreenshotAsync("plan");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();
        await page.ConfirmAsync();
        await Expect(page).ToHaveURLAsync(NewPage());
        await Expect(page.Locator("code").First).ToHaveTextAsync("x_place");

        await visit.OpenFormAsync($"/e/x_venue/{hall.Id}");
        await Expect(page).ToHaveURLAsync(RecordForms.RecordUrl("x_place"));
        await Expect(page.Input("name")).ToHaveValueAsync("Town hall");
    });

    [GeneratedRegex("/admin/designer/x_place$", RegexOptions.None, 1000)]
    private static partial Regex NewPage();
}
