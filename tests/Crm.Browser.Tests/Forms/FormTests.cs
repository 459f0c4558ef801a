using Crm.Browser.Tests.Harness;
using Crm.Browser.Tests.Shell;
using Crm.Sdk;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Crm.Browser.Tests.Forms;

[Collection(Harness.Browser.Second)]
public sealed class FormTests(Harness.Browser browser, SampleCrm sample) : IClassFixture<SampleCrm>
{
    [Theory]
    [InlineData("1440")]
    [InlineData("390")]
    [InlineData("1440-dark")]
    [InlineData("390-dark")]
    public Task Forms_fit_the_screen_and_can_be_used_by_everybody(string screen) => browser.VisitAsync(sample.Crm, SignInTests.Of(screen), async visit =>
    {
        await visit.OpenFormAsync("/e/opportunity/new");
        await visit.ScreenshotAsync("new");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();

        var record = await sample.Crm.CreateAsync("opportunity", ("title", "Looked at on " + screen), ("budget", 1054m), ("stage", "offer"));
        await visit.OpenFormAsync($"/e/opportunity/{record.Id}");
        await visit.ScreenshotAsync("edit");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();

        await visit.Page.GetByRole(AriaRole.Tab, new() { Name = "History" }).ClickAsync();
        await Expect(visit.Page.Locator(".history li")).ToHaveCountAsync(1);
        await visit.ScreenshotAsync("history");
        await visit.CheckAccessibilityAsync();
    });

    [Fact]
    public Task PLT_10_Mandatory_fields_are_framed_in_red_on_create_and_marked_with_an_asterisk_on_edit() => browser.VisitAsync(sample.Crm, Screen.Desktop, async visit =>
    {
        const string Frame = "e => getComputedStyle(e).borderTopColor";
        const string Mark = "e => getComputedStyle(e.querySelector('label'), '::after').content";
        await visit.OpenFormAsync("/e/opportunity/new");
        var danger = await visit.Page.EvaluateAsync<string>("() => { const e = document.body.appendChild(document.createElement('i')); e.style.color = 'var(--danger)'; const c = getComputedStyle(e).color; e.remove(); return c; }");
        Assert.Equal(danger, await visit.Page.Input("title").EvaluateAsync<string>(Frame));
        Assert.NotEqual(danger, await visit.Page.Input("company").EvaluateAsync<string>(Frame));

        var record = await sample.Crm.CreateAsync("opportunity", ("title", "Marked"));
        await visit.OpenFormAsync($"/e/opportunity/{record.Id}");
        Assert.Contains("*", await visit.Page.Field("title").EvaluateAsync<string>(Mark), StringComparison.Ordinal);
        Assert.DoesNotContain("*", await visit.Page.Field("company").EvaluateAsync<string>(Mark), StringComparison.Ordinal);
    });

    [Fact]
    public Task Every_error_is_shown_at_its_field_and_the_first_one_is_focused() => browser.VisitAsync(sample.Crm, Screen.Desktop, async visit =>
    {
        await visit.OpenFormAsync("/e/opportunity/new");
        await visit.Page.Input("engage_date").FillAsync("soon");
        await visit.Page.Input("probability").FillAsync("120");
        await visit.Page.Command("Save").ClickAsync();

        await Expect(visit.Page.Field("title").Locator(".field-error")).ToContainTextAsync("required");
        await Expect(visit.Page.Field("engage_date").Locator(".field-error")).ToContainTextAsync("must be a date");
        await Expect(visit.Page.Field("probability").Locator(".field-error")).ToContainTextAsync("at most 100");
        await Expect(visit.Page.Input("title")).ToBeFocusedAsync();
        await Expect(visit.Page.Input("title")).ToHaveAttributeAsync("aria-invalid", "true");
        await Expect(visit.Page.Input("title")).ToHaveAttributeAsync("aria-describedby", "f-title-error");
        await Expect(visit.Page.Input("engage_date")).ToHaveValueAsync("soon");
        await visit.ScreenshotAsync("errors");
        await visit.CheckAccessibilityAsync();

        await visit.Page.Input("title").FillAsync("Corrected");
        await visit.Page.Input("engage_date").FillAsync("1/2/2026");
        await visit.Page.Input("probability").FillAsync("20");
        await visit.Page.Command("Save").ClickAsync();
        await visit.Page.ToastAsync("“Corrected” was saved.");
    });

