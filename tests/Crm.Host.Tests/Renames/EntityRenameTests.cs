using System.Net;
using Crm.Host.Tests.Api;
using Crm.Host.Tests.Workflows;
using Crm.Metadata;
using Crm.Sdk;
using Dapper;
using Microsoft.Extensions.DependencyInjection;
using static Crm.Host.Tests.Workflows.WorkflowClient;

namespace Crm.Host.Tests.Renames;

/// <summary>What the whole product keeps about an entity follows it to its new name.</summary>
public sealed class EntityRenameTests(ApiCrm crm) : IClassFixture<ApiCrm>
{
    /// <summary>Columns that say what was, for good, or that are read through <c>crm.entity_rename</c>.</summary>
    private static readonly string[] Kept =
    [
        "history.entity", "history.changes", "metadata_history.changes", "metadata_history.steps", "metadata_history.definitions", "entity_rename.from_name", "entity_rename.from_set", "plan.changes", "plan.statements",
    ];

    private readonly WorkflowClient flows = new(crm);

    [Fact]
    public async Task Every_column_that_is_called_like_a_name_of_an_entity_has_a_keeper()
    {
        var known = crm.Crm.Services.GetServices<IEntityNames>().SelectMany(k => k.Columns).Select(c => $"{c.Table}.{c.Name}").ToHashSet(StringComparer.Ordinal);
        var found = await ListAsync(
            """
            SELECT table_name || '.' || column_name FROM information_schema.columns
            WHERE table_schema = 'crm' AND data_type IN ('text', 'character varying', 'ARRAY')
              AND (column_name ~ '(^|_)(entity|entities)($|_)' OR column_name IN ('used', 'uses', 'tables', 'subject', 'object')) ORDER BY 1
            """);
        Assert.Equal([], found.Except(known));
        // The other way round: nobody says they keep what is not there.
        Assert.Equal([], known.Except(await ListAsync("SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'crm'")));
    }

