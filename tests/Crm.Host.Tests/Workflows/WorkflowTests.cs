using System.Net;
using System.Text.Json.Nodes;
using Crm.Host.Tests.Api;
using Crm.Sdk;
using static Crm.Host.Tests.Workflows.WorkflowClient;

namespace Crm.Host.Tests.Workflows;

/// <summary>Workflows from the definition to what they write.</summary>
public sealed class WorkflowTests(ApiCrm crm) : IClassFixture<ApiCrm>, IAsyncLifetime
{
    private readonly WorkflowClient flows = new(crm);

    public Task InitializeAsync() => crm.Crm.Metadata.Current.TryEntity("x_job", out _) ? Task.CompletedTask : crm.ApplyAsync(Shape);

    public async Task DisposeAsync()
    {
        foreach (var definition in (await crm.GetAsync("elsa/api/workflow-definitions")).Json["items"]!.AsArray())
        {
            await crm.SendAsync("POST", $"elsa/api/workflow-definitions/{definition!["definitionId"]}/retract");
        }
    }

    [Fact]
    public async Task A_new_record_starts_a_workflow_that_sets_fields_and_makes_a_record()
    {
        await flows.PublishAsync(Sequence(
            "welcome",
            Trigger("Crm.RecordCreated", "x_job"),
            SetFields("Set", """{"state":"open","due":{"type":"Crm","value":"add_days(date(\"2026-11-20\"), 3)"},"note":{"type":"Crm","value":"\"For \" & firm.name"}}"""),
            $$$$"""{"type":"Crm.CreateRecord","id":"task","name":"Task","entity":{{{{Literal("x_task")}}}},"values":{"expression":{"type":"Object","value":"{\"title\":\"Call\",\"job\":{\"type\":\"Crm\",\"value\":\"id\"}}"}}}"""));
        var firm = await crm.CreateAsync("x_firms", $$"""{"name":"Firm {{Guid.CreateVersion7()}}"}""");
        var job = await crm.CreateAsync("x_jobs", $$"""{"title":"One","firm_id":"{{firm["id"]}}"}""");

        var run = await flows.OnlyAsync("welcome");
        Assert.True(run.Status == "finished", run.Incident);
        Assert.Equal(["Trigger Started", "Trigger Completed", "Set Started", "Set Completed", "Task Started", "Task Completed"], (await flows.JournalAsync(run)).Where(l => !l.StartsWith("sequence", StringComparison.Ordinal)));
        var stored = (await crm.GetAsync($"odata/v4/x_jobs({job["id"]})")).Json;
        Assert.Equal(("open", "2026-11-23", "For " + firm["name"]), (stored["state"]!.ToString(), stored["due"]!.ToString(), stored["note"]!.ToString()));
        var tasks = (await crm.GetAsync($"odata/v4/x_tasks?$filter=job_id eq {job["id"]}")).Value;
        Assert.Equal("Call", Assert.Single(tasks)!["title"]!.ToString());
        // History says what set the value.
        var history = await crm.Crm.Records.HistoryAsync("x_job", Guid.Parse(job["id"]!.ToString()));
        Assert.Equal("workflow welcome, version 1", history[0].Source);
        Assert.Equal(1, await flows.ScalarAsync($"SELECT count(*) FROM crm.history WHERE record_id = '{job["id"]}' AND causation = '{run.Id}'"));
    }

    [Fact]
    public async Task A_record_that_comes_back_from_the_recycle_bin_is_not_a_new_one()
    {
        await flows.PublishAsync(Sequence("greeting", Trigger("Crm.RecordCreated", "x_job"), """{"type":"Elsa.WriteLine","id":"a","text":"a"}"""));
        var job = await crm.CreateAsync("x_jobs", """{"title":"Back"}""");
        await flows.EndedAsync("greeting", 1);
        Assert.Equal(HttpStatusCode.NoContent, (await crm.SendAsync("DELETE", $"odata/v4/x_jobs({job["id"]})")).Status);
        var entry = Assert.Single((await crm.GetAsync("api/bin?entity=x_job&search=Back")).Value)!;
        Assert.Equal(HttpStatusCode.OK, (await crm.SendAsync("POST", "api/bin/restore", $$"""{"ids":["{{entry["id"]}}"]}""")).Status);
        Assert.Equal(HttpStatusCode.OK, (await crm.GetAsync($"odata/v4/x_jobs({job["id"]})")).Status);
        await flows.QuietAsync();
        Assert.Single(await flows.EndedAsync("greeting", 1));
    }

