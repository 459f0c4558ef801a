using System.Net;
using System.Text;
using System.Text.Json;
using Crm.Sdk.Testing;

namespace Crm.Host.Tests.Import;

public sealed class ImportTests : IAsyncLifetime
{
    private TestCrm crm = null!;
    private ImportClient client = null!;

    public async Task InitializeAsync()
    {
        crm = await TestCrm.StartAsync();
        client = await ImportClient.OpenAsync(crm);
    }

    public async Task DisposeAsync() => await crm.DisposeAsync();

    [Fact]
    public async Task Companies_are_imported_with_guessed_columns_and_parents_that_come_later()
    {
        var job = await client.ImportAsync("company", "account,sector,year_established,revenue,employees,office_location,subsidiary_of\nDaughter,Technology,1996,1100.04,2822,Kenya,Mother\nMother,medical,1999,251.41,495,Norway,\n");

        Assert.Equal("succeeded", job.GetProperty("state").GetString());
        Assert.Equal((2, 2, 0, 0), Figures(job));
        var daughter = Assert.Single(await client.RecordsAsync("companies", "$filter=name eq 'Daughter'&$expand=parent($select=name)"));
        Assert.Equal("Mother", daughter.GetProperty("parent").GetProperty("name").GetString());
        Assert.Equal("technology", daughter.GetProperty("industry").GetString());
        Assert.Equal(1100.04m, daughter.GetProperty("annual_revenue").GetDecimal());
    }

    [Fact]
    public async Task A_dry_run_gives_the_verdicts_and_stores_nothing()
    {
        const string file = "name,price\nOne,1\nTwo,two\nOne,3\n";

        var dry = await client.ImportAsync("product", file, ("dryRun", "true"));

        Assert.Equal((3, 1, 0, 2), Figures(dry));
        Assert.Equal(0, await client.CountAsync("products"));
        var verdicts = (await client.GetAsync($"api/jobs/{Id(dry)}/verdicts")).GetProperty("value");
        Assert.Equal(["created", "skipped", "skipped"], verdicts.EnumerateArray().Select(v => v.GetProperty("outcome").GetString()!).ToArray().AsEnumerable());
        Assert.Equal([2L, 3L, 4L], verdicts.EnumerateArray().Select(v => v.GetProperty("line").GetInt64()).ToArray().AsEnumerable());

        var rows = await client.Http.GetStringAsync(new Uri($"api/jobs/{Id(dry)}/verdicts?format=rows", UriKind.Relative));
        Assert.StartsWith("name,price,Verdict,Record,Reason\r\nOne,1,created,,\r\nTwo,two,skipped,,", rows.TrimStart('\uFEFF'), StringComparison.Ordinal);
        Assert.Equal(3, (await client.Http.GetStringAsync(new Uri($"api/jobs/{Id(dry)}/verdicts?format=rows&only=errors", UriKind.Relative))).Trim().Split('\n').Length);

        var real = await client.ImportAsync("product", file);

        Assert.Equal(Figures(dry), Figures(real));
        Assert.Equal(1, await client.CountAsync("products"));
    }

    [Fact]
    public async Task Rows_of_a_dry_run_that_repeat_a_unique_value_of_an_earlier_batch_are_refused_as_the_import_would()
    {
        var file = "name\n" + string.Concat(Enumerable.Range(1, 1100).Select(i => $"Product {i}\n")) + "Product 5\n";

        var dry = await client.ImportAsync("product", file, ("dryRun", "true"));
        var real = await client.ImportAsync("product", file);

        Assert.Equal((1101, 1100, 0, 1), Figures(dry));
        Assert.Equal((1101, 1100, 0, 1), Figures(real));
        Assert.Equal("unique", Issue(dry).GetProperty("code").GetString());
        Assert.Equal("unique", Issue(real).GetProperty("code").GetString());
    }

