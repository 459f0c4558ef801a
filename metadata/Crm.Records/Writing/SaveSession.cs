using Crm.Records.Bin;
using Crm.Sdk;
using Npgsql;

namespace Crm.Records;

/// <summary>One save: a transaction of its own, or a savepoint in the transaction of the save it is nested in.</summary>
internal sealed class SaveSession : IAsyncDisposable
{
    /// <summary>How deep saves may set off one another.</summary>
    public const int MaxDepth = 8;

    private readonly SaveSession? outer;
    private BehaviorGeneration? behaviors;
    private ActorAccess? access;
    private NpgsqlConnection? connection;
    private NpgsqlTransaction? transaction;
    private ulong? transactionId;
    private bool isLimited;
    private int savepoints;
    private bool isDone;
    private bool hasNewOwners;

    public SaveSession(RecordEngine engine, Actor actor, Guid? causation = null)
    {
        (Engine, Actor) = (engine, actor);
        Snapshot = engine.Metadata.Current;
        behaviors = engine.Behaviors.Enter();
        Behaviors = behaviors.Behaviors;
        CausationId = causation ?? Guid.CreateVersion7();
        var now = engine.Time.GetUtcNow();
        // PostgreSQL keeps microseconds.
        Now = new DateTimeOffset(now.UtcTicks - (now.UtcTicks % TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);
        Written = [];
    }

    private SaveSession(SaveSession outer)
    {
        (this.outer, access) = (outer, outer.access);
        (Engine, Actor, Snapshot, Behaviors, CausationId, Now) = (outer.Engine, outer.Actor, outer.Snapshot, outer.Behaviors, outer.CausationId, outer.Now);
        (Depth, Written, GoesAlong) = (outer.Depth + 1, outer.Written, outer.RemovesLinks || outer.GoesAlong);
    }

    public RecordEngine Engine { get; }

    public Actor Actor { get; }

    public MetadataSnapshot Snapshot { get; }

    public RecordBehaviors Behaviors { get; }

    /// <summary>The same for everything that one save, or one run of a workflow, set off.</summary>
    public Guid CausationId { get; }

    public DateTimeOffset Now { get; }

    /// <summary>0 for the save somebody asked for.</summary>
    public int Depth { get; }

    /// <summary>Last result of each record nested saves wrote: the outer save must not answer with an older version.</summary>
    public Dictionary<(string Entity, Guid Id), Record> Written { get; }

    /// <summary>Interceptors run that may not write yet.</summary>
    public bool IsBeforeWrite { get; set; }

    /// <summary>Links are being deleted because a record of theirs is.</summary>
    public bool RemovesLinks { get; set; }

    /// <summary>What is deleted here goes with another record, and comes back with it.</summary>
    public bool GoesAlong { get; }

    /// <summary>What the constraints of a table refuse is not asked before: a change that fails is taken again, with every question asked.</summary>
    public bool TrustsConstraints { get; set; }

    /// <summary>What the records to be made held when they were deleted; null when none is restored.</summary>
    public IReadOnlyDictionary<Guid, Remains>? Remains { get; init; }

    /// <summary>What the actor may do, as it is in this transaction.</summary>
    public ActorAccess Access => access ?? throw new InvalidOperationException("The transaction has not begun.");

    public bool HasBegun => transaction is not null;

    public NpgsqlConnection Connection => connection ?? throw new InvalidOperationException("The transaction has not begun.");

    public NpgsqlTransaction Transaction => transaction ?? throw new InvalidOperationException("The transaction has not begun.");

    /// <summary>The record service of interceptors: reads and writes in this transaction.</summary>
    public RecordService Inside => field ??= new RecordService(Engine, Actor, this);

    /// <summary>A save within this one.</summary>
    public SaveSession Nest()
    {
        if (IsBeforeWrite)
        {
            throw new InvalidOperationException("Interceptors write other records in AfterAsync: before the change itself is certain, nothing may follow from it.");
        }

        return Depth < MaxDepth ? new SaveSession(this) : throw new SavesTooDeepException();
    }

    /// <summary>A statement in this transaction. One that may wait for others and comes before anything is written first asks for <see cref="LimitAsync"/>.</summary>
    public NpgsqlCommand Command(string sql) => new(sql, connection, transaction);

    /// <summary>Statements in this transaction that are sent together.</summary>
    public NpgsqlBatch Batch()
    {
        var batch = new NpgsqlBatch(connection, transaction);
        if (!isLimited)
        {
            isLimited = true;
            batch.BatchCommands.Add(new NpgsqlBatchCommand(LimitSql));
        }

        return batch;
    }

    /// <summary>From here on nobody is waited for too long. A batch says so by itself, with its first statement; only who needs no batch has to ask.</summary>
    public async ValueTask LimitAsync(CancellationToken ct)
    {
        if (!isLimited)
        {
            isLimited = true;
            await using var command = Command(LimitSql);
            await command.ExecuteNonQueryAsync(ct);
        }
    }

    /// <summary>Remembers which transaction of the database this is: it tells later whether a commit went through whose answer was lost.</summary>
    public void Identify(ulong id)
    {
        if (outer is not null)
        {
            outer.Identify(id);
        }
        else
        {
            transactionId = id;
        }
    }

    /// <summary>As <see cref="Identify(ulong)"/>, where nothing was written that said it.</summary>
    public async ValueTask IdentifyAsync(CancellationToken ct)
    {
        if (outer is null && transactionId is null)
        {
            await using var command = Command("SELECT pg_current_xact_id()");
            transactionId = (ulong)(await command.ExecuteScalarAsync(ct))!;
        }
    }

    public async ValueTask BeginAsync(CancellationToken ct)
    {
        if (HasBegun)
        {
            return;
        }

        if (outer is not null)
        {
            (connection, transaction, isLimited) = (outer.Connection, outer.Transaction, true);
            await transaction.SaveAsync(SavepointName(0), ct);
            return;
        }

        connection = await Engine.Database.OpenAsync(ct);
        transaction = await connection.BeginTransactionAsync(ct);
        // Who may do everything has nothing to ask.
        access = Actor.IsAdministrator ? ActorAccess.All(Snapshot) : await Engine.Access.OfAsync(Actor, Snapshot, await AccessVersionAsync(ct), connection, transaction, ct);
    }

    private async Task<long> AccessVersionAsync(CancellationToken ct)
    {
        await using var command = Command("SELECT version FROM crm.access_version");
        return (long)(await command.ExecuteScalarAsync(ct))!;
    }

    /// <summary>Teams own records that never did before: what everybody may do is read anew from the commit on.</summary>
    public void Admit(IReadOnlyCollection<Guid> teams)
    {
        for (var session = this; session is not null; session = session.outer)
        {
            (session.access, session.hasNewOwners) = (session.Access.WithOwning(teams), true);
        }
    }

    /// <summary>A place within this save to go back to.</summary>
    public async ValueTask<int> SavepointAsync(CancellationToken ct)
    {
        await Transaction.SaveAsync(SavepointName(++savepoints), ct);
        return savepoints;
    }

    public Task BackToAsync(int savepoint, CancellationToken ct) => Transaction.RollbackAsync(SavepointName(savepoint), ct);

    public Task ForgetAsync(int savepoint, CancellationToken ct) => Transaction.ReleaseAsync(SavepointName(savepoint), ct);

    public async Task CommitAsync(CancellationToken ct)
    {
        if (!HasBegun)
        {
            return;
        }

        isDone = true;
        if (outer is not null)
        {
            await Transaction.ReleaseAsync(SavepointName(0), ct);
            return;
        }

        if (hasNewOwners)
        {
            await AccessPolicy.AnnounceAsync(this, ct);
        }

        try
        {
            // A commit that was sent cannot be called back: cancelling would only hide how it ended.
            await Transaction.CommitAsync(CancellationToken.None);
        }
        catch (Exception problem) when (!PostgresErrors.IsDefinite(problem))
        {
            switch (transactionId is { } id ? await Engine.WasCommittedAsync(id) : false)
            {
                case true:
                    break;
                case false:
                    throw;
                default:
                    throw new UnknownOutcomeException(problem);
            }
        }

        Engine.Behaviors.TellWritten();
    }

    public async ValueTask DisposeAsync()
    {
        var (ending, closing) = (transaction, connection);
        (transaction, connection) = (null, null);
        Interlocked.Exchange(ref behaviors, null)?.Leave();
        if (ending is null)
        {
            return;
        }

        if (outer is not null)
        {
            if (!isDone && outer.Connection.FullState.HasFlag(System.Data.ConnectionState.Open))
            {
                await ending.RollbackAsync(SavepointName(0));
            }

            return;
        }

        // Disposing rolls back what was not committed.
        await ending.DisposeAsync();
        await closing!.DisposeAsync();
    }

    private string LimitSql => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"SET LOCAL lock_timeout = {Engine.LockTimeout.TotalMilliseconds:0}");

    private string SavepointName(int number) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"s{Depth}_{number}");
}

/// <summary>The definitions changed since this host last heard of them.</summary>
internal sealed class OldDefinitionsException() : Exception("The definitions changed since this host last heard of them.");

/// <summary>A constraint refused what was not asked about before.</summary>
internal sealed class RefusedUnaskedException() : Exception("A constraint refused what was not asked about before.");

/// <summary>Saves set off one another without end.</summary>
internal sealed class SavesTooDeepException() : Exception($"Saves set off one another more than {SaveSession.MaxDepth} deep.");

/// <summary>The connection broke while a change was being committed, and the database does not say whether it was: read the record before trying again.</summary>
public sealed class UnknownOutcomeException(Exception inner) : Exception(Texts.Of("UnknownOutcome"), inner);