    [Fact]
    public async Task Nothing_in_the_database_says_the_old_name_and_everything_goes_on()
    {
        await crm.ApplyAsync(
            """
            {"changes":[{"change":"create_entity","name":"x_errand","label":"Errand","set":"x_errands","fields":[{"name":"title","type":"text"},{"name":"about","type":"any_lookup"},{"name":"note","type":"text"}]}]}
            """);
        var errand = await crm.CreateAsync("x_errands", """{"title":"First"}""");
        var other = await crm.CreateAsync("x_errands", $$"""{"title":"Other","about":"x_errand:{{errand["id"]}}"}""");
        var gone = await crm.CreateAsync("x_errands", $$"""{"title":"Gone","about":"x_errand:{{errand["id"]}}"}""");
        Assert.Equal(HttpStatusCode.NoContent, (await crm.SendAsync("DELETE", $"odata/v4/x_errands({gone["id"]})")).Status);
        await flows.PublishAsync(Sequence("watch-errand", Trigger("Crm.RecordCreated", "x_errand"),
            """{"type":"Crm.WaitForRecord","id":"wait","name":"wait","condition":{"expression":{"type":"Crm","value":"title = \"Done\""}}}""",
            SetFields("Set", """{"note":"seen"}"""),
            $$$$"""{"type":"Crm.CreateRecord","id":"next","name":"Next","entity":{{{{Literal("x_errand")}}}},"values":{"expression":{"type":"Object","value":"{\"title\":\"Next\",\"about\":\"x_errand:{{{{errand["id"]}}}}\"}"}}}"""));
        await flows.SaveAsync(Sequence("draft-errand", Trigger("Crm.RecordDeleted", "x_errand")), publish: false);
        var waiting = await crm.CreateAsync("x_errands", """{"title":"Waiting"}""");
        await flows.EndedAsync("watch-errand", 1);
        await flows.QuietAsync();
        await ExecuteAsync(
            $$$"""
            INSERT INTO crm.saved_view VALUES (gen_random_uuid(), 'x_errand', 'Mine', true, gen_random_uuid(), '{"select":["title"],"filter":{"path":"about_entity","operator":"equal","value":"x_errand"}}', now());
            INSERT INTO crm.default_view VALUES (gen_random_uuid(), 'x_errand', 'all');
            INSERT INTO crm.list_columns VALUES (gen_random_uuid(), 'x_errand', 'all', '{title}');
            INSERT INTO crm.record_share VALUES ('{{{errand["id"]}}}', '00000000-0000-0000-0000-000000000000', 'x_errand', 1, now(), gen_random_uuid());
            INSERT INTO crm.record_restriction VALUES ('{{{other["id"]}}}', 'x_errand', now(), gen_random_uuid());
            INSERT INTO crm.access_mark VALUES ('x_errand', 'share'), ('x_errand', 'restriction');
            INSERT INTO crm.job (id, kind, payload, run_after, created_by, created_by_name, scope) VALUES ('00000000-0000-7000-8000-0000000000f1', 'bulk', '{"entity":"x_errand","action":"update","set":{"about":"x_errand:{{{errand["id"]}}}"}}', now() + interval '1 day', gen_random_uuid(), 'Ada', '{"id":"00000000-0000-7000-8000-0000000000f3","name":"Key","entities":{"x_errand":{"operations":["read"]} } }');
            INSERT INTO crm.session (id, kind, user_id, name, scope) VALUES ('00000000-0000-7000-8000-0000000000f3', 'key', gen_random_uuid(), 'Key', '{"id":"00000000-0000-7000-8000-0000000000f3","name":"Key","entities":{"x_errand":{"operations":["read"]} } }');
            INSERT INTO crm.bulk_row (job_id, row, record_id, version, entity) VALUES ('00000000-0000-7000-8000-0000000000f1', 1, gen_random_uuid(), 1, 'x_errand');
            INSERT INTO crm.export (id, entity, format, columns, created_by, created_by_name) VALUES (gen_random_uuid(), 'x_errand', 'csv', '{title}', gen_random_uuid(), 'Ada');
            INSERT INTO crm.merge VALUES (gen_random_uuid(), 'x_errand', gen_random_uuid(), '{}', 1, now(), gen_random_uuid(), 'Ada', '{x_errand}', ARRAY[gen_random_uuid()], '{about}', ARRAY[gen_random_uuid()], NULL);
            INSERT INTO crm.webhook VALUES ('00000000-0000-7000-8000-0000000000f2', 'Hook', 'https://example.com', 's', '{x_firm,x_errand}', '{0}', false, now(), gen_random_uuid(), 'Ada');
            INSERT INTO crm.webhook_delivery (webhook, event_id, at, user_id, entity, record_id, kind, version, fields, next_at, cause_entity) VALUES ('00000000-0000-7000-8000-0000000000f2', -1, now(), gen_random_uuid(), 'x_errand', gen_random_uuid(), 0, 1, '{}', now() + interval '1 day', 'x_errand');
            INSERT INTO crm.outbox (at, user_id, entity, record_id, kind, version, fields, attempts, next_at, cause_entity) VALUES (now(), gen_random_uuid(), 'x_errand', gen_random_uuid(), 0, 1, '{}', 1, now() + interval '1 day', 'x_errand');
            INSERT INTO crm.metadata_step (version, kind, entity, tables, name, text, sql, state) VALUES (1, 'index', 'x_errand', '{x_errand}', 'x_errand__note_i', 'Index', 'CREATE INDEX CONCURRENTLY "x_errand__note_i" ON records."x_errand" ("note")', 'failed');
            """);
        // What is looked for is known to be found.
        Assert.True((await SaidAsync()).Select(s => s.Split(':')[0]).Distinct(StringComparer.Ordinal).Count() > 25);

        await crm.ApplyAsync("""{"changes":[{"change":"rename_entity","entity":"x_errand","to":"x_mission"}]}""");

        Assert.Equal([], await SaidAsync());
        Assert.Equal(["x_mission"], await ListAsync("SELECT DISTINCT about_entity FROM records.x_mission WHERE about_entity IS NOT NULL"));

        // The run that waited goes on, and what it makes starts the workflow under the new name.
        Assert.Equal(HttpStatusCode.OK, (await crm.SendAsync("PATCH", $"odata/v4/x_missions({waiting["id"]})", """{"title":"Done"}""")).Status);
        Assert.Contains(await flows.EndedAsync("watch-errand", 2), r => r.Status == "finished");
        Assert.Equal("seen", (await crm.GetAsync($"odata/v4/x_missions({waiting["id"]})")).Json["note"]!.ToString());

        // What history and the recycle bin know of the records from before.
        var about = new RecordRef("x_mission", Guid.Parse(errand["id"]!.ToString()));
        var history = await crm.Crm.Records.HistoryAsync("x_mission", Guid.Parse(other["id"]!.ToString()));
        Assert.Equal(about, Assert.Single(Assert.Single(history).Changes, c => c.Field == "about").After);
        Assert.Equal(HttpStatusCode.OK, (await crm.SendAsync("POST", "api/bin/restore", $$"""{"ids":["{{gone["id"]}}"]}""")).Status);
        Assert.Equal(about, (await crm.Crm.Records.FindAsync("x_mission", Guid.Parse(gone["id"]!.ToString())))!["about"]);

        await AddressesAsync(errand["id"]!.ToString());
    }

