using System.Collections.Immutable;
using System.Globalization;
using Crm.Sdk;
using Npgsql;
using NpgsqlTypes;

namespace Crm.Records.Bin;

/// <summary>Puts deleted records into the recycle bin, and reads what they held from their history.</summary>
internal static class BinStore
{
    private const int MaxTitle = 300;

    private const string AddSql =
        """
        INSERT INTO crm.bin (id, entity, title, owner, refs, is_link, version, created_at, created_by, deleted_at, deleted_by, deleted_by_name, source, causation)
        SELECT id, $8, title, owner, string_to_array(refs, ',')::uuid[], $9, version, created_at, created_by, $10, $11, $12, $13, $14
        FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::bigint[], $6::timestamptz[], $7::uuid[]) AS u(id, title, owner, refs, version, created_at, created_by)
        ON CONFLICT (id) DO UPDATE SET (entity, title, owner, refs, is_link, version, created_at, created_by, deleted_at, deleted_by, deleted_by_name, source, causation)
            = (excluded.entity, excluded.title, excluded.owner, excluded.refs, excluded.is_link, excluded.version, excluded.created_at, excluded.created_by,
               excluded.deleted_at, excluded.deleted_by, excluded.deleted_by_name, excluded.source, excluded.causation)
        """;

    /// <summary>Adds the rows of records that are deleted. A link that somebody takes away is no record to them; one that goes with a record comes back with it, and so does a part.</summary>
    public static void Add(ChangeRun run, IReadOnlyList<PendingChange> deletes, WriteBatch batch)
    {
        if (run.Table.Entity.Link is not null && !run.Session.GoesAlong)
        {
            return;
        }

        var goesAlong = run.Session.GoesAlong && (run.Table.Entity.Link is not null || run.Table.Entity.PartOf is not null);

        var table = run.Table;
        object? Of(PendingChange change, string field) => table.TryField(field, out var found) ? change.Stored![found.Index] : null;
        var command = new NpgsqlBatchCommand(AddSql);
        void Add(object value, NpgsqlDbType type) => command.Parameters.Add(new NpgsqlParameter { Value = value, NpgsqlDbType = type });
        Add(deletes.Select(c => c.Id).ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Uuid);
        Add(deletes.Select(c => TitleOf(table, c.Stored!)).ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Text);
        Add(deletes.Select(c => Of(c, "owner") as Guid?).ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Uuid);
        Add(deletes.Select(c => string.Join(',', PointedTo(table, c.Stored!))).ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Text);
        Add(deletes.Select(c => (long)c.Stored![table.Version]! + 1).ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Bigint);
        Add(deletes.Select(c => (DateTimeOffset)Of(c, "created_at")!).ToArray(), NpgsqlDbType.Array | NpgsqlDbType.TimestampTz);
        Add(deletes.Select(c => (Guid)Of(c, "created_by")!).ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Uuid);
        Add(table.Entity.Name, NpgsqlDbType.Text);
        Add(goesAlong, NpgsqlDbType.Boolean);
        Add(run.Session.Now, NpgsqlDbType.TimestampTz);
        Add(run.Session.Actor.UserId, NpgsqlDbType.Uuid);
        Add(run.Session.Actor.Name, NpgsqlDbType.Text);
        Add(deletes[0].Change.Source, NpgsqlDbType.Text);
        Add(run.Session.CausationId, NpgsqlDbType.Uuid);
        batch.Add(command);
    }

    /// <summary>What deleted records of one entity held, from the entries of their deletion.</summary>
    public static async Task<Dictionary<Guid, Dictionary<string, object?>>> ReadAsync(SaveSession session, EntityTable table, IReadOnlyCollection<BinRow> rows, CancellationToken ct)
    {
        await using var batch = new NpgsqlBatch(session.Connection, session.Transaction)
        {
            BatchCommands =
            {
                EntryNames.Command(table.Entity.Name),
                new(
                    """
                    SELECT h.record_id, h.changes::text, h.id
                    FROM unnest($1::uuid[], $2::bigint[]) AS u(id, version) JOIN crm.history AS h ON h.record_id = u.id AND h.version = u.version
                    WHERE crm.entity_now(h.entity, h.id) = $3 AND h.kind = 2
                    ORDER BY h.id
                    """)
                {
                    Parameters =
                    {
                        ActorAccess.Ids([.. rows.Select(r => r.Id)]),
                        new() { Value = rows.Select(r => r.Version).ToArray() },
                        new() { Value = table.Entity.Name },
                    },
                },
            },
        };
        await using var reader = await batch.ExecuteReaderAsync(ct);
        var names = await EntryNames.ReadAsync((NpgsqlDataReader)reader, ct);
        var held = new Dictionary<Guid, Dictionary<string, object?>>();
        while (await reader.ReadAsync(ct))
        {
            var values = new Dictionary<string, object?>(StringComparer.Ordinal);
            foreach (var change in HistoryJson.Read(table, reader.GetString(1), names, reader.GetInt64(2)))
            {
                if (table.TryField(change.Field, out var field) && !field.IsStamp && !field.IsCalculated && !field.Columns.IsEmpty)
                {
                    values[field.Name] = Fitting(field.Definition, change.Before);
                }
            }

            held[reader.GetGuid(0)] = values;
        }

        return held;
    }

    /// <summary>The value as the field holds it today: its type may have changed since, and choices may have become others.</summary>
    private static object? Fitting(FieldDefinition field, object? value) => value switch
    {
        null => null,
        string text when field.Type.ValueType == typeof(string) => field.NameNow(text),
        ImmutableArray<string> list when field.Type.ValueType.IsInstanceOfType(value) => list.Select(field.NameNow).Distinct(StringComparer.Ordinal).ToImmutableArray(),
        _ when field.Type.ValueType.IsInstanceOfType(value) => value,
        _ => field.Type.TryNormalize(field, value, out var fitting, out _) ? fitting : null,
    };

    private static string TitleOf(EntityTable table, object?[] values)
    {
        var words = table.Entity.TitleFields
            .Select(name => table.TryField(name, out var field) ? field.Type.Format(field.Definition, values[field.Index], CultureInfo.CurrentCulture) : "")
            .Where(w => w.Length > 0);
        var title = string.Join(' ', words);
        return title.Length > MaxTitle ? title[..MaxTitle] : title;
    }

    private static IEnumerable<Guid> PointedTo(EntityTable table, object?[] values) => table.Fields
        .Where(f => !f.Definition.IsSystem)
        .Select(f => (f.Type, values[f.Index]) switch
        {
            (ReferenceType, Guid id) => id,
            (_, RecordRef reference) => reference.Id,
            (_, FileValue file) => file.Id,
            _ => (Guid?)null,
        })
        .OfType<Guid>()
        .Distinct();
}

/// <summary>A row of the recycle bin.</summary>
internal sealed record BinRow(Guid Id, string Entity, string Title, Guid[] Refs, bool IsLink, long Version, DateTimeOffset CreatedAt, Guid CreatedBy);
