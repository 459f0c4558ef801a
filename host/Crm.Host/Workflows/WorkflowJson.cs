using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Crm.Workflows;

namespace Crm.Host.Workflows;

/// <summary>Workflows as Elsa Server answers them.</summary>
internal static class WorkflowJson
{
    private static readonly string[] Own = ["id", "definitionId", "name", "description", "version", "createdAt", "isLatest", "isPublished", "links", "problems"];

    /// <summary>A line of a list.</summary>
    public static JsonObject Summary(WorkflowDefinition definition) => new()
    {
        ["id"] = definition.Id,
        ["definitionId"] = definition.DefinitionId,
        ["name"] = definition.Name,
        ["description"] = definition.Description,
        ["version"] = definition.Version,
        ["createdAt"] = definition.CreatedAt,
        ["isLatest"] = definition.IsLatest,
        ["isPublished"] = definition.IsPublished,
        ["materializerName"] = "Json",
        ["isMaterializerAvailable"] = true,
        ["links"] = Links(definition),
    };

    /// <summary>All of it: what was saved, with what we know of it.</summary>
    public static JsonObject Full(WorkflowDefinition definition, ImmutableArray<DefinitionProblem> problems)
    {
        var json = Summary(definition);
        foreach (var (name, value) in JsonNode.Parse(definition.Model)!.AsObject())
        {
            if (!Own.Contains(name, StringComparer.Ordinal))
            {
                json[name] = value?.DeepClone();
            }
        }

        json["problems"] = new JsonArray([.. problems.Select(p => new JsonObject { ["activityId"] = p.ActivityId, ["activity"] = p.Activity, ["message"] = p.Message })]);
        return json;
    }

    /// <summary>A run.</summary>
    public static JsonObject Instance(WorkflowInstance run) => new()
    {
        ["id"] = run.Id,
        ["definitionId"] = run.DefinitionId,
        ["definitionVersionId"] = run.VersionId,
        ["version"] = run.Version,
        ["name"] = run.Name,
        ["status"] = run.IsOver ? "Finished" : "Running",
        ["subStatus"] = run.Status switch { "running" => "Executing", "suspended" => "Suspended", "finished" => "Finished", "faulted" => "Faulted", _ => "Cancelled" },
        ["incidentCount"] = run.Incident is null ? 0 : 1,
        ["incident"] = run.Incident is null ? null : new JsonObject { ["activityId"] = run.IncidentActivityId, ["activity"] = run.IncidentActivity, ["code"] = run.IncidentCode, ["message"] = run.Incident },
        ["entity"] = run.Entity,
        ["record"] = run.RecordId,
        ["parent"] = run.Parent,
        ["dueAt"] = run.DueAt,
        ["createdAt"] = run.CreatedAt,
        ["updatedAt"] = run.UpdatedAt,
        ["finishedAt"] = run.FinishedAt,
    };

    /// <summary>A line of the journal.</summary>
    public static JsonObject Entry(JournalEntry entry) => new()
    {
        ["id"] = entry.Id,
        ["timestamp"] = entry.At,
        ["activityId"] = entry.ActivityId,
        ["activityType"] = entry.ActivityType,
        ["activityName"] = entry.ActivityName,
        ["eventName"] = entry.Event,
        ["outcome"] = entry.Outcome,
        ["message"] = entry.Message,
    };

    /// <summary>What may be done with it; without them the designer only shows.</summary>
    private static JsonArray Links(WorkflowDefinition definition)
    {
        JsonObject Link(string rel, string method) => new() { ["href"] = $"/elsa/api/workflow-definitions/{definition.DefinitionId}/{rel}", ["rel"] = rel, ["method"] = method };
        return [Link("publish", "POST"), Link("retract", "POST"), Link("delete", "DELETE")];
    }
}
