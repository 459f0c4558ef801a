using System.Collections.Immutable;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Crm.Host.Tests.Api;
using Crm.Host.Tests.Forms;
using Crm.Host.Tests.Import;
using Crm.Host.Tests.Lists;
using Crm.Host.Tests.Workflows;
using Crm.Records.Jobs;
using Crm.Sdk;
using Crm.Sdk.Web;
using Crm.Sdk.Web.Forms;
using Microsoft.Extensions.DependencyInjection;

namespace Crm.Host.Tests.Rules;

/// <summary>Every kind of rule at every door: the same values, the same verdict, the same words.</summary>
public sealed class RuleConformanceTests(ApiCrm crm) : IClassFixture<ApiCrm>, IAsyncLifetime
{
    private const string Shape = """
        [{"change":"create_entity","name":"x_case","label":"Case","plural":"Cases","set":"x_cases","fields":[
          {"name":"title","type":"text","label":"Title","required":true},
          {"name":"state","type":"choice","label":"State","choices":["open","lost","done"]},
          {"name":"reason","type":"choice","label":"Reason","choices":["price","time","other"]},
          {"name":"note","type":"text","label":"Note"},
          {"name":"starts","type":"date","label":"Starts"},
          {"name":"ends","type":"date","label":"Ends"},
          {"name":"amount","type":"integer","label":"Amount","default":1}],
         "rules":[
          {"name":"reason_of_loss","kind":"required","condition":"state = \"lost\"","fields":["reason"]},
          {"name":"done_is_done","label":"Done is done","kind":"read_only","condition":"state = \"done\"","fields":["amount"]},
          {"name":"note_for_others","kind":"visible","condition":"reason = \"other\"","fields":["note"]},
          {"name":"in_time","kind":"valid","condition":"ends >= starts","fields":["ends","starts"],"message":"It cannot end before it starts."},
          {"name":"price_is_fixed","kind":"options","condition":"amount > 10","fields":["reason"],"options":["time","other"]},
          {"name":"not_seven","kind":"script","when":"validate","fields":["amount"],"script":"if (record.amount === 7) { refuse('amount', 'Seven is too few.'); }"},
          {"name":"from_script","kind":"script","when":"change","fields":["title"],
           "script":"if (record.title.startsWith('Script ')) { Object.assign(record, JSON.parse(record.title.slice(7))); }"}]}]
        """;

    private static readonly SemaphoreSlim Once = new(1);

    /// <summary>Values and the verdict on them; null for none.</summary>
    public static TheoryData<string, string, string?> Cases => new()
    {
        { "required", """{"state":"lost"}""", "reason: Reason is required here (rule “Reason of loss”)." },
        { "required", """{"state":"lost","reason":"price"}""", null },
        { "required", """{"state":"open"}""", null },
        { "read_only", """{"state":"done","amount":5}""", "amount: Amount cannot be changed here (rule “Done is done”)." },
        { "read_only", """{"state":"done","amount":1}""", null },
        { "read_only", """{"state":"open","amount":5}""", null },
        { "visible", """{"reason":"price","note":"Why?"}""", "note: Note is not shown here and cannot be given a value (rule “Note for others”)." },
        { "visible", """{"reason":"other","note":"Why?"}""", null },
        { "valid", """{"starts":"2026-11-21","ends":"2026-11-20"}""", "ends: It cannot end before it starts. (rule “In time”)" },
        { "valid", """{"starts":"2026-11-21","ends":"2026-11-21"}""", null },
        { "valid", """{"starts":"2026-11-21"}""", null },
        { "options", """{"amount":11,"reason":"price"}""", "reason: Reason may only be time, other here (rule “Price is fixed”)." },
        { "options", """{"amount":11,"reason":"time"}""", null },
        { "options", """{"amount":10,"reason":"price"}""", null },
        { "script", """{"amount":7}""", "amount: Seven is too few. (rule “Not seven”)" },
        { "script", """{"amount":8}""", null },
    };