    [Fact]
    public async Task Importing_a_file_again_changes_nothing_and_a_changed_row_only_itself()
    {
        await client.ImportAsync("product", "name,series,price\nA,S,1\nB,S,2\n");

        var again = await client.ImportAsync("product", "name,series,price\nA,S,1\nB,T,2\nC,S,3\n", ("mode", "upsert"), ("match", "name"));

        Assert.Equal((3, 1, 1, 0), Figures(again));
        Assert.Equal(1, again.GetProperty("report").GetProperty("unchanged").GetInt64());
        Assert.Equal(3, await client.CountAsync("products"));
        Assert.Equal(1, (await client.RecordsAsync("products", "$filter=name eq 'A'"))[0].GetProperty("version").GetInt64());
    }

    [Fact]
    public async Task Update_skips_rows_without_a_record_and_create_rows_with_one()
    {
        await client.ImportAsync("product", "name,series\nA,S\n");

        var update = await client.ImportAsync("product", "name,series\nA,T\nB,T\n", ("mode", "update"), ("match", "name"));
        var create = await client.ImportAsync("product", "name,series\nA,U\nC,U\n", ("mode", "create"), ("match", "name"));

        Assert.Equal((2, 0, 1, 1), Figures(update));
        Assert.Equal("not_found", Issue(update).GetProperty("code").GetString());
        Assert.Equal((2, 1, 0, 1), Figures(create));
        Assert.Equal("exists", Issue(create).GetProperty("code").GetString());
        Assert.Equal("T", (await client.RecordsAsync("products", "$filter=name eq 'A'"))[0].GetProperty("series").GetString());
    }

    [Fact]
    public async Task Two_rows_with_one_key_make_one_record()
    {
        var job = await client.ImportAsync("product", "name,series\nA,first\nA,second\n", ("mode", "upsert"), ("match", "name"));

        Assert.Equal((2, 1, 1, 0), Figures(job));
        Assert.Equal("second", Assert.Single(await client.RecordsAsync("products")).GetProperty("series").GetString());
    }

    [Fact]
    public async Task A_cell_with_several_names_becomes_links_and_what_is_unknown_names_itself()
    {
        await crm.ChangeAsync("""
            {"change":"add_field","entity":"opportunity","field":{"name":"x_partners","label":"Partners","type":"many_to_many","target":"company","inverse":{"name":"x_partner_in"}}},
             {"change":"add_field","entity":"company","field":{"name":"x_allies","label":"Allies","type":"many_to_many","target":"company","inverse":{"name":"x_ally_of"}}}
            """);
        await client.ImportAsync("company", "name\nAda Ltd\nBit AG\nTwin\nTwin\n");

        const string mapping = """{"fields":{"title":{"column":"title"},"x_partners":{"column":"partners","unknown":"create"}}}""";
        var job = await client.ImportAsync("opportunity", "title,partners\nOne,Ada Ltd; bit ag ;\nTwo,Cosmo; Ada Ltd; Cosmo\nThree,Ada Ltd; Twin\nFour,\n", ("mapping", mapping));
        Assert.Equal((4, 3, 0, 1), Figures(job));
        Assert.Equal(1, job.GetProperty("report").GetProperty("created_references").GetInt64());
        Assert.Equal(["Four: ", "One: Ada Ltd, Bit AG", "Two: Ada Ltd, Cosmo"], await PartnersAsync());
        Assert.Contains(Issues(job), i => i.GetProperty("code").GetString() == "ambiguous" && i.GetProperty("field").GetString() == "x_partners");

        // A later import says what the whole list is, row by row.
        await client.ImportAsync("opportunity", "title,partners\nOne,Cosmo\n", ("mode", "upsert"), ("match", "title"), ("mapping", """{"fields":{"title":{"column":"title"},"x_partners":{"column":"partners"}}}"""));
        Assert.Contains("One: Cosmo", await PartnersAsync());

        // Records of the same file, also those that come later.
        await client.ImportAsync("company", "name,allies\nFirst,Second; Third; Ada Ltd\nSecond,\nThird,First\n", ("mapping", """{"fields":{"name":{"column":"name"},"x_allies":{"column":"allies"}}}"""));
        var first = Assert.Single(await client.RecordsAsync("companies", "$filter=name eq 'First'&$expand=x_allies($select=name)"));
        Assert.Equal(["Ada Ltd", "Second", "Third"], Names(first, "x_allies"));
        var ally = Assert.Single(await client.RecordsAsync("companies", "$filter=name eq 'First'&$expand=x_ally_of($select=name)"));
        Assert.Equal(["Third"], Names(ally, "x_ally_of"));

        async Task<IEnumerable<string>> PartnersAsync() =>
            (await client.RecordsAsync("opportunities", "$expand=x_partners($select=name)&$orderby=title")).Select(o => $"{o.GetProperty("title").GetString()}: {string.Join(", ", Names(o, "x_partners"))}");

        static IEnumerable<string> Names(JsonElement record, string field) => record.GetProperty(field).EnumerateArray().Select(p => p.GetProperty("name").GetString()!).Order(StringComparer.Ordinal);
    }

