using Crm.Browser.Tests.Forms;
using Crm.Browser.Tests.Harness;
using Crm.Sdk.Testing;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Crm.Browser.Tests.Designer;

[Collection(Harness.Browser.Collection)]
public sealed class CalculationTests(Harness.Browser browser) : IAsyncLifetime
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
    public Task A_formula_a_roll_up_and_a_rule_are_designed_and_followed_by_the_form() => browser.VisitAsync(crm!, Screen.Desktop, async visit =>
    {
        var page = visit.Page;
        var child = Crm.Sdk.RecordChange.Create("company", new Dictionary<string, object?> { ["name"] = "Globex", ["employees"] = 21 });
        var globex = (await crm!.Records.SaveAsync(child)).Record!;
        await visit.OpenAsync("/admin/designer/company");
        var editor = await AddFieldAsync(page, "Twice the staff", "formula");
        await editor.GetByLabel("Gives").SelectOptionAsync("integer");
        // A field is found by its label and inserted by keyboard; what it gives for a record is shown while it is typed.
        var formula = editor.GetByLabel("Formula", new() { Exact = true });
        await editor.GetByRole(AriaRole.Combobox, new() { Name = "Insert into Formula" }).PressSequentiallyAsync("empl");
        await Expect(editor.GetByRole(AriaRole.Listbox).GetByRole(AriaRole.Option).First).ToContainTextAsync("Employees");
        await visit.ScreenshotAsync("formula-insert");
        await visit.CheckAccessibilityAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(formula).ToHaveValueAsync("employees");
        await Expect(formula).ToBeFocusedAsync();
        await page.Keyboard.TypeAsync(" + 2");
        await Expect(editor.Locator(".expression-preview")).ToHaveTextAsync("For “Globex”: 23");
        await editor.GetByRole(AriaRole.Combobox, new() { Name = "Insert into Formula" }).ClickAsync();
        await Expect(editor.GetByRole(AriaRole.Listbox)).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("Escape");
        await Expect(editor.GetByRole(AriaRole.Listbox)).ToHaveCountAsync(0);
        await formula.FillAsync("employees & \"!\"");
        await Expect(editor.Locator(".expression-state")).ToContainTextAsync("This gives a text; wanted is a number.");
        await formula.FillAsync("employees *");
        await Expect(editor.Locator(".expression-state")).ToContainTextAsync("At character 12");
        await visit.ScreenshotAsync("formula");
        await visit.CheckAccessibilityAsync();
        await DoneAsync(editor);
        await page.GetByRole(AriaRole.Button, new() { Name = "Review plan" }).ClickAsync();
        await Expect(page.Locator(".page .alert-danger")).ToContainTextAsync("At character 12");
        await page.Locator("tr", new() { HasText = "Twice the staff" }).GetByRole(AriaRole.Button, new() { Name = "Edit" }).ClickAsync();
        await Expect(editor.Locator("[role=alert] .field-error")).ToContainTextAsync("At character 12");
        await visit.ScreenshotAsync("formula-error");
        await editor.GetByLabel("Formula", new() { Exact = true }).FillAsync("employees * 2");
        await DoneAsync(editor);

        editor = await AddFieldAsync(page, "Deals", "roll_up");
        await editor.GetByLabel("Records", new() { Exact = true }).SelectOptionAsync("opportunity.company");
        await editor.GetByLabel("Gives").SelectOptionAsync("integer");
        await visit.ScreenshotAsync("roll-up");
        await visit.CheckAccessibilityAsync();
        await DoneAsync(editor);

        await page.GetByRole(AriaRole.Button, new() { Name = "Add rule" }).ClickAsync();
        await editor.GetByLabel("What the rule is called").FillAsync("Big ones have an industry");
        await editor.GetByLabel("Condition", new() { Exact = true }).FillAsync("employees > 10");
        await editor.GetByLabel("Industry", new() { Exact = true }).CheckAsync();
        await visit.ScreenshotAsync("rule");
        await visit.CheckAccessibilityAsync();
        await DoneAsync(editor);
        await visit.ScreenshotAsync("pending");
        await page.GetByRole(AriaRole.Button, new() { Name = "Review plan" }).ClickAsync();
        await editor.GetByRole(AriaRole.Button, new() { Name = "Apply" }).ClickAsync();
        await page.ToastAsync("Company was changed.");

        await visit.OpenFormAsync("/e/company/new");
        var industry = page.Locator("[data-field=industry]");
        await page.Input("name").FillAsync("Acme");
        await Expect(industry).Not.ToHaveClassAsync(new System.Text.RegularExpressions.Regex("field-required", System.Text.RegularExpressions.RegexOptions.None, TimeSpan.FromSeconds(1)));
        await page.Input("employees").FillAsync("20");
        await page.Input("employees").PressAsync("Tab");
        await Expect(industry).ToHaveClassAsync(new System.Text.RegularExpressions.Regex("field-required", System.Text.RegularExpressions.RegexOptions.None, TimeSpan.FromSeconds(1)));
        await Expect(page.Locator("[data-field=x_twice_the_staff] .field-value")).ToHaveTextAsync("40");
        await page.Command("Save").First.ClickAsync();
        await Expect(industry.Locator(".field-error")).ToContainTextAsync("Big ones have an industry");
        await visit.ScreenshotAsync("refused");
        await visit.CheckAccessibilityAsync();

        // What a child's save set in its parent says so in the parent's history.
        await crm.CreateAsync("opportunity", ("title", "Big deal"), ("company", globex.Id));
        await visit.OpenFormAsync($"/e/company/{globex.Id}");
        await page.GetByRole(AriaRole.Tab, new() { Name = "History" }).ClickAsync();
        var entry = page.Locator(".history li").First;
        await Expect(entry).ToContainTextAsync("Calculated, because Opportunity “Big deal” was saved by System ");
        await Expect(entry.GetByRole(AriaRole.Link, new() { Name = "Opportunity “Big deal”" })).ToBeVisibleAsync();
        await Expect(entry.Locator("dl")).ToContainTextAsync("Deals");
        await visit.ScreenshotAsync("history");
        await visit.CheckAccessibilityAsync();
    });

    private static async Task<ILocator> AddFieldAsync(IPage page, string label, string type)
    {
        await page.GetByRole(AriaRole.Button, new() { Name = "Add field" }).ClickAsync();
        var editor = page.GetByRole(AriaRole.Dialog);
        await editor.GetByLabel("Label").FillAsync(label);
        await editor.GetByLabel("Type").SelectOptionAsync(type);
        return editor;
    }

    private static async Task DoneAsync(ILocator editor)
    {
        await editor.GetByRole(AriaRole.Button, new() { Name = "Done" }).ClickAsync();
        await Expect(editor).ToHaveCountAsync(0);
    }
}