    [Fact]
    public async Task Triggers_ask_for_fields_values_and_stages()
    {
        string Line(string id) => $$"""{"type":"Elsa.WriteLine","id":"{{id}}","text":"{{id}}"}""";
        await flows.PublishAsync(Sequence("on-note", Trigger("Crm.RecordChanged", "x_job", "\"fields\":\"note, due\","), Line("a")));
        await flows.PublishAsync(Sequence("on-done", Trigger("Crm.RecordChanged", "x_job", "\"fields\":[\"state\"],\"from\":\"new\",\"to\":\"done\","), Line("a")));
        await flows.PublishAsync(Sequence("on-count", Trigger("Crm.RecordChanged", "x_job", "\"fields\":[\"count\"],\"to\":\"7\","), Line("a")));
        await flows.PublishAsync(Sequence("on-lead", Trigger("Crm.StageEntered", "x_job", "\"stage\":\"lead\","), Line("a")));
        await flows.PublishAsync(Sequence("on-offer", Trigger("Crm.StageEntered", "x_job", "\"stage\":\"offer\","), Line("a")));
        await flows.PublishAsync(Sequence("off-lead", Trigger("Crm.StageLeft", "x_job", "\"stage\":\"lead\","), Line("a")));
        await flows.PublishAsync(Sequence("gone", Trigger("Crm.RecordDeleted", "x_job"), Line("a")));

        var job = await crm.CreateAsync("x_jobs", """{"title":"Triggers","state":"open"}""");
        foreach (var change in new[] { """{"state":"new"}""", """{"state":"done","count":6}""", """{"note":"x"}""", """{"count":7}""", """{"stage":"offer"}""", """{"title":"Nothing"}""" })
        {
            Assert.Equal(HttpStatusCode.OK, (await crm.SendAsync("PATCH", $"odata/v4/x_jobs({job["id"]})", change, ("Prefer", "return=representation"))).Status);
        }

        Assert.Equal(HttpStatusCode.NoContent, (await crm.SendAsync("DELETE", $"odata/v4/x_jobs({job["id"]})")).Status);
        await flows.QuietAsync();
        foreach (var name in new[] { "on-note", "on-done", "on-count", "on-lead", "on-offer", "off-lead", "gone" })
        {
            Assert.Equal(name + " finished", Assert.Single(await flows.EndedAsync(name, 0)) is var run ? run.Name + " " + run.Status : null);
        }
    }

