using Crm.Sdk;
using Crm.Sdk.Testing;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Crm.Browser.Tests.Forms;

/// <summary>The editor of several phone numbers and addresses.</summary>
[Collection(Harness.Browser.Second)]
public sealed class SeveralValuesTests(Harness.Browser browser, SeveralValuesTests.People people) : IClassFixture<SeveralValuesTests.People>
{
    [Theory]
    [InlineData("1440")]
    [InlineData("390-dark")]
    public Task CON_04_Several_phone_numbers_are_typed_with_the_keyboard_saved_and_shown(string screen) => browser.VisitAsync(people.Crm, Shell.SignInTests.Of(screen), async visit =>
    {
        var page = visit.Page;
        await visit.OpenFormAsync("/e/x_person/new");
        await page.Input("name").FillAsync("Anna");
        await visit.CheckAccessibilityAsync();

        await page.Input("phones").PressAsync("Enter");
        await Expect(Value(page, 0)).ToBeFocusedAsync();
        await page.Keyboard.TypeAsync("030 901820");
        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.PressAsync("Enter");
        await Expect(Value(page, 1)).ToBeFocusedAsync();
        await page.Keyboard.TypeAsync("no number");
        await page.Keyboard.PressAsync("Tab");
        await Expect(page.Field("phones").Locator(".field-error")).ToContainTextAsync("Row 2");
        await Expect(Value(page, 1)).ToHaveValueAsync("no number");
        await Value(page, 1).FillAsync("0171 1234567");
        await Value(page, 1).PressAsync("Tab");
        await Kind(page, 0).SelectOptionAsync("work");
        await Kind(page, 1).SelectOptionAsync("mobile");
        await Expect(page.Field("phones").Locator(".field-error")).ToHaveCountAsync(0);

        await page.Field("phones").GetByRole(AriaRole.Button, new() { Name = "Add to Phones" }).ClickAsync();
        await Value(page, 2).FillAsync("110");
        await page.Field("phones").GetByRole(AriaRole.Button, new() { Name = "Remove row 3 of Phones" }).ClickAsync();
        await Expect(page.Field("phones").Locator(".several-row")).ToHaveCountAsync(2);
        await Expect(page.Field("phones").GetByRole(AriaRole.Button, new() { Name = "Add to Phones" })).ToBeFocusedAsync();
        await visit.ScreenshotAsync("rows");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();

        await page.Command("Save").ClickAsync();
        await page.WaitForURLAsync(RecordForms.RecordUrl("x_person"));
        await Expect(page.Locator(".record-form[data-ready]")).ToBeVisibleAsync();
        await Expect(Value(page, 1)).ToHaveValueAsync("0171 1234567");
        var stored = await people.Crm.ReadAsync(new Sdk.Record("x_person", Guid.Parse(new Uri(page.Url).Segments[^1]), 1, new Dictionary<string, object?>()));
        Assert.True(Fields.Phones.AreEqual(System.Collections.Immutable.ImmutableArray.Create(new KindValue("work", "030 901820"), new KindValue("mobile", "0171 1234567")), stored["phones"]));

        await visit.OpenAsync("/e/x_person?view=all&search=" + Uri.EscapeDataString("+49 171 1234567"));
        await Expect(visit.Page.Locator("tr[data-row]").First).ToContainTextAsync("030 901820 +1");
        await visit.ScreenshotAsync("list");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();
    });

    private static ILocator Value(IPage page, int row) => page.Field("phones").Locator($"[data-part='{row}.value']");

    private static ILocator Kind(IPage page, int row) => page.Field("phones").Locator($"[data-part='{row}.kind']");

    /// <summary>A CRM with people who have several phone numbers and addresses.</summary>
    public sealed class People : IAsyncLifetime
    {
        private TestCrm? crm;

        public TestCrm Crm => crm ?? throw new InvalidOperationException("The CRM is not running.");

        public async Task InitializeAsync()
        {
            crm = await TestCrm.StartAsync();
            await crm.ChangeAsync(
                """
                {"change":"create_entity","name":"x_person","label":"Person","plural":"People","set":"x_people","search":["name","phones"],"fields":[
                  {"name":"name","type":"text","label":"Name"},{"name":"phones","type":"phones","label":"Phones","country":"DE"},
                  {"name":"emails","type":"emails","label":"E-mails"},{"name":"links","type":"urls","label":"Web"}]}
                """);
        }

        public async Task DisposeAsync()
        {
            if (crm is not null)
            {
                await crm.DisposeAsync();
            }
        }
    }
}
