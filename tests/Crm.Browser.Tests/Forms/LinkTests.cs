using Crm.Browser.Tests.Harness;
using Crm.Sdk;
using Crm.Sdk.Testing;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Crm.Browser.Tests.Forms;

/// <summary>A many-to-many field from the designer to both records it links.</summary>
[Collection(Harness.Browser.Second)]
public sealed class LinkTests(Harness.Browser browser) : IAsyncLifetime
{
    private TestCrm? crm;

    private TestCrm Crm => crm ?? throw new InvalidOperationException("Not started.");

    public async Task InitializeAsync() => crm = await TestCrm.StartAsync();

    public async Task DisposeAsync()
    {
        if (crm is not null)
        {
            await crm.DisposeAsync();
        }
    }

    [Fact]
    public async Task Contacts_with_a_role_are_designed_linked_with_the_keyboard_and_shown_at_both_sides()
    {
        var anna = await Crm.CreateAsync("contact", ("first_name", "Anna"), ("last_name", "Berg"));
        var bo = await Crm.CreateAsync("contact", ("first_name", "Bo"), ("last_name", "Lund"));
        var deal = await Crm.CreateAsync("opportunity", ("title", "Bridge"));
        await browser.VisitAsync(Crm, Screen.Desktop, async visit =>
        {
            var page = visit.Page;
            await DesignAsync(visit);

            await visit.OpenFormAsync($"/e/opportunity/{deal.Id}");
            var people = page.Field("x_people");
            await page.Input("x_people").PressSequentiallyAsync("berg");
            await Expect(people.Locator("[role=option]")).ToHaveTextAsync("Anna Berg");
            await page.Input("x_people").PressAsync("Enter");
            await Expect(people.Locator(".link-row")).ToHaveCountAsync(1);
            await Expect(page.Input("x_people")).ToHaveValueAsync("");
            await page.Input("x_people").PressSequentiallyAsync("lund");
            await Expect(people.Locator("[role=option]")).ToHaveTextAsync("Bo Lund");
            await page.Input("x_people").PressAsync("Enter");
            await Expect(people.Locator(".link-row")).ToHaveCountAsync(2);
            await Row(people, anna).GetByLabel("Role").SelectOptionAsync("buyer");
            await Row(people, bo).GetByLabel("Share").FillAsync("12.5");
            await Row(people, bo).GetByLabel("Share").PressAsync("Tab");
            await people.ScrollIntoViewIfNeededAsync();
            await visit.ScreenshotAsync("typed");
            await visit.CheckAccessibilityAsync();
            await page.Command("Save").ClickAsync();
            await page.ToastAsync("saved");
            await Expect(people.Locator(".link-row.is-new")).ToHaveCountAsync(0);
            Assert.Equal(["Anna Berg buyer ", "Bo Lund  12.5"], await LinksAsync(deal));

            // What others link meanwhile stays.
            var eve = await Crm.CreateAsync("contact", ("first_name", "Eve"), ("last_name", "Falk"), ("x_opportunities", new[] { deal.Id }));
            await people.GetByRole(AriaRole.Button, new() { Name = "Remove Bo Lund" }).ClickAsync();
            await page.Command("Save").ClickAsync();
            await Expect(people.Locator(".link-row")).ToContainTextAsync(new[] { "Anna Berg", "Eve Falk" });
            Assert.Equal(["Anna Berg buyer ", "Eve Falk  "], await LinksAsync(deal));
            await visit.ScreenshotAsync("saved");

            await page.GetByRole(AriaRole.Tab, new() { Name = "History" }).ClickAsync();
            await Expect(page.Locator("ins", new() { HasText = "Anna Berg (Buyer), Bo Lund (12.5" })).ToBeVisibleAsync();
            await visit.OpenAsync($"/e/contact/{anna.Id}");
            await page.GetByRole(AriaRole.Tab, new() { Name = "Related" }).ClickAsync();
            var related = page.Locator("section[aria-labelledby^=related-]", new() { HasText = "Bridge" });
            await Expect(related).ToContainTextAsync("Buyer");
            await visit.ScreenshotAsync("related");
            await visit.CheckAccessibilityAsync();
        });
    }

    private static async Task DesignAsync(Visit visit)
    {
        var page = visit.Page;
        await visit.OpenAsync("/admin/designer/opportunity");
        await page.GetByRole(AriaRole.Button, new() { Name = "Add field" }).ClickAsync();
        var editor = page.GetByRole(AriaRole.Dialog);
        await editor.GetByLabel("Label", new() { Exact = true }).FillAsync("People");
        await editor.GetByLabel("Type", new() { Exact = true }).SelectOptionAsync("many_to_many");
        await editor.GetByLabel("Links", new() { Exact = true }).SelectOptionAsync("contact");
        await editor.GetByLabel("Label at the other side").FillAsync("Opportunities");
        await editor.GetByRole(AriaRole.Button, new() { Name = "Add field of the link" }).ClickAsync();
        await editor.GetByLabel("Field 1 of the link", new() { Exact = true }).FillAsync("Role");
        await editor.GetByLabel("Type of field 1 of the link").SelectOptionAsync("choice");
        await editor.GetByLabel("Choices of field 1 of the link").FillAsync("Buyer, Adviser");
        await editor.GetByLabel("Choices of field 1 of the link").PressAsync("Tab");
        await editor.GetByRole(AriaRole.Button, new() { Name = "Add field of the link" }).ClickAsync();
        await editor.GetByLabel("Field 2 of the link", new() { Exact = true }).FillAsync("Share");
        await editor.GetByLabel("Type of field 2 of the link").SelectOptionAsync("decimal");
        await visit.ScreenshotAsync("designer");
        await visit.CheckAccessibilityAsync();
        await editor.GetByRole(AriaRole.Button, new() { Name = "Done" }).ClickAsync();
        await Expect(editor).ToHaveCountAsync(0);
        await page.GetByRole(AriaRole.Button, new() { Name = "Review plan" }).ClickAsync();
        await visit.ScreenshotAsync("plan");
        await editor.GetByRole(AriaRole.Button, new() { Name = "Apply" }).ClickAsync();
        await page.ToastAsync("Opportunity was changed.");
    }

    private static ILocator Row(ILocator field, Sdk.Record record) => field.Locator($"[data-link=\"{record.Id}\"]");

    private async Task<IEnumerable<string>> LinksAsync(Sdk.Record deal)
    {
        var links = await Crm.Records().QueryAsync(new RecordQuery
        {
            Entity = "x_opportunity_people",
            Select = ["contact.first_name", "contact.last_name", "role", "share"],
            Filter = Filter.Equal("opportunity", deal.Id),
            Sort = [new Sort("contact.first_name")],
        });
        return links.Records.Select(l => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{l["contact.first_name"]} {l["contact.last_name"]} {l["role"]} {l["share"]}"));
    }
}
