using System.Text.Json;
using Crm.Browser.Tests.Harness;
using Crm.Browser.Tests.Shell;
using Crm.Sdk;
using Crm.Sdk.Testing;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Crm.Browser.Tests.Forms;

/// <summary>Editors and display of the kinds of fields that are more than a text.</summary>
[Collection(Harness.Browser.Second)]
public sealed class FieldTypeTests(Harness.Browser browser, FieldTypeTests.Visits visits) : IClassFixture<FieldTypeTests.Visits>
{
    private const string Dot = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

    [Fact]
    public Task PLT_31_Every_kind_of_field_is_filled_in_saved_and_shown() => browser.VisitAsync(visits.Crm, Screen.Desktop, async visit =>
    {
        var page = visit.Page;
        await visit.OpenFormAsync("/e/x_visit/new");
        await page.Input("name").FillAsync("First visit");

        // The separator comes by itself, while four digits are typed and when fewer are left.
        await page.Input("at").PressSequentiallyAsync("0930");
        await Expect(page.Input("at")).ToHaveValueAsync("09:30");
        await page.Input("at").FillAsync("");
        await page.Input("at").PressSequentiallyAsync("930");
        await page.Input("at").PressAsync("Tab");
        await Expect(page.Input("at")).ToHaveValueAsync("09:30");
        await page.Input("takes").FillAsync("90");
        await page.Input("takes").PressAsync("Tab");
        await Expect(page.Input("takes")).ToHaveValueAsync("1:30");

        await page.Field("stars").Locator("button, [role=button], [role=radio], a").Nth(4).ClickAsync();
        await page.Input("shade").FillAsync("36c");
        await page.Input("shade").PressAsync("Tab");
        await Expect(page.Input("shade")).ToHaveValueAsync("#3366cc");

        var body = page.Field("body").Locator("[contenteditable]");
        await body.ClickAsync();
        await page.Keyboard.TypeAsync("bold");
        await page.Keyboard.PressAsync("Control+a");
        await page.Keyboard.PressAsync("Control+b");
        await Expect(body.Locator("b, strong, span[style*=bold]")).ToHaveTextAsync("bold");

        await page.Input("words").FillAsync("VIP");
        await page.Input("words").PressAsync("Enter");
        await Expect(page.Field("words").Locator(".chip")).ToHaveCountAsync(1);
        await page.Input("words").PressSequentiallyAsync("press,gone,");
        await Expect(page.Field("words").Locator(".chip")).ToHaveCountAsync(3);
        await page.Field("words").GetByRole(AriaRole.Button, new() { Name = "Remove the tag gone" }).ClickAsync();
        await Expect(page.Field("words").Locator(".chip")).ToHaveCountAsync(2);

        await page.Input("place").FillAsync("Main St 1");
        await page.Field("place").GetByLabel("City").FillAsync("Berlin");
        await page.Field("place").GetByLabel("Country").FillAsync("de");
        await page.Input("spot").FillAsync("52.520008, 13.404954");
        await page.Input("spot").PressAsync("Tab");
        await Expect(page.Field("spot").GetByLabel("Longitude")).ToHaveValueAsync("13.404954");
        await page.Input("raw").FillAsync("{\"seats\": 4}");
        await visit.ScreenshotAsync("filled");
        await visit.CheckAccessibilityAsync();

        await page.Command("Save").ClickAsync();
        await page.WaitForURLAsync(RecordForms.RecordUrl("x_visit"));
        await Expect(page.Locator(".record-form[data-ready]")).ToBeVisibleAsync();
        await Expect(page.Field("body").Locator("[contenteditable] strong")).ToHaveTextAsync("bold");
        await visit.ScreenshotAsync("saved");
        await visit.CheckAccessibilityAsync();

        var stored = await visits.Crm.ReadAsync(new Sdk.Record("x_visit", Guid.Parse(new Uri(page.Url).Segments[^1]), 1, new Dictionary<string, object?>()));
        Assert.Equal(new TimeOnly(9, 30), stored["at"]);
        Assert.Equal(5400L, stored["takes"]);
        Assert.Equal(4L, stored["stars"]);
        Assert.Equal("#3366cc", stored["shade"]);
        Assert.Contains("<strong>bold</strong>", (string?)stored["body"], StringComparison.Ordinal);
        Assert.True(Fields.Tags.AreEqual(System.Collections.Immutable.ImmutableArray.Create("VIP", "press"), stored["words"]));
        Assert.Equal(new Address("Main St 1", null, "Berlin", null, "DE"), stored["place"]);
        Assert.Equal(new GeoPoint(52.520008m, 13.404954m), stored["spot"]);
        Assert.True(Fields.Json.AreEqual("{\"seats\":4}", stored["raw"]));
    });

    [Theory]
    [InlineData("1440")]
    [InlineData("390")]
    [InlineData("1440-dark")]
    [InlineData("390-dark")]
    public Task Every_kind_of_field_fits_the_screen_and_can_be_used_by_everybody(string screen) => browser.VisitAsync(visits.Crm, SignInTests.Of(screen), async visit =>
    {
        await visit.OpenFormAsync($"/e/x_visit/{visits.Sample}");
        await Expect(visit.Page.Field("body").Locator("[contenteditable] strong")).ToHaveTextAsync("bold");
        await visit.ScreenshotAsync("edit");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();

        await visit.OpenAsync("/e/x_visit?view=all");
        await Expect(visit.Page.Locator("tr[data-row]").First).ToBeVisibleAsync();
        await visit.ScreenshotAsync("list");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();
    });

