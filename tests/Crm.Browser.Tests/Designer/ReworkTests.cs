using Crm.Browser.Tests.Forms;
using Crm.Browser.Tests.Harness;
using Crm.Browser.Tests.Shell;
using Crm.Sdk;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Crm.Browser.Tests.Designer;

[Collection(Harness.Browser.Second)]
public sealed class ReworkTests(Harness.Browser browser, EmptyCrm shared) : OneCrm(shared)
{
    [Theory]
    [InlineData("1440")]
    [InlineData("390")]
    public Task A_field_of_the_customers_gets_another_name_and_another_type(string screen) => browser.VisitAsync(Crm, SignInTests.Of(screen), async visit =>
    {
        var (page, label, name, renamed) = (visit.Page, "Seats " + screen, "x_seats_" + screen, "x_places_" + screen);
        var editor = page.GetByRole(AriaRole.Dialog);
        await visit.OpenAsync("/admin/designer/company");
        await page.GetByRole(AriaRole.Button, new() { Name = "Add field" }).ClickAsync();
        await editor.GetByLabel("Label").FillAsync(label);
        await editor.GetByRole(AriaRole.Button, new() { Name = "Done" }).ClickAsync();
        await page.ApplyAsync();
        await page.ToastAsync("Company was changed.");
        var good = await Crm.CreateAsync("company", ("name", "Good"), (name, " 12 "));
        var bad = await Crm.CreateAsync("company", ("name", "Bad"), (name, "a dozen"));

        var worse = await Crm.CreateAsync("company", ("name", "Worse"), (name, "many"));
        var worst = await Crm.CreateAsync("company", ("name", "Worst"), (name, "many"));

        // A field of a module keeps its name and its type.
        await page.GetByRole(AriaRole.Button, new() { Name = "Edit the field Website" }).ClickAsync();
        await Expect(editor.GetByLabel("Type")).ToBeDisabledAsync();
        await Expect(editor.GetByLabel("Name", new() { Exact = true })).ToBeDisabledAsync();
        await editor.GetByRole(AriaRole.Button, new() { Name = "Done" }).ClickAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Edit the field " + label }).ClickAsync();
        await Expect(editor.GetByLabel("Type").Locator("option[value=lookup]")).ToHaveCountAsync(0);
        await editor.GetByLabel("Type").SelectOptionAsync("integer");
        await editor.GetByLabel("Name", new() { Exact = true }).FillAsync(renamed);
        await visit.ScreenshotAsync("field");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();
        await editor.GetByRole(AriaRole.Button, new() { Name = "Done" }).ClickAsync();
        await Expect(page.Locator(".designer-pending li")).ToHaveCountAsync(2);
        await Expect(page.Locator(".designer-pending")).ToContainTextAsync($"Change the type of {label} from Text to Whole number");
        await Expect(page.Locator(".designer-pending")).ToContainTextAsync($"Rename {name} to {renamed}");

        // What cannot be converted is named before anything happens.
        await page.GetByRole(AriaRole.Button, new() { Name = "Review plan" }).ClickAsync();
        await Expect(page.Locator(".page .alert-danger")).ToContainTextAsync("a dozen");
        await Expect(page.Locator("tr", new() { HasText = "many" }).Locator("td").Last).ToHaveTextAsync("2");
        await visit.ScreenshotAsync("refused");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();
        await Crm.Records().SaveAsync(RecordChange.Delete("company", worse.Id));
        await Crm.Records().SaveAsync(RecordChange.Delete("company", worst.Id));
        var corrected = await Crm.Records().SaveAsync(RecordChange.Update("company", bad.Id, new Dictionary<string, object?>(StringComparer.Ordinal) { [name] = "13" }, bad.Version));
        Assert.True(corrected.Succeeded);

        await page.GetByRole(AriaRole.Button, new() { Name = "Review plan" }).ClickAsync();
        await Expect(editor).ToContainTextAsync(renamed);
        await visit.ScreenshotAsync("plan");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();
        await editor.GetByRole(AriaRole.Button, new() { Name = "Apply" }).ClickAsync();
        await Expect(page.Locator(".designer-pending")).ToHaveCountAsync(0);
        await visit.OpenFormAsync($"/e/company/{good.Id}");
        await Expect(page.Input(renamed)).ToHaveValueAsync("12");
        Assert.Equal(13L, (await Crm.ReadAsync(bad))[renamed]);
    });

