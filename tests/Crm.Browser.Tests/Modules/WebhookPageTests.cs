using Crm.Browser.Tests.Forms;
using Crm.Browser.Tests.Harness;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Crm.Browser.Tests.Modules;

[Collection(Harness.Browser.Collection)]
public sealed class WebhookPageTests(Harness.Browser browser) : OwnCrm
{
    [Fact]
    public Task A_webhook_is_made_and_what_is_sent_to_it_can_be_followed() => browser.VisitAsync(Crm, Screen.Desktop, async visit =>
    {
        var page = visit.Page;
        await visit.OpenAsync("/admin/webhooks");
        await Expect(page.GetByText("No webhooks yet")).ToBeVisibleAsync();
        await visit.CheckAccessibilityAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "New webhook" }).ClickAsync();
        await page.GetByLabel("Name").FillAsync("Warehouse");
        await page.GetByLabel("Address").FillAsync("http://warehouse");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(page.GetByText("Give a complete address that begins with https://")).ToBeVisibleAsync();
        await visit.CheckAccessibilityAsync();
        await visit.ScreenshotAsync("form");
        // Nothing here leads to this machine, so the delivery says so and waits.
        await page.GetByLabel("Address").FillAsync("https://localhost:9/hooks");
        await page.GetByLabel("Companies").CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(page.Locator("[data-secret]")).ToHaveValueAsync(new System.Text.RegularExpressions.Regex("^whsec_", System.Text.RegularExpressions.RegexOptions.None, TimeSpan.FromSeconds(1)));
        await page.GetByRole(AriaRole.Button, new() { Name = "Close" }).ClickAsync();

        await page.Locator("[data-webhook=Warehouse]").GetByRole(AriaRole.Button, new() { Name = "Deliveries" }).ClickAsync();
        await Expect(page.GetByText("Nothing was sent yet.")).ToBeVisibleAsync();
        await Crm.CreateAsync("company", ("name", "Acme"));
        // Without a click: the page follows what happens.
        var delivery = page.Locator("[data-delivery=waiting]");
        await Expect(delivery).ToContainTextAsync("Company: Created");
        await Expect(delivery).ToContainTextAsync("localhost leads to an address that is not public");
        await delivery.GetByText("What is sent").ClickAsync();
        await Expect(delivery.Locator("pre")).ToContainTextAsync("\"name\": \"Acme\"");
        await visit.CheckAccessibilityAsync();
        await visit.ScreenshotAsync("deliveries");
        await page.SetViewportSizeAsync(390, 844);
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();
        await visit.ScreenshotAsync("phone");

        await page.Locator("[data-webhook=Warehouse]").GetByRole(AriaRole.Button, new() { Name = "Remove" }).ClickAsync();
        await page.Locator("dialog").GetByRole(AriaRole.Button, new() { Name = "Remove" }).ClickAsync();
        await Expect(page.GetByText("No webhooks yet")).ToBeVisibleAsync();
    });
}
