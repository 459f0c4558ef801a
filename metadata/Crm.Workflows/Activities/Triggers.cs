using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Crm.Sdk;

namespace Crm.Workflows;

/// <summary>Kinds of triggers.</summary>
internal static class TriggerKinds
{
    public const string Created = "Crm.RecordCreated";
    public const string Changed = "Crm.RecordChanged";
    public const string Deleted = "Crm.RecordDeleted";
    public const string StageEntered = "Crm.StageEntered";
    public const string StageLeft = "Crm.StageLeft";

    public static bool Is(string type) => type is Created or Changed or Deleted or StageEntered or StageLeft;
}

/// <summary>Starts a workflow when something happens to a record. Reached within a run, it goes on at once.</summary>
internal sealed class Trigger(string type) : Activity(type)
{
    public override void Check(ActivityCheck check)
    {
        if (!check.Node.CanStart)
        {
            check.Problem(Texts.Of("TriggerCannotStart", check.Node.Name));
        }

        if (check.Entity("entity") is { } entity)
        {
            TriggerRow.Of(check.Node, entity, check);
        }
    }

    public override ValueTask<ImmutableArray<string>?> ExecuteAsync(ActivityContext context, CancellationToken ct) => Ended(Done);
}

/// <summary>Which changes a trigger means, as the table of triggers has it.</summary>
/// <param name="ActivityId">The trigger.</param>
/// <param name="Entity">Whose records.</param>
/// <param name="Kinds">Which changes.</param>
/// <param name="Fields">One of them must have changed; empty for any.</param>
/// <param name="Field">The field the values are about.</param>
/// <param name="From">JSON of the value before; null for any.</param>
/// <param name="To">JSON of the value after; null for any.</param>
internal sealed record TriggerRow(string ActivityId, string Entity, short[] Kinds, string[] Fields, string? Field, string? From, string? To)
{
    /// <summary>Reads a trigger.</summary>
    /// <param name="node">The activity.</param>
    /// <param name="entity">Its entity.</param>
    /// <param name="check">Told what is wrong.</param>
    public static TriggerRow Of(ActivityNode node, EntityDefinition entity, ActivityCheck? check)
    {
        switch (node.Type)
        {
            case TriggerKinds.Created:
                return new TriggerRow(node.Id, entity.Name, [(short)ChangeKind.Create], [], null, null, null);
            case TriggerKinds.Deleted:
                return new TriggerRow(node.Id, entity.Name, [(short)ChangeKind.Delete], [], null, null, null);
            case TriggerKinds.Changed:
                return Changed(node, entity, check);
            default:
                return Stage(node, entity, check);
        }
    }

    private static TriggerRow Changed(ActivityNode node, EntityDefinition entity, ActivityCheck? check)
    {
        var fields = Names(node);
        foreach (var name in fields)
        {
            check?.Field(entity, name);
        }

        var (from, to) = (Given(node, "from"), Given(node, "to"));
        if (from is null && to is null)
        {
            return new TriggerRow(node.Id, entity.Name, [(short)ChangeKind.Update], fields, null, null, null);
        }

        if (fields is not [var only])
        {
            check?.Problem(Texts.Of("ValueOfOneField", node.Name));
            return new TriggerRow(node.Id, entity.Name, [], fields, null, null, null);
        }

        if (entity.TryField(only, out var field) && field.Type.Columns.Length != 1)
        {
            check?.Problem(Texts.Of("NoValueOfField", node.Name, field.Label));
        }

        return new TriggerRow(node.Id, entity.Name, [(short)ChangeKind.Update], fields, only, Json(field, from), Json(field, to));
    }

    private static TriggerRow Stage(ActivityNode node, EntityDefinition entity, ActivityCheck? check)
    {
        var stage = node.Literal("stage");
        if (entity.StageField is not { Stages: { } stages } field)
        {
            check?.Problem(Texts.Of("NoStages", node.Name, entity.PluralLabel));
            return new TriggerRow(node.Id, entity.Name, [], [], null, null, null);
        }

        check?.Use(entity, field);
        if (stage is null || stages.Find(stage) is null)
        {
            check?.Problem(Texts.Of("NoSuchStage", node.Name, stage, string.Join(", ", stages.Stages.Select(s => s.Name))));
        }

        var value = JsonSerializer.Serialize(stage);
        return node.Type == TriggerKinds.StageEntered
            ? new TriggerRow(node.Id, entity.Name, [(short)ChangeKind.Create, (short)ChangeKind.Update], [field.Name], field.Name, null, value)
            : new TriggerRow(node.Id, entity.Name, [(short)ChangeKind.Update], [field.Name], field.Name, value, null);
    }

    /// <summary>Names of fields: a list, or one text with commas between them.</summary>
    public static string[] Names(ActivityNode node) => node.Input("fields") switch
    {
        (_, JsonArray list) => [.. list.Select(f => f?.ToString() ?? "")],
        (_, JsonValue text) when text.ToString() is ['[', ..] json && Parse(json) is JsonArray list => [.. list.Select(f => f?.ToString() ?? "")],
        (_, JsonValue text) => text.ToString().Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
        _ => [],
    };

    private static JsonNode? Given(ActivityNode node, string input) => node.Input(input) is (_, { } value) && value.ToString().Length > 0 ? value : null;

    private static JsonNode? Parse(string json)
    {
        try
        {
            return JsonNode.Parse(json);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>A value as history writes it: numbers and yes or no are typed as text in the designer.</summary>
    private static string? Json(FieldDefinition? field, JsonNode? value)
    {
        if (value is null || field is null)
        {
            return null;
        }

        var isText = value.GetValueKind() == JsonValueKind.String;
        return field.Type.Columns[0].Storage is StorageKind.Boolean or StorageKind.Integer or StorageKind.Decimal && isText && Parse(value.ToString()) is { } typed
            ? typed.ToJsonString()
            : value.ToJsonString();
    }
}
