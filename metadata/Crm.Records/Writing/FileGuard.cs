using Crm.Sdk;
using Npgsql;
using NpgsqlTypes;

namespace Crm.Records;

/// <summary>Lets records hold only files that were uploaded, as they were uploaded, and keeps those from being cleared away.</summary>
internal static class FileGuard
{
    public static async Task CheckAsync(ChangeRun run, CancellationToken ct)
    {
        var wanted = Wanted(run).ToList();
        if (wanted.Count == 0)
        {
            return;
        }

        // What nobody saved yet is for whoever uploaded it: an id alone opens no content.
        // The lock keeps an upload that nobody used yet from being cleared away until this is committed.
        await run.Session.LimitAsync(ct);
        await using var command = run.Session.Command("SELECT id, name, content_type, size FROM crm.file WHERE id = ANY($1) AND (is_used OR created_by = $2) FOR UPDATE");
        command.Parameters.Add(Ids(wanted));
        command.Parameters.Add(new() { Value = run.Session.Actor.UserId });
        var uploads = new Dictionary<Guid, FileValue>();
        await using (var reader = await command.ExecuteReaderAsync(ct))
        {
            while (await reader.ReadAsync(ct))
            {
                var file = new FileValue(reader.GetGuid(0), reader.GetString(1), reader.GetString(2), reader.GetInt64(3));
                uploads[file.Id] = file;
            }
        }

        foreach (var (change, field, file) in wanted.Where(w => uploads.GetValueOrDefault(w.File.Id) != w.File))
        {
            change.Refuse(field.Name, ErrorCodes.Unknown, Texts.Of("UnknownFile", field.Definition.Label));
        }
    }

    public static async Task KeepAsync(ChangeRun run, CancellationToken ct)
    {
        var wanted = Wanted(run).Where(w => w.Change.IsWritten).ToList();
        if (wanted.Count > 0)
        {
            await using var command = run.Session.Command("UPDATE crm.file SET is_used = true WHERE id = ANY($1) AND NOT is_used");
            command.Parameters.Add(Ids(wanted));
            await command.ExecuteNonQueryAsync(ct);
        }
    }

    private static IEnumerable<(PendingChange Change, TableField Field, FileValue File)> Wanted(ChangeRun run) =>
        from field in run.Table.Files
        from change in run.Going
        where change.Kind != ChangeKind.Delete && change.Changed.Contains(field.Index) && change.Values[field.Index] is FileValue
        select (change, field, (FileValue)change.Values[field.Index]!);

    private static NpgsqlParameter Ids(IEnumerable<(PendingChange Change, TableField Field, FileValue File)> wanted) =>
        new() { Value = wanted.Select(w => w.File.Id).Distinct().Order().ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid };
}
