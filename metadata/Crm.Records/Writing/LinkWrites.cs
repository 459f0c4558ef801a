using System.Collections.Immutable;
using Crm.Metadata;
using Crm.Sdk;
using NpgsqlTypes;

namespace Crm.Records;

/// <summary>
/// Makes links what changes say of many-to-many fields. Links are records of their own and take the write path, in the transaction of the change. Neither of
/// the two records gets a new version: nobody who edits one meets a conflict because somebody linked it.
/// </summary>
internal static class LinkWrites
{
    // Somebody may link the same two records from the other side at the same moment; then there is nothing left to do.
    private const int Attempts = 3;

    public static async Task SaveAsync(ChangeRun run, CancellationToken ct)
    {
        foreach (var field in run.Table.Links)
        {
            var asking = run.Going.Where(c => !c.IsRefused && c.Links.ContainsKey(field)).ToList();
            for (var attempt = 1; asking.Count > 0; attempt++)
            {
                var works = await WorkAsync(run, field, asking, ct);
                var results = works.Count == 0 ? [] : await run.Session.Inside.SaveManyAsync([.. works.Select(w => w.Change)], new SaveOptions(), ct);
                if (attempt == Attempts || !results.Any(IsLinkedMeanwhile))
                {
                    Refuse(field, works, results);
                    break;
                }
            }
        }
    }

    /// <summary>Links and parts of records that are deleted: each is deleted as if somebody had, so that history and roll-ups follow.</summary>
    public static async Task RemoveAsync(ChangeRun run, CancellationToken ct)
    {
        var going = run.Writes.Where(c => c.Kind == ChangeKind.Delete).ToList();
        foreach (var entity in going.Count == 0 ? [] : run.Session.Snapshot.Entities.Values.Where(e => e.Link is not null))
        {
            var ends = new[] { entity.Link!.Left, entity.Link.Right }.Select(entity.Field).Where(f => f.Target == run.Table.Entity.Name).ToList();
            if (ends.Count > 0)
            {
                await RemoveAsync(run, going, entity, string.Join(" OR ", ends.Select(f => Column(f) + " = ANY($1)")), ct);
            }
        }

        // Parts that nobody sees, because their entity is hidden, are there again when both it and the record are.
        var mayHaveParts = going.Count > 0 && run.Table.Entity is { IsOfAccess: false, Link: null, PartOf: null };
        foreach (var part in mayHaveParts ? run.Session.Snapshot.Entities.Values.Where(e => e is { PartOf: not null, IsHidden: false }) : [])
        {
            var whole = part.Field(part.PartOf!);
            await RemoveAsync(run, going, part, $"{Column(whole)} = ANY($1) AND {Sql.Quote(whole.Name + whole.Type.Columns[1].Suffix)} = '{run.Table.Entity.Name}'", ct);
        }
    }

    private static async Task RemoveAsync(ChangeRun run, List<PendingChange> going, EntityDefinition entity, string pointing, CancellationToken ct)
    {
        // Nobody sees links that are hidden; they have no history to write.
        var sql = entity.IsHidden ? $"DELETE FROM {Sql.Table(entity.Name)} WHERE {pointing}" : $"SELECT id FROM {Sql.Table(entity.Name)} WHERE {pointing}";
        var links = new List<Guid>();
        await using (var command = run.Session.Command(sql))
        {
            command.Parameters.Add(new() { Value = going.Select(c => c.Id).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid });
            await using var reader = await command.ExecuteReaderAsync(ct);
            while (await reader.ReadAsync(ct))
            {
                links.Add(reader.GetGuid(0));
            }
        }

        if (links.Count == 0)
        {
            return;
        }

        run.Session.RemovesLinks = true;
        var results = await run.Session.Inside.SaveManyAsync([.. links.Select(id => RecordChange.Delete(entity.Name, id) with { Source = going[0].Change.Source })], new SaveOptions(), ct);
        run.Session.RemovesLinks = false;
        if (results.SelectMany(r => r.Errors).FirstOrDefault(e => e.Code is not (ErrorCodes.Batch or ErrorCodes.NotFound)) is { } error)
        {
            foreach (var change in going)
            {
                change.Refuse(null, error.Code, error.Message);
                change.HasRefusedLinks = true;
            }
        }
    }

