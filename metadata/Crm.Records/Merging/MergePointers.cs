using Crm.Metadata;
using Crm.Sdk;
using Npgsql;

namespace Crm.Records.Merging;

/// <summary>A record, or a link, and the field by which it pointed to one of the records that go.</summary>
internal sealed record Moved(string Entity, Guid Record, string Field, Guid From, bool IsAny = false);

/// <summary>Finds what points to records: lookups of every entity, lookups of several entities, and links.</summary>
internal sealed class MergePointers(SaveSession session, EntityDefinition entity, Guid[] others)
{
    /// <summary>Records with a field that points to one of the others; one more than may be moved when there are too many.</summary>
    public async Task<List<Moved>> LookupsAsync(CancellationToken ct)
    {
        var moved = new List<Moved>();
        foreach (var pointing in session.Snapshot.Entities.Values.Where(e => e is { IsHidden: false, Link: null }).OrderBy(e => e.Name, StringComparer.Ordinal))
        {
            foreach (var field in pointing.Fields.Where(f => !f.IsHidden && Targets(f)))
            {
                var isAny = field.Type is AnyLookupType;
                var column = Sql.Quote(field.Name + field.Type.Columns[0].Suffix);
                await using var command = session.Command(
                    $"SELECT id, {column} FROM {Sql.Table(pointing.Name)} WHERE {column} = ANY($1){(isAny ? $" AND {Sql.Quote(field.Name + field.Type.Columns[1].Suffix)} = $2" : "")} LIMIT {MergeRequest.MaxMoved + 1}");
                command.Parameters.Add(ActorAccess.Ids(others));
                if (isAny)
                {
                    command.Parameters.Add(new NpgsqlParameter { Value = entity.Name });
                }

                await using var reader = await command.ExecuteReaderAsync(ct);
                while (await reader.ReadAsync(ct))
                {
                    moved.Add(new Moved(pointing.Name, reader.GetGuid(0), field.Name, reader.GetGuid(1), isAny));
                }
            }
        }

        return moved;
    }

    /// <summary>Links of the others whose other end the survivor is not linked with yet: each is to be made for the survivor; those that are there go with their record.</summary>
    public async Task<List<RecordChange>> LinksAsync(Guid survivor, CancellationToken ct)
    {
        var made = new List<RecordChange>();
        foreach (var link in session.Snapshot.Entities.Values.Where(e => e is { IsHidden: false, Link: not null }).OrderBy(e => e.Name, StringComparer.Ordinal))
        {
            foreach (var (near, far) in new[] { (link.Link!.Left, link.Link.Right), (link.Link.Right, link.Link.Left) })
            {
                if (link.Field(near).Target == entity.Name)
                {
                    made.AddRange(await LinksAsync(link, near, far, survivor, ct));
                }
            }
        }

        return made;
    }

    private async Task<List<RecordChange>> LinksAsync(EntityDefinition link, string near, string far, Guid survivor, CancellationToken ct)
    {
        var table = EntityTable.Of(link);
        var column = Sql.Quote(near + link.Field(near).Type.Columns[0].Suffix);
        await using var command = session.Command($"SELECT {table.SelectList} FROM {table.Name} AS r WHERE r.{column} = ANY($1) ORDER BY r.id LIMIT {MergeRequest.MaxMoved + 1}");
        command.Parameters.Add(ActorAccess.Ids([survivor, .. others]));
        var rows = new List<Record>();
        await using (var reader = await command.ExecuteReaderAsync(ct))
        {
            while (await reader.ReadAsync(ct))
            {
                rows.Add(table.ToRecord(RowReader.Read(reader, table.Fields)));
            }
        }

        // With itself, and with what it is linked with already, the survivor is not linked.
        var known = rows.Where(r => survivor.Equals(r[near])).Select(r => r[far]).OfType<Guid>().Concat(others).Append(survivor).ToHashSet();
        return
        [
            .. rows.Where(r => !survivor.Equals(r[near]) && r[far] is Guid other && known.Add(other)).Select(r =>
            {
                var values = link.Fields.Where(f => f is { IsHidden: false, IsSystem: false, IsReadOnly: false, IsCalculated: false } && f.Name != near && r[f.Name] is not null).ToDictionary(f => f.Name, f => r[f.Name], StringComparer.Ordinal);
                values[near] = survivor;
                return RecordChange.Create(link.Name, values) with { Source = RecordMerger.Source };
            }),
        ];
    }

    private bool Targets(FieldDefinition field) => field.Type switch
    {
        ReferenceType reference => reference.TargetOf(field) == entity.Name,
        AnyLookupType => field.Targets.IsEmpty || field.Targets.Contains(entity.Name),
        _ => false,
    };
}
