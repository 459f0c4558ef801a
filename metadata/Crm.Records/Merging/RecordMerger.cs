using System.Collections.Immutable;
using Crm.Records.Bin;
using Crm.Sdk;
using Npgsql;
using NpgsqlTypes;

namespace Crm.Records.Merging;

/// <summary>
/// Makes several records one: the survivor gets the chosen values, whatever pointed to the others points to it, their links and shares are its own, and the others go into the
/// recycle bin. One transaction through the one door, with the rights of whoever asks; and all of it can be taken back.
/// </summary>
public sealed class RecordMerger(RecordEngine engine, RecycleBin bin)
{
    /// <summary>The source of what a merge writes, in the history.</summary>
    public const string Source = "merge";

    /// <summary>Makes records one.</summary>
    /// <exception cref="QueryException">There is no such entity.</exception>
    public async Task<MergeResult> MergeAsync(Actor actor, MergeRequest request, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(actor);
        ArgumentNullException.ThrowIfNull(request);
        Guid[] others = [.. request.Others.Where(id => id != request.Survivor).Distinct()];
        if (others.Length is 0 or >= MergeRequest.MaxRecords)
        {
            return Refuse(ErrorCodes.BadRequest, Texts.Of("MergeCount", MergeRequest.MaxRecords));
        }

        var service = engine.As(actor);
        var records = new List<Record>();
        foreach (var id in new[] { request.Survivor }.Concat(others))
        {
            if (await service.FindAsync(request.Entity, id, ct) is not { } record)
            {
                return Refuse(ErrorCodes.NotFound, Texts.Of("NotFound", request.Entity, id));
            }

            records.Add(record);
        }

        await using var session = new SaveSession(engine, actor);
        await session.BeginAsync(ct);
        var seen = QueryCompiler.TableOf(session.Access.View.Seen, request.Entity).Entity;
        if (seen.Origin == Origins.Platform || seen.Link is not null)
        {
            return Refuse(ErrorCodes.Access, Texts.Of("MergeNot", seen.PluralLabel));
        }

        if (request.Choices.Keys.FirstOrDefault(name => MergeValues.Fields(seen).All(f => f.Name != name)) is { } unknown)
        {
            return MergeResult.Refused(new ValidationError(unknown, ErrorCodes.UnknownField, Texts.Of("UnknownField", seen.Label, unknown)));
        }

        var pointers = new MergePointers(session, session.Snapshot.Entity(request.Entity), others);
        var moved = await pointers.LookupsAsync(ct);
        var links = await pointers.LinksAsync(request.Survivor, ct);
        await session.DisposeAsync();
        if (moved.Count + links.Count > MergeRequest.MaxMoved)
        {
            return Refuse(ErrorCodes.BadRequest, Texts.Of("MergeTooMany", MergeRequest.MaxMoved));
        }

        return await SaveAsync(actor, request, records, moved.FindAll(m => !others.Contains(m.Record)), links, Values(seen, request, records), ct);
    }

    /// <summary>Merges that a record survived and that can be taken back, newest first.</summary>
    public async Task<ImmutableArray<Guid>> UndoableAsync(Guid survivor, CancellationToken ct = default)
    {
        await using var connection = await engine.Database.OpenAsync(ct);
        await using var command = new NpgsqlCommand("SELECT id FROM crm.merge WHERE survivor = $1 AND undone_at IS NULL ORDER BY at DESC", connection) { Parameters = { new() { Value = survivor } } };
        var ids = ImmutableArray.CreateBuilder<Guid>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            ids.Add(reader.GetGuid(0));
        }

