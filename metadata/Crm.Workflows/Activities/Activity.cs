using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Crm.Sdk;

namespace Crm.Workflows;

/// <summary>A kind of activity. Stateless, one instance per kind.</summary>
internal abstract class Activity(string type)
{
    protected static ImmutableArray<string> Done { get; } = [Connection.Done];

    /// <summary>As definitions name it.</summary>
    public string Type => type;

    /// <summary>Whether a run can rest here, so that a circle through it does not spin.</summary>
    public virtual bool Waits => false;

    /// <summary>Outcomes connections may begin at; null for any.</summary>
    public virtual ImmutableArray<string>? Outcomes(ActivityNode node) => Done;

    /// <summary>Says what is wrong with an activity of this kind.</summary>
    public virtual void Check(ActivityCheck check)
    {
    }

    /// <summary>Does it.</summary>
    /// <returns>Its outcomes; null while it is not over.</returns>
    public abstract ValueTask<ImmutableArray<string>?> ExecuteAsync(ActivityContext context, CancellationToken ct);

    /// <summary>Goes on after it waited.</summary>
    public virtual ValueTask<ImmutableArray<string>?> ResumeAsync(ActivityContext context, Wake wake, CancellationToken ct) => new(Done);

    protected static ValueTask<ImmutableArray<string>?> Ended(params ImmutableArray<string> outcomes) => new(outcomes);
}

/// <summary>An activity that runs others.</summary>
internal abstract class ContainerActivity(string type) : Activity(type)
{
    /// <summary>One of them is over.</summary>
    /// <returns>The container's own outcomes; null while it is not over.</returns>
    public virtual ImmutableArray<string>? ChildEnded(ActivityContext context, ActivityNode child, ImmutableArray<string> outcomes) => Done;
}

/// <summary>What an activity sees of its run while it is being done.</summary>
internal sealed class ActivityContext(Run run, ActivityNode node, Frame frame)
{
    private readonly Dictionary<string, object?> values = new(StringComparer.Ordinal);

    public Run Run => run;

    public ActivityNode Node => node;

    public Frame Frame => frame;

    /// <summary>What it wants written, in the transaction that moves the run on.</summary>
    public List<RecordChange> Changes { get; } = [];

    /// <summary>Asks for a change; whether it is made shows when the run moves on.</summary>
    public void Save(RecordChange change) => Changes.Add(change with { Source = run.Instance.Source });

    /// <summary>The value of an input; null when it is not given.</summary>
    public async ValueTask<JsonNode?> GetAsync(string input, CancellationToken ct) => node.Input(input) is var (type, value) ? await EvaluateAsync(type, value, ct) : null;

    /// <summary>An input as text; null when it is empty.</summary>
    public async ValueTask<string?> TextAsync(string input, CancellationToken ct) => await GetAsync(input, ct) is { } value && value.ToString() is { Length: > 0 } text ? text : null;

    /// <summary>An input as yes or no.</summary>
    public async ValueTask<bool> HoldsAsync(JsonNode? expression, CancellationToken ct) =>
        ActivityNode.ExpressionOf(expression) is var (type, value) && IsTrue(await EvaluateAsync(type, value, ct));

    /// <summary>The value of an expression.</summary>
    public async ValueTask<JsonNode?> EvaluateAsync(string type, JsonNode? value, CancellationToken ct)
    {
        switch (type)
        {
            case "Literal":
                return value;
            case "Object":
                return value is JsonValue text && text.TryGetValue<string>(out var json) ? Parse(json) : value;
            case "Variable":
                return run.Variable(frame, VariableKey(value));
            case ExpressionKinds.Crm:
                return JsonSerializer.SerializeToNode(await CalculateAsync(ActivityNode.Text(value) ?? "", ct));
            default:
                throw new ActivityFailedException("expression", Texts.Of("UnknownExpression", type));
        }
    }