    /// <summary>Old addresses lead on until the name is taken.</summary>
    private async Task AddressesAsync(string id)
    {
        foreach (var (old, now) in new[]
        {
            ("odata/v4/x_errands?$top=1", "/odata/v4/x_missions?$top=1"), ($"odata/v4/x_errands({id})", $"/odata/v4/x_missions({id})"), ($"api/records/x_errand/{id}/history", $"/api/records/x_mission/{id}/history"),
            ("api/metadata/entities/x_errand", "/api/metadata/entities/x_mission"), ($"e/x_errand/{id}", $"/e/x_mission/{id}"), ("e/x_errand?view=all", "/e/x_mission?view=all"), ("admin/designer/x_errand", "/admin/designer/x_mission"),
        })
        {
            var answer = await crm.GetAsync(old);
            Assert.Equal((HttpStatusCode.TemporaryRedirect, now), (answer.Status, answer.Headers.GetValueOrDefault("Location")));
        }

        var written = await crm.SendAsync("POST", "odata/v4/x_errands", """{"title":"By an old program"}""");
        Assert.Equal((HttpStatusCode.TemporaryRedirect, "renamed", "/odata/v4/x_missions"), (written.Status, written.Code, written.Headers["Location"]));
        using var nobody = crm.Crm.Client();
        Assert.Equal(HttpStatusCode.Unauthorized, (await nobody.GetAsync(new Uri("odata/v4/x_errands", UriKind.Relative))).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await crm.GetAsync("odata/v4/x_nothings")).Status);

        await crm.ApplyAsync("""{"changes":[{"change":"create_entity","name":"x_errand","set":"x_errands","fields":[{"name":"title","type":"text"}]}]}""");
        Assert.Empty((await crm.GetAsync("odata/v4/x_errands")).Value);
        Assert.Equal(HttpStatusCode.OK, (await crm.GetAsync("api/metadata/entities/x_errand")).Status);
    }

    /// <summary>Where the database says the old name, in any text or JSON.</summary>
    private async Task<List<string>> SaidAsync()
    {
        var columns = await ListAsync(
            """
            SELECT quote_ident(table_name) || '.' || quote_ident(column_name) FROM information_schema.columns
            WHERE table_schema = 'crm' AND data_type IN ('text', 'character varying', 'ARRAY', 'json', 'jsonb') ORDER BY 1
            """);
        var said = new List<string>();
        foreach (var column in columns.Except(Kept))
        {
            var (table, name) = (column.Split('.')[0], column.Split('.')[1]);
            said.AddRange(await ListAsync($@"SELECT '{column}: ' || left({name}::text, 200) FROM crm.{table} WHERE {name}::text ~ '(^|[^a-z_0-9-])x_errand(s?$|[^a-z0-9-])'"));
        }

        return said;
    }

    private async Task<List<string>> ListAsync(string sql)
    {
        await using var connection = await crm.Crm.Services.GetRequiredService<CrmDatabase>().OpenAsync();
        return (await connection.QueryAsync<string>(sql)).AsList();
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = await crm.Crm.Services.GetRequiredService<CrmDatabase>().OpenAsync();
        await connection.ExecuteAsync(sql);
    }
}