    public async Task InitializeAsync()
    {
        await Once.WaitAsync();
        try
        {
            if (!crm.Crm.Metadata.Current.TryEntity("x_case", out _))
            {
                await crm.ApplyAsync($$"""{"changes":{{Shape}}}""");
            }
        }
        finally
        {
            Once.Release();
        }
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task D_01_A_rule_gives_the_same_verdict_at_every_door(string kind, string values, string? verdict)
    {
        Assert.Contains(crm.Crm.Metadata.Current.Entity("x_case").Rules, r => r.Kind.ToString().Equals(kind.Replace("_", "", StringComparison.Ordinal), StringComparison.OrdinalIgnoreCase));

        Assert.Equal(verdict, await ThroughTheApiAsync(values));
        Assert.Equal(verdict, await ThroughAnUpdateAsync(values));
        Assert.Equal(verdict, await ThroughABatchAsync(values));
        Assert.Equal(verdict, await ThroughAnImportAsync(values));
        Assert.Equal(verdict, await ThroughTheFormAsync(values));
        Assert.Equal(verdict, await ThroughTheListAsync(values));
        Assert.Equal(verdict, await ThroughABulkChangeAsync(values));
        Assert.Equal(verdict, await ThroughCodeAsync(values));
        Assert.Equal(verdict, await ThroughAWorkflowAsync(values));
        Assert.Equal(verdict, await ThroughAScriptAsync(values));
    }

    [Fact]
    public void The_form_shows_what_the_rules_say_as_the_user_types()
    {
        var entity = crm.Crm.Metadata.Current.Entity("x_case");
        var form = Form();
        FieldDefinition Field(string name) => entity.Field(name);
        Assert.False(form.IsRequired(Field("reason")));
        Assert.False(form.IsVisible(Field("note")));
        Assert.True(form.CanEdit(Field("amount")));

        form.Type(Field("state"), FieldParts.Of("lost"));
        Assert.True(form.IsRequired(Field("reason")));
        form.Type(Field("reason"), FieldParts.Of("other"));
        Assert.True(form.IsVisible(Field("note")));
        form.Type(Field("note"), FieldParts.Of("Why?"));
        form.Type(Field("reason"), FieldParts.Of("price"));
        Assert.False(form.IsVisible(Field("note")));
        Assert.False(form.ToChange().Values.ContainsKey("note"));
        form.Type(Field("amount"), FieldParts.Of("11"));
        Assert.False(form.Offers(Field("reason"), "price") && form["reason"] is not "price");
        Assert.True(form.Offers(Field("reason"), "time"));
        form.Type(Field("state"), FieldParts.Of("done"));
        Assert.False(form.CanEdit(Field("amount")));
    }

    [Fact]
    public async Task Rules_come_and_go_and_bad_ones_are_refused_with_the_place()
    {
        var bad = await crm.SendAsync("POST", "api/metadata/plan", """
            {"changes":[
              {"change":"set_rule","entity":"x_deal","rule":{"name":"a","kind":"required","condition":"seats +","fields":["code"]}},
              {"change":"set_rule","entity":"x_deal","rule":{"name":"b","kind":"valid","condition":"seats + 1"}},
              {"change":"set_rule","entity":"x_deal","rule":{"name":"c","kind":"options","condition":"urgent","fields":["source"],"options":["moon"]}},
              {"change":"set_rule","entity":"x_deal","rule":{"name":"d","kind":"required","condition":"urgent","fields":["number","nowhere"]}},
              {"change":"remove_rule","entity":"x_deal","rule":"never"}]}
            """);
        var errors = bad.Json["errors"]!.AsArray().Select(e => e!["target"] + " " + e["message"]).ToList();
        Assert.Contains(errors, e => e.StartsWith("x_deal.a ", StringComparison.Ordinal) && e.Contains("At character 8", StringComparison.Ordinal));
        Assert.Contains(errors, e => e.StartsWith("x_deal.b ", StringComparison.Ordinal) && e.Contains("yes or no, not a number", StringComparison.Ordinal));
        Assert.Contains(errors, e => e.StartsWith("x_deal.c ", StringComparison.Ordinal) && e.Contains("moon", StringComparison.Ordinal));
        Assert.Equal(2, errors.Count(e => e.StartsWith("x_deal.d ", StringComparison.Ordinal)));
        Assert.Contains(errors, e => e.Contains("never", StringComparison.Ordinal));

        await crm.ApplyAsync("""{"changes":[{"change":"set_rule","entity":"x_deal","rule":{"name":"few","kind":"valid","condition":"seats < 100 or seats is empty"}}]}""");
        var refused = await crm.SendAsync("POST", "odata/v4/x_deals", """{"title":"Many","seats":100}""");
        Assert.Equal((HttpStatusCode)422, refused.Status);
        Assert.Equal("rule", refused.Code);
        await crm.ApplyAsync("""{"changes":[{"change":"remove_rule","entity":"x_deal","rule":"few"}]}""");
        await crm.CreateAsync("x_deals", """{"title":"Many","seats":100}""");
    }

    private static string? First(Answer answer)
    {
        if (answer.Status is HttpStatusCode.Created or HttpStatusCode.OK or HttpStatusCode.NoContent)
        {
            return null;
        }

        Assert.Equal((HttpStatusCode)422, answer.Status);
        Assert.Equal("rule", answer.Code);
        return answer.Target + ": " + answer.Json["error"]!["message"];
    }

    private static JsonObject With(string values, string title)
    {
        var json = JsonNode.Parse(values)!.AsObject();
        json["title"] = title;
        return json;
    }

    private async Task<string?> ThroughTheApiAsync(string values) => First(await crm.SendAsync("POST", "odata/v4/x_cases", With(values, "API").ToJsonString()));

    private async Task<string?> ThroughAnUpdateAsync(string values)
    {
        var stored = await crm.CreateAsync("x_cases", """{"title":"Before"}""");
        return First(await crm.SendAsync("PATCH", $"odata/v4/x_cases({stored["id"]})", values));
    }

    private async Task<string?> ThroughABatchAsync(string values)
    {
        var changes = new[] { With(values, "Batch").ToJsonString(), """{"title":"Harmless"}""" }
            .Select(json => RecordChange.Create("x_case", JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(json)!.ToDictionary(p => p.Key, p => Input(p.Value))));
        var results = await crm.Crm.Records.SaveManyAsync([.. changes], new SaveOptions(AllOrNothing: false));
        Assert.True(results[1].Succeeded);
        return Say(results[0].Errors);
    }

    private async Task<string?> ThroughAnImportAsync(string values)
    {
        var row = With(values, "Import " + Guid.CreateVersion7());
        var client = new ImportClient(crm.Crm, crm.Admin);
        var job = await client.ImportAsync("x_case", string.Join(',', row.Select(p => p.Key)) + "\n" + string.Join(',', row.Select(p => p.Value!.ToString())) + "\n");
        var list = (await client.GetAsync($"api/jobs/{job.GetProperty("id").GetGuid()}/verdicts")).GetProperty("value").EnumerateArray().ToList();
        var problems = list.SelectMany(v => v.GetProperty("issues").EnumerateArray()).ToList();
        return problems.Count == 0 ? null : problems[0].GetProperty("field").GetString() + ": " + problems[0].GetProperty("message").GetString();
    }

    /// <summary>The preview and the job itself say the same.</summary>
    private async Task<string?> ThroughABulkChangeAsync(string values)
    {
        var ids = new[] { await crm.CreateAsync("x_cases", """{"title":"Bulk"}"""), await crm.CreateAsync("x_cases", """{"title":"Bulk"}""") }.Select(r => r["id"]!.ToString());
        var body = new JsonObject { ["entity"] = "x_case", ["records"] = new JsonObject { ["ids"] = new JsonArray([.. ids.Select(id => JsonValue.Create(id))]) }, ["set"] = JsonNode.Parse(values) }.ToJsonString();
        var preview = await crm.SendAsync("POST", "api/bulk/preview", body);
        Assert.True(preview.Status == HttpStatusCode.OK, preview.Text);
        var started = await crm.SendAsync("POST", "api/bulk", body);
        Assert.True(started.Status == HttpStatusCode.Accepted, started.Text);
        await crm.Crm.Services.GetRequiredService<JobQueue>().WaitAsync(Guid.Parse(started.Json["id"]!.ToString()));
        var job = await crm.GetAsync(started.Headers["Location"].TrimStart('/'));
        Assert.Equal("succeeded", job.Json["state"]!.ToString());
        Assert.Equal(preview.Json["sample"]!.ToJsonString(), job.Json["report"]!.ToJsonString());
        var issues = job.Json["report"]!["issues"]?.AsArray() ?? [];
        Assert.Equal(issues.Count == 0 ? 2 : 0, job.Json["report"]!["changed"]?.GetValue<int>() + job.Json["report"]!["unchanged"]?.GetValue<int>());
        return issues.Count == 0 ? null : Assert.Single(issues) is { } issue ? issue["field"] + ": " + issue["message"] : null;
    }

    /// <summary>The caller gives a title only; a rule's script gives the values.</summary>
    private async Task<string?> ThroughAScriptAsync(string values)
    {
        var result = await crm.Crm.Records.SaveAsync(RecordChange.Create("x_case", new Dictionary<string, object?> { ["title"] = "Script " + values }));
        foreach (var (name, value) in result.Succeeded ? JsonNode.Parse(values)!.AsObject() : [])
        {
            // It did come through that door.
            Assert.Equal(crm.Crm.Metadata.Current.Entity("x_case").Field(name).Type == Fields.Date ? DateOnly.Parse(value!.ToString(), System.Globalization.CultureInfo.InvariantCulture) : Input(value!.GetValue<JsonElement>()), result.Record![name]);
        }

        return Say(result.Errors);
    }

    /// <summary>The door of modules, which workflows use: no request, no user at a screen, another record's transaction at most.</summary>
    private async Task<string?> ThroughCodeAsync(string values)
    {
        var records = crm.Crm.Services.GetRequiredService<IRecords>().As(Actor.System);
        var input = JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(With(values, "Code").ToJsonString())!.ToDictionary(p => p.Key, p => Input(p.Value));
        return Say((await records.SaveAsync(RecordChange.Create("x_case", input) with { Source = "module" })).Errors);
    }

    /// <summary>The refusal is an incident of the run, told in its journal, and the record stays as it was.</summary>
    private async Task<string?> ThroughAWorkflowAsync(string values)
    {
        var stored = await crm.CreateAsync("x_cases", """{"title":"Flow"}""");
        var flows = new WorkflowClient(crm);
        var name = "rules-" + Guid.CreateVersion7();
        await flows.PublishAsync(WorkflowClient.Sequence(name, WorkflowClient.Trigger("Crm.RecordDeleted", "x_case"), WorkflowClient.SetFields("Write", values)));
        await crm.SendAsync("POST", $"elsa/api/workflow-definitions/{name}/execute", $$"""{"record":"{{stored["id"]}}"}""");
        var run = await flows.OnlyAsync(name);
        var now = (await crm.GetAsync($"odata/v4/x_cases({stored["id"]})")).Json;
        Assert.Equal(run.Status == "finished" ? 2 : 1, now["version"]!.GetValue<int>());
        Assert.Equal(run.Status == "finished", !(await flows.JournalAsync(run)).Contains("Write Faulted"));
        if (run.Incident is not null)
        {
            Assert.Equal(("rule", "Write"), (run.IncidentCode, run.IncidentActivity));
        }

        return run.Incident;
    }

    private async Task<string?> ThroughTheFormAsync(string values)
    {
        var form = Form();
        foreach (var (name, value) in With(values, "Form"))
        {
            var field = form.Entity.Field(name);
            form.Type(field, FieldParts.Of(field.Type == Fields.Date ? Typed(value!) : value!.ToString()));
        }

        // What a rule hides cannot be typed into a form in the first place; the others are refused by the same words.
        var hidden = form.Entity.Fields.FirstOrDefault(f => !form.IsVisible(f) && form[f.Name] is not null);
        if (hidden is not null)
        {
            Assert.DoesNotContain(hidden.Name, form.ToChange().Values.Keys);
            return Say([.. form.Expressions!.Judge(name => form[name], TimeProvider.System.GetUtcNow()).Errors(_ => true)]);
        }

        return Say((await crm.Crm.Records.SaveAsync(form.ToChange())).Errors);
    }

    /// <summary>In a list one cell is edited: the others hold their values before.</summary>
    private async Task<string?> ThroughTheListAsync(string values)
    {
        var snapshot = crm.Crm.Metadata.Current;
        var entity = snapshot.Entity("x_case");
        var given = JsonNode.Parse(values)!.AsObject();
        foreach (var (name, value) in given.Reverse())
        {
            var others = given.Where(p => p.Key != name).ToDictionary(p => p.Key, p => Input(p.Value!.GetValue<JsonElement>()));
            var stored = await crm.Crm.Records.SaveAsync(RecordChange.Create("x_case", new Dictionary<string, object?>(others) { ["title"] = "List" }));
            if (!stored.Succeeded)
            {
                continue;
            }

            var editing = GridEditingTests.Of(crm);
            if (await editing.BeginAsync(entity, stored.Record.Id, GridColumn.Of(snapshot, entity, [name]).Single()) is { } kept)
            {
                // What stays as it is breaks no rule; anything else could not even be typed.
                return Equals(stored.Record[name], Input(value!.GetValue<JsonElement>())) ? null : name + ": " + kept;
            }

            var cell = editing.Current!;
            cell.Form.Type(cell.Field, FieldParts.Of(cell.Field.Type == Fields.Date ? Typed(value!) : value!.ToString()));
            return await editing.SaveAsync() ? null : Assert.Single(entity.Fields.Where(f => cell.Form.Error(f.Name) is not null).Select(f => f.Name + ": " + cell.Form.Error(f.Name)));
        }

        throw new InvalidOperationException("No order of these values leaves one to be edited.");
    }

    private static string Typed(JsonNode date) =>
        DateOnly.Parse(date.ToString(), System.Globalization.CultureInfo.InvariantCulture).ToString("dd/MM/yyyy", System.Globalization.CultureInfo.InvariantCulture);

    private FormModel Form()
    {
        var snapshot = crm.Crm.Metadata.Current;
        var entity = snapshot.Entity("x_case");
        return new FormModel(entity, null, FieldTextTests.Text("en-GB")) { Expressions = EntityExpressions.Of(snapshot, entity) };
    }

    private static string? Say(ImmutableArray<ValidationError> errors) => errors.IsEmpty ? null : Assert.Single(errors) is var error ? error.Field + ": " + error.Message : null;

    private static object? Input(JsonElement value) => value.ValueKind == JsonValueKind.Number ? value.GetInt64() : value.GetString();
}
