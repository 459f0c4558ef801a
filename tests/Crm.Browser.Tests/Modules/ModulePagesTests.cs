using Crm.Browser.Tests.Harness;
using Crm.Browser.Tests.Shell;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Crm.Browser.Tests.Modules;

[Collection(Harness.Browser.Collection)]
public sealed class ModulePagesTests(Harness.Browser browser, SampleCrm sample) : IClassFixture<SampleCrm>
{
    [Theory]
    [InlineData("1440")]
    [InlineData("390")]
    [InlineData("1440-dark")]
    public Task SAL_17_The_page_of_a_module_shows_the_pipeline(string screen) => browser.VisitAsync(sample.Crm, SignInTests.Of(screen), async visit =>
    {
        await visit.OpenAsync("/m/sales/pipeline");
        var offer = visit.Page.GetByRole(AriaRole.Row).Filter(new() { Has = visit.Page.GetByRole(AriaRole.Rowheader, new() { Name = "Offer" }) });
        // Every fourth of 130 records, from the second on.
        await Expect(offer.GetByRole(AriaRole.Cell).Filter(new() { HasText = "33" }).First).ToBeVisibleAsync();
        // The sample's deals were all won this month, which is the last column.
        await Expect(visit.Page.Locator(".pipeline-chart .rz-column-series path").Last).ToBeVisibleAsync();
        await visit.Page.GetByText("Show as a table").ClickAsync();
        await Expect(visit.Page.GetByRole(AriaRole.Table).Last.GetByRole(AriaRole.Row)).ToHaveCountAsync(13);
        await visit.ScreenshotAsync("pipeline");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();
    });

    [Theory]
    [InlineData("1440")]
    [InlineData("390")]
    public Task Administrators_see_every_module_with_its_state(string screen) => browser.VisitAsync(sample.Crm, SignInTests.Of(screen), async visit =>
    {
        await visit.OpenAsync("/admin/modules");
        await Expect(visit.Page.Locator("[data-module=sales]")).ToContainTextAsync("Running");
        await Expect(visit.Page.Locator("[data-module=contacts]")).ToContainTextAsync("Companies, Contacts");
        await visit.ScreenshotAsync("modules");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();
    });

    [Fact]
    public Task A_module_goes_from_an_open_page_and_comes_back() => browser.VisitAsync(sample.Crm, Screen.Desktop, async visit =>
    {
        await visit.OpenAsync("/m/sales/pipeline");
        var other = await visit.Page.Context.NewPageAsync();
        await other.GotoAsync("/admin/modules");
        var sales = other.Locator("[data-module=sales]");

        await sales.GetByRole(AriaRole.Button, new() { Name = "Switch off" }).ClickAsync();
        await visit.ScreenshotAsync("asked");
        await other.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Switch off" }).ClickAsync();
        await Expect(sales).ToContainTextAsync("Off");
        await Expect(visit.Page.GetByText("switched off or was removed")).ToBeVisibleAsync();
        await Expect(visit.Page.GetByRole(AriaRole.Navigation, new() { Name = "Pages" }).GetByRole(AriaRole.Link, new() { Name = "Pipeline" })).ToHaveCountAsync(0);

        await sales.GetByRole(AriaRole.Button, new() { Name = "Switch on" }).ClickAsync();
        await Expect(sales).ToContainTextAsync("Running");
        await Expect(visit.Page.GetByRole(AriaRole.Rowheader, new() { Name = "Offer" })).ToBeVisibleAsync();
        // Its page was shown, so Blazor holds on to what was switched off.
        await Expect(other.GetByText("still in memory")).ToBeVisibleAsync();
    });
}