    [Fact]
    public async Task References_are_found_by_name_in_any_case_mapped_left_empty_or_made()
    {
        await client.ImportAsync("product", "name\nGTX Pro\n");
        await client.ImportAsync("company", "name\nIsdom\nTwin\nTwin\n");
        const string mapping = """
            {"fields":{
              "title":{"template":"{product}[ – {account}]"},
              "product":{"column":"product","values":{"GTXPro":"GTX Pro"},"unknown":"create"},
              "company":{"column":"account","unknown":"empty"}}}
            """;

        var job = await client.ImportAsync("opportunity", "product,account\nGTXPro,ISDOM\ngtx pro,Nobody\nNew One,\nGTXPro,Twin\n", ("mapping", mapping));

        Assert.Equal((4, 3, 0, 1), Figures(job));
        Assert.Equal(1, job.GetProperty("report").GetProperty("created_references").GetInt64());
        Assert.Equal(["GTX Pro – ISDOM", "New One", "gtx pro – Nobody"], (await client.RecordsAsync("opportunities")).Select(o => o.GetProperty("title").GetString()!).Order(StringComparer.Ordinal).ToArray().AsEnumerable());
        Assert.Equal(["ambiguous", "created", "empty", "left_empty"], Issues(job).Select(i => i.GetProperty("code").GetString()!).Order(StringComparer.Ordinal).ToArray().AsEnumerable());
        Assert.Equal(2, await client.CountAsync("products"));
    }

    [Fact]
    public async Task Unknown_choices_are_reported_once_per_value_with_their_count()
    {
        var job = await client.ImportAsync("company", "name,sector\nA,technolgy\nB,technolgy\nC,medical\nD,space\n");

        Assert.Equal((4, 1, 0, 3), Figures(job));
        Assert.Equal([("technolgy", 2L), ("space", 1L)], Issues(job).Select(i => (i.GetProperty("value").GetString()!, i.GetProperty("count").GetInt64())).ToArray().AsEnumerable());
    }

    [Fact]
    public async Task Users_are_imported_with_managers_that_are_made_and_none_can_sign_in()
    {
        const string mapping = """
            {"fields":{
              "name":{"column":"sales_agent"},
              "user_name":{"template":"{sales_agent|user_name}"},
              "manager":{"column":"manager","unknown":"create","create":{"user_name":"{value|user_name}"}},
              "region":{"column":"regional_office"}}}
            """;

        var job = await client.ImportAsync("user", "sales_agent,manager,regional_office\nAnna Snelling,Dustin Brinkmann,Central\nCarl Lin,Dustin Brinkmann,West\n", ("mapping", mapping), ("mode", "upsert"), ("match", "user_name"));

        Assert.Equal((2, 2, 0, 0), Figures(job));
        var users = await client.RecordsAsync("users", "$filter=startswith(user_name,'anna') or startswith(user_name,'dustin') or startswith(user_name,'carl')&$expand=manager($select=name)&$orderby=name");
        Assert.Equal(["Anna Snelling", "Carl Lin", "Dustin Brinkmann"], users.Select(u => u.GetProperty("name").GetString()!).ToArray().AsEnumerable());
        Assert.All(users, u => Assert.NotEqual(JsonValueKind.True, u.GetProperty("can_sign_in").ValueKind));
        Assert.Equal("Dustin Brinkmann", users[0].GetProperty("manager").GetProperty("name").GetString());
    }

