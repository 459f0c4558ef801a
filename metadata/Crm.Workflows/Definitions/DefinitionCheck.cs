using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Crm.Sdk;

namespace Crm.Workflows;

/// <summary>Looks for what would keep a definition from running.</summary>
internal sealed class DefinitionCheck(MetadataSnapshot snapshot, WorkflowGraph graph, ActivityCatalog activities)
{
    private readonly List<DefinitionProblem> problems = [];
    private readonly SortedSet<string> uses = new(StringComparer.Ordinal);

    public MetadataSnapshot Snapshot => snapshot;

    public WorkflowGraph Graph => graph;

    public ActivityCatalog Activities => activities;

    /// <summary>Entities and fields it names, as <c>entity</c> or <c>entity.field</c>.</summary>
    public IReadOnlyCollection<string> Uses => uses;

    public ImmutableArray<DefinitionProblem> Run()
    {
        if (graph.Root is null)
        {
            return [new DefinitionProblem(null, null, Texts.Of("NoRoot"))];
        }

        if (graph.All.Count > RunLimits.Activities)
        {
            return [new DefinitionProblem(null, null, Texts.Of("TooManyActivities", graph.All.Count, RunLimits.Activities))];
        }

        foreach (var id in graph.Doubles)
        {
            Add(graph.All.Last(n => n.Id == id), Texts.Of("DoubleId", id, string.Join(", ", graph.All.Where(n => n.Id == id).Select(n => n.Name))));
        }

        foreach (var other in graph.All.Where(n => TriggerKinds.Is(n.Type) && n.Literal("entity") is { } entity && entity != graph.Entity))
        {
            Add(other, Texts.Of("SeveralEntities", other.Name, graph.Entity));
        }

        foreach (var node in graph.All)
        {
            if (activities.Find(node.Type) is { } activity)
            {
                activity.Check(new ActivityCheck(this, node));
            }
            else
            {
                Add(node, Texts.Of("UnknownActivity", node.Name, node.Type));
            }
        }

        return [.. problems];
    }

    public void Add(ActivityNode node, string message) => problems.Add(new DefinitionProblem(node.Id, node.Name, message));

    public void Use(string what) => uses.Add(what);
}

/// <summary>What an activity is asked when it is checked.</summary>
internal sealed class ActivityCheck(DefinitionCheck check, ActivityNode node)
{
    public ActivityNode Node => node;

    /// <summary>Whose records the workflow is about.</summary>
    public EntityDefinition? Subject => check.Graph.Entity is { } name && check.Snapshot.TryEntity(name, out var entity) && !entity.IsHidden ? entity : null;

    public Activity? Find(string type) => check.Activities.Find(type);

    /// <summary>Whether a run rests at an activity or somewhere inside it.</summary>
    public bool Rests(ActivityNode at) => Find(at.Type)?.Waits == true || at.Children.Any(Rests);

    public void Problem(string message) => Problem(node, message);

    public void Problem(ActivityNode at, string message) => check.Add(at, message);

    public void Use(EntityDefinition entity, FieldDefinition field) => check.Use(entity.Name + "." + field.Name);

    /// <summary>The entity an input names; null, and a problem, when there is none.</summary>
    public EntityDefinition? Entity(string input)
    {
        if (node.Literal(input) is not { } name)
        {
            Problem(Texts.Of("NoEntity", node.Name));
            return null;
        }

        if (!check.Snapshot.TryEntity(name, out var entity) || entity.IsHidden)
        {
            Problem(Texts.Of("NoSuchEntity", node.Name, name));
            return null;
        }

        check.Use(entity.Name);
        return entity;
    }

    /// <summary>A field by its name or by the name of one of its properties.</summary>
    public void Field(EntityDefinition entity, string name)
    {
        var field = entity.TryField(name, out var found) ? found : entity.TryProperty(name, out var property) ? property.Field : null;
        if (field is null or { IsHidden: true })
        {
            Problem(Texts.Of("NoSuchField", node.Name, entity.PluralLabel, name));
            return;
        }

        Use(entity, field);
    }

    /// <summary>The input <c>values</c>: fields of an entity and what they get.</summary>
    public void Values(EntityDefinition entity)
    {
        if (node.Input("values") is not var (_, value) || Object(value) is not { } values)
        {
            Problem(Texts.Of("NoValues", node.Name));
            return;
        }

        foreach (var (name, given) in values)
        {
            Field(entity, name);
            if (entity.TryField(name, out var field) && (field.IsCalculated || field is { IsReadOnly: true } or { IsSystem: true, Name: not "owner" }))
            {
                Problem(Texts.Of("FieldNotSet", node.Name, field.Label));
            }

            if (ExpressionKinds.Is(given))
            {
                Expression(given);
            }
        }
    }

    public void Condition(string input) => Expression(node.Json[input], ExpressionType.YesNo);

    public void Input(string input) => Expression(node.Json[input]);

    public void Cases()
    {
        foreach (var option in node.Cases)
        {
            Expression(option.Condition, ExpressionType.YesNo);
        }
    }

    public void Variable(JsonNode? value)
    {
        var key = ActivityContext.VariableKey(value);
        if (check.Graph.FindVariable(key) is null && !(key is "CurrentValue" or "CurrentIndex"))
        {
            Problem(Texts.Of("NoSuchVariable", node.Name, value is JsonObject slot ? ActivityNode.Text(slot["name"]) ?? key : key));
        }
    }

    /// <summary>An expression that can be read and gives what is wanted.</summary>
    public void Expression(JsonNode? input, ExpressionType? wanted = null)
    {
        if (ActivityNode.ExpressionOf(input) is not var (type, value))
        {
            return;
        }

        switch (type)
        {
            case "Variable":
                Variable(value);
                break;
            case ExpressionKinds.Crm:
                Formula(ActivityNode.Text(value) ?? "", wanted);
                break;
            default:
                if (!ExpressionKinds.IsKnown(type))
                {
                    Problem(Texts.Of("ExpressionKind", node.Name, type));
                }

                break;
        }
    }

    private void Formula(string text, ExpressionType? wanted)
    {
        if (Subject is not { } entity)
        {
            Problem(Texts.Of("NoSubject", node.Name));
            return;
        }

        if (!Sdk.Expression.TryParse(text, new ExpressionScope(check.Snapshot, entity), out var expression, out var error))
        {
            Problem(Texts.Of("BadExpression", node.Name, error.Message));
            return;
        }

        if (wanted is { } one && expression.Type != one)
        {
            Problem(Texts.Of("NotACondition", node.Name));
        }

        foreach (var (owner, field) in expression.Paths.SelectMany(p => p.Along(entity)))
        {
            check.Use(owner + "." + field.Name);
        }
    }

    private static JsonObject? Object(JsonNode? value)
    {
        try
        {
            return value as JsonObject ?? (ActivityNode.Text(value) is { } text ? JsonNode.Parse(text) as JsonObject : null);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
