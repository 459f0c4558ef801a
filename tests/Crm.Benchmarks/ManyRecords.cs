using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Crm.Host.Security;
using Crm.Sdk;
using Crm.Sdk.Testing;
using Npgsql;

namespace Crm.Benchmarks;

/// <summary>An ordinary day's work on many records of 20 fields with access rules on: for somebody who reaches half of them through 500 teams, for an administrator, and hand-written SQL over the same table.</summary>
internal static class ManyRecords
{
    private const string Password = "copper violin lighthouse";
    private const int Users = 1_000;
    private const string Select = """
        r.id, r.version, r.first_name, r.last_name, r.salutation, r.email, r.phone, r.mobile, r.job_title, r.street, r.postal_code, r.city, r.country, r.website, r.company_id, r.stage, r.budget, r.score, r.vip, r.born,
        r.source, r.description, r.created_at, r.created_by, r.modified_at, r.modified_by, r.owner, r.is_active
        """;

    public static async Task RunAsync(int rows, int seconds)
    {
        await using var crm = await TestCrm.StartAsync();
        var rep = await PeopleAsync(crm);
        await crm.ChangeAsync("""
            {"change":"create_entity","name":"x_person","plural":"People","set":"x_people","visibility":"private","search":["last_name"],"title":["first_name","last_name"],"fields":[
               {"name":"first_name","type":"text"},{"name":"last_name","type":"text","indexed":true},{"name":"salutation","type":"text"},{"name":"email","type":"text"},{"name":"phone","type":"text"},
               {"name":"mobile","type":"text"},{"name":"job_title","type":"text"},{"name":"street","type":"text"},{"name":"postal_code","type":"text"},{"name":"city","type":"text"},{"name":"country","type":"text"},
               {"name":"website","type":"text"},{"name":"company","type":"lookup","target":"company"},
               {"name":"stage","type":"choice","choices":[{"name":"new"},{"name":"warm"},{"name":"offer"},{"name":"order"},{"name":"lost"},{"name":"asleep"}]},
               {"name":"budget","type":"decimal"},{"name":"score","type":"integer"},{"name":"vip","type":"yes_no"},{"name":"born","type":"date"},{"name":"source","type":"text"},{"name":"description","type":"long_text"}]},
             {"change":"set_grant","entity":"x_person","grant":{"name":"everyone","read":"team","write":"own","create":"all"}},
             {"change":"change_entity","entity":"company","visibility":"public_read"}
            """);
        await FillAsync(crm, rows);
        using var admin = await crm.AdminClientAsync();
        using var member = crm.Client(await crm.TokenAsync("rep", Password));
        await using var floor = await Floor.StartAsync(crm.ConnectionString, Map);
        var (mine, all) = await IdsAsync(crm.ConnectionString, rep);

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{rows:N0} records; requests a second over 16 connections"));
        Console.WriteLine($"{"",-34}{"500 teams",11}{"admin",9}{"floor",9}{"admin/floor",13}{"teams/admin",13}");
        const string List = "odata/v4/x_people?$filter=stage eq 'order'&$orderby=last_name&$top=50";
        await CompareAsync("get one by id", i => $"odata/v4/x_people({mine[i % mine.Length]})", i => $"get/{all[i % all.Length]}");
        await CompareAsync("list 50, filtered and sorted", _ => List, _ => "list");
        await CompareAsync("list 50 with count", _ => List + "&$count=true", _ => "list?more=count");
        await CompareAsync("list 50 with company's name", _ => List + "&$expand=company($select=name)", _ => "list?more=company");
        await CompareAsync("quick search, substring", i => $"odata/v4/x_people?$search=son{i % 90 + 10}&$top=50", i => $"search?text=son{i % 90 + 10}");
        await CompareAsync("count and sum by stage", _ => "odata/v4/x_people?$apply=groupby((stage),aggregate(budget with sum as total,$count as number))", _ => "stages");

        var deep = await NextLinkAsync(member, $"odata/v4/x_people?$orderby=last_name", rows / 4);
        var first = await Load.RunAsync(member, _ => Get("odata/v4/x_people?$orderby=last_name&$top=50"), seconds);
        var far = await Load.RunAsync(member, _ => Paged(deep), seconds);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"500 teams, by name: first 50 {first.PerSecond:N0}/s, 50 behind {rows / 4:N0} {far.PerSecond:N0}/s, ratio {far.PerSecond / first.PerSecond:0.00}"));
        foreach (var (name, path) in new[] { ("get one by id", (Func<int, string>)(i => $"odata/v4/x_people({mine[i % mine.Length]})")), ("list 50, filtered and sorted", _ => List) })
        {
            var rate = await Load.RunAsync(admin, i => Get(path(i)), seconds, connections: 64);
            var (half, most) = (rate.Percentile(0.5), rate.Percentile(0.99));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"64 connections, {name}: {rate.PerSecond:N0}/s, p50 {half:0.0} ms, p99 {most:0.0} ms, ratio {most / half:0.0}"));
        }

        async Task CompareAsync(string name, Func<int, string> product, Func<int, string> plain)
        {
            var (one, two, three) = (default(Rate), default(Rate), default(Rate));
            for (var turn = 0; turn < 2; turn++)
            {
                one += await Load.RunAsync(member, i => Get(product(i)), seconds);
                two += await Load.RunAsync(admin, i => Get(product(i)), seconds);
                three += await Load.RunAsync(floor.Client, i => Get(plain(i)), seconds);
            }

            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{name,-34}{one.PerSecond,11:N0}{two.PerSecond,9:N0}{three.PerSecond,9:N0}{two.PerSecond / three.PerSecond,13:0.00}{one.PerSecond / two.PerSecond,13:0.00}"));
        }
    }

    private static HttpRequestMessage Get(string path) => new(HttpMethod.Get, new Uri(path, UriKind.RelativeOrAbsolute));

    private static HttpRequestMessage Paged(string path, int size = 50)
    {
        var request = Get(path);
        request.Headers.Add("Prefer", string.Create(CultureInfo.InvariantCulture, $"maxpagesize={size}"));
        return request;
    }

    /// <summary>Address of the page behind as many records.</summary>
    private static async Task<string> NextLinkAsync(HttpClient client, string path, int records)
    {
        for (var read = 0; read < records; read += 1_000)
        {
            using var request = Paged(path, 1_000);
            using var answer = await client.SendAsync(request);
            answer.EnsureSuccessStatusCode();
            using var page = await JsonDocument.ParseAsync(await answer.Content.ReadAsStreamAsync());
            path = page.RootElement.GetProperty("@odata.nextLink").GetString()!;
        }

        return path;
    }

    private static void Map(WebApplication app, NpgsqlDataSource source)
    {
        app.MapGet("/get/{id:guid}", (Guid id, HttpContext http) => Floor.WriteAsync(http, source, $"SELECT {Select} FROM records.x_person r WHERE r.id = $1", [id], list: false));
        app.MapGet("/list", (HttpContext http, string? more) =>
        {
            var extra = more == "company" ? ", c.id AS company, c.name AS company_name" : more == "count" ? ", (SELECT count(*) FROM records.x_person WHERE stage = $1) AS total" : "";
            var join = more == "company" ? "LEFT JOIN records.company c ON c.id = r.company_id" : "";
            return Floor.WriteAsync(http, source, $"SELECT {Select}{extra} FROM records.x_person r {join} WHERE r.stage = $1 ORDER BY r.last_name, r.id LIMIT 50", ["order"], list: true);
        });
        app.MapGet("/search", (HttpContext http, string text) =>
            Floor.WriteAsync(http, source, $"SELECT {Select} FROM records.x_person r WHERE crm.fold(r.last_name) LIKE '%' || crm.fold($1) || '%' ORDER BY r.last_name, r.id LIMIT 50", [text], list: true));
        app.MapGet("/stages", (HttpContext http) => Floor.WriteAsync(http, source, "SELECT stage, sum(budget) AS total, count(*) AS number FROM records.x_person GROUP BY stage", [], list: true));
    }

    /// <summary>A thousand users, each in a team of their own, and somebody who is in 500 of those.</summary>
    private static async Task<Guid> PeopleAsync(TestCrm crm)
    {
        ImmutableArray<RecordChange> teams = [.. Enumerable.Range(0, Users).Select(i => Create("team", ("name", $"Team {i}")))];
        await SaveAsync(teams);
        await SaveAsync(teams.Select((team, i) => Create("user", ("name", $"User {i}"), ("user_name", $"user{i}"), ("team", team.Id))));
        var rep = Create("user", ("name", "Rep"), ("user_name", "rep"), ("can_sign_in", true));
        await SaveAsync([rep]);
        await SaveAsync(teams.Take(Users / 2).Select(team => Create("user_teams", ("user", rep.Id), ("team", team.Id))));
        await crm.Services.GetRequiredService<Passwords>().SetAsync(rep.Id, Password, CancellationToken.None);
        return rep.Id;

        static RecordChange Create(string entity, params (string Name, object? Value)[] values) => RecordChange.Create(entity, values.ToDictionary(v => v.Name, v => v.Value));

        async Task SaveAsync(IEnumerable<RecordChange> changes)
        {
            if ((await crm.Records.SaveManyAsync([.. changes], new SaveOptions())).FirstOrDefault(r => !r.Succeeded) is { } refused)
            {
                throw new InvalidOperationException(refused.Errors[0].Message);
            }
        }
    }

    private static async Task FillAsync(TestCrm crm, int rows)
    {
        foreach (var sql in new[]
        {
            "INSERT INTO records.company (id, version, created_at, modified_at, is_active, owner, name, relationship_type) SELECT gen_random_uuid(), 1, now(), now(), true, (SELECT id FROM records.\"user\" WHERE user_name = 'admin'), 'Company ' || n, 'client' FROM generate_series(1, 1000) AS n",
            string.Create(CultureInfo.InvariantCulture, $"""
                WITH owners AS (SELECT array_agg(id ORDER BY id) AS ids FROM records."user" WHERE user_name LIKE 'user%'), firms AS (SELECT array_agg(id) AS ids FROM records.company)
                INSERT INTO records.x_person (id, version, created_at, modified_at, is_active, owner, first_name, last_name, salutation, email, phone, mobile, job_title, street, postal_code, city, country, website, company_id,
                    stage, budget, score, vip, born, source, description)
                SELECT gen_random_uuid(), 1, now(), now(), true, owners.ids[n % {Users} + 1], 'First ' || n % 5000, 'Person' || n % 7919 || 'son' || n, 'Dr.', 'p' || n || '@example.com', '0171 ' || n, '0172 ' || n, 'Job ' || n % 100,
                    'Street ' || n % 1000, (10000 + n % 80000)::text, 'City ' || n % 500, 'DE', 'https://example.com/' || n, firms.ids[n % 1000 + 1],
                    (ARRAY['new', 'warm', 'offer', 'order', 'lost', 'asleep'])[n % 6 + 1], n % 30000, n % 100, n % 7 = 0, date '1950-01-01' + n % 20000, 'fair', 'Some text about person ' || n
                FROM generate_series(1, {rows}) AS n, owners, firms
                """),
            "VACUUM ANALYZE records.x_person",
        })
        {
            await using var connection = new NpgsqlConnection(crm.ConnectionString);
            await connection.OpenAsync();
            await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
            await command.ExecuteNonQueryAsync();
        }
    }

    /// <summary>Records the user reaches, and any.</summary>
    private static async Task<(Guid[] Mine, Guid[] All)> IdsAsync(string connectionString, Guid user)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            """
            SELECT (SELECT array_agg(id) FROM (SELECT r.id FROM records.x_person r JOIN records."user" u ON u.id = r.owner JOIN records.user_teams m ON m.team_id = u.team_id WHERE m.user_id = $1 LIMIT 10000) AS mine),
                   (SELECT array_agg(id) FROM (SELECT id FROM records.x_person LIMIT 10000) AS head)
            """,
            connection)
        { Parameters = { new() { Value = user } } };
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        return (reader.GetFieldValue<Guid[]>(0), reader.GetFieldValue<Guid[]>(1));
    }
}