    /// <summary>Values of fields, each written down or an expression of its own.</summary>
    public async ValueTask<Dictionary<string, object?>> FieldsAsync(string input, CancellationToken ct)
    {
        var value = await GetAsync(input, ct);
        var given = (ActivityNode.Text(value) is { } json ? Parse(json) : value) as JsonObject ?? throw new ActivityFailedException("input", Texts.Of("NoValues", node.Name));
        var fields = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (var (name, set) in given)
        {
            fields[name] = ToInput(ExpressionKinds.Is(set) && ActivityNode.ExpressionOf(set) is var (type, inner) ? await EvaluateAsync(type, inner, ct) : set);
        }

        return fields;
    }

    public static string VariableKey(JsonNode? value) =>
        value is JsonObject slot ? ActivityNode.Text(slot["id"]) ?? ActivityNode.Text(slot["name"]) ?? "" : ActivityNode.Text(value) ?? "";

    public static bool IsTrue(JsonNode? value) => value is JsonValue given
        && (given.TryGetValue<bool>(out var flag) ? flag : given.ToString().Equals("true", StringComparison.OrdinalIgnoreCase));

    /// <summary>A value as a save takes it.</summary>
    public static object? ToInput(JsonNode? value) => value switch
    {
        null => null,
        JsonArray list => list.Select(ToInput).ToList(),
        JsonObject json => JsonSerializer.SerializeToElement(json),
        _ => value.GetValueKind() switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            JsonValueKind.Number => Number(value.ToString()),
            _ => value.ToString(),
        },
    };

    private static object Number(string text) =>
        decimal.TryParse(text, System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture, out var number)
            ? decimal.Truncate(number) == number && Math.Abs(number) <= long.MaxValue ? (long)number : number
            : text;

    private static JsonNode? Parse(string json)
    {
        try
        {
            return json.Length == 0 ? null : JsonNode.Parse(json);
        }
        catch (JsonException problem)
        {
            throw new ActivityFailedException("expression", Texts.Of("BadJson", problem.Message));
        }
    }

    private async ValueTask<object?> CalculateAsync(string text, CancellationToken ct)
    {
        if (run.Instance is not { Entity: { } name, RecordId: { } id } || !run.Snapshot.TryEntity(name, out var entity))
        {
            throw new ActivityFailedException("expression", Texts.Of("NoRecord", text));
        }

        if (!Expression.TryParse(text, new ExpressionScope(run.Snapshot, entity), out var expression, out var error))
        {
            throw new ActivityFailedException("expression", error.Message);
        }

        await LoadAsync(name, id, [.. expression.Paths.Select(PathOf).Where(p => !values.ContainsKey(p)).Distinct(StringComparer.Ordinal)], ct);
        return expression.Evaluate(path => path.ValueOf(values[PathOf(path)]), run.Now);
    }

    /// <summary>Reads what expressions of this activity ask for and was not read yet.</summary>
    private async ValueTask LoadAsync(string entity, Guid id, ImmutableArray<string> paths, CancellationToken ct)
    {
        if (paths.IsEmpty)
        {
            return;
        }

        var page = await run.Records.QueryAsync(new RecordQuery { Entity = entity, Select = paths, Filter = Filter.Equal("id", id), Top = 1 }, ct);
        var record = page.Records is [var only] ? only : throw new ActivityFailedException(ErrorCodes.NotFound, Texts.Of("RecordGone", entity, id));
        foreach (var path in paths)
        {
            values[path] = record[path];
        }
    }

    private static string PathOf(FieldPath path) => string.Join('.', path.Steps.Select(s => s.Name).Append(path.Field.Name));
}

/// <summary>Types of expressions, as definitions name them.</summary>
internal static class ExpressionKinds
{
    /// <summary>The product's own language, over the fields of the record the workflow is about.</summary>
    public const string Crm = "Crm";

    public static bool IsKnown(string type) => type is "Literal" or "Object" or "Variable" or Crm;

    /// <summary>Whether a value among others is an expression and not a value.</summary>
    public static bool Is(JsonNode? value) => value is JsonObject { Count: 2 } json && ActivityNode.Text(json["type"]) is { } type && IsKnown(type) && json.ContainsKey("value");
}