    [Fact]
    public Task PLT_11_Save_stays_on_the_record_and_Save_and_Close_goes_back_to_the_list() => browser.VisitAsync(sample.Crm, Screen.Desktop, async visit =>
    {
        await visit.OpenFormAsync("/e/opportunity/new");
        await visit.Page.Input("title").FillAsync("Saved twice");
        await visit.Page.Keyboard.PressAsync("Control+s");
        await visit.Page.WaitForURLAsync(RecordForms.RecordUrl("opportunity"));
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Saved twice");

        await Expect(visit.Page.Locator(".record-form[data-ready]")).ToBeVisibleAsync();
        await visit.Page.Input("description").FillAsync("With a note.");
        await visit.Page.Command("Save & Close").ClickAsync();
        await visit.Page.WaitForURLAsync("**/e/opportunity");
        Assert.Equal(1, await sample.Crm.CountAsync("opportunity", "title", "Saved twice"));
    });

    [Fact]
    public Task PLT_12_Save_and_New_starts_another_record() => browser.VisitAsync(sample.Crm, Screen.Desktop, async visit =>
    {
        await visit.OpenFormAsync("/e/company/new");
        foreach (var name in new[] { "First of two", "Second of two" })
        {
            await visit.Page.Input("name").FillAsync(name);
            await visit.Page.Command("Save and New").ClickAsync();
            await visit.Page.ToastAsync($"“{name}” was saved.");
            await Expect(visit.Page.Input("name")).ToHaveValueAsync("");
            await Expect(visit.Page.Locator(".record-form[data-ready]")).ToBeVisibleAsync();
            Assert.Equal(1, await sample.Crm.CountAsync("company", "name", name));
        }

        Assert.EndsWith("/e/company/new", visit.Page.Url, StringComparison.Ordinal);
    });

    [Fact]
    public Task A_double_click_on_save_makes_one_record() => browser.VisitAsync(sample.Crm, Screen.Desktop, async visit =>
    {
        await visit.OpenFormAsync("/e/company/new");
        await visit.Page.Input("name").FillAsync("Only once");
        await visit.Page.Command("Save").DblClickAsync();
        await visit.Page.WaitForURLAsync(RecordForms.RecordUrl("company"));
        Assert.Equal(1, await sample.Crm.CountAsync("company", "name", "Only once"));
    });

    [Fact]
    public Task PLT_30_PLT_31_Dates_are_typed_day_first_and_times_as_bare_digits() => browser.VisitAsync(sample.Crm, Screen.Desktop, async visit =>
    {
        await visit.OpenFormAsync("/e/opportunity/new");
        await visit.Page.Input("title").FillAsync("Dated");
        await visit.Page.Input("expected_close").PressSequentiallyAsync("3/4/2026");
        await visit.Page.Keyboard.PressAsync("Tab");
        await Expect(visit.Page.Input("expected_close")).ToHaveValueAsync("03/04/2026");
        await visit.Page.Command("Save").ClickAsync();
        await visit.Page.WaitForURLAsync(RecordForms.RecordUrl("opportunity"));
        var page = await sample.Crm.Records().QueryAsync(new RecordQuery { Entity = "opportunity", Filter = Filter.Equal("title", "Dated") });
        Assert.Equal(new DateOnly(2026, 4, 3), Assert.Single(page.Records)["expected_close"]);
    });

    [Fact]
    public Task PLT_32_A_record_is_created_with_the_keyboard_alone() => browser.VisitAsync(sample.Crm, Screen.Desktop, async visit =>
    {
        await visit.OpenFormAsync("/e/opportunity/new");
        await Expect(visit.Page.Input("title")).ToBeFocusedAsync();
        await visit.Page.Keyboard.TypeAsync("By keyboard");
        await visit.Page.Keyboard.PressAsync("Tab");
        await visit.Page.Keyboard.TypeAsync("elan hot");
        await Expect(visit.Page.GetByRole(AriaRole.Option)).ToHaveCountAsync(1);
        await Expect(visit.Page.Input("company")).ToHaveAttributeAsync("aria-activedescendant", "f-company-option-0");
        await visit.Page.Keyboard.PressAsync("Enter");
        await Expect(visit.Page.Input("company")).ToHaveValueAsync("Élan Hôtels");
        await visit.Page.Keyboard.PressAsync("Control+Enter");
        await visit.Page.WaitForURLAsync("**/e/opportunity");
        Assert.Equal(1, await sample.Crm.CountAsync("opportunity", "title", "By keyboard"));
    });

