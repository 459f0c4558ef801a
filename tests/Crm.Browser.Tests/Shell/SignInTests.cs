using Crm.Browser.Tests.Harness;
using Crm.Sdk.Testing;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Crm.Browser.Tests.Shell;

[Collection(Harness.Browser.Collection)]
public sealed class SignInTests(Harness.Browser browser, SampleCrm sample) : IClassFixture<SampleCrm>
{
    public static TheoryData<string> Screens => new() { "1440", "390" };

    [Theory]
    [MemberData(nameof(Screens))]
    public Task The_form_can_be_used_by_everybody(string screen) => browser.VisitAsStrangerAsync(sample.Crm, Of(screen), async visit =>
    {
        await visit.OpenAsync("/sign-in");
        await visit.ScreenshotAsync("form");
        await visit.CheckAccessibilityAsync();
        await visit.CheckWidthAsync();
    });

    [Fact]
    public Task A_page_asked_for_without_sign_in_is_shown_after_it() => browser.VisitAsStrangerAsync(sample.Crm, Screen.Desktop, async visit =>
    {
        await visit.Page.GotoAsync("/e/company?search=acme");
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Name = "Sign in" })).ToBeVisibleAsync();
        await visit.SendSignInAsync("admin", TestCrm.AdminPassword);
        await visit.ReadyAsync();
        Assert.EndsWith("/e/company?search=acme", visit.Page.Url, StringComparison.Ordinal);
        await Expect(visit.Page.Locator("tr[data-row]")).ToHaveCountAsync(1);
    });

    [Fact]
    public Task A_wrong_password_is_said_and_the_form_can_be_tried_again() => browser.VisitAsStrangerAsync(sample.Crm, Screen.Desktop, async visit =>
    {
        await visit.OpenAsync("/sign-in?returnUrl=%2Fe%2Fcontact");
        await visit.SendSignInAsync("admin", "not the password");
        await Expect(visit.Page.GetByRole(AriaRole.Alert)).ToHaveTextAsync(new System.Text.RegularExpressions.Regex("wrong", System.Text.RegularExpressions.RegexOptions.None, TimeSpan.FromSeconds(1)));
        await visit.ScreenshotAsync("wrong");
        await visit.CheckAccessibilityAsync();
        await visit.SendSignInAsync("admin", TestCrm.AdminPassword);
        await visit.ReadyAsync();
        Assert.EndsWith("/e/contact", visit.Page.Url, StringComparison.Ordinal);
    });

    [Fact]
    public Task Signing_out_ends_the_session() => browser.VisitAsStrangerAsync(sample.Crm, Screen.Desktop, async visit =>
    {
        await visit.OpenAsync("/sign-in");
        await visit.SendSignInAsync("admin", TestCrm.AdminPassword);
        await visit.ReadyAsync();
        await visit.Page.Locator(".user-button").ClickAsync();
        await visit.Page.GetByRole(AriaRole.Menuitem, new() { Name = "Sign out" }).ClickAsync();
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Name = "Sign in" })).ToBeVisibleAsync();
        await visit.Page.GotoAsync("/e/company");
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Name = "Sign in" })).ToBeVisibleAsync();
    });

    internal static Screen Of(string name) => name switch
    {
        "390" => Screen.Phone,
        "1440-dark" => Screen.Desktop.Dark,
        "390-dark" => Screen.Phone.Dark,
        _ => Screen.Desktop,
    };
}
