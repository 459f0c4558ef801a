using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace Crm.Sdk;

/// <summary>The only way to read and write records. Acts for one <see cref="Actor"/>.</summary>
public interface IRecordService
{
    /// <summary>Who reads and writes.</summary>
    Actor Actor { get; }

    /// <summary>Finds one record with all its visible fields; null when there is none.</summary>
    /// <exception cref="QueryException">The entity does not exist.</exception>
    Task<Record?> FindAsync(string entity, Guid id, CancellationToken ct = default);

    /// <summary>Reads one page.</summary>
    /// <exception cref="QueryException">The query names something that does not exist or compares what cannot be compared.</exception>
    Task<RecordPage> QueryAsync(RecordQuery query, CancellationToken ct = default);

    /// <summary>Reads a page for each of several records at once: of those whose reference leads there, such as the contacts of each of fifty companies.</summary>
    /// <param name="query">The page of each. It begins at the start; <see cref="RecordPage.Next"/> goes on with <see cref="QueryAsync"/>, the same order and the reference in its filter.</param>
    /// <param name="by">Field of the query's entity that leads there.</param>
    /// <param name="of">Ids of the records.</param>
    /// <param name="ct">Cancels.</param>
    /// <returns>A page for each of the ids; an empty one where nothing leads, or nothing that may be seen.</returns>
    /// <exception cref="QueryException">As for <see cref="QueryAsync"/>; also when all pages together have too many rows.</exception>
    Task<ImmutableDictionary<Guid, RecordPage>> QueryEachAsync(RecordQuery query, string by, IReadOnlyCollection<Guid> of, CancellationToken ct = default);

    /// <summary>Groups and aggregates.</summary>
    /// <exception cref="QueryException">As for <see cref="QueryAsync"/>.</exception>
    Task<ImmutableArray<AggregateRow>> AggregateAsync(AggregateQuery query, CancellationToken ct = default);

    /// <summary>Creates, updates or deletes one record.</summary>
    Task<SaveResult> SaveAsync(RecordChange change, CancellationToken ct = default);

    /// <summary>Creates, updates and deletes many records through the same steps, with set-based reads and writes.</summary>
    /// <returns>One result per change, in the same order.</returns>
    Task<ImmutableArray<SaveResult>> SaveManyAsync(IReadOnlyList<RecordChange> changes, SaveOptions options, CancellationToken ct = default);

    /// <summary>History of one record, newest first.</summary>
    Task<ImmutableArray<HistoryEntry>> HistoryAsync(string entity, Guid id, CancellationToken ct = default);
}

/// <summary>Gives record services to code that has no user of its own: jobs, listeners, start-up.</summary>
public interface IRecords
{
    /// <summary>A record service that acts for the given actor.</summary>
    IRecordService As(Actor actor);
}

/// <summary>Who does something.</summary>
/// <param name="UserId">Id of the user record.</param>
/// <param name="Name">Shown in history.</param>
/// <param name="IsAdministrator">May change metadata, modules and users.</param>
public sealed record Actor(Guid UserId, string Name, bool IsAdministrator)
{
    /// <summary>May change metadata, modules and users: never while <see cref="Scope"/> narrows them.</summary>
    public bool IsAdministrator { get => field && Scope is null; init; } = IsAdministrator;

    /// <summary>What they are narrowed to; null for all that their user may.</summary>
    public AccessScope? Scope { get; init; }

    /// <summary>The product itself: start-up, upgrades, jobs nobody started. Its user record exists in every database and cannot sign in.</summary>
    public static Actor System { get; } = new(new Guid("00000000-0000-7000-8000-000000000001"), "System", true);
}

/// <summary>A stored record.</summary>
/// <param name="Entity">Its entity.</param>
/// <param name="Id">Its id.</param>
/// <param name="Version">Grows by one with every write; 1 after creation.</param>
/// <param name="Values">Values by field name or by the path that was selected (<c>company.name</c>); a value has its <see cref="FieldType.ValueType"/> or is null.</param>
public sealed record Record(string Entity, Guid Id, long Version, IReadOnlyDictionary<string, object?> Values)
{
    /// <summary>A value; null when there is none or it was not selected.</summary>
    public object? this[string path] => Values.GetValueOrDefault(path);

