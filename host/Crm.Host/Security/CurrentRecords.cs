using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Host.Security;

/// <summary>
/// The records as whoever acts in this scope sees them. Asked anew at each call: a page in a live connection keeps its service for hours, and a sign-in
/// that ended meanwhile must end what can be done with it.
/// </summary>
internal sealed class CurrentRecords(IRecords records, CurrentActor current) : IRecordService
{
    public Actor Actor => current.Value;

    private IRecordService Service => records.As(current.Value);

    public Task<Record?> FindAsync(string entity, Guid id, CancellationToken ct = default) => Service.FindAsync(entity, id, ct);

    public Task<RecordPage> QueryAsync(RecordQuery query, CancellationToken ct = default) => Service.QueryAsync(query, ct);

    public Task<ImmutableDictionary<Guid, RecordPage>> QueryEachAsync(RecordQuery query, string by, IReadOnlyCollection<Guid> of, CancellationToken ct = default) =>
        Service.QueryEachAsync(query, by, of, ct);

    public Task<ImmutableArray<AggregateRow>> AggregateAsync(AggregateQuery query, CancellationToken ct = default) => Service.AggregateAsync(query, ct);

    public Task<SaveResult> SaveAsync(RecordChange change, CancellationToken ct = default) => Service.SaveAsync(change, ct);

    public Task<ImmutableArray<SaveResult>> SaveManyAsync(IReadOnlyList<RecordChange> changes, SaveOptions options, CancellationToken ct = default) => Service.SaveManyAsync(changes, options, ct);

    public Task<ImmutableArray<HistoryEntry>> HistoryAsync(string entity, Guid id, CancellationToken ct = default) => Service.HistoryAsync(entity, id, ct);
}
