using System.Text.RegularExpressions;
using Crm.Browser.Tests.Harness;
using Crm.Browser.Tests.Shell;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Crm.Browser.Tests.Forms;

/// <summary>Rules over other records, as somebody meets them who fills in a form.</summary>
[Collection(Harness.Browser.Second)]
public sealed class LookedUpRuleTests(Harness.Browser browser, EmptyCrm shared) : OneCrm(shared)
{
    [Theory]
    [InlineData("1440")]
    [InlineData("390-dark")]
    public Task A_form_asks_and_offers_what_the_chosen_record_asks_for(string screen) => browser.VisitAsync(Crm, SignInTests.Of(screen), async visit =>
    {
        var page = visit.Page;
        var (first, second) = ("Acme " + screen, "Other " + screen);
        // The first of the two screens makes them for both.
        if (Crm.Metadata.Current.Entity("opportunity").Rules.IsEmpty)
        {
            await Crm.ChangeAsync("""
                {"change":"add_field","entity":"opportunity","field":{"name":"x_city","type":"formula","result":"text","label":"City","formula":"upper(company.city)"}},
                {"change":"set_rule","entity":"opportunity","rule":{"name":"own_contacts","kind":"options","condition":"contact.company = company","fields":["contact"]}},
                {"change":"set_rule","entity":"opportunity","rule":{"name":"paris_needs_a_date","kind":"required","condition":"company.city = \"Paris\"","fields":["expected_close"]}}
                """);
        }

        var acme = await Crm.CreateAsync("company", ("name", first), ("city", "Paris"));
        var other = await Crm.CreateAsync("company", ("name", second), ("city", "Rome"));
        await Crm.CreateAsync("contact", ("first_name", "Ina"), ("last_name", "Inside"), ("company", acme.Id));
        await Crm.CreateAsync("contact", ("first_name", "Otto"), ("last_name", "Outside"), ("company", other.Id));

        await visit.OpenFormAsync("/e/opportunity/new");
        await page.Input("title").FillAsync("Deal");
        await Expect(page.Field("expected_close")).Not.ToHaveClassAsync(new Regex("field-required", RegexOptions.None, TimeSpan.FromSeconds(1)));
        await ChooseAsync(page, "company", first);
        await Expect(page.Field("expected_close")).ToHaveClassAsync(new Regex("field-required", RegexOptions.None, TimeSpan.FromSeconds(1)));
        await Expect(page.Field("x_city")).ToContainTextAsync("PARIS");

        await page.Input("contact").ClickAsync();
        await Expect(page.GetByRole(AriaRole.Option)).ToHaveCountAsync(1);
        await Expect(page.GetByRole(AriaRole.Option)).ToContainTextAsync("Inside");
        await visit.ScreenshotAsync("offered");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();
        await page.GetByRole(AriaRole.Option).ClickAsync();

        // Another company: the contact does not fit any more, and the date is nobody's concern.
        await ChooseAsync(page, "company", second);
        await Expect(page.Field("x_city")).ToContainTextAsync("ROME");
        await page.Command("Save").ClickAsync();
        await Expect(page.Field("contact").Locator(".field-error")).ToContainTextAsync("Contact cannot be this record here (rule “Own contacts”).");
        await visit.ScreenshotAsync("refused");
        await ChooseAsync(page, "contact", "Outside");
        await page.Command("Save").ClickAsync();
        await page.WaitForURLAsync(RecordForms.RecordUrl("opportunity"));
        await Expect(page.Field("x_city")).ToContainTextAsync("ROME");
    });

    private static async Task ChooseAsync(IPage page, string field, string name)
    {
        await page.Input(field).FillAsync(name);
        await page.GetByRole(AriaRole.Option, new() { Name = name }).ClickAsync();
        await Expect(page.Input(field)).ToHaveValueAsync(new Regex(name, RegexOptions.None, TimeSpan.FromSeconds(1)));
    }
}
