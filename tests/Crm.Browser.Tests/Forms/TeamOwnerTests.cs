using Crm.Browser.Tests.Harness;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Crm.Browser.Tests.Forms;

[Collection(Harness.Browser.Second)]
public sealed class TeamOwnerTests(Harness.Browser browser) : OwnCrm
{
    [Fact]
    public Task PLT_37_A_record_is_given_to_a_team_in_its_form_and_shown_with_it() => browser.VisitAsync(Crm, Screen.Desktop, async visit =>
    {
        await Crm.CreateAsync("user", ("name", "Westley Ek"), ("user_name", "westley"));
        var team = await Crm.CreateAsync("team", ("name", "West desk"));
        var record = await Crm.CreateAsync("company", ("name", "Acme Corporation"), ("relationship_type", "client"), ("owner", Crm.Admin.UserId));
        var page = visit.Page;
        await visit.OpenFormAsync($"/e/company/{record.Id}");
        await page.Input("owner").FillAsync("west");
        var options = page.Field("owner").GetByRole(AriaRole.Option);
        await Expect(options).ToHaveCountAsync(2);
        await Expect(options.Nth(0).GetByRole(AriaRole.Img, new() { Name = "User" })).ToBeVisibleAsync();
        await Expect(options.Nth(1).GetByRole(AriaRole.Img, new() { Name = "Team" })).ToBeVisibleAsync();
        await visit.ScreenshotAsync("team-owner");
        await visit.CheckAccessibilityAsync();
        await page.Keyboard.PressAsync("ArrowDown");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Input("owner")).ToHaveValueAsync("West desk");
        await page.Keyboard.PressAsync("Control+s");
        await page.ToastAsync("Saved");
        Assert.Equal(team.Id, (await Crm.ReadAsync(record))["owner"]);

        await visit.OpenAsync("/e/company");
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "West desk" })).ToHaveAttributeAsync("href", $"/e/team/{team.Id}");
    });
}