    [Fact]
    public Task PLT_35_A_record_is_deactivated_activated_and_deleted() => browser.VisitAsync(sample.Crm, Screen.Desktop, async visit =>
    {
        var record = await sample.Crm.CreateAsync("company", ("name", "On and off"));
        await visit.OpenFormAsync($"/e/company/{record.Id}");
        var more = visit.Page.GetByRole(AriaRole.Button, new() { Name = "More commands" });
        await more.ClickAsync();
        await visit.Page.GetByRole(AriaRole.Menuitem, new() { Name = "Deactivate" }).ClickAsync();
        await Expect(visit.Page.Locator(".record-title .badge-warning")).ToHaveTextAsync("Inactive");
        Assert.Equal(false, (await sample.Crm.ReadAsync(record))["is_active"]);

        await more.ClickAsync();
        await visit.Page.GetByRole(AriaRole.Menuitem, new() { Name = "Activate" }).ClickAsync();
        await visit.Page.ToastAsync("“On and off” is active again.");
        Assert.Equal(true, (await sample.Crm.ReadAsync(record))["is_active"]);

        await more.ClickAsync();
        await visit.Page.GetByRole(AriaRole.Menuitem, new() { Name = "Delete" }).ClickAsync();
        await Expect(visit.Page.GetByRole(AriaRole.Dialog)).ToContainTextAsync("Delete “On and off”?");
        await visit.ScreenshotAsync("delete");
        await visit.Page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();
        await visit.Page.WaitForURLAsync("**/e/company");
        Assert.Equal(0, await sample.Crm.CountAsync("company", "name", "On and off"));
    });

    [Fact]
    public Task A_stage_is_moved_with_one_click_and_history_says_so_in_words() => browser.VisitAsync(sample.Crm, Screen.Desktop, async visit =>
    {
        var record = await sample.Crm.CreateAsync("opportunity", ("title", "Moving on"));
        await visit.OpenFormAsync($"/e/opportunity/{record.Id}");
        var offer = visit.Page.Locator(".stage-bar").GetByRole(AriaRole.Button, new() { Name = "Offer" });
        await offer.ClickAsync();
        await visit.Page.ToastAsync("“Moving on” was saved.");
        await Expect(offer).ToHaveAttributeAsync("aria-current", "step");
        Assert.Equal("offer", (await sample.Crm.ReadAsync(record))["stage"]);

        await visit.Page.GetByRole(AriaRole.Tab, new() { Name = "History" }).ClickAsync();
        await Expect(visit.Page.Locator(".history li").First).ToContainTextAsync("Administrator changed this Opportunity");
        await Expect(visit.Page.Locator(".history li").First.Locator("del").First).ToHaveTextAsync("Prospect");
        await Expect(visit.Page.Locator(".history li").First.Locator("ins").First).ToHaveTextAsync("Offer");
    });

    [Fact]
    public Task CON_18_CON_23_What_points_to_a_record_is_listed_and_a_new_one_is_prefilled() => browser.VisitAsync(sample.Crm, Screen.Desktop, async visit =>
    {
        var company = await sample.Crm.CreateAsync("company", ("name", "With relations"));
        await sample.Crm.CreateAsync("opportunity", ("title", "Its first deal"), ("company", company.Id));
        await visit.OpenFormAsync($"/e/company/{company.Id}");
        await visit.Page.GetByRole(AriaRole.Tab, new() { Name = "Related" }).ClickAsync();
        await Expect(visit.Page.GetByRole(AriaRole.Link, new() { Name = "Its first deal" })).ToBeVisibleAsync();
        await visit.ScreenshotAsync("related");
        await visit.CheckAccessibilityAsync();

        await visit.Page.GetByRole(AriaRole.Link, new() { Name = "New Opportunity" }).ClickAsync();
        await Expect(visit.Page.Input("company")).ToHaveValueAsync("With relations");
        await Expect(visit.Page.Locator(".record-form[data-ready]")).ToBeVisibleAsync();
        await visit.Page.Input("title").FillAsync("Its second deal");
        await visit.Page.Command("Save & Close").ClickAsync();
        await visit.Page.WaitForURLAsync($"**/e/company/{company.Id}");
        Assert.Equal(2, await sample.Crm.CountAsync("opportunity", "company", company.Id));
    });

    [Fact]
    public Task Leaving_with_changes_asks_and_staying_keeps_them() => browser.VisitAsync(sample.Crm, Screen.Desktop, async visit =>
    {
        await visit.OpenFormAsync("/e/company/new");
        await visit.Page.Input("name").FillAsync("Almost lost");
        await visit.Page.GetByRole(AriaRole.Link, new() { Name = "Contacts" }).ClickAsync();
        var dialog = visit.Page.GetByRole(AriaRole.Dialog);
        await Expect(dialog).ToContainTextAsync("Leave without saving?");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Cancel" }).ClickAsync();
        await Expect(visit.Page.Input("name")).ToHaveValueAsync("Almost lost");

        await visit.Page.GetByRole(AriaRole.Link, new() { Name = "Contacts" }).ClickAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Leave without saving" }).ClickAsync();
        await visit.Page.WaitForURLAsync("**/e/contact");
        await visit.OpenFormAsync("/e/company/new");
        await Expect(visit.Page.Input("name")).ToHaveValueAsync("");
    });
}
