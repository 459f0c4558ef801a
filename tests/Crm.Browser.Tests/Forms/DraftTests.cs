using Crm.Browser.Tests.Harness;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Crm.Browser.Tests.Forms;

/// <summary>What was typed is never lost.</summary>
[Collection(Harness.Browser.Second)]
public sealed class DraftTests(Harness.Browser browser, EmptyCrm shared) : OneCrm(shared)
{
    [Fact]
    public Task What_is_typed_while_the_connection_is_cut_is_saved_after_it_came_back() => browser.VisitAsync(Crm, Screen.Desktop, async visit =>
    {
        await visit.HoldConnectionAsync();
        await visit.OpenFormAsync("/e/company/new");
        await visit.Page.Input("name").FillAsync("Typed before");
        await visit.CutConnectionAsync();
        await Expect(visit.Page.Locator("#components-reconnect-modal [data-state=show]")).ToBeVisibleAsync();
        // The notice covers nothing a user needs to go on typing.
        await visit.Page.Input("city").FillAsync("Typed while cut", new() { Force = true });
        await visit.Page.Input("street").FillAsync("and left", new() { Force = true });
        visit.MendConnection();
        await Expect(visit.Page.Locator("#components-reconnect-modal [data-state=show]")).ToBeHiddenAsync();
        await visit.Page.Command("Save").ClickAsync();
        await visit.Page.ToastAsync("“Typed before” was saved.");
        await Expect(visit.Page.Input("city")).ToHaveValueAsync("Typed while cut");
        await Expect(visit.Page.Input("street")).ToHaveValueAsync("and left");
        // The Blazor script reports the cut itself.
        visit.Complaints.Clear();
    });

    [Fact]
    public Task What_was_typed_survives_a_restart_of_the_host_and_can_be_discarded() => browser.VisitAsync(Crm, Screen.Desktop, async visit =>
    {
        var record = await Crm.CreateAsync("company", ("name", "Before the restart"));
        await visit.OpenFormAsync($"/e/company/{record.Id}");
        await visit.Page.Input("city").FillAsync("Typed and left");
        await visit.Page.Input("employees").FillAsync("many");
        await visit.Page.Input("description").PressSequentiallyAsync("Still being typed");
        await Crm.RestartAsync();

        var restored = visit.Page.GetByText("What you typed before was restored.");
        await Expect(restored).ToBeVisibleAsync(new() { Timeout = 60_000 });
        await Expect(visit.Page.Input("city")).ToHaveValueAsync("Typed and left");
        await Expect(visit.Page.Input("employees")).ToHaveValueAsync("many");
        await Expect(visit.Page.Input("description")).ToHaveValueAsync("Still being typed");
        await visit.ScreenshotAsync("restored");
        await visit.CheckAccessibilityAsync();

        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Discard" }).ClickAsync();
        await Expect(restored).ToHaveCountAsync(0);
        await Expect(visit.Page.Input("city")).ToHaveValueAsync("");
        await visit.OpenFormAsync($"/e/company/{record.Id}");
        await Expect(visit.Page.Input("description")).ToHaveValueAsync("");
        visit.Complaints.Clear();
    });

    [Fact]
    public Task A_draft_of_a_record_that_somebody_changed_meanwhile_asks_before_it_overwrites() => browser.VisitAsync(Crm, Screen.Desktop, async visit =>
    {
        var record = await Crm.CreateAsync("company", ("name", "Drafted"));
        await visit.OpenFormAsync($"/e/company/{record.Id}");
        await visit.Page.Input("name").FillAsync("Drafted by me");
        await Crm.Records().SaveAsync(Sdk.RecordChange.Update("company", record.Id, new Dictionary<string, object?> { ["name"] = "Drafted by them" }));
        await Crm.RestartAsync();
        await Expect(visit.Page.Locator(".conflict")).ToContainTextAsync("Drafted by me", new() { Timeout = 60_000 });
        await Expect(visit.Page.Locator(".conflict")).ToContainTextAsync("Drafted by them");
        Assert.Equal("Drafted by them", (await Crm.ReadAsync(record))["name"]);
        await visit.ScreenshotAsync("conflict");
        await visit.CheckAccessibilityAsync();

        var save = visit.Page.GetByRole(AriaRole.Button, new() { Name = "Save the chosen values" });
        await Expect(save).ToBeDisabledAsync();
        await visit.Page.GetByRole(AriaRole.Radio, new() { Name = "Keep mine" }).CheckAsync();
        await save.ClickAsync();
        await visit.Page.ToastAsync("“Drafted by me” was saved.");
        Assert.Equal("Drafted by me", (await Crm.ReadAsync(record))["name"]);
        visit.Complaints.Clear();
    });
}
