using System.Text;
using Crm.Browser.Tests.Harness;
using Crm.Browser.Tests.Shell;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Crm.Browser.Tests.Modules;

[Collection(Harness.Browser.Collection)]
public sealed class WorkflowPageTests(Harness.Browser browser) : OwnCrm
{
    [Theory]
    [InlineData("390")]
    public Task An_administrator_sees_why_a_run_failed_and_tries_it_again(string screen) => browser.VisitAsync(Crm, SignInTests.Of(screen), async visit =>
    {
        var admin = await Crm.AdminClientAsync();
        const string Model = """
            {"model":{"name":"Lower the price","definitionId":"lower","root":{"type":"Elsa.Sequence","id":"s","name":"Steps","activities":[
              {"type":"Crm.RecordCreated","id":"t","name":"New product","entity":"product","customProperties":{"canStartWorkflow":true}},
              {"type":"Crm.SetFields","id":"f","name":"Set the name","values":{"expression":{"type":"Object","value":{"name":{"type":"Crm","value":"series"}}}}}]}},"publish":false}
            """;
        await SendAsync(admin, "elsa/api/workflow-definitions", Model);
        await visit.OpenAsync("/admin/workflows");
        var workflow = visit.Page.Locator("[data-workflow='Lower the price']");
        await workflow.GetByRole(AriaRole.Button, new() { Name = "Publish" }).PressAsync("Enter");
        await Expect(workflow.GetByText("Published", new() { Exact = true })).ToBeVisibleAsync();

        // Without a series the name would become empty, which is refused.
        var product = await SendAsync(admin, "odata/v4/products", """{"name":"Lamp"}""");
        var failed = visit.Page.Locator("[data-run=faulted]");
        await Expect(failed).ToContainTextAsync("Set the name");
        await failed.GetByRole(AriaRole.Button, new() { Name = "Journal" }).PressAsync("Enter");
        await Expect(failed.GetByRole(AriaRole.List)).ToContainTextAsync("failed");
        await visit.ScreenshotAsync("failed");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();

        var id = System.Text.Json.JsonDocument.Parse(product).RootElement.GetProperty("id").GetGuid();
        using var change = new HttpRequestMessage(HttpMethod.Patch, $"odata/v4/products({id})") { Content = new StringContent("""{"series":"Bright"}""", Encoding.UTF8, "application/json") };
        (await admin.SendAsync(change)).EnsureSuccessStatusCode();
        await failed.GetByRole(AriaRole.Button, new() { Name = "Try again" }).PressAsync("Enter");
        await Expect(visit.Page.Locator("[data-run=finished]")).ToContainTextAsync("Set the name");
        await visit.Page.GetByLabel("Status").SelectOptionAsync("faulted");
        await Expect(visit.Page.GetByText("0 found")).ToBeVisibleAsync();
    });

    private static async Task<string> SendAsync(HttpClient client, string path, string json)
    {
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        using var answer = await client.PostAsync(path, content);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        return text;
    }
}
