using Crm.Browser.Tests.Harness;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Crm.Browser.Tests.Forms;

[Collection(Harness.Browser.Second)]
public sealed class RightsTests(Harness.Browser browser, EmptyCrm shared) : OneCrm(shared)
{
    [Fact]
    public Task Records_of_a_module_that_is_off_can_be_read_and_the_form_says_why_not_changed() => browser.VisitAsync(Crm, Screen.Desktop, async visit =>
    {
        var record = await Crm.CreateAsync("opportunity", ("title", "Read only now"), ("budget", 12m));
        using var admin = await Crm.AdminClientAsync();
        using var answer = await admin.PostAsync(new Uri("api/modules/sales/disable", UriKind.Relative), null);
        answer.EnsureSuccessStatusCode();

        await visit.OpenFormAsync($"/e/opportunity/{record.Id}");
        await Expect(visit.Page.GetByText("The module Sales is not running.")).ToBeVisibleAsync();
        await Expect(visit.Page.Field("title")).ToContainTextAsync("Read only now");
        await Expect(visit.Page.Locator(".record-form input:not([type=hidden])")).ToHaveCountAsync(0);
        await Expect(visit.Page.Locator(".record-actions")).ToHaveCountAsync(0);
        await visit.ScreenshotAsync("readonly");
        await visit.CheckAccessibilityAsync();
    });

    [Fact]
    public Task A_user_made_by_an_administrator_signs_in_and_cannot_change_users() => browser.VisitAsync(Crm, Screen.Desktop, async visit =>
    {
        const string Password = "a quiet river in march";
        await visit.OpenFormAsync("/e/user/new");
        await visit.Page.Input("name").FillAsync("Kim Lee");
        await visit.Page.Input("user_name").FillAsync("kim");
        await visit.Page.Command("Save").ClickAsync();
        await visit.Page.WaitForURLAsync(RecordForms.RecordUrl("user"));
        await Expect(visit.Page.Locator(".record-form[data-ready]")).ToBeVisibleAsync();

        await visit.Page.GetByRole(AriaRole.Tab, new() { Name = "Sign-in" }).ClickAsync();
        var set = visit.Page.GetByRole(AriaRole.Button, new() { Name = "Set password and allow sign-in" });
        await visit.Page.GetByLabel("New password").FillAsync("short");
        await set.ClickAsync();
        await Expect(visit.Page.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
        await visit.Page.GetByLabel("New password").FillAsync(Password);
        await set.ClickAsync();
        await visit.Page.ToastAsync("The password of Kim Lee was set.");
        await visit.ScreenshotAsync("sign-in");
        await visit.CheckAccessibilityAsync();
        var address = new Uri(visit.Page.Url).AbsolutePath;

        await browser.VisitAsStrangerAsync(Crm, Screen.Desktop, async kim =>
        {
            await kim.SignInAsync("kim", Password);
            await kim.OpenFormAsync(address);
            await Expect(kim.Page.GetByText("Only administrators can change users.")).ToBeVisibleAsync();
            await Expect(kim.Page.GetByRole(AriaRole.Tab, new() { Name = "Sign-in" })).ToHaveCountAsync(0);
        });
    });
}
