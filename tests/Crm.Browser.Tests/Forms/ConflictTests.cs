using Crm.Browser.Tests.Harness;
using Crm.Sdk;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Crm.Browser.Tests.Forms;

/// <summary>Two people, or one with two windows, on the same records.</summary>
[Collection(Harness.Browser.Second)]
public sealed class ConflictTests(Harness.Browser browser, SampleCrm sample) : IClassFixture<SampleCrm>
{
    [Fact]
    public Task From_the_list_to_an_edit_that_meets_that_of_a_second_tab() => browser.VisitAsync(sample.Crm, Screen.Desktop, async visit =>
    {
        var record = await sample.Crm.CreateAsync("opportunity", ("title", "Disputed deal"), ("budget", 1000m), ("description", "As it was."));
        await visit.OpenAsync("/e/opportunity?search=disputed");
        await visit.Page.Locator("a[data-open]").First.ClickAsync();
        await Expect(visit.Page.Locator(".record-form[data-ready]")).ToBeVisibleAsync();
        await visit.Page.Input("budget").FillAsync("2,000");
        await visit.Page.Input("title").FillAsync("Deal of mine");

        var other = await visit.Page.Context.NewPageAsync();
        await other.GotoAsync($"/e/opportunity/{record.Id}");
        await Expect(other.Locator(".record-form[data-ready]")).ToBeVisibleAsync();
        await other.Input("title").FillAsync("Deal of the other tab");
        await other.Input("description").FillAsync("Of the other tab.");
        await other.Command("Save").ClickAsync();
        await other.ToastAsync("was saved");

        await Expect(visit.Page.Input("description")).ToHaveValueAsync("Of the other tab.");
        await Expect(visit.Page.Input("title")).ToHaveValueAsync("Deal of mine");
        var dispute = visit.Page.Field("title").Locator(".field-dispute");
        await Expect(dispute).ToContainTextAsync("Deal of the other tab");
        await Expect(visit.Page.Locator(".field-dispute")).ToHaveCountAsync(1);
        await visit.Page.Command("Save").ClickAsync();
        await Expect(visit.Page.Field("title")).ToContainTextAsync("Choose first whose value counts.");
        await visit.ScreenshotAsync("dispute");
        await visit.CheckAccessibilityAsync();
        Assert.Equal("Deal of the other tab", (await sample.Crm.ReadAsync(record))["title"]);

        await dispute.GetByRole(AriaRole.Button, new() { Name = "Keep mine" }).ClickAsync();
        await Expect(dispute).ToHaveCountAsync(0);
        await visit.Page.Command("Save").ClickAsync();
        await visit.Page.ToastAsync("“Deal of mine” was saved.");

        var stored = await sample.Crm.ReadAsync(record);
        Assert.Equal("Deal of mine", stored["title"]);
        Assert.Equal("Of the other tab.", stored["description"]);
        Assert.Equal(new Money(2000m, "EUR"), stored["budget"]);
    });

    [Fact]
    public Task Taking_theirs_drops_only_what_was_in_dispute() => browser.VisitAsync(sample.Crm, Screen.Phone, async visit =>
    {
        var record = await sample.Crm.CreateAsync("company", ("name", "Disputed company"));
        await visit.OpenFormAsync($"/e/company/{record.Id}");
        await visit.Page.Input("name").FillAsync("Mine");
        await visit.Page.Input("city").FillAsync("Berlin");
        await sample.Crm.Records().SaveAsync(RecordChange.Update("company", record.Id, new Dictionary<string, object?> { ["name"] = "Theirs" }));
        var dispute = visit.Page.Field("name").Locator(".field-dispute");
        await Expect(dispute).ToContainTextAsync("Theirs");
        await visit.ScreenshotAsync("dispute");
        await visit.CheckWidthAsync();
        await dispute.GetByRole(AriaRole.Button, new() { Name = "Take theirs" }).ClickAsync();
        await Expect(visit.Page.Input("name")).ToHaveValueAsync("Theirs");
        await visit.Page.Command("Save").ClickAsync();
        await visit.Page.ToastAsync("“Theirs” was saved.");
        var stored = await sample.Crm.ReadAsync(record);
        Assert.Equal(("Theirs", "Berlin"), (stored["name"], stored["city"]));
    });

    [Fact]
    public Task Two_people_see_what_the_other_does_in_a_list_and_in_a_form() => browser.VisitAsync(sample.Crm, Screen.Desktop, async visit =>
    {
        const string Password = "a quiet river in march";
        var user = await sample.Crm.CreateUserAsync("Kim Lee", "kim", Password);
        var record = await sample.Crm.CreateAsync("company", ("name", "Livewire Ltd"), ("owner", user.Id));
        await visit.OpenFormAsync($"/e/company/{record.Id}");

        await browser.VisitAsStrangerAsync(sample.Crm, Screen.Desktop, async kim =>
        {
            await kim.SignInAsync("kim", Password);
            await kim.OpenAsync("/e/company?search=livewire");
            var rows = kim.Page.Locator("tr[data-row]");
            await Expect(rows).ToHaveCountAsync(1);
            await rows.First.Locator("input[data-select]").CheckAsync();
            await visit.Page.Input("name").FillAsync("Livewire Renamed");
            await visit.Page.Command("Save").ClickAsync();
            await Expect(rows.First).ToContainTextAsync("Livewire Renamed");
            await Expect(rows.First.Locator("input[data-select]")).ToBeCheckedAsync();
            await sample.Crm.CreateAsync("company", ("name", "Livewire of Kim"), ("owner", user.Id));
            await sample.Crm.CreateAsync("company", ("name", "Livewire of others"));
            await Expect(rows).ToHaveCountAsync(2);
            await Expect(kim.Page.Locator("[data-selected-count]").First).ToHaveTextAsync("1");
            await kim.ScreenshotAsync("list");
            await kim.CheckAccessibilityAsync();

            await kim.OpenFormAsync($"/e/company/{record.Id}");
            await Expect(visit.Page.Locator(".presence")).ToContainTextAsync("Kim Lee is also here");
            await visit.Page.Input("name").FillAsync("Livewire mine");
            await kim.Page.Input("name").FillAsync("Livewire of Kim Lee");
            await visit.Page.Input("name").BlurAsync();
            await Expect(kim.Page.Locator(".presence")).ToContainTextAsync("is editing");
            await kim.Page.Input("city").FillAsync("Potsdam");
            await kim.Page.Command("Save").ClickAsync();
            await Expect(visit.Page.Input("city")).ToHaveValueAsync("Potsdam");
            await Expect(visit.Page.Locator(".form-news")).ToContainTextAsync("Kim Lee changed");
            await Expect(visit.Page.Locator(".field-dispute")).ToContainTextAsync("Kim Lee changed this to Livewire of Kim Lee");
            await visit.ScreenshotAsync("form");
            await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Keep mine" }).ClickAsync();
            await visit.Page.Command("Save").ClickAsync();
            await Expect(kim.Page.Input("name")).ToHaveValueAsync("Livewire mine");

            await sample.Crm.Records().SaveAsync(RecordChange.Delete("company", record.Id));
            await Expect(kim.Page.GetByText("This record was deleted meanwhile")).ToBeVisibleAsync();
            await Expect(kim.Page.Locator(".record-actions")).ToHaveCountAsync(0);
            await Expect(kim.Page.Locator(".presence")).ToHaveCountAsync(0);
        });
    });
}