    /// <summary>What is to be written so that links are as wanted.</summary>
    private static async Task<List<Work>> WorkAsync(ChangeRun run, TableField field, List<PendingChange> asking, CancellationToken ct)
    {
        var view = field.Definition.Link!;
        var links = await LinksAsync(run, view, [.. asking.Where(c => c.Kind != ChangeKind.Create)], ct);
        var (removed, made) = (new List<Work>(), new List<Work>());
        foreach (var change in asking)
        {
            var wanted = change.Links[field];
            var stay = wanted.Links.Select(l => l.Id).ToHashSet();
            var gone = wanted.IsComplete ? links.Where(l => l.Key.Near == change.Id && !stay.Contains(l.Key.Far)).Select(l => l.Value) : wanted.Removed.Where(id => !stay.Contains(id)).Select(id => links.GetValueOrDefault((change.Id, id)));
            removed.AddRange(gone.Where(id => id != Guid.Empty).Select(id => new Work(change, 0, RecordChange.Delete(view.Entity, id) with { Source = change.Change.Source })));
            foreach (var (link, place) in wanted.Links.Select((l, i) => (l, i + 1)))
            {
                if (Change(view, change, link, links) is { } write)
                {
                    made.Add(new Work(change, place, write with { Source = change.Change.Source }));
                }
            }
        }

        return [.. removed, .. made];
    }

    private static RecordChange? Change(LinkView view, PendingChange change, LinkedRecord link, Dictionary<(Guid Near, Guid Far), Guid> links)
    {
        if (links.TryGetValue((change.Id, link.Id), out var id))
        {
            return link.Values.Count == 0 ? null : RecordChange.Update(view.Entity, id, link.Values);
        }

        var values = new Dictionary<string, object?>(link.Values, StringComparer.Ordinal) { [view.Near] = change.Id, [view.Far] = link.Id };
        return RecordChange.Create(view.Entity, values);
    }

    private static async Task<Dictionary<(Guid Near, Guid Far), Guid>> LinksAsync(ChangeRun run, LinkView view, ImmutableArray<PendingChange> changes, CancellationToken ct)
    {
        var links = new Dictionary<(Guid Near, Guid Far), Guid>();
        if (changes.IsEmpty)
        {
            return links;
        }

        var entity = run.Session.Snapshot.Entity(view.Entity);
        var (near, far) = (Column(entity.Field(view.Near)), Column(entity.Field(view.Far)));
        // A link that may not be read is not there: giving it again is answered as giving any record that may not be read.
        var access = run.Session.Access;
        var condition = access.View.Condition(entity, AccessOperation.Read, "r") is { } seen ? " AND " + seen : "";
        await using var command = run.Session.Command($"SELECT r.{near}, r.{far}, r.id FROM {Sql.Table(entity.Name)} AS r WHERE r.{near} = ANY({access.View.Next}){condition}");
        access.Bind(command.Parameters);
        command.Parameters.Add(new() { Value = changes.Select(c => c.Id).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid });
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            links[(reader.GetGuid(0), reader.GetGuid(1))] = reader.GetGuid(2);
        }

        return links;
    }

    private static void Refuse(TableField field, List<Work> works, ImmutableArray<SaveResult> results)
    {
        foreach (var (work, result) in works.Zip(results))
        {
            // A link that is gone already is as it should be; one that only failed because of others says nothing.
            foreach (var error in result.Errors.Where(e => e.Code != ErrorCodes.Batch && !(e.Code == ErrorCodes.NotFound && work.Change.Kind == ChangeKind.Delete)))
            {
                work.Of.Refuse(field.Name, error.Code, work.Place == 0 ? error.Message : Texts.Of("LinkRefused", field.Definition.Label, work.Place, error.Message));
                work.Of.HasRefusedLinks = true;
            }
        }
    }

    private static bool IsLinkedMeanwhile(SaveResult result) => result.Errors.Any(e => e.Code is ErrorCodes.Unique or ErrorCodes.NotFound);

    private static string Column(FieldDefinition lookup) => Sql.Quote(lookup.Name + lookup.Type.Columns[0].Suffix);

    private sealed record Work(PendingChange Of, int Place, RecordChange Change);
}