    [Fact]
    public Task A_colour_is_picked_and_what_cannot_be_read_stays_with_its_error() => browser.VisitAsync(visits.Crm, Screen.Desktop, async visit =>
    {
        var page = visit.Page;
        await visit.OpenFormAsync("/e/x_visit/new");
        await page.Input("at").FillAsync("late");
        await page.Input("takes").FillAsync("long");
        await page.Input("raw").FillAsync("{");
        await page.Input("spot").FillAsync("100");
        await page.Input("name").ClickAsync();
        await Expect(page.Field("at").Locator(".field-error")).ToContainTextAsync("09:30 or 930");
        await Expect(page.Field("takes").Locator(".field-error")).ToContainTextAsync("90 min");
        await Expect(page.Field("raw").Locator(".field-error")).ToContainTextAsync("JSON");
        // A latitude alone is not wrong yet.
        await Expect(page.Field("spot").Locator(".field-error")).ToHaveCountAsync(0);

        await page.Field("shade").GetByRole(AriaRole.Button, new() { Name = "Pick Shade" }).ClickAsync();
        await Expect(page.Locator(".rz-colorpicker-popup:visible")).ToBeVisibleAsync();
        await visit.ScreenshotAsync("picker");
        await visit.CheckAccessibilityAsync();
        await page.Locator(".rz-colorpicker-popup:visible .rz-colorpicker-item").Nth(5).ClickAsync();
        await Expect(page.Input("shade")).ToHaveValueAsync("#0433ff");
    });

    [Fact]
    public Task CON_45_A_file_and_a_picture_are_uploaded_with_a_record() => browser.VisitAsync(visits.Crm, Screen.Desktop, async visit =>
    {
        var page = visit.Page;
        await visit.OpenFormAsync("/e/x_visit/new");
        await page.Input("name").FillAsync("With files");
        await page.Input("paper").SetInputFilesAsync(new FilePayload { Name = "offer.txt", MimeType = "text/plain", Buffer = "An offer."u8.ToArray() });
        await Expect(page.Field("paper")).ToContainTextAsync("offer.txt");
        await page.Input("photo").SetInputFilesAsync(new FilePayload { Name = "no.png", MimeType = "image/png", Buffer = "no picture"u8.ToArray() });
        await Expect(page.Field("photo").Locator(".field-error")).ToContainTextAsync("PNG, JPEG");
        await page.Input("photo").SetInputFilesAsync(new FilePayload { Name = "dot.png", MimeType = "image/png", Buffer = Convert.FromBase64String(Dot) });
        await Expect(page.Field("photo")).ToContainTextAsync("dot.png");
        await page.Field("about").GetByRole(AriaRole.Combobox, new() { Name = "Kind of About" }).SelectOptionAsync("x_visit");
        await page.Input("about").FillAsync("Sample");
        await page.Field("about").GetByRole(AriaRole.Option, new() { Name = "Sample" }).ClickAsync();
        await page.Input("above").FillAsync("Sample");
        await page.Field("above").GetByRole(AriaRole.Option, new() { Name = "Sample" }).ClickAsync();
        await page.Command("Save").ClickAsync();
        await page.WaitForURLAsync(RecordForms.RecordUrl("x_visit"));
        await Expect(page.Field("photo").GetByAltText("dot.png")).ToBeVisibleAsync();
        Assert.True(await page.Field("photo").GetByAltText("dot.png").EvaluateAsync<bool>("async image => { await image.decode(); return image.naturalWidth > 0; }"));
        await Expect(page.Field("paper").GetByRole(AriaRole.Link, new() { Name = "offer.txt" })).ToBeVisibleAsync();
        await page.Input("photo").ScrollIntoViewIfNeededAsync();
        await visit.ScreenshotAsync("files");
        await visit.CheckAccessibilityAsync();

        var stored = await visits.Crm.ReadAsync(new Sdk.Record("x_visit", Guid.Parse(new Uri(page.Url).Segments[^1]), 1, new Dictionary<string, object?>()));
        Assert.Equal("offer.txt", (stored["paper"] as FileValue)?.Name);
        Assert.Equal(new RecordRef("x_visit", visits.Sample), stored["about"]);
        Assert.Equal(visits.Sample, stored["above"]);
    });

    /// <summary>A CRM with an entity that has a field of each kind.</summary>
    public sealed class Visits : IAsyncLifetime
    {
        private TestCrm? crm;

        public TestCrm Crm => crm ?? throw new InvalidOperationException("The CRM is not running.");

        public Guid Sample { get; private set; }

        public async Task InitializeAsync()
        {
            crm = await TestCrm.StartAsync();
            string[] kinds = ["at:time", "takes:duration", "stars:rating", "shade:colour", "spot:geolocation", "helper:user", "place:address", "words:tags", "body:rich_text", "raw:json", "crew:team", "above:hierarchy", "about:any_lookup", "paper:file", "photo:image"];
            var fields = kinds.Select(k => k.Split(':')).Select(k => new { name = k[0], type = k[1], label = Names.ToLabel(k[0]) }).Prepend(new { name = "name", type = "text", label = "Name" });
            await crm.ChangeAsync(JsonSerializer.Serialize(new { change = "create_entity", name = "x_visit", label = "Visit", plural = "Visits", set = "x_visits", fields }));
            var record = await crm.CreateAsync(
                "x_visit",
                ("name", "Sample"), ("at", "14:15"), ("takes", 5400L), ("stars", 3L), ("shade", "#c33"), ("spot", "52.52, 13.405"), ("helper", Actor.System.UserId),
                ("place", new Address("Main St 1\nBack door", "10115", "Berlin", null, "DE")), ("words", "VIP, press kit"),
                ("body", "<p>Plain and <b>bold</b></p><ul><li>one</li><li>two</li></ul><p><a href=\"https://example.com\">a link</a></p>"), ("raw", "{\"seats\":4}"));
            Sample = record.Id;
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
