using System.Collections.Immutable;
using Crm.Records.Bin;
using Crm.Sdk;
using Npgsql;

namespace Crm.Records.Merging;

/// <summary>Takes a merge back.</summary>
internal sealed class MergeUndo(RecordEngine engine, RecycleBin bin, Actor actor)
{
    private readonly RecordService records = engine.As(actor);
    private readonly List<MergeConflict> conflicts = [];

    public async Task<MergeResult> RunAsync(Guid merge, CancellationToken ct)
    {
        if (await ReadAsync(merge, ct) is not { } made || await records.FindAsync(made.Entity, made.Survivor, ct) is not { } survivor)
        {
            return MergeResult.Refused(new ValidationError(null, ErrorCodes.NotFound, Texts.Of("MergeGone")));
        }

        var (rows, remains) = await bin.ReadAsync(actor, made.Others, withChildren: false, ct);
        if (made.IsUndone || made.Others.Any(id => !remains.ContainsKey(id)))
        {
            return MergeResult.Refused(new ValidationError(null, ErrorCodes.Conflict, Texts.Of(made.IsUndone ? "MergeUndone" : "MergeNotThere")));
        }

        RecordChange[] first = [.. await SurvivorAsync(made, survivor, ct)];
        var restored = RecycleBin.Order([.. rows.Where(r => remains.ContainsKey(r.Id))]);
        RecordChange[] back = [.. await MovedAsync(made, ct)];
        // A link whose other end is gone meanwhile stays away.
        for (var left = new HashSet<Guid>(); ;)
        {
            var rest = restored.FindAll(r => !left.Contains(r.Id));
            RecordChange[] changes = [.. first, .. rest.Select(r => new RecordChange(ChangeKind.Create, r.Entity, r.Id, ImmutableDictionary<string, object?>.Empty) { Source = RecycleBin.Source }), .. back];
            var results = await SaveBatch.SaveAsync(
                () => new SaveSession(engine, actor) { Remains = remains },
                changes,
                new SaveOptions(),
                async (connection, transaction, _, token) =>
                {
                    await using var command = new NpgsqlCommand("WITH gone AS (DELETE FROM crm.bin WHERE id = ANY($1)) UPDATE crm.merge SET undone_at = now() WHERE id = $2", connection, transaction);
                    command.Parameters.Add(ActorAccess.Ids([.. restored.Select(r => r.Id)]));
                    command.Parameters.Add(new() { Value = merge });
                    await command.ExecuteNonQueryAsync(token);
                },
                ct);
            var refused = changes.Zip(results).Where(p => p.Second.Errors.Any(e => e.Code != ErrorCodes.Batch)).ToList();
            if (refused.Count == 0)
            {
                return new MergeResult(merge, []) { Moved = back.Length, Conflicts = [.. conflicts] };
            }

            var links = refused.Select(p => p.First.Id).Where(id => rest.Exists(r => r.Id == id && r.IsLink)).ToList();
            if (links.Count < refused.Count)
            {
                return MergeResult.Refused([.. refused.SelectMany(p => p.Second.Errors).Where(e => e.Code != ErrorCodes.Batch)]);
            }

            left.UnionWith(links);
        }
    }

    /// <summary>What the survivor held before, where it still holds what the merge gave it.</summary>
    private async Task<IEnumerable<RecordChange>> SurvivorAsync(Made made, Record survivor, CancellationToken ct)
    {
        var entity = engine.Metadata.Current.Entity(made.Entity);
        var values = new Dictionary<string, object?>(StringComparer.Ordinal);
        var entry = (await records.HistoryAsync(made.Entity, made.Survivor, ct)).FirstOrDefault(h => h.Version == made.Version && h is { Kind: ChangeKind.Update, Source: RecordMerger.Source });
        foreach (var change in entry?.Changes ?? [])
        {
            if (entity.TryField(change.Field, out var field) && field is { IsHidden: false, IsReadOnly: false, IsCalculated: false } && field.Type is not ManyToManyType)
            {
                if (field.Type.AreEqual(survivor[field.Name], change.After))
                {
                    values[field.Name] = change.Before;
                }
                else
                {
                    conflicts.Add(new MergeConflict(made.Entity, made.Survivor, field.Name));
                }
            }
        }

        return values.Count == 0 ? [] : [RecordChange.Update(made.Entity, made.Survivor, values) with { Source = RecordMerger.Source }];
    }

