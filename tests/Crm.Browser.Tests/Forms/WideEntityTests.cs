using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Crm.Browser.Tests.Harness;
using Crm.Records.Jobs;
using Microsoft.Extensions.DependencyInjection;
using static Microsoft.Playwright.Assertions;

namespace Crm.Browser.Tests.Forms;

/// <summary>An entity with as many fields as one may have, and texts longer than a message of SignalR is by default.</summary>
[Collection(Harness.Browser.Second)]
public sealed class WideEntityTests(Harness.Browser browser, EmptyCrm shared) : OneCrm(shared)
{
    private const int Fields = 500;

    [Fact]
    public Task An_entity_of_500_fields_works_in_form_list_API_and_import() => browser.VisitAsync(Crm, Screen.Desktop, async visit =>
    {
        using var client = await Crm.AdminClientAsync();
        var fields = string.Join(',', Enumerable.Range(0, Fields).Select(i => $$"""{"name":"field_{{i}}","label":"Field {{i}}","type":"{{(i % 3 == 2 ? "integer" : "text")}}"}"""));
        await Crm.ChangeAsync($$"""{"change":"create_entity","name":"x_wide","label":"Wide","plural":"Wides","set":"x_wides","title":["field_0"],"fields":[{{fields}}]}""");

        await visit.OpenFormAsync("/e/x_wide/new");
        await Expect(visit.Page.Locator("[data-field^=field_]")).ToHaveCountAsync(Fields);
        foreach (var i in new[] { 0, 250, 499 })
        {
            await visit.Page.Input("field_" + i).FillAsync(i % 3 == 2 ? "7" : "Text in " + i);
        }

        await visit.Page.Command("Save").ClickAsync();
        await visit.Page.ToastAsync("“Text in 0” was saved.");

        using var form = new MultipartFormDataContent();
        var row = string.Join(',', Enumerable.Range(0, Fields).Select(i => i % 3 == 2 ? "5" : "Imported " + i));
        using var file = new ByteArrayContent(Encoding.UTF8.GetBytes(string.Join(',', Enumerable.Range(0, Fields).Select(i => "Field " + i)) + "\n" + row + "\n"));
        file.Headers.ContentType = MediaTypeHeaderValue.Parse("text/csv");
        form.Add(file, "file", "wide.csv");
        using var import = await client.PostAsync(new Uri("api/import/x_wide", UriKind.Relative), form);
        var job = JsonNode.Parse(await import.Content.ReadAsStringAsync())!["id"]!.GetValue<Guid>();
        await Crm.Services.GetRequiredService<JobQueue>().WaitAsync(job, CancellationToken.None);

        var found = JsonNode.Parse(await client.GetStringAsync(new Uri("odata/v4/x_wides?$orderby=field_0", UriKind.Relative)))!["value"]!.AsArray();
        Assert.Equal(["Imported 0", "Text in 0"], found.Select(r => r!["field_0"]!.GetValue<string>()));
        Assert.Equal("Imported 499", found[0]!["field_499"]!.GetValue<string>());
        Assert.Equal(("Text in 250", "Text in 499"), (found[1]!["field_250"]!.GetValue<string>(), found[1]!["field_499"]!.GetValue<string>()));

        await visit.OpenAsync("/e/x_wide");
        await Expect(visit.Page.GetByText("Imported 0", new() { Exact = true }).First).ToBeVisibleAsync();
        await visit.CheckAccessibilityAsync();
    });

    [Fact]
    public Task A_long_text_is_saved_and_survives_as_a_draft() => browser.VisitAsync(Crm, Screen.Desktop, async visit =>
    {
        await Crm.ChangeAsync("""{"change":"create_entity","name":"x_essay","label":"Essay","plural":"Essays","title":["name"],"fields":[{"name":"name","type":"text"},{"name":"body","type":"long_text","max_length":200000}]}""");
        var text = string.Concat(Enumerable.Repeat("Überlänge \"ist\" 日本語! ", 10_000))[..199_999] + ".";
        await visit.OpenFormAsync("/e/x_essay/new");
        await visit.Page.Input("name").FillAsync("Long");
        await visit.Page.Input("body").FillAsync(text);
        await visit.Page.Input("name").FocusAsync();
        await visit.Page.Command("Save").ClickAsync();
        await visit.Page.ToastAsync("“Long” was saved.");
        Assert.Equal(1, await Crm.CountAsync("x_essay", "body", text));

        // The page of the record that was made takes the place of the one it was typed into.
        await Expect(visit.Page.GetByText("Version 1")).ToBeVisibleAsync();

        // A page whose draft is too long for one message could never be opened again.
        await visit.Page.Input("body").FillAsync(text[..^4] + "END.");
        await Crm.RestartAsync();
        await Expect(visit.Page.GetByText("What you typed before was restored.")).ToBeVisibleAsync(new() { Timeout = 60_000 });
        Assert.EndsWith("END.", await visit.Page.Input("body").InputValueAsync(), StringComparison.Ordinal);
        visit.Complaints.Clear();
    });
}
