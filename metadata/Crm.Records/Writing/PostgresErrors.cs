using Crm.Metadata;
using Crm.Sdk;
using Npgsql;

namespace Crm.Records;

/// <summary>What PostgreSQL's refusals mean for a change, by SQLSTATE and constraint name. The only place that knows.</summary>
internal static class PostgresErrors
{
    // No user has the id of a team.
    private const string PrincipalKey = "principal_p";

    /// <summary>The database gave up this transaction because of others: it may simply be tried again.</summary>
    public static bool IsTransient(PostgresException problem) =>
        problem.SqlState is PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected;

    /// <summary>The statement does not fit the table: the definitions, and with them the table, may have changed between reading them and writing.</summary>
    public static bool IsOfOldDefinitions(Exception problem) =>
        // A column that has another type is read as what it was.
        problem is InvalidCastException || (problem is PostgresException { SqlState: var state } && (state.StartsWith("42", StringComparison.Ordinal) || state == PostgresErrorCodes.FeatureNotSupported));

    /// <summary>Whether such a statement is worth another try although the definitions are no newer than they were: one that was prepared for a table as it was is prepared again.</summary>
    public static bool IsOfOldStatement(Exception problem) => problem is PostgresException { SqlState: PostgresErrorCodes.FeatureNotSupported };

    /// <summary>One of the changes is at fault.</summary>
    public static bool IsRefusal(PostgresException problem) =>
        problem.SqlState is PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.ForeignKeyViolation or SqlStates.Unconvertible || problem.SqlState.StartsWith("22", StringComparison.Ordinal);

    /// <summary>Whether a failed commit certainly did not happen.</summary>
    public static bool IsDefinite(Exception problem) =>
        problem is PostgresException { SqlState: var state } && (state.StartsWith("23", StringComparison.Ordinal) || state.StartsWith("40", StringComparison.Ordinal));

    /// <summary>A reason that has nothing to do with any one of the changes; null when the problem is a bug or a broken connection.</summary>
    public static ValidationError? ForAll(PostgresException problem) => problem.SqlState switch
    {
        PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.LockNotAvailable =>
            new ValidationError(null, ErrorCodes.Busy, Texts.Of("Busy")),
        PostgresErrorCodes.DiskFull => new ValidationError(null, ErrorCodes.Unavailable, Texts.Of("DiskFull")),
        PostgresErrorCodes.ReadOnlySqlTransaction or PostgresErrorCodes.OutOfMemory => new ValidationError(null, ErrorCodes.Unavailable, Texts.Of("Unavailable")),
        _ => null,
    };

    /// <summary>A query's caller asked for too much.</summary>
    public static bool IsOfQuery(PostgresException problem, CancellationToken ct) =>
        problem.SqlState == PostgresErrorCodes.NumericValueOutOfRange || (problem.SqlState == PostgresErrorCodes.QueryCanceled && !ct.IsCancellationRequested);

    /// <summary>What to tell them.</summary>
    public static QueryException OfQuery(PostgresException problem) =>
        problem.SqlState == PostgresErrorCodes.QueryCanceled
            ? new(ErrorCodes.TooSlow, Texts.Of("TooSlow", QueryLimits.TimeoutMilliseconds / 1000))
            : new(ErrorCodes.Range, Texts.Of("OutOfRange"));

    /// <summary>Why the one change at fault was refused; a refusal nobody but the engine can have caused is thrown again.</summary>
    public static async Task<ValidationError> ExplainAsync(PostgresException problem, EntityTable table, RecordChange change, SaveSession session, CancellationToken ct)
    {
        switch (problem.SqlState)
        {
            case PostgresErrorCodes.UniqueViolation when problem.ConstraintName == PrincipalKey || FieldOf(problem.ConstraintName, table)?.Index == table.Id:
                return new ValidationError("id", ErrorCodes.Unique, Texts.Of("IdTaken", table.Entity.Label, change.Id));
            case PostgresErrorCodes.UniqueViolation when table.Entity.Link?.Left is { } left && FieldOf(problem.ConstraintName, table)?.Name == left:
                return new ValidationError(left, ErrorCodes.Unique, Texts.Of("LinkedTwice"));
            case PostgresErrorCodes.UniqueViolation when FieldOf(problem.ConstraintName, table) is { } field:
                return new ValidationError(field.Name, ErrorCodes.Unique, Texts.Of("Unique", table.Entity.Label, field.Definition.Label));
            case PostgresErrorCodes.ForeignKeyViolation when change.Kind == ChangeKind.Delete:
                return await InUseAsync(problem.TableName, table, change.Id, session, ct);
            case PostgresErrorCodes.ForeignKeyViolation when problem.TableName == table.Entity.Name && FieldOf(problem.ConstraintName, table) is { IsStamp: false } field:
                return new ValidationError(field.Name, ErrorCodes.Unknown, Texts.Of("UnknownTarget", field.Definition.Label));
            case SqlStates.Unconvertible when table.Fields.FirstOrDefault(f => f.Columns.Any(c => c.Name == problem.ColumnName)) is { } field:
                return new ValidationError(field.Name, ErrorCodes.Type, Texts.Of("Converting", field.Definition.Label, problem.DataTypeName));
            case PostgresErrorCodes.NumericValueOutOfRange:
                return new ValidationError(null, ErrorCodes.Range, Texts.Of("OutOfRange"));
            default:
                throw new InvalidOperationException($"The database refused a {change.Kind} of {table.Entity.Name} {change.Id} that had passed validation.", problem);
        }
    }

    /// <summary>The field a constraint is about, or null when it is about none of this entity.</summary>
    private static TableField? FieldOf(string? constraint, EntityTable table) =>
        TableNames.TryParse(constraint, out var entity, out var column) && entity == table.Entity.Name
            ? table.Fields.FirstOrDefault(f => f.Columns.Any(c => c.Name == column) || f.Keys.Any(k => f.Name + k.Key.Suffix == column))
            : null;

    private static async Task<ValidationError> InUseAsync(string? pointing, EntityTable table, Guid id, SaveSession session, CancellationToken ct)
    {
        if (pointing is null || !session.Snapshot.TryEntity(pointing, out var entity))
        {
            return new ValidationError(null, ErrorCodes.InUse, Texts.Of("InUse", table.Entity.Label));
        }

        var columns = entity.Fields
            .Where(f => f.Type is ReferenceType && f.LeadsTo(table.Entity.Name))
            .Select(f => $"r.{Sql.Quote(f.Name + f.Type.Columns[0].Suffix)} = {session.Access.View.Next}");
        // Of records that may not be read nobody learns how many there are, or of which entity.
        var condition = session.Access.View.Condition(entity, AccessOperation.Read, "r") ?? "TRUE";
        await using var command = session.Command($"SELECT count(*) FROM {Sql.Table(pointing)} AS r WHERE ({string.Join(" OR ", columns)}) AND {condition}");
        session.Access.Bind(command.Parameters);
        command.Parameters.Add(new() { Value = id });
        var count = (long)(await command.ExecuteScalarAsync(ct))!;
        return count == 0 ? new ValidationError(null, ErrorCodes.InUse, Texts.Of("InUse", table.Entity.Label)) : new ValidationError(null, ErrorCodes.InUse, Texts.Of("InUseBy", table.Entity.Label, count, count == 1 ? entity.Label : entity.PluralLabel));
    }
}
