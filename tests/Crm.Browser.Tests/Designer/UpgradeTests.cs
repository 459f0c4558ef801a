using Crm.Browser.Tests.Harness;
using Crm.Browser.Tests.Shell;
using Crm.Metadata;
using Crm.Sdk;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Crm.Browser.Tests.Designer;

[Collection(Harness.Browser.Collection)]
public sealed class UpgradeTests(Harness.Browser browser) : OwnCrm
{
    [Theory]
    [InlineData("1440")]
    [InlineData("390")]
    public Task What_an_upgrade_left_open_is_kept_or_taken(string screen) => browser.VisitAsync(Crm, SignInTests.Of(screen), async visit =>
    {
        await DeclareAsync("1.0.0", e => e.Label("Tool", "Tools").Field("name", Fields.Text).Field("size", Fields.Text).Field("maker", Fields.Text).View("main", "Main", "name", "size"));
        await Crm.ChangeAsync(
            """
            {"change":"change_entity","entity":"shop_tool","label":"Instrument"},
            {"change":"change_field","entity":"shop_tool","field":{"name":"size","label":"Format","help":"In inches"}},
            {"change":"set_view","entity":"shop_tool","view":{"name":"main","label":"Mine","columns":["name","maker"]}}
            """);
        await DeclareAsync("1.1.0", e => e.Label("Appliance", "Tools").Field("name", Fields.Text).Field("size", Fields.Text, f => f.Label("Dimension")).View("main", "Main", "size"));

        var page = visit.Page;
        await visit.OpenAsync("/admin/designer");
        await page.GetByRole(AriaRole.Link, new() { Name = "Upgrades (4)" }).ClickAsync();
        await Expect(page.Locator("[data-note]")).ToHaveCountAsync(4);
        var label = page.Locator("[data-note='shop_tool/label']");
        await Expect(label).ToContainTextAsync("“Tool”");
        await Expect(label).ToContainTextAsync("“Appliance”");
        await Expect(label).ToContainTextAsync("“Instrument”");
        await Expect(page.Locator("[data-note='shop_tool/fields/maker/hidden']")).ToContainTextAsync("The view “Mine” of Instrument shows it");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "shop: from 1.0.0 to 1.1.0" })).ToBeVisibleAsync();
        await visit.ScreenshotAsync("open");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Keep mine: Instrument › Format › Label" }).ClickAsync();
        await Expect(page.Locator("[data-note]")).ToHaveCountAsync(3);
        await page.GetByRole(AriaRole.Button, new() { Name = "Take the module’s: Instrument › Label" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Apply" }).ClickAsync();
        await Expect(page.Locator("[data-note]")).ToHaveCountAsync(2);
        Assert.Equal(("Appliance", "Format"), (Crm.Metadata.Current.Entity("shop_tool").Label, Crm.Metadata.Current.Entity("shop_tool").Field("size").Label));
        await page.GetByRole(AriaRole.Button, new() { Name = "All right: Appliance › Maker › Hidden" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Keep mine: Appliance › List Mine" }).ClickAsync();
        await Expect(page.GetByText("Nothing is open")).ToBeVisibleAsync();
        await visit.ScreenshotAsync("done");
        await visit.CheckAccessibilityAsync();
    });

    private async Task DeclareAsync(string version, Action<IEntityBuilder> define)
    {
        var builder = new MetadataBuilder("shop");
        builder.Entity("shop_tool", define);
        Assert.Empty((await Crm.Services.GetRequiredService<MetadataEditor>().DeclareAsync(new ModuleInfo("shop", "Shop"), builder.Build(), version)).Errors);
    }
}
