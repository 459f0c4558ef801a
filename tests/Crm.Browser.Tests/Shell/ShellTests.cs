using Crm.Browser.Tests.Harness;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Crm.Browser.Tests.Shell;

[Collection(Harness.Browser.Collection)]
public sealed class ShellTests(Harness.Browser browser, SampleCrm sample) : IClassFixture<SampleCrm>
{
    [Theory]
    [InlineData("1440")]
    [InlineData("390")]
    [InlineData("1440-dark")]
    public Task The_start_page_fits_the_screen_and_can_be_used_by_everybody(string screen) => browser.VisitAsync(sample.Crm, SignInTests.Of(screen), async visit =>
    {
        await visit.OpenAsync("/");
        await Expect(visit.Page.Locator(".tile").Filter(new() { HasText = "Opportunities" }).First).ToContainTextAsync("130");
        await visit.ScreenshotAsync("home");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();
    });

    [Fact]
    public Task PLT_05_PLT_08_PLT_29_PLT_33_Areas_are_switched_at_the_top_left_and_hold_their_sections() => browser.VisitAsync(sample.Crm, Screen.Desktop, async visit =>
    {
        await visit.OpenAsync("/");
        var navigation = visit.Page.GetByRole(AriaRole.Navigation, new() { Name = "Pages" });
        await Expect(navigation.GetByRole(AriaRole.Link, new() { Name = "Opportunities" })).ToBeVisibleAsync();
        await visit.Page.Locator(".nav-area").ClickAsync();
        await visit.ScreenshotAsync("areas");
        await visit.Page.GetByRole(AriaRole.Menuitemradio, new() { Name = "Marketing" }).ClickAsync();
        await Expect(visit.Page.Locator(".nav-area")).ToContainTextAsync("Marketing");
        await Expect(navigation.GetByRole(AriaRole.Link, new() { Name = "Companies" })).ToHaveAttributeAsync("aria-current", "page");
        await Expect(navigation.GetByRole(AriaRole.Link, new() { Name = "Opportunities" })).ToHaveCountAsync(0);
        // The choice is kept, also for pages that belong to several areas.
        await visit.Page.ReloadAsync();
        await visit.ReadyAsync();
        await Expect(visit.Page.Locator(".nav-area")).ToContainTextAsync("Marketing");
    });

    [Fact]
    public Task The_navigation_is_a_drawer_on_a_phone() => browser.VisitAsync(sample.Crm, Screen.Phone, async visit =>
    {
        await visit.OpenAsync("/e/company");
        await Expect(visit.Page.Locator("#nav")).ToBeHiddenAsync();
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Open navigation" }).ClickAsync();
        await Expect(visit.Page.Locator("#nav")).ToBeVisibleAsync();
        await visit.ScreenshotAsync("drawer");
        await visit.CheckAccessibilityAsync();
        await visit.Page.Locator("#nav").GetByRole(AriaRole.Link, new() { Name = "Contacts" }).ClickAsync();
        await visit.Page.WaitForURLAsync("**/e/contact");
        await Expect(visit.Page.Locator("#nav")).ToBeHiddenAsync();
        await visit.CheckWidthAsync();
    });

    [Fact]
    public Task The_narrow_navigation_is_kept() => browser.VisitAsync(sample.Crm, Screen.Desktop, async visit =>
    {
        await visit.OpenAsync("/e/company");
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Collapse" }).ClickAsync();
        await visit.Page.ReloadAsync();
        await visit.ReadyAsync();
        var box = await visit.Page.Locator("#nav").BoundingBoxAsync();
        Assert.Equal(60, box!.Width);
        await visit.ScreenshotAsync("narrow");
        await visit.CheckAccessibilityAsync();
    });

    [Fact]
    public Task An_address_that_leads_nowhere_is_answered_with_404_and_a_way_out() => browser.VisitAsync(sample.Crm, Screen.Desktop, async visit =>
    {
        var answer = await visit.Page.GotoAsync("/no/such/page");
        Assert.Equal(404, answer!.Status);
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Name = "There is no such page" })).ToBeVisibleAsync();
        await visit.ScreenshotAsync("nowhere");
        await visit.CheckAccessibilityAsync();
        // The browser itself reports the 404 of the page.
        visit.Complaints.Clear();
        await visit.OpenAsync("/e/no_such_entity");
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Name = "There is no list of this name" })).ToBeVisibleAsync();
        await visit.OpenAsync("/m/sales/no-such-page");
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Name = "There is no such page" })).ToBeVisibleAsync();
    });

    [Fact]
    public Task A_lost_connection_comes_back_to_the_page_as_it_was() => browser.VisitAsync(sample.Crm, Screen.Desktop, async visit =>
    {
        await visit.HoldConnectionAsync();
        await visit.OpenAsync("/e/company");
        await visit.Page.Locator("tr[data-row]").Nth(2).Locator("[data-select]").CheckAsync();
        await visit.CutConnectionAsync();
        await Expect(visit.Page.Locator("#components-reconnect-modal [data-state=show]")).ToBeVisibleAsync();
        await visit.ScreenshotAsync("lost");
        visit.MendConnection();
        await Expect(visit.Page.Locator("#components-reconnect-modal [data-state=show]")).ToBeHiddenAsync();
        // Neither reloaded nor redrawn: the tick is still there, and the server answers again.
        await Expect(visit.Page.Locator("tr[data-row]").Nth(2).Locator("[data-select]")).ToBeCheckedAsync();
        await visit.Page.GetByPlaceholder("Search for records").FillAsync("acme");
        await Expect(visit.Page.Locator("tr[data-row]")).ToHaveCountAsync(1);
        // The Blazor script reports the cut itself.
        visit.Complaints.Clear();
    });
}