    /// <summary>A value of the given type, or its default.</summary>
    public T? Get<T>(string path) => Values.TryGetValue(path, out var value) && value is T typed ? typed : default;
}

/// <summary>What a caller wants changed; fields not named keep their value.</summary>
/// <param name="Kind">What to do.</param>
/// <param name="Entity">On which entity.</param>
/// <param name="Id">On which record; for <see cref="ChangeKind.Create"/> the id of the new one (<see cref="RecordIds.Next"/>).</param>
/// <param name="Values">New values by field name or by property name (<c>budget_currency</c>, <c>company_id</c>); input as <see cref="FieldType.TryNormalize"/> takes it, null to empty.</param>
/// <param name="ExpectedVersion">The version the caller saw; null to overwrite.</param>
public sealed record RecordChange(ChangeKind Kind, string Entity, Guid Id, IReadOnlyDictionary<string, object?> Values, long? ExpectedVersion = null)
{
    private static readonly IReadOnlyDictionary<string, object?> None = ImmutableDictionary<string, object?>.Empty;

    /// <summary>Where the change comes from, for history: <c>form</c>, <c>api</c>, <c>import</c>, a module's id.</summary>
    public string Source { get; init; } = "api";

    /// <summary>
    /// Whether a new record that may be there already is refused with <see cref="ErrorCodes.PossibleDuplicate"/>, so that somebody can decide. Rules that refuse duplicates do so either way.
    /// </summary>
    public bool AsksAboutDuplicates { get; init; }

    /// <summary>A new record.</summary>
    public static RecordChange Create(string entity, IReadOnlyDictionary<string, object?> values) => new(ChangeKind.Create, entity, RecordIds.Next(), values);

    /// <summary>New values for a record.</summary>
    public static RecordChange Update(string entity, Guid id, IReadOnlyDictionary<string, object?> values, long? expectedVersion = null) => new(ChangeKind.Update, entity, id, values, expectedVersion);

    /// <summary>The end of a record.</summary>
    public static RecordChange Delete(string entity, Guid id, long? expectedVersion = null) => new(ChangeKind.Delete, entity, id, None, expectedVersion);
}

/// <summary>Kinds of change.</summary>
public enum ChangeKind
{
    /// <summary>Insert.</summary>
    Create,

    /// <summary>Change.</summary>
    Update,

    /// <summary>Remove.</summary>
    Delete,
}

/// <summary>How many changes are saved together.</summary>
/// <param name="AllOrNothing">True: one error refuses all. False: changes without errors are saved, the others are not.</param>
/// <param name="DryRun">Runs every step, then rolls back: the verdicts are those a save would give.</param>
public sealed record SaveOptions(bool AllOrNothing = true, bool DryRun = false);

/// <summary>Saved, or not and why. A user's mistake is a value; a bug is an exception.</summary>
/// <param name="Record">The record as stored, or as it was before its deletion; null when refused.</param>
/// <param name="Errors">Why it was not stored; all reasons at once.</param>
public sealed record SaveResult(Record? Record, ImmutableArray<ValidationError> Errors)
{
    /// <summary>Whether the change was made.</summary>
    [MemberNotNullWhen(true, nameof(Record))]
    public bool Succeeded => Errors.IsEmpty;

    /// <summary>The stored record on a conflict, so that the caller can show both; null otherwise.</summary>
    public Record? Stored { get; init; }

    /// <summary>A refusal.</summary>
    public static SaveResult Refused(params ImmutableArray<ValidationError> errors) => new(null, errors);
}

/// <summary>One reason a change was refused.</summary>
/// <param name="Field">The field at fault; null for the whole record.</param>
/// <param name="Code">Stable code, see <see cref="ErrorCodes"/>.</param>
/// <param name="Message">For the user.</param>
public sealed record ValidationError(string? Field, string Code, string Message)
{
    /// <summary>The records that are the reason; those a new one is like.</summary>
    public ImmutableArray<RecordRef> Records { get; init; } = [];
}

