using Crm.Browser.Tests.Forms;
using Crm.Browser.Tests.Harness;
using Crm.Browser.Tests.Shell;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Crm.Browser.Tests.Designer;

[Collection(Harness.Browser.Collection)]
public sealed class GeneralPageTests(Harness.Browser browser, SampleCrm sample) : IClassFixture<SampleCrm>
{
    [Theory]
    [InlineData("1440")]
    [InlineData("390-dark")]
    public Task Administrators_say_which_country_phone_numbers_belong_to(string screen) => browser.VisitAsync(sample.Crm, SignInTests.Of(screen), async visit =>
    {
        var page = visit.Page;
        var (name, code) = screen == "1440" ? ("Germany (+49)", "DE") : ("Austria (+43)", "AT");
        await visit.OpenAsync("/admin/general");
        var country = page.GetByLabel("Country of numbers without a calling code");
        await country.SelectOptionAsync(new SelectOptionValue { Label = name });
        await page.GetByRole(AriaRole.Button, new() { Name = "Review plan" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Dialog)).ToContainTextAsync("belong to " + code);
        await visit.ScreenshotAsync("plan");
        await page.ConfirmAsync();
        await page.ToastAsync("Changed. Records that are there follow in the background.");
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Review plan" })).ToBeDisabledAsync();
        await visit.ScreenshotAsync("general");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();

        // Where a field is made, it says what holds when nothing is chosen.
        await visit.OpenAsync("/admin/designer/company");
        await page.GetByRole(AriaRole.Button, new() { Name = "Add field" }).ClickAsync();
        var editor = page.GetByRole(AriaRole.Dialog);
        await editor.GetByLabel("Type", new() { Exact = true }).SelectOptionAsync("phone");
        await editor.GetByText("More options").ClickAsync();
        await Expect(editor.GetByLabel("Country of numbers without a calling code")).ToContainTextAsync("As for the whole installation: " + name);
        await visit.ScreenshotAsync("field");
    });
}
