using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using Crm.Host.Security;
using Crm.Host.Tests.Api;
using Crm.Records.Exporting;
using Microsoft.Extensions.DependencyInjection;

namespace Crm.Host.Tests.Export;

/// <summary>Queries as files, over the API.</summary>
public sealed class ExportTests(ExportTests.Crm crm) : IClassFixture<ExportTests.Crm>
{
    private static readonly XNamespace Main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";

    [Theory]
    [InlineData("=1+1")]
    [InlineData("+1")]
    [InlineData("-1")]
    [InlineData("@SUM(A1)")]
    [InlineData("\t=1+1")]
    [InlineData("\rx")]
    [InlineData("\nx")]
    [InlineData("\0x")]
    [InlineData(" \t=1+1")]
    [InlineData("\u00A0=1+1")]
    [InlineData("\uFEFF=1+1")]
    [InlineData("\u200B=1+1")]
    [InlineData("＝1+1")]
    [InlineData("＋1")]
    [InlineData("＠SUM(A1)")]
    public void A_text_that_a_spreadsheet_would_run_is_made_harmless(string text)
    {
        Assert.True(SheetText.IsFormula(text));
        Assert.Equal("'" + text, SheetText.Harmless(text));
        Assert.Equal(text, SheetText.Plain("'" + text));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a=1")]
    [InlineData("12")]
    [InlineData("(1-2)")]
    [InlineData("'quoted'")]
    public void Another_text_stays_as_it_is(string text) => Assert.Equal(text, SheetText.Plain(SheetText.Harmless(text)));

    [Fact]
    public async Task A_query_is_exported_with_names_labels_and_numbers()
    {
        var text = System.Text.Encoding.UTF8.GetString(await crm.Api.Admin.GetByteArrayAsync(new Uri("api/export/x_deal?$filter=seats gt 1&$orderby=seats desc&$select=title,firm,firm/revenue,seats,budget,urgent,close_date,next_call,source,stage,phone,contacts", UriKind.Relative)));
        Assert.Equal(
            "\uFEFFTitle,Firm,Firm · Revenue,Firm · Revenue: Currency,Seats,Budget,Budget: Currency,Urgent,Close date,Next call,Source,Stage,Phone,Contacts\r\n"
            + "'=cmd|' /C calc'!A0,Acme,12.5,EUR,7,-1234.5,USD,Yes,2026-03-31,2026-03-31T10:20:30+00:00,Trade fair,Open,'+49 30 901820,Ann; Bob\r\n"
            + "\"Two, \"\"three\"\"\",,,,3,,,No,,,,Open,,\r\n",
            text);
    }

    [Fact]
    public async Task A_file_for_people_is_written_as_their_language_is()
    {
        var answer = await crm.Api.Admin.GetAsync(new Uri("api/export/x_deals?$filter=seats eq 7&$select=budget,close_date,next_call&culture=de-DE&zone=Europe/Berlin&bom=false&keys=true", UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.StartsWith("attachment; filename=x_deals-", answer.Content.Headers.ContentDisposition!.ToString(), StringComparison.Ordinal);
        Assert.Equal($"id;Budget;Budget: Currency;Close date;Next call\r\n{crm.First};-1234,5;USD;31.03.2026;31.03.2026 12:20:30\r\n", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_workbook_holds_texts_as_texts_and_numbers_and_dates_as_numbers()
    {
        var rows = await WorkbookAsync(crm.Api.Admin, "api/export/x_deal?format=xlsx&$filter=seats eq 7&$select=title,seats,budget,close_date,next_call,phone");
        Assert.Equal(["Title", "Seats", "Budget", "Budget: Currency", "Close date", "Next call", "Phone"], rows[0].Select(c => c.Value));
        var cells = rows[1];
        Assert.Equal(("inlineStr", "=cmd|' /C calc'!A0", "6"), Cell(cells[0]));
        Assert.Equal((null, "7", null), Cell(cells[1]));
        Assert.Equal((null, "-1234.5", null), Cell(cells[2]));
        Assert.Equal((null, "46112", "2"), Cell(cells[4]));
        Assert.Equal((null, "46112.4309027778", "3"), Cell(cells[5]));
        Assert.Equal(("inlineStr", "+49 30 901820", "6"), Cell(cells[6]));
    }

    [Fact]
    public async Task A_saved_view_gives_columns_filter_and_order()
    {
        using var saved = await crm.Api.Admin.PostAsJsonAsync("api/views", new { entity = "x_deal", name = "Big", select = new[] { "seats", "title" }, filter = new { path = "seats", @operator = "greater", value = 2 }, sort = new[] { "seats" } });
        var id = (await saved.Content.ReadFromJsonAsync<JsonObject>())!["id"]!.GetValue<Guid>();
        var lines = (await crm.Api.Admin.GetStringAsync(new Uri($"api/export/x_deal?view={id}&bom=false&separator=tab", UriKind.Relative))).Split("\r\n");
        Assert.Equal(["Seats\tTitle", "3\t\"Two, \"\"three\"\"\"", "7\t'=cmd|' /C calc'!A0", ""], lines);
        // What a user looks for in a saved view takes the place of its filter, as in the list; ticked rows are of it.
        var found = await crm.Api.Admin.GetStringAsync(new Uri($"api/export/x_deal?view={id}&bom=false&find=" + Uri.EscapeDataString("""{"path":"seats","operator":"equal","value":1}"""), UriKind.Relative));
        Assert.Equal("Seats,Title\r\n1,One\r\n", found);
        Assert.Equal("Seats,Title\r\n", await crm.Api.Admin.GetStringAsync(new Uri($"api/export/x_deal?view={id}&bom=false&ids={crm.One:N}", UriKind.Relative)));
    }

    [Fact]
    public async Task What_may_not_be_read_or_taken_out_does_not_leave()
    {
        // Kim reads all deals, but takes out only those of her own; seats she does not see at all.
        Assert.Equal("Title\r\nMine\r\n", await crm.Kim.GetStringAsync(new Uri("api/export/x_deal?bom=false&$select=title", UriKind.Relative)));
        Assert.DoesNotContain("Seats", await crm.Kim.GetStringAsync(new Uri("api/export/x_deal", UriKind.Relative)), StringComparison.Ordinal);
        await RefusedAsync("api/export/x_deal?$select=seats", HttpStatusCode.BadRequest);
        await RefusedAsync("api/export/x_deal?$filter=seats gt 1", HttpStatusCode.BadRequest);
        await RefusedAsync("api/export/x_deal?sort=seats&$select=title,nonsense", HttpStatusCode.BadRequest);
        await RefusedAsync("api/export/x_firm", HttpStatusCode.Forbidden);
        await RefusedAsync("api/export/x_nothing", HttpStatusCode.NotFound);
        using var stranger = crm.Api.Crm.Client();
        using var answer = await stranger.GetAsync(new Uri("api/export/x_deal?ids='", UriKind.Relative));
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Theory]
    [InlineData("format=pdf")]
    [InlineData("ids=1' or '1'='1")]
    [InlineData("find={}}")]
    [InlineData("culture=xx-nonsense-yy")]
    [InlineData("zone=Mars/Olympus")]
    [InlineData("separator=x")]
    [InlineData("bom=maybe")]
    [InlineData("limit=5")]
    [InlineData("view=nonsense")]
    public async Task What_is_not_understood_is_refused(string options)
    {
        using var answer = await crm.Api.Admin.GetAsync(new Uri("api/export/x_deal?" + options, UriKind.Relative));
        Assert.True(answer.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.NotFound, answer.StatusCode.ToString());
    }

    [Fact]
    public async Task Who_took_out_what_is_written_down()
    {
        await crm.Kim.GetStringAsync(new Uri("api/export/x_deal?$select=title&$filter=title eq 'Mine'", UriKind.Relative));
        var mine = (await crm.Kim.GetFromJsonAsync<JsonObject>("api/exports"))!["value"]!.AsArray();
        var last = mine[0]!;
        Assert.Equal("Kim", last["created_by_name"]!.GetValue<string>());
        Assert.Equal(1, last["rows"]!.GetValue<long>());
        Assert.NotNull(last["finished_at"]);
        Assert.Contains("Mine", last["filter"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.All(mine, e => Assert.Equal("Kim", e!["created_by_name"]!.GetValue<string>()));
        Assert.Contains((await crm.Api.Admin.GetFromJsonAsync<JsonObject>("api/exports"))!["value"]!.AsArray(), e => e!["id"]!.ToString() == last["id"]!.ToString());
    }

    private async Task RefusedAsync(string path, HttpStatusCode status)
    {
        using var answer = await crm.Kim.GetAsync(new Uri(path, UriKind.Relative));
        Assert.True(status == answer.StatusCode, path + ": " + answer.StatusCode);
    }

    private static (string? Type, string Value, string? Style) Cell(XElement cell) => (cell.Attribute("t")?.Value, cell.Value, cell.Attribute("s")?.Value);

    private static async Task<List<List<XElement>>> WorkbookAsync(HttpClient client, string path)
    {
        using var archive = new ZipArchive(new MemoryStream(await client.GetByteArrayAsync(new Uri(path, UriKind.Relative))));
        foreach (var part in archive.Entries)
        {
            // Every part is well-formed.
            using var each = await part.OpenAsync();
            await XDocument.LoadAsync(each, LoadOptions.None, CancellationToken.None);
        }

        using var sheet = await archive.GetEntry("xl/worksheets/sheet1.xml")!.OpenAsync();
        var document = await XDocument.LoadAsync(sheet, LoadOptions.PreserveWhitespace, CancellationToken.None);
        return [.. document.Descendants(Main + "row").Select(r => r.Elements(Main + "c").ToList())];
    }

    public sealed class Crm : IAsyncLifetime
    {
        private const string Password = "copper violin lighthouse";

        public ApiCrm Api { get; } = new();

        public HttpClient Kim { get; private set; } = null!;

        public string First { get; private set; } = "";

        public Guid One { get; private set; }

        public async Task InitializeAsync()
        {
            await Api.InitializeAsync();
            await Api.ApplyAsync("""
                {"changes":[
                  {"change":"create_entity","name":"x_person","label":"Person","plural":"People","set":"x_people","fields":[{"name":"name","type":"text","label":"Name"}]},
                  {"change":"add_field","entity":"x_deal","field":{"name":"phone","type":"phone","label":"Phone"}},
                  {"change":"add_field","entity":"x_deal","field":{"name":"contacts","type":"many_to_many","label":"Contacts","target":"x_person"}},
                  {"change":"set_grant","entity":"x_firm","grant":{"name":"everyone","read":"all","export":"none"}},
                  {"change":"set_grant","entity":"x_deal","grant":{"name":"everyone","read":"all","create":"all","export":"own","fields":[{"name":"seats","access":"none"}]}}]}
                """);
            var firm = (await Api.CreateAsync("x_firms", """{"name":"Acme","revenue":12.5,"revenue_currency":"EUR"}"""))["id"];
            var ann = (await Api.CreateAsync("x_people", """{"name":"Ann"}"""))["id"];
            var bob = (await Api.CreateAsync("x_people", """{"name":"Bob"}"""))["id"];
            First = (await Api.CreateAsync("x_deals", $$"""
                {"title":"=cmd|' /C calc'!A0","seats":7,"budget":-1234.5,"urgent":true,"close_date":"2026-03-31","next_call":"2026-03-31T10:20:30Z","source":"fair","phone":"+49 30 901820","firm_id":"{{firm}}","contacts":["{{bob}}","{{ann}}"]}
                """))["id"]!.ToString();
            await Api.CreateAsync("x_deals", """{"title":"Two, \"three\"","seats":3,"urgent":false}""");
            One = Guid.Parse((await Api.CreateAsync("x_deals", """{"title":"One","seats":1}"""))["id"]!.ToString(), CultureInfo.InvariantCulture);
            var kim = Guid.Parse((await Api.CreateAsync("users", """{"name":"Kim","user_name":"kim","can_sign_in":true}"""))["id"]!.ToString(), CultureInfo.InvariantCulture);
            await Api.Crm.Services.GetRequiredService<Passwords>().SetAsync(kim, Password, CancellationToken.None);
            Kim = Api.Crm.Client(await Api.Crm.TokenAsync("kim", Password));
            using var mine = await Kim.PostAsJsonAsync("odata/v4/x_deals", new { title = "Mine" });
            Assert.Equal(HttpStatusCode.Created, mine.StatusCode);
        }

        public Task DisposeAsync() => Api.DisposeAsync();
    }
}
