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

    /// <summary>What uses the fields and entities that are hidden, removed or turned into something else.</summary>
    public ImmutableArray<PlanUse> Uses { get; init; } = [];

    /// <summary>Why a later change could not take back all of it at once, as things stand; null when it can.</summary>
    public string? NoUndo { get; init; }

    /// <summary>Names that have to be typed before the plan is applied, because what they name is lost; empty when nothing is.</summary>
    public ImmutableArray<string> Confirm { get; init; } = [];
}

/// <summary>Something that uses a field or an entity.</summary>
/// <param name="Kind">A word for programs: <c>view</c>, <c>filter</c>, <c>sort</c>, <c>form</c>, <c>title</c>, <c>search</c>, <c>lookup</c>, <c>module</c>, <c>saved_view</c>, <c>workflow</c>.</param>
/// <param name="Of">What is used: <c>company</c> or <c>company.x_rating</c>.</param>
/// <param name="Target">What uses it: <c>company.small</c> for a view.</param>
/// <param name="Text">For the administrator.</param>
public sealed record PlanUse(string Kind, string Of, string Target, string Text);

/// <summary>An error or a warning.</summary>
/// <param name="Code">Stable code, see <see cref="PlanCodes"/>.</param>
/// <param name="Message">For the administrator.</param>
/// <param name="Target">What it is about: <c>company</c>, <c>company.x_rating</c>, <c>changes[2].field.type</c>; null for all.</param>
public sealed record PlanMessage(string Code, string Message, string? Target = null)
{
    /// <summary>Stored values that stand in the way, in their order; at most a hundred.</summary>
    public ImmutableArray<PlanValue> Values { get; init; } = [];
}

/// <summary>A stored value that stands in the way.</summary>
/// <param name="Text">The value, as text.</param>
/// <param name="Records">How many records have it.</param>
public sealed record PlanValue(string Text, long Records);

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

    /// <summary>What the database has to do with every record.</summary>
    public StepWork Work { get; init; }

    /// <summary>Whether it is done after the definitions changed, while everybody works on, because the table is big.</summary>
    public bool IsBackground { get; init; }

    /// <summary>How it is done on a big table; null when it is quick on any.</summary>
    internal OnlineStep? Online { get; init; }

    /// <summary>How many columns it adds to a table that is there.</summary>
    internal int Columns { get; init; }

    /// <summary>The column that gets another type; null when none does.</summary>
    internal ColumnConversion? Conversion { get; init; }

    /// <summary>What does most of the work before any table is locked, so that little is left for the step itself; null for a step that is done at once.</summary>
    internal string? Early { get; init; }

    /// <summary>Entities whose records it reads: what has to be done on them before cannot be put off without this.</summary>
    internal ImmutableArray<string> Follows { get; init; } = [];

    /// <summary>Whether a later change can bring back everything as it was.</summary>
    public bool CanUndo => !IsDestructive;

    /// <summary>How long it takes on a small server; null for a step that changes definitions only.</summary>
    public TimeSpan? Estimate => Sql is null ? null : TimeSpan.FromSeconds(0.01 + ((Rows ?? 0) / Speed(Work)));

    // Records a second, of the size of a company, as tests/Crm.Benchmarks found them on two cores.
    private static double Speed(StepWork work) => work switch
    {
        StepWork.Index => 400_000,
        StepWork.Check => 1_500_000,
        StepWork.Fill => 100_000,
        StepWork.Rewrite => 300_000,
        _ => double.PositiveInfinity,
    };
}

/// <summary>A step as it is done on a big table.</summary>
/// <param name="Kind"><c>index</c>, <c>key</c>, <c>fill</c> or <c>keys</c>.</param>
/// <param name="Name">Name of the index, the constraint, the field or the column.</param>
/// <param name="Now">What has to happen together with the change of the definitions; null for nothing.</param>
/// <param name="Later">What is done afterwards without holding up anybody.</param>
internal sealed record OnlineStep(string Kind, string Name, string? Now, string Later)
{
    /// <summary>Stands for the ids of a batch; a text somebody wrote into a formula, with its quotes doubled, cannot be the same.</summary>
    public const string BatchIds = "'ids'::uuid[]";

