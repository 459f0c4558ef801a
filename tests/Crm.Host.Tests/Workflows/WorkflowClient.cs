using System.Net;
using System.Text.Json.Nodes;
using Crm.Host.Tests.Api;
using Crm.Metadata;
using Crm.Workflows;
using Microsoft.Extensions.DependencyInjection;

namespace Crm.Host.Tests.Workflows;

/// <summary>Writes workflows over the API and waits for what they do.</summary>
internal sealed class WorkflowClient(ApiCrm crm)
{
    /// <summary>An entity to work on and one to work with.</summary>
    public const string Shape = """
        {"changes":[
          {"change":"create_entity","name":"x_job","label":"Job","plural":"Jobs","set":"x_jobs","fields":[
            {"name":"title","type":"text","label":"Title","required":true},
            {"name":"state","type":"choice","label":"State","choices":["new","open","done"]},
            {"name":"count","type":"integer","label":"Count","minimum":0,"maximum":1000},
            {"name":"note","type":"text","label":"Note"},
            {"name":"due","type":"date","label":"Due"},
            {"name":"firm","type":"lookup","label":"Firm","target":"x_firm"},
            {"name":"stage","type":"stage","label":"Stage","stages":[{"name":"lead"},{"name":"offer"},{"name":"order","kind":"won"}]}]},
          {"change":"create_entity","name":"x_task","label":"Task","plural":"Tasks","set":"x_tasks","fields":[
            {"name":"title","type":"text","label":"Title","required":true},
            {"name":"job","type":"lookup","label":"Job","target":"x_job"},
            {"name":"due","type":"date","label":"Due"}]}]}
        """;

    private WorkflowRuns Runs => crm.Crm.Services.GetRequiredService<WorkflowRuns>();

    /// <summary>A flowchart of activities, each written as JSON, and connections written as "from:outcome>to".</summary>
    public static JsonObject Flowchart(string name, IEnumerable<string> activities, params string[] connections) => Model(name, new JsonObject
    {
        ["type"] = "Elsa.Flowchart",
        ["id"] = "chart",
        ["activities"] = new JsonArray([.. activities.Select(a => JsonNode.Parse(a))]),
        ["connections"] = new JsonArray([.. connections.Select(Connection)]),
    });

    public static JsonObject Sequence(string name, params string[] activities) =>
        Model(name, new JsonObject { ["type"] = "Elsa.Sequence", ["id"] = "sequence", ["activities"] = new JsonArray([.. activities.Select(a => JsonNode.Parse(a))]) });

    public static JsonObject Model(string name, JsonObject root) => new() { ["name"] = name, ["definitionId"] = name, ["variables"] = new JsonArray(), ["root"] = root };

    public static string Trigger(string type, string entity, string more = "") =>
        $$$$"""{"type":"{{{{type}}}}","id":"trigger","name":"Trigger","entity":{{{{Literal(entity)}}}},{{{{more}}}}"customProperties":{"canStartWorkflow":true}}""";

    public static string SetFields(string id, string values) => $$$$"""{"type":"Crm.SetFields","id":"{{{{id}}}}","name":"{{{{id}}}}","values":{"typeName":"Object","expression":{"type":"Object","value":{{{{values}}}}}}}""";

    public static string Literal(string text) => $$$$"""{"typeName":"String","expression":{"type":"Literal","value":"{{{{text}}}}"}}""";

    public static string Formula(string text, string type = "Boolean") => new JsonObject { ["typeName"] = type, ["expression"] = new JsonObject { ["type"] = "Crm", ["value"] = text } }.ToJsonString();

    /// <summary>Saves and publishes.</summary>
    public async Task<JsonObject> PublishAsync(JsonObject model)
    {
        var answer = await SaveAsync(model, publish: true);
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
        return answer.Json;
    }

    public Task<Answer> SaveAsync(JsonObject model, bool publish) =>
        crm.SendAsync("POST", "elsa/api/workflow-definitions", new JsonObject { ["model"] = model.DeepClone(), ["publish"] = publish }.ToJsonString());

    /// <summary>The only run of a workflow, once nothing more happens to it.</summary>
    public async Task<WorkflowInstance> OnlyAsync(string definitionId) => Assert.Single(await EndedAsync(definitionId, 1));

    /// <summary>Runs of a workflow, oldest first, once there are so many and nothing more happens to them.</summary>
    public async Task<List<WorkflowInstance>> EndedAsync(string definitionId, int count, Func<WorkflowInstance, bool>? isAtRest = null)
    {
        List<WorkflowInstance> found = [];
        await UntilAsync(async () =>
        {
            found = [.. (await Runs.ListAsync(new RunFilter(definitionId), 1000)).Runs.Reverse()];
            return found.Count >= count && found.TrueForAll(r => isAtRest?.Invoke(r) ?? (r.IsOver || r.Status == "suspended"));
        });
        return found;
    }

    /// <summary>What a run did, as activity and event.</summary>
    public async Task<List<string>> JournalAsync(WorkflowInstance run) => [.. (await Runs.JournalAsync(run.Id)).Select(e => e.ActivityName + " " + e.Event)];

    /// <summary>Waits until every change was told of and every run rests.</summary>
    public Task QuietAsync() => UntilAsync(async () => await ScalarAsync("SELECT (SELECT count(*) FROM crm.outbox) + (SELECT count(*) FROM crm.workflow_instance WHERE status = 'running')") == 0);

    public async Task<long> ScalarAsync(string sql)
    {
        await using var connection = await crm.Crm.Services.GetRequiredService<CrmDatabase>().OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        return (long)(await command.ExecuteScalarAsync())!;
    }

    public static Task UntilAsync(Func<Task<bool>> holds) => Security.Eventually.AsyncEqual(true, holds);

    private static JsonNode Connection(string text)
    {
        var (from, to) = (text.Split('>')[0].Split(':'), text.Split('>')[1]);
        return new JsonObject
        {
            ["source"] = new JsonObject { ["activity"] = from[0], ["port"] = from.Length > 1 ? from[1] : "Done" },
            ["target"] = new JsonObject { ["activity"] = to, ["port"] = "In" },
        };
    }
}
