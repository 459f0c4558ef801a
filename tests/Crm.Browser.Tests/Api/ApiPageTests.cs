using Crm.Browser.Tests.Harness;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Crm.Browser.Tests.Api;

[Collection(Harness.Browser.Collection)]
public sealed class ApiPageTests(Harness.Browser browser, SampleCrm sample) : IClassFixture<SampleCrm>
{
    [Fact]
    public Task The_API_can_be_tried_in_the_browser() => browser.VisitAsync(sample.Crm, Screen.Desktop, async visit =>
    {
        await visit.Page.GotoAsync("/api");
        await Expect(visit.Page.Locator(".info .title")).ToContainTextAsync("CRM");

        await visit.Page.Locator("#operations-tag-companies").ClickAsync();
        var list = visit.Page.Locator("#operations-companies-list_companies");
        await list.ClickAsync();
        await list.GetByRole(AriaRole.Button, new() { Name = "Try it out" }).ClickAsync();
        await list.GetByRole(AriaRole.Button, new() { Name = "Execute" }).ClickAsync();
        await Expect(list.Locator(".live-responses-table tbody .response-col_status").First).ToContainTextAsync("200");
        await visit.ScreenshotAsync("list");

        var create = visit.Page.Locator("#operations-companies-create_company");
        await create.ClickAsync();
        await create.GetByRole(AriaRole.Button, new() { Name = "Try it out" }).ClickAsync();
        await create.Locator("textarea").FillAsync("""{"name":"Made in the browser"}""");
        await create.GetByRole(AriaRole.Button, new() { Name = "Execute" }).ClickAsync();
        await Expect(create.Locator(".live-responses-table tbody .response-col_status").First).ToContainTextAsync("201");
    });

    [Fact]
    public Task A_stranger_is_sent_to_the_sign_in_page() => browser.VisitAsStrangerAsync(sample.Crm, Screen.Desktop, async visit =>
    {
        await visit.Page.GotoAsync("/api");
        await visit.Page.WaitForURLAsync("**/sign-in**");
    });
}
