using System.Collections.Immutable;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Crm.Host.Pages.Import;
using Crm.Host.Security;
using Crm.Records.Importing;
using Crm.Sdk;
using Microsoft.Extensions.DependencyInjection;

namespace Crm.Host.Tests.Import;

/// <summary>Templates of imports: kept for the next file, offered to those they fit, following the definitions, and nobody's way around their rights.</summary>
public sealed class ImportTemplateTests() : ImportingTests(
    """
    {"change":"create_entity","name":"x_firm","label":"Firm","plural":"Firms","set":"x_firms","fields":[{"name":"name","type":"text","label":"Name","required":true}]},
    {"change":"create_entity","name":"x_deal","label":"Deal","plural":"Deals","set":"x_deals","fields":[
      {"name":"title","type":"text","label":"Title","required":true},
      {"name":"code","type":"text","label":"Code"},
      {"name":"kind","type":"choice","label":"Kind","choices":[{"name":"new","label":"New"},{"name":"old","label":"Old"}]},
      {"name":"place","type":"address","label":"Place"},
      {"name":"firm","type":"lookup","label":"Firm","target":"x_firm"},
      {"name":"secret","type":"text","label":"Secret"},
      {"name":"fixed","type":"text","label":"Fixed"}]},
    {"change":"change_field","entity":"user","field":{"name":"roles","choices":[{"name":"clerk","label":"Clerk"}]}}
    """)
{
    private const string Mapping = """
        {"fields":{"title":{"column":"Deal"},"code":{"column":"No"},"kind":{"column":"Sort","values":{"fresh":"new","none":null},"unknown":"empty"},"place_city":{"column":"Town"},
        "firm":{"column":"Firm","by":"name","unknown":"create"},"fixed":{"template":"from {Sort}"}},"culture":"de-DE","date_formats":["yyyy/MM/dd"],"empty":"clear"}
        """;

    private const string File = "Deal,No,Sort,Town,Firm\nBig,1,fresh,Bonn,Acme\nSmall,2,odd,Köln,Acme\n";

    private static readonly string[] Columns = ["Deal", "No", "Sort", "Town", "Firm"];

    private ImportTemplates Templates => Crm.Services.GetRequiredService<ImportTemplates>();

    [Fact]
    public async Task A_template_imports_the_next_file_and_begins_the_page_with_all_it_says()
    {
        var id = await KeepAsync("Monthly list", shared: true, """, "mode":"upsert","match":["title","code"],"accept_duplicates":true""");
        var job = await Client.ImportAsync("x_deal", File, ("template", "monthly LIST"));
        Assert.Equal(2, job.GetProperty("report").GetProperty("created").GetInt64());
        Assert.Equal("upsert", job.GetProperty("import").GetProperty("mode").GetString());
        var big = Assert.Single(await Client.RecordsAsync("x_deals", "$filter=title eq 'Big'&$expand=firm($select=name)"));
        Assert.Equal(("new", "Bonn", "Acme", "from new"), (Text(big, "kind"), Text(big, "place_city"), Text(big.GetProperty("firm"), "name"), Text(big, "fixed")));
        // In the address as well, and what the request says goes first.
        using var form = new MultipartFormDataContent { { new ByteArrayContent("Deal,No,Sort,Town,Firm\nBig,1,,,\nLate,3,,,\n"u8.ToArray()), "file", "data.csv" }, { new StringContent("update"), "mode" } };
        using var answer = await Client.Http.PostAsync(new Uri($"api/import/x_deal?template={id}", UriKind.Relative), form);
        var again = await Client.FinishedAsync((await ImportClient.BodyAsync(answer)).GetProperty("id").GetGuid());
        Assert.Equal((1, 1), (again.GetProperty("report").GetProperty("updated").GetInt64(), again.GetProperty("report").GetProperty("skipped").GetInt64()));

        var template = await Templates.FindAsync("x_deal", id.ToString(), Crm.Admin);
        var file = new FileInspection(new StoredFile(Guid.Empty, "x.csv", 1, new EncodingVerdict("utf-8", [], true), Guid.Empty, []), "utf-8", true, ',', [.. Columns.Select(c => c.ToUpperInvariant()), "more"], []);
        var draft = new MappingDraft(Crm.Metadata.Current.Entity("x_deal"), file, template);
        Assert.Equal((ImportMode.Upsert, true, "de-DE"), (draft.Mode, draft.AcceptsDuplicates, draft.Culture));
        Assert.Equal(["title", "code"], draft.MatchFields.AsEnumerable());
        Assert.Equal(ImportMapping.Parse(Mapping), Lower(draft.ToMapping()));
    }

    [Fact]
    public async Task The_template_that_reads_most_of_a_file_and_misses_least_is_offered_first()
    {
        await KeepAsync("Few", shared: false, mapping: """{"fields":{"title":{"column":"Deal"}}}""");
        await KeepAsync("All", shared: true);
        await KeepAsync("Other file", shared: false, mapping: """{"fields":{"title":{"column":"Deal"},"code":{"column":"Number"},"kind":{"template":"{A}{B}"}}}""");
        var templates = await Templates.ListAsync("x_deal", Crm.Admin);
        Assert.Equal(["All", "Few", "Other file"], ImportTemplate.ByFit(templates, Columns).Select(t => t.Name));
        Assert.Equal(["Few", "Other file", "All"], ImportTemplate.ByFit(templates, ["deal"]).Select(t => t.Name));
        Assert.Equal(["A", "B", "Number"], templates.Single(t => t.Name == "Other file").NotIn(Columns).Order(StringComparer.Ordinal));
        using var misses = await Client.SendAsync("x_deal", "Deal\nX\n"u8.ToArray(), ("template", "All"));
        Assert.Equal(HttpStatusCode.BadRequest, misses.StatusCode);
    }

    [Fact]
    public async Task A_decision_for_a_template_or_against_it_holds_for_its_file_only()
    {
        await KeepAsync("All", shared: true);
        await KeepAsync("Few", shared: false, mapping: """{"fields":{"title":{"column":"Deal"}}}""");
        await using var scope = Crm.Services.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<CurrentActor>().Set(Crm.Admin);
        var wizard = scope.ServiceProvider.GetRequiredService<ImportWizard>();
        var entity = Crm.Metadata.Current.Entity("x_deal");
        async Task<string?> UploadAsync(string file)
        {
            await wizard.UploadAsync(entity, new MemoryStream(System.Text.Encoding.UTF8.GetBytes(file)), "data.csv");
            Assert.Null(wizard.Failure);
            return wizard.Template?.Name;
        }

        Assert.Equal("All", await UploadAsync(File));
        await wizard.TakeAsync(entity, null);
        await wizard.OpenAsync(entity, wizard.FileId!.Value, "utf-8", ",");
        Assert.Null(wizard.Template);
        Assert.Equal("Few", await UploadAsync("Deal,Other\nA,1\n"));
        await wizard.TakeAsync(entity, wizard.Templates.Single(t => t.Name == "All").Id);
        await wizard.OpenAsync(entity, wizard.FileId!.Value, "utf-8", ",");
        Assert.Equal("All", wizard.Template?.Name);
        Assert.Null(await UploadAsync("Something,Else\nA,1\n"));
    }

    [Fact]
    public async Task A_template_follows_fields_and_entities_that_get_another_name_and_says_what_is_gone()
    {
        await KeepAsync("Monthly", shared: true, """, "mode":"upsert","match":["code"]""");
        // Two change names at once, one has parts, one is of the entity looked up.
        await Crm.ChangeAsync(
            """
            {"change":"rename_field","entity":"x_deal","field":"code","to":"number"},{"change":"rename_field","entity":"x_deal","field":"place","to":"site"},{"change":"rename_field","entity":"x_firm","field":"name","to":"title"}
            """);
        await Crm.ChangeAsync("""{"change":"rename_field","entity":"x_deal","field":"number","to":"order_no"},{"change":"rename_entity","entity":"x_deal","to":"x_order"}""");
        var followed = await Templates.FindAsync("x_order", "Monthly", Crm.Admin);
        Assert.Empty(followed.Missing);
        Assert.Equal(["firm", "fixed", "kind", "order_no", "site_city", "title"], followed.Mapping.Fields.Keys);
        Assert.Equal(("title", "order_no"), (followed.Mapping.Fields["firm"].By, Assert.Single(followed.Match)));
        var job = await Client.ImportAsync("x_order", File, ("template", "Monthly"));
        Assert.Equal(2, job.GetProperty("report").GetProperty("created").GetInt64());

        await Crm.ChangeAsync("""{"change":"hide_field","entity":"x_order","field":"kind"}""");
        var left = await Templates.FindAsync("x_order", "Monthly", Crm.Admin);
        Assert.Equal("kind", Assert.Single(left.Missing).Field);
        Assert.DoesNotContain("kind", left.Mapping.Fields.Keys);
        using var refused = await Client.SendAsync("x_order", System.Text.Encoding.UTF8.GetBytes(File), ("template", "Monthly"));
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        Assert.Contains("kind", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        await Crm.ChangeAsync("""{"change":"hide_entity","entity":"x_order"}""");
        using (var planned = await Client.Http.PostAsync(new Uri("api/metadata/plan", UriKind.Relative), new StringContent("""{"changes":[{"change":"purge_entity","entity":"x_order"}]}""", null, "application/json")))
        {
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(Client.Http.PostAsJsonAsync("api/metadata/apply", new { plan = Text(await ImportClient.BodyAsync(planned), "id"), confirm = new[] { "x_order" } })));
        }

        await Crm.ChangeAsync("""{"change":"create_entity","name":"x_order","label":"Order","plural":"Orders","fields":[{"name":"title","type":"text","label":"Title"}]}""");
        Assert.Empty(await Templates.ListAsync("x_order", Crm.Admin));
    }

    [Fact]
    public async Task Others_are_offered_what_is_shared_without_the_fields_they_may_not_write_and_change_nothing_of_it()
    {
        await Crm.ChangeAsync(
            """
            {"change":"set_grant","entity":"x_deal","grant":{"name":"clerk","read":"all","create":"all","write":"all","import":"all","fields":[{"name":"secret","access":"none"},{"name":"fixed","access":"read"}]}},
            {"change":"set_grant","entity":"x_firm","grant":{"name":"everyone","read":"all","import":"none"}}
            """);
        await KeepAsync("Mine", shared: false);
        var open = await KeepAsync("Open", shared: true, mapping: """{"fields":{"title":{"column":"Deal"}}}""");
        await KeepAsync("Closed", shared: true, mapping: """{"fields":{"title":{"column":"Deal"},"secret":{"column":"No"},"fixed":{"column":"Sort"}}}""");
        var kim = (await Crm.Records.SaveAsync(RecordChange.Create("user", new Dictionary<string, object?> { ["name"] = "Kim", ["user_name"] = "kim", ["can_sign_in"] = true, ["roles"] = "clerk" }))).Record!.Id;
        await Crm.Services.GetRequiredService<Passwords>().SetAsync(kim, "copper violin lighthouse", CancellationToken.None);
        using var http = Crm.Client(await Crm.TokenAsync("kim", "copper violin lighthouse"));

        var seen = await http.GetStringAsync(new Uri("api/import/x_deal/templates", UriKind.Relative));
        using var body = JsonDocument.Parse(seen);
        var offered = body.RootElement.GetProperty("value").EnumerateArray().ToDictionary(t => t.GetProperty("name").GetString()!, t => t.GetProperty("withheld").GetInt32());
        Assert.Equal([("Closed", 2), ("Open", 0)], offered.OrderBy(o => o.Key, StringComparer.Ordinal).Select(o => (o.Key, o.Value)));
        Assert.DoesNotContain("secret", seen, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(http.GetAsync(new Uri("api/import/x_deal/templates/Mine", UriKind.Relative))));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(http.GetAsync(new Uri("api/import/x_firm/templates", UriKind.Relative))));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(http.GetAsync(new Uri("api/import/nothing/templates", UriKind.Relative))));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(http.GetAsync(new Uri("api/import/x_deal/templates/%01", UriKind.Relative))));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(http.DeleteAsync(new Uri($"api/import/x_deal/templates/{open}", UriKind.Relative))));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(http.PutAsJsonAsync($"api/import/x_deal/templates/{open}", new { name = "Taken", shared = true })));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(PostAsync(http, "All", shared: true, """{"fields":{"title":{"column":"Deal"}}}""")));
        Assert.Equal(HttpStatusCode.BadRequest, await StatusAsync(PostAsync(http, "Sly", shared: false, """{"fields":{"fixed":{"column":"Deal"}}}""")));

        var theirs = new ImportClient(Crm, http);
        using var withheld = await theirs.SendAsync("x_deal", System.Text.Encoding.UTF8.GetBytes(File), ("template", "Closed"));
        Assert.Equal(HttpStatusCode.Forbidden, withheld.StatusCode);
        Assert.DoesNotContain("secret", await withheld.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(2, (await theirs.ImportAsync("x_deal", File, ("template", open.ToString()))).GetProperty("report").GetProperty("created").GetInt64());
        // One's own goes before a shared one of the same name.
        Assert.Equal(HttpStatusCode.Created, await StatusAsync(PostAsync(http, "open", shared: false, """{"fields":{"title":{"column":"No"}}}""")));
        await theirs.ImportAsync("x_deal", File, ("template", "Open"));
        Assert.Equal(1, await Client.CountAsync("x_deals", "title eq '2'"));
    }

    [Fact]
    public async Task A_template_is_renamed_replaced_and_deleted_and_what_cannot_be_is_refused()
    {
        var id = await KeepAsync("First", shared: false);
        await KeepAsync("Second", shared: false);
        Assert.Equal(HttpStatusCode.Conflict, await StatusAsync(PostAsync(Client.Http, " second ", shared: false, Mapping)));
        Assert.Equal(HttpStatusCode.Conflict, await StatusAsync(PutAsync(id, """{"name":"Second"}""")));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(PutAsync(id, """{"name":"Third","shared":true}""")));
        var renamed = await Templates.FindAsync("x_deal", "third", Crm.Admin);
        Assert.Equal((id, true, 6), (renamed.Id, renamed.IsShared, renamed.Mapping.Fields.Count));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(PutAsync(id, """{"name":"Third","mapping":{"fields":{"title":{"column":"Deal"}}}}""")));
        Assert.Single((await Templates.FindAsync("x_deal", id.ToString(), Crm.Admin)).Mapping.Fields);
        foreach (var wrong in (string[])["""{"name":" "}""", """{"shared":true}""", "[]", """{"name":"X","mapping":{"fields":{"nowhere":{"column":"A"}}}}""", """{"name":"X","mapping":{"fields":{"title":{"column":"A"}}},"mode":"update"}""",
            """{"name":"X","mapping":{"fields":{"title":{"template":"{A"}}}}""", """{"name":"X","mapping":7}""", """{"name":"X","mode":"never"}""", """{"name":"X","other":1}"""])
        {
            Assert.Equal((wrong, HttpStatusCode.BadRequest), (wrong, await StatusAsync(PutAsync(id, wrong))));
        }

        Assert.Equal(HttpStatusCode.NoContent, await StatusAsync(Client.Http.DeleteAsync(new Uri("api/import/x_deal/templates/Third", UriKind.Relative))));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(Client.Http.DeleteAsync(new Uri("api/import/x_deal/templates/Third", UriKind.Relative))));
    }

    private static ImportMapping Lower(ImportMapping mapping) => mapping with
    {
        // The file writes its headings in capitals; columns are the same in any case.
        Fields = mapping.Fields.ToImmutableSortedDictionary(f => f.Key, f => f.Value.Column is { } column ? f.Value with { Column = Columns.Single(c => c.Equals(column, StringComparison.OrdinalIgnoreCase)) } : f.Value),
    };

    private static string? Text(JsonElement element, string name) => element.GetProperty(name).GetString();

    private static async Task<HttpStatusCode> StatusAsync(Task<HttpResponseMessage> sent)
    {
        using var answer = await sent;
        return answer.StatusCode;
    }

    private static Task<HttpResponseMessage> PostAsync(HttpClient http, string name, bool shared, string mapping, string more = "") =>
        http.PostAsync(new Uri("api/import/x_deal/templates", UriKind.Relative), new StringContent($$"""{"name":{{JsonSerializer.Serialize(name)}},"shared":{{(shared ? "true" : "false")}},"mapping":{{mapping}}{{more}}}""", null, "application/json"));

    private Task<HttpResponseMessage> PutAsync(Guid id, string body) => Client.Http.PutAsync(new Uri($"api/import/x_deal/templates/{id}", UriKind.Relative), new StringContent(body, null, "application/json"));

    private async Task<Guid> KeepAsync(string name, bool shared, string more = "", string mapping = Mapping)
    {
        using var answer = await PostAsync(Client.Http, name, shared, mapping, more);
        var body = await ImportClient.BodyAsync(answer);
        Assert.True(answer.StatusCode == HttpStatusCode.Created, body.ToString());
        return body.GetProperty("id").GetGuid();
    }
}
