using Crm.Browser.Tests.Forms;
using Crm.Browser.Tests.Harness;
using Crm.Sdk;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;
using Record = Crm.Sdk.Record;

namespace Crm.Browser.Tests.Lists;

[Collection(Harness.Browser.Collection)]
public sealed class InlineEditTests(Harness.Browser browser, EmptyCrm shared) : OneCrm(shared)
{
    [Fact]
    public Task A_cell_is_edited_in_place_with_the_keyboard_and_taken_back() => browser.VisitAsync(Crm, Screen.Desktop, async visit =>
    {
        var (acme, bolt) = (await CompanyAsync("Keyed Acme", "Berlin"), await CompanyAsync("Keyed Bolt", "London"));
        await OpenAsync(visit, "?search=keyed");
        var page = visit.Page;
        await page.Keyboard.PressAsync("ArrowDown");
        await Expect(page.Locator("a[data-open]").First).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("ArrowRight");
        await Expect(Cell(page, acme, "relationship_type")).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("ArrowRight");
        await page.Keyboard.PressAsync("ArrowRight");
        await Expect(Cell(page, acme, "city")).ToBeFocusedAsync();
        await visit.ScreenshotAsync("focused");
        await visit.CheckAccessibilityAsync();

        // F2 opens, Escape takes back what was typed.
        await page.Keyboard.PressAsync("F2");
        await Expect(page.Input("city")).ToBeFocusedAsync();
        await Expect(page.Input("city")).ToHaveValueAsync("Berlin");
        await visit.ScreenshotAsync("open");
        await visit.CheckAccessibilityAsync();
        await page.Keyboard.TypeAsync("Nowhere");
        await page.Keyboard.PressAsync("Escape");
        await Expect(page.Locator(".cell-editor")).ToHaveCountAsync(0);
        await Expect(Cell(page, acme, "city")).ToBeFocusedAsync();
        await Expect(Cell(page, acme, "city")).ToHaveTextAsync("Berlin");

        // Enter opens and saves; Tab saves and goes on.
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Input("city")).ToBeFocusedAsync();
        await page.Keyboard.TypeAsync("Bern");
        await page.Keyboard.PressAsync("Tab");
        await Expect(page.Input("country")).ToBeFocusedAsync();
        await Expect(Cell(page, acme, "city")).ToHaveTextAsync("Bern");
        await page.Keyboard.TypeAsync("Switzerland");
        await page.Keyboard.PressAsync("Enter");
        await Expect(Cell(page, acme, "country")).ToBeFocusedAsync();
        await Expect(Cell(page, acme, "country")).ToHaveTextAsync("Switzerland");
        await page.ToastAsync("Country of “Keyed Acme” was changed.");

        // Down stays in the column.
        await page.Keyboard.PressAsync("ArrowDown");
        await Expect(Cell(page, bolt, "country")).ToBeFocusedAsync();

        // Ctrl+Z takes the last change back, and the one before.
        await page.Keyboard.PressAsync("Control+z");
        await Expect(Cell(page, acme, "country")).ToHaveTextAsync("");
        await page.Keyboard.PressAsync("Control+z");
        await Expect(Cell(page, acme, "city")).ToHaveTextAsync("Berlin");
        Assert.Equal(("Berlin", null, 5L), ((await Crm.ReadAsync(acme))["city"], (await Crm.ReadAsync(acme))["country"], (await Crm.ReadAsync(acme)).Version));
    });

    [Fact]
    public Task A_double_click_edits_a_click_still_opens_and_leaving_keeps_what_was_typed() => browser.VisitAsync(Crm, Screen.Desktop, async visit =>
    {
        var (acme, bolt) = (await CompanyAsync("Acme", "Berlin"), await CompanyAsync("Bolt", "London"));
        await OpenAsync(visit);
        var page = visit.Page;
        await Cell(page, bolt, "relationship_type").DblClickAsync();
        await page.Input("relationship_type").SelectOptionAsync("partner");
        await Cell(page, acme, "industry").HoverAsync();
        await visit.ScreenshotAsync("choice");
        await page.Locator("h1").ClickAsync();
        await Expect(page.Locator(".cell-editor")).ToHaveCountAsync(0);
        await Expect(Cell(page, bolt, "relationship_type")).ToHaveTextAsync("Partner");

        // An owner is looked up as in the form.
        await Cell(page, bolt, "owner").DblClickAsync();
        await page.Input("owner").FillAsync("Admin");
        await page.Locator(".popup [role=option]").First.WaitForAsync();
        await visit.ScreenshotAsync("lookup");
        await visit.CheckAccessibilityAsync();
        await page.Input("owner").PressAsync("Enter");
        await Expect(page.Locator(".popup")).ToHaveCountAsync(0);
        await page.Input("owner").PressAsync("Enter");
        await Expect(page.Locator(".cell-editor")).ToHaveCountAsync(0);
        Assert.Equal(Crm.Admin.UserId, (await Crm.ReadAsync(bolt))["owner"]);

        // The toast offers to take the last change back.
        await page.Locator(".toast").Last.GetByRole(AriaRole.Button, new() { Name = "Undo" }).ClickAsync();
        await page.ToastAsync("Owner of “Bolt” is as it was.");
        Assert.Equal(Actor.System.UserId, (await Crm.ReadAsync(bolt))["owner"]);

        await Cell(page, acme, "phone").ClickAsync(new() { Position = new() { X = 4, Y = 8 } });
        await page.WaitForURLAsync(RecordForms.RecordUrl("company"));
    });

    [Theory]
    [InlineData("1440")]
    [InlineData("390")]
    public Task A_rule_refuses_at_the_cell_and_a_conflict_is_decided_there(string screen) => browser.VisitAsync(Crm, Shell.SignInTests.Of(screen), async visit =>
    {
        await CompanyAsync("Acme " + screen, "Berlin");
        var partner = await CompanyAsync("Partner " + screen, "Paris", ("relationship_type", "partner"));
        var rival = await CompanyAsync("Rival " + screen, "Rome");
        await Crm.Records().SaveAsync(RecordChange.Update("company", rival.Id, new Dictionary<string, object?> { ["relationship_type"] = "competitor" }));
        // The first of the two screens makes them for both.
        if (Crm.Metadata.Current.Entity("company").Rules.IsEmpty)
        {
            await Crm.ChangeAsync("""{"change":"set_rule","entity":"company","rule":{"name":"partners_have_a_city","kind":"required","condition":"relationship_type = \"partner\"","fields":["city"]}}""");
            await Crm.ChangeAsync("""{"change":"set_rule","entity":"company","rule":{"name":"rivals_stay","label":"Rivals stay as they are","kind":"read_only","condition":"relationship_type = \"competitor\"","fields":["city"]}}""");
        }

        await OpenAsync(visit, "?search=" + screen);
        var page = visit.Page;

        // The keyboard and the row's menu reach the cell on every screen.
        await EditAsync(page, partner, "city");
        await page.Input("city").FillAsync("");
        await page.Input("city").PressAsync("Enter");
        await Expect(page.Locator("#f-city-error")).ToHaveTextAsync("errorCity is required here (rule “Partners have a city”).");
        await visit.ScreenshotAsync("refused");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();

        // Somebody else was faster.
        await Crm.Records().SaveAsync(RecordChange.Update("company", partner.Id, new Dictionary<string, object?> { ["city"] = "Lyon" }));
        await page.Input("city").FillAsync("Nice");
        await page.Locator(".cell-editor").GetByRole(AriaRole.Button, new() { Name = "Save", Exact = true }).ClickAsync();
        await Expect(page.Locator(".cell-editor")).ToContainTextAsync("City is “Lyon” there now.");
        await visit.ScreenshotAsync("conflict");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Keep mine" }).ClickAsync();
        await Expect(Cell(page, partner, "city")).ToContainTextAsync("Nice");
        Assert.Equal("Nice", (await Crm.ReadAsync(partner))["city"]);

        // What a rule keeps is not opened, and the reason is told.
        await Cell(page, rival, "city").FocusAsync();
        await page.Keyboard.PressAsync("F2");
        await page.ToastAsync("City cannot be changed here (rule “Rivals stay as they are”).");
        await Expect(page.Locator(".cell-editor")).ToHaveCountAsync(0);
    });

    [Fact]
    public Task A_phone_edits_a_row_from_its_menu_cell_by_cell() => browser.VisitAsync(Crm, Screen.Phone, async visit =>
    {
        var acme = await CompanyAsync("Acme", "Berlin");
        await OpenAsync(visit);
        var page = visit.Page;
        var row = page.Locator($"tr[data-row='{acme.Id}']");
        await row.GetByRole(AriaRole.Button).TapAsync();
        await row.GetByRole(AriaRole.Menuitem, new() { Name = "Edit in the list" }).TapAsync();
        await page.Input("name").FillAsync("Acme Ltd");
        await visit.ScreenshotAsync("first");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();
        var next = page.GetByRole(AriaRole.Button, new() { Name = "Save and go to the next cell" });
        await next.TapAsync();
        await page.Input("relationship_type").SelectOptionAsync("supplier");
        await visit.ScreenshotAsync("second");
        await page.Locator(".cell-editor").GetByRole(AriaRole.Button, new() { Name = "Save", Exact = true }).TapAsync();
        await Expect(page.Locator(".cell-editor")).ToHaveCountAsync(0);
        await Expect(row).ToContainTextAsync("Acme Ltd");
        await Expect(row).ToContainTextAsync("Supplier");
        await visit.CheckWidthAsync();

        // A tap elsewhere in the row opens the record, as everywhere.
        await Cell(page, acme, "city").TapAsync();
        await page.WaitForURLAsync(RecordForms.RecordUrl("company"));
    });

    private static ILocator Cell(IPage page, Record record, string path) => page.Locator($"tr[data-row='{record.Id}'] td[data-cell='{path}']");

    private static async Task EditAsync(IPage page, Record record, string path)
    {
        await Cell(page, record, path).FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Input(path)).ToBeFocusedAsync();
    }

    private static async Task OpenAsync(Visit visit, string query = "")
    {
        await visit.OpenAsync("/e/company" + query);
        await Expect(visit.Page.Locator("[data-grid][data-ready]")).ToBeVisibleAsync();
    }

    private Task<Record> CompanyAsync(string name, string city, params (string Field, object? Value)[] values) =>
        Crm.CreateAsync("company", [("name", name), ("city", city), .. values]);
}
