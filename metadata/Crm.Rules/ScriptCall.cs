using System.Collections.Immutable;
using System.Text.Json;

namespace Crm.Rules;

/// <summary>A script, and for whom it runs.</summary>
/// <param name="Script">The text.</param>
/// <param name="Budget">How long it may take for one record.</param>
/// <param name="UserId">The user who writes.</param>
/// <param name="UserName">Their name.</param>
/// <param name="IsAdministrator">Whether they are an administrator.</param>
/// <param name="Now">The time of the write.</param>
public sealed record ScriptCall(string Script, TimeSpan Budget, Guid UserId, string UserName, bool IsAdministrator, DateTimeOffset Now);

/// <summary>What a script says about one record.</summary>
/// <param name="Set">Properties it gave another value, as JSON.</param>
/// <param name="Refused">What it refuses: a property, or null, and the message.</param>
/// <param name="Failure">How it failed; null when it did not. Then it set and refused nothing.</param>
/// <param name="Took">How long it ran.</param>
public sealed record ScriptAnswer(ImmutableArray<KeyValuePair<string, JsonElement>> Set, ImmutableArray<(string? Field, string Message)> Refused, ScriptFailure? Failure, TimeSpan Took)
{
    internal static ScriptAnswer Failed(ScriptFailure failure, TimeSpan took) => new([], [], failure, took);
}

/// <summary>How a script failed.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="What">What the engine says, in its words.</param>
/// <param name="Line">The line, counted from one; null when it is not known.</param>
/// <param name="Column">The column, counted from one.</param>
public sealed record ScriptFailure(ScriptFailureKind Kind, string What, int? Line = null, int? Column = null)
{
    private static readonly Dictionary<string, ScriptFailureKind> Kinds = Enum.GetValues<ScriptFailureKind>().ToDictionary(k => k.ToString().ToLowerInvariant(), StringComparer.Ordinal);

    internal static ScriptFailure Read(JsonElement json) => new(
        Kinds.GetValueOrDefault(json.GetProperty("kind").GetString()!, ScriptFailureKind.Error),
        json.GetProperty("what").GetString()!,
        json.TryGetProperty("line", out var line) ? line.GetInt32() : null,
        json.TryGetProperty("column", out var column) ? column.GetInt32() : null);
}

/// <summary>What can happen to a script.</summary>
public enum ScriptFailureKind
{
    /// <summary>It threw, or the engine could not do what it asks.</summary>
    Error,

    /// <summary>It cannot be read.</summary>
    Syntax,

    /// <summary>It says <c>let</c> or <c>const</c>.</summary>
    Let,

    /// <summary>It has an arrow function.</summary>
    Arrow,

    /// <summary>It has a template string.</summary>
    Template,

    /// <summary>It has a class.</summary>
    Class,

    /// <summary>It closes a brace it never opened.</summary>
    Brace,

    /// <summary>Something is still open at its end.</summary>
    End,

    /// <summary>It took too long.</summary>
    Time,

    /// <summary>It called itself too often.</summary>
    Recursion,

    /// <summary>It gave the record something that is no JSON.</summary>
    Value,

    /// <summary>It needed more memory than a worker has.</summary>
    Memory,

    /// <summary>Its worker ended: it is nested too deeply.</summary>
    Ended,

    /// <summary>No worker became free.</summary>
    Busy,
}

/// <summary>What a check says of a script.</summary>
/// <param name="Failure">Why it cannot be read; null when it can.</param>
/// <param name="Fields">Properties it names, with the place.</param>
public sealed record ScriptCheck(ScriptFailure? Failure, ImmutableArray<(string Name, int Line, int Column)> Fields);
