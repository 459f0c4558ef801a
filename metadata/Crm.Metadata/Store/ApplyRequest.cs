using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>What is to be applied, and for whom.</summary>
/// <param name="Changes">What to change.</param>
/// <param name="Actor">Who.</param>
/// <param name="Options">What they typed.</param>
/// <param name="Wait">How long to wait for another change to end.</param>
internal sealed record ApplyRequest(IReadOnlyList<MetadataChange> Changes, Actor Actor, ApplyOptions Options, TimeSpan Wait)
{
    /// <summary>What a module declares; it is then the only change. Null when people change something.</summary>
    public MetadataChange.Declare? Declare => Changes.OfType<MetadataChange.Declare>().FirstOrDefault();

    /// <summary>Version the plan was made for; null when nobody looked at a plan.</summary>
    public long? Version { get; init; }

    /// <summary>Statements that were shown; null when nobody looked at a plan.</summary>
    public string? Statements { get; init; }

    /// <summary>A module whose row belongs to the change.</summary>
    public ModuleInfo? Module { get; init; }

    /// <summary>The step that prepared tables for it, see <see cref="ColumnConversion"/>; it is done with the change.</summary>
    public PreparedTables? Prepared { get; init; }
}

/// <summary>Tables with columns that are ready to take the place of others.</summary>
/// <param name="Step">The step that did it.</param>
/// <param name="Names">The entities.</param>
internal sealed record PreparedTables(long Step, ImmutableArray<string> Names);

/// <summary>A change that waits for its preparation, as it is stored with the step.</summary>
internal sealed record WaitingPlan(ImmutableArray<MetadataChange> Changes, string Statements, Actor Actor, ApplyOptions Options)
{
    public static string Write(ApplyRequest request, string statements) => new JsonObject
    {
        ["changes"] = request.Declare is null ? MetadataJson.Write(request.Changes) : null,
        ["declare"] = request.Declare is null ? null : DeclareJson.Write(request.Declare),
        ["statements"] = statements,
        ["user_id"] = request.Actor.UserId,
        ["user_name"] = request.Actor.Name,
        ["comment"] = request.Options.Comment,
        ["confirm"] = ShapeJson.Texts(request.Options.Confirm.IsDefault ? [] : request.Options.Confirm),
    }.ToJsonString();

    public static WaitingPlan Read(string json)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement;
        // Written by us from changes that were read before.
        ImmutableArray<MetadataChange> changes = root.TryGetProperty("declare", out var declare) && declare.ValueKind == JsonValueKind.Object
            ? [DeclareJson.Read(declare)]
            : MetadataJson.ReadChanges(root.GetProperty("changes")).Changes;
        var actor = new Actor(root.GetProperty("user_id").GetGuid(), root.GetProperty("user_name").GetString()!, IsAdministrator: true);
        return new WaitingPlan(changes, root.GetProperty("statements").GetString()!, actor, new ApplyOptions(root.GetProperty("comment").GetString(), [.. root.GetProperty("confirm").EnumerateArray().Select(n => n.GetString()!)]));
    }
}
