using Crm.Browser.Tests.Harness;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Crm.Browser.Tests.Forms;

/// <summary>The editor of several addresses, and where what points to a record is shown.</summary>
[Collection(Harness.Browser.Collection)]
public sealed class AddressesTests(Harness.Browser browser) : OwnCrm
{
    [Theory]
    [InlineData("1440")]
    [InlineData("390-dark")]
    public Task Several_addresses_are_typed_with_the_keyboard_saved_shown_and_found(string screen) => browser.VisitAsync(Crm, Shell.SignInTests.Of(screen), async visit =>
    {
        await Crm.ChangeAsync(
            """
            {"change":"create_entity","name":"x_plant","label":"Plant","plural":"Plants","set":"x_plants","search":["name","places"],"fields":[{"name":"name","type":"text","label":"Name"},{"name":"places","type":"addresses","label":"Places"}]},
            {"change":"create_entity","name":"x_remark","label":"Remark","plural":"Remarks","set":"x_remarks","fields":[{"name":"name","type":"text","label":"Name"},{"name":"about","type":"any_lookup","label":"About","targets":["x_plant","contact"]}]}
            """);
        var page = visit.Page;
        await visit.OpenFormAsync("/e/x_plant/new");
        await page.Input("name").FillAsync("North");
        await page.Input("places").PressAsync("Enter");
        await Expect(Part(page, 0, "street")).ToBeFocusedAsync();
        await page.Keyboard.TypeAsync("Kai 2");
        await Part(page, 0, "city").FillAsync("Kiel");
        await page.Field("places").GetByRole(AriaRole.Button, new() { Name = "Add to Places" }).ClickAsync();
        await Part(page, 1, "city").FillAsync("Ulm");
        await Part(page, 1, "kind").SelectOptionAsync("invoice");
        await page.Field("places").GetByRole(AriaRole.Button, new() { Name = "Add to Places" }).ClickAsync();
        await Part(page, 2, "city").FillAsync("Bonn");
        await page.Field("places").GetByRole(AriaRole.Button, new() { Name = "Remove row 3 of Places" }).ClickAsync();
        await Expect(page.Field("places").Locator(".several-row")).ToHaveCountAsync(2);
        await Expect(page.Field("places").GetByRole(AriaRole.Button, new() { Name = "Add to Places" })).ToBeFocusedAsync();
        await visit.ScreenshotAsync("rows");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();

        await page.Command("Save").ClickAsync();
        await page.WaitForURLAsync(RecordForms.RecordUrl("x_plant"));
        await Expect(page.Locator(".record-form[data-ready]")).ToBeVisibleAsync();
        await Expect(Part(page, 1, "kind")).ToHaveValueAsync("invoice");
        await Expect(Part(page, 1, "city")).ToHaveValueAsync("Ulm");
        var id = Guid.Parse(new Uri(page.Url).Segments[^1]);

        // What points here by a lookup of several entities stands among the related records.
        await Crm.CreateAsync("x_remark", ("name", "Visit on Monday"), ("about", $"x_plant:{id}"));
        await visit.OpenFormAsync($"/e/x_plant/{id}");
        await page.GetByRole(AriaRole.Tab, new() { Name = "Related" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "Visit on Monday" })).ToBeVisibleAsync();
        await visit.ScreenshotAsync("related");
        await visit.CheckAccessibilityAsync();

        await visit.OpenAsync("/e/x_plant?view=all&search=ulm");
        await Expect(page.Locator("tr[data-row]").First).ToContainTextAsync("Kai 2, Kiel +1");
        await visit.ScreenshotAsync("list");
        await visit.CheckWidthAsync();
    });

    private static ILocator Part(IPage page, int row, string part) => page.Field("places").Locator($"[data-part='{row}.{part}']");
}