    /// <summary>Kind of a step that makes match keys.</summary>
    public const string Keys = "keys";

    /// <summary>Whether it is done this way on every table: what no statement can do.</summary>
    public bool IsAlways { get; init; }

    /// <summary>Gives records their value, batch by batch in the order of their ids; <c>$1</c> is the last id done, <c>$2</c> the size of a batch, the answer the last id of the batch and its size.</summary>
    /// <param name="entity">The entity.</param>
    /// <param name="field">The field.</param>
    /// <param name="set">The assignment; the record is <c>r</c>.</param>
    /// <param name="where">Which records need it.</param>
    public static OnlineStep Fill(string entity, string field, string set, string where) => new("fill", field, null, $"""
        WITH batch AS (SELECT id FROM {Sql.Table(entity)} WHERE id > coalesce($1, '00000000-0000-0000-0000-000000000000'::uuid) ORDER BY id LIMIT $2 FOR NO KEY UPDATE),
        filled AS (UPDATE {Sql.Table(entity)} AS r SET {set} FROM batch WHERE r.id = batch.id AND {where})
        SELECT (SELECT id FROM batch ORDER BY id DESC LIMIT 1), (SELECT count(*) FROM batch)
        """);

    /// <summary>As <see cref="Fill"/>, for values that follow from other records.</summary>
    /// <param name="entity">The entity.</param>
    /// <param name="field">The field.</param>
    /// <param name="now">What has to happen together with the change of the definitions.</param>
    /// <param name="update">Gives the records with the ids <see cref="BatchIds"/> their values.</param>
    public static OnlineStep Calculate(string entity, string field, string? now, string update) =>
        new("fill", field, now, $"SELECT * FROM crm.calculate_batch({Sql.Literal(Sql.Table(entity))}, $1, $2, {Sql.Literal(update)})");
}

/// <summary>What a step does with the records of its table.</summary>
public enum StepWork
{
    /// <summary>Nothing: it changes the table's description only, however many records there are.</summary>
    None,

    /// <summary>Reads and sorts them into an index.</summary>
    Index,

    /// <summary>Reads and checks them.</summary>
    Check,

    /// <summary>Gives each of them a value.</summary>
    Fill,

    /// <summary>Writes the table anew.</summary>
    Rewrite,
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

    /// <summary>Everybody who uses the table, for as long as it takes to write it anew.</summary>
    All,
}

/// <summary>What an administrator adds when applying a plan.</summary>
/// <param name="Comment">Why, for the history; null for none.</param>
/// <param name="Confirm">The typed names of what is lost, see <see cref="ChangePlan.Confirm"/>.</param>
public sealed record ApplyOptions(string? Comment = null, ImmutableArray<string> Confirm = default)
{
    /// <summary>Longest comment, in characters.</summary>
    public const int MaxComment = 1000;

    /// <summary>Nothing to add.</summary>
    public static ApplyOptions None { get; } = new();
}

/// <summary>Outcome of applying a plan or of declaring a module.</summary>
/// <param name="Version">Version of the definitions afterwards.</param>
/// <param name="Errors">Why nothing was changed.</param>
/// <param name="Changed">Whether anything was changed.</param>
public sealed record ApplyResult(long Version, ImmutableArray<PlanMessage> Errors, bool Changed)
{
    /// <summary>Whether the definitions are now as asked for, or will be when <see cref="Step"/> is done.</summary>
    public bool Succeeded => Errors.IsEmpty;

    /// <summary>The step (<see cref="MetadataSteps"/>) that prepares a big table; the change comes into force when it is done. Null when nothing has to be prepared.</summary>
    public long? Step { get; init; }
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

    /// <summary>A formula or a rule that cannot be read, gives something else than is wanted, or leads back to itself.</summary>
    public const string Expression = "expression";

    /// <summary>Something in the list or form does not fit the entity.</summary>
    public const string Layout = "layout";

    /// <summary>The records of a big table could not be prepared for a module's new version, or that was stopped.</summary>
    public const string Preparation = "preparation";

    /// <summary>What is lost must be named before the plan is applied.</summary>
    public const string Confirm = "confirm";
}
