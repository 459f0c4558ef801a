using Crm.Browser.Tests.Forms;
using Crm.Browser.Tests.Harness;
using Crm.Sdk.Testing;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Crm.Browser.Tests.Designer;

[Collection(Harness.Browser.Collection)]
public sealed class ScriptRuleTests(Harness.Browser browser) : IAsyncLifetime
{
    private TestCrm? crm;

    public async Task InitializeAsync() => crm = await TestCrm.StartAsync();

    public async Task DisposeAsync()
    {
        if (crm is not null)
        {
            await crm.DisposeAsync();
        }
    }

    [Fact]
    public Task A_script_is_written_its_mistake_found_and_a_form_refused_by_it() => browser.VisitAsync(crm!, Screen.Desktop, async visit =>
    {
        var page = visit.Page;
        var giant = Crm.Sdk.RecordChange.Create("company", new Dictionary<string, object?> { ["name"] = "Globex", ["employees"] = 5000 });
        Assert.True((await crm!.Records.SaveAsync(giant)).Succeeded);
        await visit.OpenAsync("/admin/designer/company");
        await page.GetByRole(AriaRole.Button, new() { Name = "Add rule" }).ClickAsync();
        var editor = page.GetByRole(AriaRole.Dialog);
        await editor.GetByLabel("What the rule is called").FillAsync("No giants");
        await editor.Locator("#rule-kind").SelectOptionAsync("Script");
        var script = editor.GetByLabel("Script", new() { Exact = true });
        await script.FillAsync("if (record.employees > 1000) {\n    let why = 'Too big.';\n    refuse('employees', why);\n}");
        await script.PressAsync("Tab");
        var state = editor.Locator("#rule-script-state");
        await Expect(state).ToContainTextAsync("Line 2, column 5: 'let' is not known here; write 'var'.");
        await visit.ScreenshotAsync("script-error");
        await visit.CheckAccessibilityAsync();
        await state.GetByRole(AriaRole.Button, new() { Name = "Go there" }).ClickAsync();
        await Expect(script).ToBeFocusedAsync();
        Assert.Equal(35, await script.EvaluateAsync<int>("area => area.selectionStart"));
        await page.Keyboard.PressAsync("Shift+ArrowRight");
        await page.Keyboard.PressAsync("Shift+ArrowRight");
        await page.Keyboard.PressAsync("Shift+ArrowRight");
        await page.Keyboard.TypeAsync("var");
        await script.PressAsync("Tab");
        await Expect(state).ToContainTextAsync("The script can be read.");
        await editor.GetByRole(AriaRole.Button, new() { Name = "Try on recent records" }).ClickAsync();
        await Expect(editor.GetByText("it would change 0, refuse 1 and fail in 0")).ToBeVisibleAsync();
        await Expect(editor.GetByText("Refused: Too big.")).ToBeVisibleAsync();
        await visit.ScreenshotAsync("script-replay");
        await visit.CheckAccessibilityAsync();
        await editor.GetByLabel("Runs", new() { Exact = true }).SelectOptionAsync("Validate");
        await editor.GetByRole(AriaRole.Button, new() { Name = "Done" }).ClickAsync();
        await Expect(editor).ToHaveCountAsync(0);
        await page.GetByRole(AriaRole.Button, new() { Name = "Review plan" }).ClickAsync();
        await editor.GetByRole(AriaRole.Button, new() { Name = "Apply" }).ClickAsync();
        await page.ToastAsync("Company was changed.");
        await visit.ScreenshotAsync("script-rule");

        await visit.OpenFormAsync("/e/company/new");
        await page.Input("name").FillAsync("Acme");
        await page.Input("employees").FillAsync("2000");
        await page.Command("Save").First.ClickAsync();
        await Expect(page.Locator("[data-field=employees] .field-error")).ToContainTextAsync("Too big. (rule “No giants”)");
    });
}
