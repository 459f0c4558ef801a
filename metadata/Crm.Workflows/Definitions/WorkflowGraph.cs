using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;

namespace Crm.Workflows;

/// <summary>A definition as it is run: its activities as a tree, read from JSON of Elsa 3.</summary>
internal sealed class WorkflowGraph
{
    private readonly Dictionary<string, ActivityNode> byId = new(StringComparer.Ordinal);

    private WorkflowGraph(JsonObject model)
    {
        Variables = [.. Objects(model["variables"]).Select(VariableSlot.Of)];
        if (model["root"] is JsonObject root && ActivityNode.IsActivity(root))
        {
            Root = new ActivityNode(root, null);
            Add(Root);
        }
    }

    /// <summary>The outermost activity; null when there is none.</summary>
    public ActivityNode? Root { get; }

    /// <summary>Variables of the workflow and of its containers.</summary>
    public ImmutableArray<VariableSlot> Variables { get; private set; }

    /// <summary>All activities, parents before children.</summary>
    public List<ActivityNode> All { get; } = [];

    /// <summary>Ids that several activities have.</summary>
    public HashSet<string> Doubles { get; } = new(StringComparer.Ordinal);

    /// <summary>Whose records it is about: what its triggers say.</summary>
    public string? Entity => All.Where(n => TriggerKinds.Is(n.Type) && n.CanStart).Select(n => n.Literal("entity")).FirstOrDefault(e => e is not null);

    /// <summary>Reads a definition.</summary>
    public static WorkflowGraph Of(JsonObject model) => new(model);

    public bool TryFind(string id, [NotNullWhen(true)] out ActivityNode? node) => byId.TryGetValue(id, out node);

    /// <summary>Finds a variable by its id or its name.</summary>
    public VariableSlot? FindVariable(string key) => Variables.FirstOrDefault(v => v.Id == key) ?? Variables.FirstOrDefault(v => v.Name == key);

    internal static IEnumerable<JsonObject> Objects(JsonNode? list) => (list as JsonArray)?.OfType<JsonObject>() ?? [];

    private void Add(ActivityNode node)
    {
        if (!byId.TryAdd(node.Id, node))
        {
            Doubles.Add(node.Id);
        }

        All.Add(node);
        Variables = Variables.AddRange(Objects(node.Json["variables"]).Select(VariableSlot.Of));
        foreach (var child in node.Children)
        {
            Add(child);
        }
    }
}

/// <summary>A variable of a workflow.</summary>
/// <param name="Id">What activities name it by.</param>
/// <param name="Name">What people name it by.</param>
/// <param name="Value">What it holds at the start.</param>
internal sealed record VariableSlot(string Id, string Name, JsonNode? Value)
{
    public static VariableSlot Of(JsonObject json)
    {
        var name = ActivityNode.Text(json["name"]) ?? "";
        return new VariableSlot(ActivityNode.Text(json["id"]) ?? name, name, json["value"]);
    }
}

/// <summary>One activity of a definition.</summary>
internal sealed class ActivityNode
{
    public ActivityNode(JsonObject json, ActivityNode? parent)
    {
        (Json, Parent) = (json, parent);
        Type = Text(json["type"])!;
        Id = Text(json["id"])!;
        foreach (var (name, value) in json)
        {
            switch (value)
            {
                case JsonObject port when IsActivity(port):
                    Ports.Add(name, new ActivityNode(port, this));
                    break;
                case JsonArray list when name is "activities" or "branches":
                    Items = [.. list.OfType<JsonObject>().Where(IsActivity).Select(child => new ActivityNode(child, this))];
                    break;
            }
        }

        Cases = [.. WorkflowGraph.Objects(json["cases"]).Select(c => new SwitchCase(
            Text(c["label"]) ?? "", c["condition"], c["activity"] is JsonObject activity && IsActivity(activity) ? new ActivityNode(activity, this) : null))];
        Connections = [.. WorkflowGraph.Objects(json["connections"]).Select(Connection.Of)];
        Children = [.. Items, .. Ports.Values, .. Cases.Select(c => c.Activity).OfType<ActivityNode>()];
    }

    public JsonObject Json { get; }

    public ActivityNode? Parent { get; }

    public string Id { get; }

    public string Type { get; }

    /// <summary>What people call it.</summary>
    public string Name => Text((Json["metadata"] as JsonObject)?["displayText"]) is { Length: > 0 } shown ? shown : Text(Json["name"]) is { Length: > 0 } name ? name : Id;

    /// <summary>Whether an event may start the workflow here.</summary>
    public bool CanStart => (Json["customProperties"] as JsonObject)?["canStartWorkflow"]?.GetValueKind() == System.Text.Json.JsonValueKind.True;

    /// <summary>Activities in a list: of a flowchart, a sequence or a fork.</summary>
    public ImmutableArray<ActivityNode> Items { get; private set; } = [];

    /// <summary>Activities by the name of their port: then, else, body, default.</summary>
    public Dictionary<string, ActivityNode> Ports { get; } = new(StringComparer.Ordinal);

    public ImmutableArray<SwitchCase> Cases { get; }

    public ImmutableArray<Connection> Connections { get; }

    public ImmutableArray<ActivityNode> Children { get; }

    /// <summary>An input that was written down, as text; null when there is none or it is calculated.</summary>
    public string? Literal(string input) => Input(input) is var (type, value) && type is "Literal" or "Object" && value is JsonValue ? value.ToString() is { Length: > 0 } text ? text : null : null;

    /// <summary>The type and the value of an input's expression; null when the input is not given.</summary>
    public (string Type, JsonNode? Value)? Input(string input) => ExpressionOf(Json[input]);

    /// <summary>The variable an output goes to; null for none.</summary>
    public string? Output(string output) => Text(((Json[output] as JsonObject)?["memoryReference"] as JsonObject)?["id"]);

    public static (string Type, JsonNode? Value)? ExpressionOf(JsonNode? input) => input switch
    {
        null => null,
        JsonObject { } wrapped when wrapped.ContainsKey("expression") => wrapped["expression"] is JsonObject inner ? (Text(inner["type"]) ?? "Literal", inner["value"]) : null,
        JsonObject { } bare when Text(bare["type"]) is { } type && bare.ContainsKey("value") => (type, bare["value"]),
        _ => ("Literal", input),
    };

    public static bool IsActivity(JsonObject json) => Text(json["type"]) is { Length: > 0 } && Text(json["id"]) is { Length: > 0 } && !json.ContainsKey("expression");

    public static string? Text(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
}

/// <summary>A case of a switch.</summary>
internal sealed record SwitchCase(string Label, JsonNode? Condition, ActivityNode? Activity);

/// <summary>A connection of a flowchart.</summary>
/// <param name="Source">Where it begins.</param>
/// <param name="Port">At which outcome.</param>
/// <param name="Target">Where it leads.</param>
internal sealed record Connection(string Source, string Port, string Target)
{
    public const string Done = "Done";

    public static Connection Of(JsonObject json) => json["source"] is JsonObject source
        ? new Connection(
            ActivityNode.Text(source["activity"]) ?? "", ActivityNode.Text(source["port"]) is { Length: > 0 } port ? port : Done, ActivityNode.Text((json["target"] as JsonObject)?["activity"]) ?? "")
        : new Connection(
            ActivityNode.Text(json["source"]) ?? "", ActivityNode.Text(json["sourcePort"]) is { Length: > 0 } old ? old : Done, ActivityNode.Text(json["target"]) ?? "");
}
