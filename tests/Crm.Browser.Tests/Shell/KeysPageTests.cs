using System.Net;
using Crm.Browser.Tests.Harness;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Crm.Browser.Tests.Shell;

/// <summary>Personal API keys, made and removed by their user.</summary>
[Collection(Harness.Browser.Collection)]
public sealed class KeysPageTests(Harness.Browser browser) : OwnCrm
{
    [Theory]
    [InlineData("1440")]
    [InlineData("390-dark")]
    public Task A_key_is_narrowed_made_shown_once_listed_and_removed(string screen) => browser.VisitAsync(Crm, SignInTests.Of(screen), async visit =>
    {
        var page = visit.Page;
        await visit.OpenAsync("/keys");
        await Expect(page.GetByText("You have no API keys")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "New key" }).PressAsync("Enter");
        await page.GetByRole(AriaRole.Button, new() { Name = "Make key" }).PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("Give the key a name");
        await page.GetByLabel("Name").FillAsync("Nightly report");
        await page.GetByLabel("Only what I choose").PressAsync(" ");
        await page.GetByRole(AriaRole.Button, new() { Name = "Make key" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("at least one entity");

        // Changing brings reading, and goes with it.
        await Cell(page, "contact", "Write").CheckAsync();
        await Expect(Cell(page, "contact", "Read")).ToBeCheckedAsync();
        await Cell(page, "company", "Delete").CheckAsync();
        await Expect(Cell(page, "company", "Read")).ToBeCheckedAsync();
        await Cell(page, "company", "Read").UncheckAsync();
        await Expect(Cell(page, "company", "Delete")).Not.ToBeCheckedAsync();
        await Expect(page.Locator("[data-entity=user] [data-cell]")).ToHaveCountAsync(1);
        await page.GetByRole(AriaRole.Button, new() { Name = "Fields of Contacts" }).PressAsync("Enter");
        await Cell(page, "contact", "*").UncheckAsync();
        await Expect(Cell(page, "contact", "email")).Not.ToBeCheckedAsync();
        await Cell(page, "contact", "email").CheckAsync();
        await visit.ScreenshotAsync("new");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Make key" }).ClickAsync();
        var secret = await page.Locator("[data-secret]").InputValueAsync();
        Assert.StartsWith("crm_key_", secret, StringComparison.Ordinal);
        await Expect(page.Locator("[data-key='Nightly report']")).ToContainTextAsync("Contacts: Read, Write – only E-mail");
        await visit.ScreenshotAsync("list");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();

        using var client = Crm.Client(secret);
        Assert.Contains("\"email\"", await client.GetStringAsync(new Uri("odata/v4/$metadata?$format=json", UriKind.Relative)), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync(new Uri("odata/v4/companies", UriKind.Relative))).StatusCode);

        await page.Locator("[data-key='Nightly report'] button").ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Remove", Exact = true }).ClickAsync();
        await Expect(page.Locator("[data-key]")).ToHaveCountAsync(0);
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync(new Uri("odata/v4/contacts", UriKind.Relative))).StatusCode);
    });

    private static ILocator Cell(IPage page, string entity, string cell) => page.Locator($"[data-entity={entity}] [data-cell='{cell}']");
}
