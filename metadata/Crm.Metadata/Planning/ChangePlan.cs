using System.Collections.Immutable;

namespace Crm.Metadata;

/// <summary>What a list of changes would do, as shown to an administrator before it is applied.</summary>
/// <param name="Id">For <see cref="MetadataEditor.ApplyAsync"/>.</param>
/// <param name="Version">Version of the definitions the plan was made for.</param>
/// <param name="Errors">Why it cannot be applied; all reasons at once.</param>
/// <param name="Warnings">What the administrator should know.</param>
/// <param name="Steps">What is done, in order; empty when there are errors.</param>
public sealed record ChangePlan(Guid Id, long Version, ImmutableArray<PlanMessage> Errors, ImmutableArray<PlanMessage> Warnings, ImmutableArray<PlanStep> Steps)
{
    /// <summary>Whether the plan can be applied.</summary>
    public bool CanApply => Errors.IsEmpty;
}

/// <summary>An error or a warning.</summary>
/// <param name="Code">Stable code, see <see cref="PlanCodes"/>.</param>
/// <param name="Message">For the administrator.</param>
/// <param name="Target">What it is about: <c>company</c>, <c>company.x_rating</c>, <c>changes[2].field.type</c>; null for all.</param>
public sealed record PlanMessage(string Code, string Message, string? Target = null);

/// <summary>One step.</summary>
/// <param name="Text">In words.</param>
/// <param name="Sql">What runs in the database; null when only definitions change.</param>
/// <param name="Lock">Who has to wait meanwhile.</param>
/// <param name="Entity">The entity.</param>
/// <param name="IsDestructive">Whether data is lost.</param>
public sealed record PlanStep(string Text, string? Sql, StepLock Lock, string? Entity, bool IsDestructive = false)
{
    /// <summary>Records in the table the step works on; null when it has none yet.</summary>
    public long? Rows { get; init; }
}

/// <summary>Who has to wait while a step runs.</summary>
public enum StepLock
{
    /// <summary>Nobody.</summary>
    None,

    /// <summary>Everybody who uses the table, for milliseconds.</summary>
    Brief,

    /// <summary>Those who write to the table, for as long as it takes to read it once.</summary>
    Writes,
}

/// <summary>Outcome of applying a plan or of declaring a module.</summary>
/// <param name="Version">Version of the definitions afterwards.</param>
/// <param name="Errors">Why nothing was changed.</param>
/// <param name="Changed">Whether anything was changed.</param>
public sealed record ApplyResult(long Version, ImmutableArray<PlanMessage> Errors, bool Changed)
{
    /// <summary>Whether the definitions are now as asked for.</summary>
    public bool Succeeded => Errors.IsEmpty;
}

/// <summary>Codes of plans beside those of <see cref="Crm.Sdk.ErrorCodes"/>.</summary>
public static class PlanCodes
{
    /// <summary>A name that cannot be used.</summary>
    public const string Name = "name";

    /// <summary>There already is one of this name.</summary>
    public const string Exists = "exists";

    /// <summary>More than the product allows.</summary>
    public const string Limit = "limit";

    /// <summary>Options that are missing or make no sense.</summary>
    public const string Option = "option";

    /// <summary>Something in the list or form does not fit the entity.</summary>
    public const string Layout = "layout";
}