    [Fact]
    public async Task Flow_activities_run_as_they_are_drawn()
    {
        string Add(string id, string text) => $$$"""{"type":"Elsa.WriteLine","id":"{{{id}}}","name":"{{{id}}}","text":"{{{text}}}"}""";
        string[] activities =
        [
            Trigger("Crm.RecordCreated", "x_job"),
            $$"""{"type":"Elsa.FlowDecision","id":"big","name":"big","condition":{{Formula("count > 10")}}}""",
            $$$$"""{"type":"Elsa.FlowSwitch","id":"switch","name":"switch","cases":[{"label":"Open","condition":{"type":"Crm","value":"state = \"open\""}},{"label":"Done","condition":{"type":"Crm","value":"state = \"done\""}}]}""",
            """{"type":"Elsa.FlowFork","id":"fork","name":"fork","branches":{"typeName":"String[]","expression":{"type":"Object","value":"[\"A\",\"B\"]"}}}""",
            Add("a", "A"), Add("b", "B"), Add("b2", "B2"), Add("small", "small"), Add("other", "other"), Add("end", "end"),
            """{"type":"Elsa.FlowJoin","id":"join","name":"join","mode":{"expression":{"type":"Literal","value":"WaitAll"}}}""",
            """
            {"type":"Elsa.ForEach","id":"each","name":"each","items":{"expression":{"type":"Object","value":"[1,2,3]"}},
             "body":{"type":"Elsa.Sequence","id":"body","name":"body","activities":[
               {"type":"Elsa.If","id":"if","name":"if","condition":{"expression":{"type":"Literal","value":"true"}},"then":{"type":"Elsa.SetVariable","id":"keep","name":"keep","variable":{"id":"v1","name":"Last"},"value":{"expression":{"type":"Variable","value":{"id":"CurrentValue","name":"CurrentValue"}}}}},
               {"type":"Elsa.WriteLine","id":"round","name":"round","text":{"expression":{"type":"Variable","value":{"id":"v1","name":"Last"}}}}]}}
            """,
        ];
        var model = Flowchart(
            "drawn", activities, "trigger>big", "big:True>switch", "big:False>small", "switch:Open>fork", "switch:Default>other", "fork:A>a", "fork:B>b", "b>b2", "a>join", "b2>join", "join>each", "each>end", "small>end");
        model["variables"] = new JsonArray(new JsonObject { ["id"] = "v1", ["name"] = "Last", ["typeName"] = "Int32", ["value"] = 0 });
        await flows.PublishAsync(model);

        async Task<string> WroteAsync(string job)
        {
            var before = (await flows.EndedAsync("drawn", 0)).Count;
            await crm.CreateAsync("x_jobs", job);
            var run = (await flows.EndedAsync("drawn", before + 1))[^1];
            Assert.True(run.Status == "finished", run.Incident);
            var journal = (await crm.GetAsync($"elsa/api/workflow-instances/{run.Id}/journal")).Json["items"]!.AsArray();
            return string.Join(" ", journal.Where(e => e!["eventName"]!.ToString() == "Written").Select(e => e!["message"]));
        }

        Assert.Equal("small end", await WroteAsync("""{"title":"Small","count":1}"""));
        Assert.Equal("A B B2 1 2 3 end", await WroteAsync("""{"title":"Open","count":11,"state":"open"}"""));
        Assert.Equal("other", await WroteAsync("""{"title":"Other","count":11}"""));
    }

    [Fact]
    public async Task A_definition_that_cannot_run_is_kept_as_a_draft_and_not_published()
    {
        var model = Flowchart(
            "broken",
            [
                Trigger("Crm.RecordCreated", "x_job"),
                """{"type":"Elsa.Telepathy","id":"t1","name":"Think"}""",
                SetFields("Wrong field", """{"colour":"red"}"""),
                SetFields("Wrong words", """{"note":{"type":"Crm","value":"title +"}}"""),
                $$$$"""{"type":"Crm.CreateRecord","id":"c1","name":"Make","entity":{{{{Literal("x_unknown")}}}},"values":{}}""",
            ],
            "trigger>t1", "t1>nowhere", "trigger:Maybe>c1", "Wrong field>Wrong words", "Wrong words>Wrong field");
        var draft = await flows.SaveAsync(model, publish: false);
        Assert.Equal(HttpStatusCode.OK, draft.Status);
        Assert.False(draft.Json["isPublished"]!.GetValue<bool>());
        var refused = await flows.SaveAsync(model, publish: true);
        Assert.Equal((HttpStatusCode)422, refused.Status);
        var messages = refused.Json["error"]!["details"]!.AsArray().Select(d => d!["message"]!.ToString()).ToList();
        foreach (var expected in new[]
        {
            "Think: there is no activity Elsa.Telepathy; the module it belongs to may be off.",
            "Wrong field: Jobs have no field “colour”.",
            "Wrong words: At character",
            "Make: there is no entity “x_unknown”.",
            "chart: a connection leads to “nowhere”, and there is no such activity.",
            "Trigger: a connection begins at the outcome “Maybe”; there is Done.",
            "Wrong field → Wrong words → Wrong field: the circle has no wait in it and would never rest.",
        })
        {
            Assert.Contains(messages, m => m.StartsWith(expected, StringComparison.Ordinal));
        }

        await crm.CreateAsync("x_jobs", """{"title":"Unheard"}""");
        await flows.QuietAsync();
        Assert.Empty(await flows.EndedAsync("broken", 0));
        Assert.Equal((HttpStatusCode)422, (await crm.SendAsync("POST", "elsa/api/workflow-definitions/broken/publish")).Status);
    }