    [Fact]
    public async Task Windows_1251_is_detected_and_not_mangled()
    {
        var bytes = CodePagesEncodingProvider.Instance.GetEncoding(1251)!.GetBytes("account,office_location\nООО Ромашка,Россия\nЗАО Северный ветер,Казахстан\nТорговый дом Восток,Россия\n");

        using var answer = await client.SendAsync("company", bytes);
        var job = await client.FinishedAsync((await ImportClient.BodyAsync(answer)).GetProperty("id").GetGuid());

        Assert.Equal((3, 3, 0, 0), Figures(job));
        Assert.Equal("windows-1251", job.GetProperty("import").GetProperty("encoding").GetString());
        Assert.Equal(1, await client.CountAsync("companies", "name eq 'ООО Ромашка'"));
    }

    [Fact]
    public async Task An_unclear_encoding_is_asked_for_and_the_answer_is_followed()
    {
        byte[] bytes = [.. "account\n"u8, 0xE0, (byte)'\n'];

        using var asked = await client.SendAsync("company", bytes);
        var error = (await ImportClient.BodyAsync(asked)).GetProperty("error");
        Assert.Equal(HttpStatusCode.BadRequest, asked.StatusCode);
        Assert.Equal("encoding", error.GetProperty("code").GetString());
        Assert.Contains(error.GetProperty("details").EnumerateArray(), d => d.GetProperty("target").GetString() == "windows-1251" && d.GetProperty("message").GetString() == "а");

        using var answer = await client.SendAsync("company", bytes, ("encoding", "windows-1251"));
        await client.FinishedAsync((await ImportClient.BodyAsync(answer)).GetProperty("id").GetGuid());
        Assert.Equal(1, await client.CountAsync("companies", "name eq 'а'"));
    }

    [Fact]
    public async Task The_report_can_be_downloaded_and_its_cells_are_no_formulas()
    {
        var job = await client.ImportAsync("company", "name,sector\nA,\"=HYPERLINK(\"\"http://x\"\")\"\nB,medical\n");

        var csv = await client.Http.GetStringAsync(new Uri($"api/jobs/{Id(job)}/verdicts?format=csv&only=errors", UriKind.Relative));

        Assert.Contains("'=HYPERLINK", csv, StringComparison.Ordinal);
        Assert.DoesNotContain(",=HYPERLINK", csv, StringComparison.Ordinal);
        Assert.Equal(2, csv.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public async Task Verdicts_come_in_pages()
    {
        var job = await client.ImportAsync("product", "name\n" + string.Concat(Enumerable.Range(1, 25).Select(i => $"P{i}\n")));

        var rows = new List<long>();
        var next = $"/api/jobs/{Id(job)}/verdicts?top=10";
        while (next is not null)
        {
            var page = await client.GetAsync(next.TrimStart('/'));
            rows.AddRange(page.GetProperty("value").EnumerateArray().Select(v => v.GetProperty("row").GetInt64()));
            next = page.GetProperty("next").GetString();
        }

        Assert.Equal(Enumerable.Range(1, 25).Select(i => (long)i), rows);
    }

    [Fact]
    public async Task History_says_that_a_record_came_from_an_import()
    {
        await client.ImportAsync("product", "name\nA\n");
        var id = Assert.Single(await client.RecordsAsync("products")).GetProperty("id").GetGuid();

        var history = (await client.GetAsync($"api/records/product/{id}/history")).GetProperty("value")[0];

        Assert.Equal("import", history.GetProperty("source").GetString());
        Assert.Equal("create", history.GetProperty("kind").GetString());
    }

    private static Guid Id(JsonElement job) => job.GetProperty("id").GetGuid();

    private static List<JsonElement> Issues(JsonElement job) => [.. job.GetProperty("report").GetProperty("issues").EnumerateArray()];

    private static JsonElement Issue(JsonElement job) => Assert.Single(Issues(job));

    private static (long Read, long Created, long Updated, long Skipped) Figures(JsonElement job)
    {
        Assert.True(job.GetProperty("state").GetString() == "succeeded", job.ToString());
        var report = job.GetProperty("report");
        var (read, created, updated, unchanged, skipped) = (Number("read"), Number("created"), Number("updated"), Number("unchanged"), Number("skipped"));
        Assert.Equal(read, created + updated + unchanged + skipped);
        return (read, created, updated, skipped);

        long Number(string name) => report.GetProperty(name).GetInt64();
    }
}
