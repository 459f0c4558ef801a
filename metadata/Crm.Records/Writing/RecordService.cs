using System.Collections.Immutable;
using Crm.Sdk;
using Npgsql;

namespace Crm.Records;

/// <summary>The one door to the records. Made by <see cref="RecordEngine.As(Actor)"/>, and for interceptors by the transaction they run in.</summary>
public sealed class RecordService : IRecordService
{
    private readonly RecordEngine engine;
    private readonly SaveSession? inside;
    private readonly Guid? causation;

    internal RecordService(RecordEngine engine, Actor actor, SaveSession? inside = null, Guid? causation = null)
    {
        (this.engine, Actor, this.inside, this.causation) = (engine, actor, inside, causation);
        Reads = new RecordReads(engine, actor, inside);
    }

    /// <inheritdoc/>
    public Actor Actor { get; }

    private RecordReads Reads { get; }

    /// <inheritdoc/>
    public Task<Record?> FindAsync(string entity, Guid id, CancellationToken ct = default) => Reads.FindAsync(entity, id, ct);

    /// <inheritdoc/>
    public Task<RecordPage> QueryAsync(RecordQuery query, CancellationToken ct = default) => Reads.QueryAsync(query, ct);

    /// <inheritdoc/>
    public Task<ImmutableDictionary<Guid, RecordPage>> QueryEachAsync(RecordQuery query, string by, IReadOnlyCollection<Guid> of, CancellationToken ct = default) =>
        Reads.QueryEachAsync(query, by, of, ct);

    /// <inheritdoc/>
    public Task<ImmutableArray<AggregateRow>> AggregateAsync(AggregateQuery query, CancellationToken ct = default) => Reads.AggregateAsync(query, ct);

    /// <inheritdoc/>
    public Task<ImmutableArray<HistoryEntry>> HistoryAsync(string entity, Guid id, CancellationToken ct = default) => Reads.HistoryAsync(entity, id, ct);

    /// <inheritdoc cref="RecordReads.TakeDownAsync"/>
    internal Task<long> TakeDownAsync(RecordQuery query, Guid job, long most, NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken ct) =>
        Reads.TakeDownAsync(query, job, most, connection, transaction, ct);

    /// <inheritdoc cref="RecordReads.StreamAsync"/>
    internal Task StreamAsync(RecordQuery query, int chunk, Func<ImmutableArray<Record>, Task> write, CancellationToken ct) => Reads.StreamAsync(query, chunk, write, ct);

    /// <inheritdoc cref="RecordReads.NamedAsync"/>
    internal Task<List<(string Name, Guid Id, bool IsExact)>> NamedAsync(EntityDefinition entity, string called, string[] names, CancellationToken ct) =>
        Reads.NamedAsync(entity, called, names, ct);

    /// <inheritdoc/>
    public async Task<SaveResult> SaveAsync(RecordChange change, CancellationToken ct = default) =>
        (await SaveManyAsync([change], new SaveOptions(), null, ct))[0];

    /// <inheritdoc/>
    public Task<ImmutableArray<SaveResult>> SaveManyAsync(IReadOnlyList<RecordChange> changes, SaveOptions options, CancellationToken ct = default) =>
        SaveManyAsync(changes, options, null, ct);

    /// <summary>As <see cref="SaveManyAsync(IReadOnlyList{RecordChange}, SaveOptions, CancellationToken)"/>, with more work in the same transaction.</summary>
    /// <param name="changes">The changes.</param>
    /// <param name="options">How they belong together.</param>
    /// <param name="beforeCommit">
    /// Called with the results once all is written, in the transaction that is about to be committed; not called when nothing will be: on a dry run, or when all
    /// belong together and one was refused. Called again when a deadlock made the database give up the transaction.
    /// </param>
    /// <param name="ct">Cancels until the commit begins.</param>
    /// <exception cref="UnknownOutcomeException">The connection broke while committing and the database does not say how it ended.</exception>
    public Task<ImmutableArray<SaveResult>> SaveManyAsync(
        IReadOnlyList<RecordChange> changes,
        SaveOptions options,
        Func<NpgsqlConnection, NpgsqlTransaction, ImmutableArray<SaveResult>, CancellationToken, Task>? beforeCommit,
        CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(changes);
        ArgumentNullException.ThrowIfNull(options);
        return inside is null
            ? SaveBatch.SaveAsync(() => new SaveSession(engine, Actor, causation), changes, options, beforeCommit, ct)
            : SaveBatch.SaveInsideAsync(inside, changes, options, beforeCommit, ct);
    }

    /// <summary>The write path, from top to bottom, for changes of one entity; docs/architecture.md tells the same with reasons.</summary>
    internal static async Task WriteAsync(ChangeRun run, CancellationToken ct)
    {
        // a, b  what is wanted: fields and values; whether this actor may do such a thing
        run.ReadInput();
        await run.BeginAsync(ct);
        AccessPolicy.CheckOperation(run);

        // c  what is there: rows locked in one order, those that are looked up first; loaded, their versions compared; whether this actor may do it with them
        await LookedUpPlan.Of(run.Session.Snapshot, run.Table.Entity).LockEarlyAsync(run, ct);
        await RecordStore.LockAndLoadAsync(run, ct);
        run.ApplyInput();
        await AccessPolicy.CheckRowsAsync(run, ct);

        // d  who has a say: interceptors in module order, scripts of rules, then the allowed moves between stages
        await InterceptorSet.BeforeAsync(run, ct);
        await ScriptRules.SetAsync(run, ct);
        StageGuard.Check(run);

        // e  values are final: formulas follow from them, and every field is checked at once
        await Calculations.ApplyAsync(run, ct);
        run.Seal();
        await ScriptRules.CheckAsync(run, ct);
        await Validation.CheckAsync(run, ct);
        await DuplicateCheck.CheckAsync(run, ct);
        await HierarchyGuard.CheckAsync(run, ct);
        await FileGuard.CheckAsync(run, ct);
        run.AskWhatWasLeft();
        Calculations.Settle(run);
        if (run.WritesNothing)
        {
            return;
        }

        // f  links of records that go are records themselves, and go first; numbers last, because their counter stays locked until the commit; then the rows
        await LinkWrites.RemoveAsync(run, ct);
        await AutoNumbers.AssignAsync(run, ct);

        // g  with their history and outbox in one message, before others write: so both are in the order of the versions
        await RecordStore.WriteAsync(run, ct);
        await AccessPolicy.CheckCreatedAsync(run, ct);
        await AccessPolicy.AnnounceAsync(run, ct);
        await FileGuard.KeepAsync(run, ct);
        await LinkHistory.AppendAsync(run, ct);

        // h  what follows in other records: roll-ups of those this one points to, formulas of those that point to it
        await Cascade.RunAsync(run, ct);

        // i  links to other records: records of their own, through the same door
        await LinkWrites.SaveAsync(run, ct);

        // j  who follows: interceptors may write other records in this transaction
        await InterceptorSet.AfterAsync(run, ct);
    }
}