    [Fact]
    public async Task A_definition_comes_back_as_it_was_saved_and_runs_keep_their_version()
    {
        var first = Sequence("versions", Trigger("Crm.RecordCreated", "x_job"), SetFields("Set", """{"note":"first"}"""));
        first["customProperties"] = new JsonObject { ["VariableTestValues"] = new JsonObject() };
        var saved = await flows.PublishAsync(first);
        foreach (var (name, value) in first)
        {
            Assert.True(JsonNode.DeepEquals(value, saved[name]), name);
        }

        Assert.Equal((1, true, true), (saved["version"]!.GetValue<int>(), saved["isLatest"]!.GetValue<bool>(), saved["isPublished"]!.GetValue<bool>()));
        // A draft beside it changes nothing.
        var second = Sequence("versions", Trigger("Crm.RecordCreated", "x_job"), SetFields("Set", """{"note":"second"}"""));
        var draft = (await flows.SaveAsync(second, publish: false)).Json;
        Assert.Equal((2, false), (draft["version"]!.GetValue<int>(), draft["isPublished"]!.GetValue<bool>()));
        var job = await crm.CreateAsync("x_jobs", """{"title":"Version"}""");
        await flows.EndedAsync("versions", 1);
        Assert.Equal("first", (await crm.GetAsync($"odata/v4/x_jobs({job["id"]})")).Json["note"]!.ToString());

        Assert.Equal(HttpStatusCode.OK, (await crm.SendAsync("POST", "elsa/api/workflow-definitions/versions/publish")).Status);
        await crm.CreateAsync("x_jobs", """{"title":"Version"}""");
        Assert.Equal([1, 2], (await flows.EndedAsync("versions", 2)).Select(r => r.Version));
        Assert.Equal(2, (await crm.GetAsync("elsa/api/workflow-definitions/versions/versions")).Json["items"]!.AsArray().Count);
        Assert.Equal(3, (await crm.SendAsync("POST", "elsa/api/workflow-definitions/versions/revert/1")).Json["version"]!.GetValue<int>());
        Assert.Equal(1, (await crm.GetAsync("elsa/api/workflow-definitions/by-definition-id/versions?versionOptions=1")).Json["version"]!.GetValue<int>());
        await crm.SendAsync("POST", "elsa/api/workflow-definitions/versions/retract");
        await crm.CreateAsync("x_jobs", """{"title":"Retracted"}""");
        await flows.QuietAsync();
        Assert.Equal(2, (await flows.EndedAsync("versions", 2)).Count);
        Assert.Equal(HttpStatusCode.NoContent, (await crm.SendAsync("DELETE", "elsa/api/workflow-definitions/versions")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await crm.GetAsync("elsa/api/workflow-definitions/by-definition-id/versions")).Status);
    }

    [Fact]
    public async Task A_refused_write_stops_the_run_and_trying_again_goes_on_from_there()
    {
        await flows.PublishAsync(Sequence(
            "refused",
            Trigger("Crm.RecordCreated", "x_job"),
            SetFields("First", """{"note":"set"}"""),
            SetFields("Second", """{"count":{"type":"Crm","value":"count + 999"}}""")));
        var job = await crm.CreateAsync("x_jobs", """{"title":"Refused","count":10}""");
        var run = await flows.OnlyAsync("refused");
        Assert.Equal(("faulted", "Second", "range"), (run.Status, run.IncidentActivity, run.IncidentCode));
        Assert.StartsWith("count: ", run.Incident, StringComparison.Ordinal);
        Assert.Equal("Second Faulted", (await flows.JournalAsync(run))[^1]);

        await crm.SendAsync("PATCH", $"odata/v4/x_jobs({job["id"]})", """{"count":1}""");
        Assert.Equal(HttpStatusCode.Accepted, (await crm.SendAsync("POST", $"elsa/api/workflow-instances/{run.Id}/retry")).Status);
        run = Assert.Single(await flows.EndedAsync("refused", 1, r => r.Status == "finished"));
        Assert.Equal(1000, (await crm.GetAsync($"odata/v4/x_jobs({job["id"]})")).Json["count"]!.GetValue<int>());
        // What was done before is not done again.
        Assert.Single(await flows.JournalAsync(run), "First Completed");
        Assert.Equal(HttpStatusCode.NotFound, (await crm.SendAsync("POST", $"elsa/api/workflow-instances/{run.Id}/retry")).Status);
    }