    /// <summary>Records that still point to the survivor point to the others again, and links that were made for it are taken away.</summary>
    private async Task<List<RecordChange>> MovedAsync(Made made, CancellationToken ct)
    {
        var changes = new List<RecordChange>();
        foreach (var group in made.Moved.GroupBy(m => m.Entity))
        {
            if (!engine.Metadata.Current.TryEntity(group.Key, out var entity) || entity.IsHidden)
            {
                continue;
            }

            var now = await NowAsync(entity, [.. group.Select(m => m.Record).Distinct()], ct);
            foreach (var record in group.GroupBy(m => m.Record))
            {
                if (!now.TryGetValue(record.Key, out var current))
                {
                    continue;
                }

                if (record.First().Field.Length == 0)
                {
                    changes.Add(RecordChange.Delete(entity.Name, record.Key) with { Source = RecordMerger.Source });
                    continue;
                }

                var values = new Dictionary<string, object?>(StringComparer.Ordinal);
                foreach (var moved in record.Where(m => entity.TryField(m.Field, out var field) && !field.IsHidden))
                {
                    // The survivor's own lookup to one of the others was emptied.
                    var wanted = record.Key == made.Survivor && entity.Name == made.Entity ? (Guid?)null : made.Survivor;
                    if ((current[moved.Field] is RecordRef reference ? reference.Id : current[moved.Field] as Guid?) == wanted)
                    {
                        values[moved.Field] = entity.Field(moved.Field).Type is AnyLookupType ? new RecordRef(made.Entity, moved.From) : moved.From;
                    }
                    else
                    {
                        conflicts.Add(new MergeConflict(entity.Name, record.Key, moved.Field));
                    }
                }

                if (values.Count > 0)
                {
                    changes.Add(RecordChange.Update(entity.Name, record.Key, values) with { Source = RecordMerger.Source });
                }
            }
        }

        return changes;
    }

    private async Task<Dictionary<Guid, Record>> NowAsync(EntityDefinition entity, Guid[] ids, CancellationToken ct)
    {
        var found = new Dictionary<Guid, Record>();
        foreach (var some in ids.Chunk(RecordQuery.MaxTop))
        {
            var page = await records.QueryAsync(
                new RecordQuery { Entity = entity.Name, Select = [.. entity.Fields.Where(f => !f.IsHidden && !f.Type.Columns.IsEmpty).Select(f => f.Name)], Filter = new Filter.In("id", [.. some.Select(id => (object?)id)]), Top = some.Length }, ct);
            foreach (var record in page.Records)
            {
                found[record.Id] = record;
            }
        }

        return found;
    }

    private async Task<Made?> ReadAsync(Guid merge, CancellationToken ct)
    {
        await using var connection = await engine.Database.OpenAsync(ct);
        await using var command = new NpgsqlCommand("SELECT entity, survivor, others, version, undone_at IS NOT NULL, moved_entity, moved_record, moved_field, moved_from FROM crm.merge WHERE id = $1", connection) { Parameters = { new() { Value = merge } } };
        await using var reader = await command.ExecuteReaderAsync(ct);
        if (!await reader.ReadAsync(ct))
        {
            return null;
        }

        var (entities, moved, fields, from) = (reader.GetFieldValue<string[]>(5), reader.GetFieldValue<Guid[]>(6), reader.GetFieldValue<string[]>(7), reader.GetFieldValue<Guid[]>(8));
        return new Made(reader.GetString(0), reader.GetGuid(1), reader.GetFieldValue<Guid[]>(2), reader.GetInt64(3), reader.GetBoolean(4), [.. entities.Select((e, i) => new Moved(e, moved[i], fields[i], from[i]))]);
    }

    private sealed record Made(string Entity, Guid Survivor, Guid[] Others, long Version, bool IsUndone, ImmutableArray<Moved> Moved);
}