/// <summary>Stable error codes of the product.</summary>
public static class ErrorCodes
{
    /// <summary>A value is missing.</summary>
    public const string Required = "required";

    /// <summary>Another record has the value.</summary>
    public const string Unique = "unique";

    /// <summary>The record is there already, by a rule about duplicates.</summary>
    public const string Duplicate = "duplicate";

    /// <summary>The record may be there already; it is made when its maker does not ask.</summary>
    public const string PossibleDuplicate = "possible_duplicate";

    /// <summary>The value is not one the field's type can hold.</summary>
    public const string Type = "type";

    /// <summary>A text is too long.</summary>
    public const string Length = "length";

    /// <summary>A number or date is out of range.</summary>
    public const string Range = "range";

    /// <summary>A choice, stage or record that does not exist.</summary>
    public const string Unknown = "unknown";

    /// <summary>The move between stages is not allowed.</summary>
    public const string Stage = "stage";

    /// <summary>The record was changed by somebody else.</summary>
    public const string Conflict = "conflict";

    /// <summary>A rule or an interceptor refused.</summary>
    public const string Rule = "rule";

    /// <summary>The user may not do this.</summary>
    public const string Access = "access";

    /// <summary>There is no such record.</summary>
    public const string NotFound = "not_found";

    /// <summary>The record would stand above itself.</summary>
    public const string Cycle = "cycle";

    /// <summary>Other records point to this one.</summary>
    public const string InUse = "in_use";

    /// <summary>The field is set by the product only.</summary>
    public const string ReadOnly = "read_only";

    /// <summary>The module that owns the entity is switched off or failed.</summary>
    public const string Module = "module";

    /// <summary>Nothing is wrong with this change, but another one of the same batch was refused and all belong together.</summary>
    public const string Batch = "batch";

    /// <summary>Somebody else is changing the same records at this moment; trying again helps.</summary>
    public const string Busy = "busy";

    /// <summary>The database cannot take writes at the moment, for example because its disk is full.</summary>
    public const string Unavailable = "unavailable";

    /// <summary>The database would need too long for this query.</summary>
    public const string TooSlow = "too_slow";

    /// <summary>There is no such field.</summary>
    public const string UnknownField = "unknown_field";

    /// <summary>There is no such entity.</summary>
    public const string UnknownEntity = "unknown_entity";

    /// <summary>The request cannot be read.</summary>
    public const string BadRequest = "bad_request";
}

/// <summary>One write in a record's history.</summary>
/// <param name="At">When.</param>
/// <param name="UserId">Who.</param>
/// <param name="UserName">Their name then.</param>
/// <param name="Kind">What was done.</param>
/// <param name="Version">The record's version after it.</param>
/// <param name="Source">Where the change came from.</param>
/// <param name="Changes">Fields from what to what.</param>
public sealed record HistoryEntry(DateTimeOffset At, Guid UserId, string UserName, ChangeKind Kind, long Version, string Source, ImmutableArray<FieldChange> Changes)
{
    /// <summary>The <see cref="Source"/> of values that followed from another record.</summary>
    public const string Calculated = "calculated";

    /// <summary>
    /// The record whose save calculated fields of this one followed from: roll-ups, formulas over looked-up fields. <see cref="UserName"/> saved that one; this one's version
    /// is what it was. Null when it was saved itself.
    /// </summary>
    public RecordRef? Cause { get; init; }
}

/// <summary>One field of a write.</summary>
/// <param name="Field">Name of the field.</param>
/// <param name="Before">Stored value before; null on create.</param>
/// <param name="After">Stored value after; null on delete.</param>
public sealed record FieldChange(string Field, object? Before, object? After)
{
    /// <summary>Name of the rule whose script set the value; null when the user or a module did.</summary>
    public string? Rule { get; init; }
}