    [Fact]
    public async Task C_22_A_workflow_that_starts_itself_ends_and_says_why()
    {
        await flows.PublishAsync(Sequence("loop", Trigger("Crm.RecordChanged", "x_job", "\"fields\":\"count\","), SetFields("Count", """{"count":{"type":"Crm","value":"count + 1"}}""")));
        var job = await crm.CreateAsync("x_jobs", """{"title":"Loop","count":0}""");
        await crm.SendAsync("PATCH", $"odata/v4/x_jobs({job["id"]})", """{"count":1}""");
        var runs = await flows.EndedAsync("loop", 12);
        Assert.Equal(Enumerable.Range(0, 12), runs.Select(r => r.Depth));
        Assert.Equal(("faulted", "loop"), (runs[^1].Status, runs[^1].IncidentCode));
        Assert.Equal(runs[^2].Id, runs[^1].Parent);
        Assert.Equal(12, (await crm.GetAsync($"odata/v4/x_jobs({job["id"]})")).Json["count"]!.GetValue<int>());
    }

    [Fact]
    public async Task An_event_told_again_starts_nothing_again()
    {
        await flows.PublishAsync(Sequence("once", Trigger("Crm.RecordCreated", "x_job"), SetFields("Set", """{"state":"open"}""")));
        var ids = new List<string>();
        for (var i = 0; i < 20; i++)
        {
            ids.Add((await crm.CreateAsync("x_jobs", """{"title":"Once"}"""))["id"]!.ToString());
        }

        await flows.EndedAsync("once", 20);
        await flows.QuietAsync();
        // As if the host had died before the events left the outbox.
        await flows.ScalarAsync(
            """
            WITH again AS (
                INSERT INTO crm.outbox (id, at, user_id, entity, record_id, kind, version, fields, causation) OVERRIDING SYSTEM VALUE
                SELECT i.event_id, now(), h.user_id, h.entity, h.record_id, h.kind, h.version, '{}', h.causation
                FROM crm.workflow_instance AS i JOIN crm.history AS h ON h.record_id = i.record_id AND h.version = 1 WHERE i.definition_id = 'once' RETURNING id)
            SELECT count(*) FROM again
            """);
        await flows.QuietAsync();
        Assert.Equal(20, (await flows.EndedAsync("once", 20)).Count);
        Assert.Equal(20, await flows.ScalarAsync($"SELECT count(*) FROM crm.history WHERE source = 'workflow once, version 1' AND record_id IN ('{string.Join("','", ids)}')"));
    }

    [Fact]
    public async Task Plans_name_the_published_workflows_that_use_a_field_or_an_entity()
    {
        await flows.PublishAsync(Sequence("uses", Trigger("Crm.RecordCreated", "x_job"), SetFields("Set", """{"note":{"type":"Crm","value":"firm.name"}}""")));
        async Task<List<string>> UsesAsync(string change)
        {
            var plan = await crm.SendAsync("POST", "api/metadata/plan", $$"""{"changes":[{{change}}]}""");
            Assert.True(plan.Status == HttpStatusCode.OK, plan.Text);
            return [.. plan.Json["uses"]!.AsArray().Where(u => u!["kind"]!.ToString() == "workflow").Select(u => $"{u!["of"]} {u["target"]} {u["text"]}")];
        }

        Assert.Equal(["x_job.note uses The workflow “uses” names it"], await UsesAsync("""{"change":"hide_field","entity":"x_job","field":"note"}"""));
        Assert.Equal(["x_firm.name uses The workflow “uses” names it"], await UsesAsync("""{"change":"rename_field","entity":"x_firm","field":"name","to":"called"}"""));
        Assert.Equal(["x_job uses The workflow “uses” names it"], await UsesAsync("""{"change":"hide_entity","entity":"x_job"}"""));
        Assert.Empty(await UsesAsync("""{"change":"hide_field","entity":"x_job","field":"due"}"""));
        await crm.SendAsync("POST", "elsa/api/workflow-definitions/uses/retract");
        Assert.Empty(await UsesAsync("""{"change":"hide_field","entity":"x_job","field":"note"}"""));
    }

    [Fact]
    public async Task Only_administrators_see_workflows()
    {
        await crm.Crm.Records.SaveAsync(RecordChange.Create("user", new Dictionary<string, object?> { ["name"] = "Wanda", ["user_name"] = "wanda" }));
        using var stranger = crm.Crm.Client();
        Assert.Equal(HttpStatusCode.Unauthorized, (await stranger.GetAsync("elsa/api/workflow-definitions")).StatusCode);
    }
}