        return ids.ToImmutable();
    }

    /// <summary>Takes a merge back: the others are there again with what pointed to them, and the survivor holds what it held. What changed since is left as it is, and named.</summary>
    public Task<MergeResult> UndoAsync(Actor actor, Guid merge, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(actor);
        return new MergeUndo(engine, bin, actor).RunAsync(merge, ct);
    }

    private async Task<MergeResult> SaveAsync(
        Actor actor, MergeRequest request, List<Record> records, List<Moved> moved, List<RecordChange> links, Dictionary<string, object?> values, CancellationToken ct)
    {
        var merge = Guid.CreateVersion7(engine.Time.GetUtcNow());
        // Values were chosen from what the survivor held: who changed it since is not overwritten. Then nobody points to the others any more, they go, and the survivor may
        // have what was theirs alone.
        RecordChange[] changes =
        [
            RecordChange.Update(request.Entity, request.Survivor, ImmutableDictionary<string, object?>.Empty, records[0].Version) with { Source = Source },
            .. moved.GroupBy(m => (m.Entity, m.Record)).Select(g => RecordChange.Update(g.Key.Entity, g.Key.Record, g.ToDictionary(m => m.Field, m => Pointer(m, request), StringComparer.Ordinal)) with { Source = Source }),
            .. records.Skip(1).Select(r => RecordChange.Delete(request.Entity, r.Id, r.Version) with { Source = Source }),
            .. links,
            RecordChange.Update(request.Entity, request.Survivor, values) with { Source = Source },
        ];
        var results = await engine.As(actor, merge).SaveManyAsync(
            changes,
            new SaveOptions(),
            (connection, transaction, saved, token) => KeepAsync(connection, transaction, merge, actor, request, records, [.. moved, .. links.Select(l => new Moved(l.Entity, l.Id, "", Guid.Empty))], saved[^1].Record!.Version, token),
            ct);
        var errors = changes.Zip(results).Where(p => p.Second.Errors.Any(e => e.Code != ErrorCodes.Batch)).SelectMany(p => Explained(p.First, p.Second, request)).ToImmutableArray();
        return errors.IsEmpty ? new MergeResult(merge, []) { Moved = moved.Count + links.Count } : MergeResult.Refused([.. errors.Distinct()]);
    }

    /// <summary>Of records that may not be seen nobody learns more than that they are there.</summary>
    private static IEnumerable<ValidationError> Explained(RecordChange change, SaveResult result, MergeRequest request) =>
        change.Entity == request.Entity && (change.Id == request.Survivor || request.Others.Contains(change.Id)) ? result.Errors
        : result.Errors.Any(e => e.Code == ErrorCodes.NotFound) ? [new ValidationError(null, ErrorCodes.InUse, Texts.Of("MergeInUse"))]
        : result.Errors.Select(e => e with { Field = null });

    private static object? Pointer(Moved moved, MergeRequest request) =>
        // The survivor does not stand above itself.
        moved.Record == request.Survivor && moved.Entity == request.Entity ? null : new RecordRef(request.Entity, request.Survivor) is var target && moved.IsAny ? target : request.Survivor;

    private static Dictionary<string, object?> Values(EntityDefinition entity, MergeRequest request, List<Record> records)
    {
        var ids = records.ConvertAll(r => r.Id);
        var values = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (var field in MergeValues.Fields(entity))
        {
            var choice = request.Choices.TryGetValue(field.Name, out var chosen) ? chosen : MergeValues.Proposed(field, records);
            var value = MergeValues.Of(field, records, choice);
            values[field.Name] = value is Guid id && ids.Contains(id) || value is RecordRef reference && ids.Contains(reference.Id) ? null : value;
        }

        return values;
    }

    private async Task KeepAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, Guid merge, Actor actor, MergeRequest request, List<Record> records, List<Moved> moved, long version, CancellationToken ct)
    {
        var before = await RecordSharing.ReadAsync(connection, transaction, request.Survivor, ct);
        await using var command = new NpgsqlCommand(
            """
            WITH shared AS (
                INSERT INTO crm.record_share (record_id, principal_id, entity, level, at, user_id)
                SELECT DISTINCT ON (principal_id) $3, principal_id, entity, level, now(), $6 FROM crm.record_share WHERE record_id = ANY($4) ORDER BY principal_id, level DESC
                ON CONFLICT (record_id, principal_id) DO UPDATE SET level = greatest(crm.record_share.level, excluded.level)
            ), restricted AS (
                INSERT INTO crm.record_restriction (record_id, entity, at, user_id)
                SELECT $3, $2, now(), $6 WHERE EXISTS (SELECT 1 FROM crm.record_restriction WHERE record_id = ANY($4)) ON CONFLICT (record_id) DO NOTHING
            )
            INSERT INTO crm.merge (id, entity, survivor, others, version, at, user_id, user_name, moved_entity, moved_record, moved_field, moved_from)
            VALUES ($1, $2, $3, $4, $5, now(), $6, $7, $8, $9, $10, $11)
            """,
            connection,
            transaction)
        {
            Parameters =
            {
                new() { Value = merge },
                new() { Value = request.Entity },
                new() { Value = request.Survivor },
                ActorAccess.Ids([.. records.Skip(1).Select(r => r.Id)]),
                new() { Value = version },
                new() { Value = actor.UserId },
                new() { Value = actor.Name },
                new() { Value = moved.Select(m => m.Entity).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text },
                ActorAccess.Ids([.. moved.Select(m => m.Record)]),
                new() { Value = moved.Select(m => m.Field).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text },
                ActorAccess.Ids([.. moved.Select(m => m.From)]),
            },
        };
        await command.ExecuteNonQueryAsync(ct);
        await ShareHistory.AppendAsync(
            connection, transaction, actor, engine.Time.GetUtcNow(), request.Survivor, before, await RecordSharing.ReadAsync(connection, transaction, request.Survivor, ct), ct);
    }

    private static MergeResult Refuse(string code, string message) => MergeResult.Refused(new ValidationError(null, code, message));
}