    [Theory]
    [InlineData("1440")]
    [InlineData("390")]
    public Task Two_tags_become_one_and_an_index_is_asked_for(string screen) => browser.VisitAsync(Crm, SignInTests.Of(screen), async visit =>
    {
        var (page, tags, rank) = (visit.Page, "Labels " + screen, "Rank " + screen);
        var editor = page.GetByRole(AriaRole.Dialog);
        await visit.OpenAsync("/admin/designer/company");
        foreach (var (label, type) in new[] { (tags, "tags"), (rank, "integer") })
        {
            await page.GetByRole(AriaRole.Button, new() { Name = "Add field" }).ClickAsync();
            await editor.GetByLabel("Label").FillAsync(label);
            await editor.GetByLabel("Type").SelectOptionAsync(type);
            await editor.GetByRole(AriaRole.Button, new() { Name = "Done" }).ClickAsync();
        }

        await page.ApplyAsync();
        await page.ToastAsync("Company was changed.");
        var company = await Crm.CreateAsync("company", ("name", "Tagged"), ("x_labels_" + screen, "prio, new"));

        await page.GetByRole(AriaRole.Button, new() { Name = "Edit the field " + tags }).ClickAsync();
        await editor.GetByLabel("This one goes").FillAsync("prio");
        await editor.GetByLabel("This one stays").FillAsync("urgent");
        await editor.GetByRole(AriaRole.Button, new() { Name = "Merge", Exact = true }).ClickAsync();
        await Expect(editor).ToContainTextAsync("prio becomes urgent");
        await visit.ScreenshotAsync("merge");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();
        await editor.GetByRole(AriaRole.Button, new() { Name = "Done" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Edit the field " + rank }).ClickAsync();
        await editor.GetByLabel("Lists are often filtered or sorted by it (index)").CheckAsync();
        await editor.GetByRole(AriaRole.Button, new() { Name = "Done" }).ClickAsync();
        await Expect(page.Locator(".designer-pending")).ToContainTextAsync("Merge prio into urgent in " + tags);

        await page.GetByRole(AriaRole.Button, new() { Name = "Review plan" }).ClickAsync();
        await visit.ScreenshotAsync("merge-plan");
        await visit.CheckAccessibilityAsync();
        await Expect(editor.GetByRole(AriaRole.Button, new() { Name = "Apply" })).ToBeDisabledAsync();
        await editor.Locator("#confirm-prio").FillAsync("prio");
        await editor.GetByRole(AriaRole.Button, new() { Name = "Apply" }).ClickAsync();
        await Expect(page.Locator(".designer-pending")).ToHaveCountAsync(0);
        Assert.Equal(["urgent", "new"], ((System.Collections.Immutable.ImmutableArray<string>)(await Crm.ReadAsync(company))["x_labels_" + screen]!).AsEnumerable());
    });

    [Fact]
    public Task A_stage_becomes_two_and_a_field_gets_kinds_of_its_own() => browser.VisitAsync(Crm, Screen.Phone, async visit =>
    {
        var page = visit.Page;
        var editor = page.GetByRole(AriaRole.Dialog);
        var small = await Crm.CreateAsync("opportunity", ("title", "Small"), ("budget", 5));
        var big = await Crm.CreateAsync("opportunity", ("title", "Big"), ("budget", 5000));
        await visit.OpenAsync("/admin/designer/opportunity");
        await page.GetByRole(AriaRole.Button, new() { Name = "Edit the field Stage" }).ClickAsync();
        await editor.GetByLabel("Stage to split").SelectOptionAsync(new SelectOptionValue { Index = 1 });
        await editor.GetByLabel("New stage", new() { Exact = true }).FillAsync("Board decides");
        await editor.GetByLabel("Records that go to the new stage", new() { Exact = true }).FillAsync("budget > 1000");
        await Expect(editor.Locator(".expression-preview")).ToContainTextAsync("For “Big”: Yes");
        await visit.ScreenshotAsync("split");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();
        await editor.GetByRole(AriaRole.Button, new() { Name = "Split", Exact = true }).ClickAsync();
        await Expect(editor).ToContainTextAsync("the new stage is Board decides");
        await editor.GetByRole(AriaRole.Button, new() { Name = "Done" }).ClickAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Add field" }).ClickAsync();
        await editor.GetByLabel("Label").FillAsync("Numbers");
        await editor.GetByLabel("Type").SelectOptionAsync("phones");
        await editor.GetByLabel("Kind 1").FillAsync("Night porter");
        await visit.ScreenshotAsync("kinds");
        await visit.CheckAccessibilityAsync();
        await editor.GetByRole(AriaRole.Button, new() { Name = "Done" }).ClickAsync();
        await page.ApplyAsync();
        await page.ToastAsync("Opportunity was changed.");

        Assert.Equal(("board_decides", small["stage"]), ((await Crm.ReadAsync(big))["stage"], (await Crm.ReadAsync(small))["stage"]));
        Assert.Equal(new ChoiceDefinition("mobile", "Night porter"), Crm.Metadata.Current.Entity("opportunity").Field("x_numbers").Choices[0]);
    });
}
