using Crm.Metadata;
using Crm.Sdk;
using Npgsql;
using NpgsqlTypes;

namespace Crm.Records.Files;

/// <summary>Contents of files, in the database: backup and every host have them.</summary>
public sealed class FileStore(CrmDatabase database, BehaviorSource behaviors)
{
    // Whoever uploads and does not save for a day has given up.
    private const string ClearSql = "DELETE FROM crm.file WHERE id IN (SELECT id FROM crm.file WHERE NOT is_used AND created_at < now() - interval '1 day' LIMIT 100 FOR UPDATE SKIP LOCKED)";

    /// <summary>Stores a content. A record has to take it within a day.</summary>
    /// <param name="name">Name of the file; a path before it is cut off.</param>
    /// <param name="contentType">Media type the client declares; what the content of an image says counts more.</param>
    /// <param name="content">The content.</param>
    /// <param name="actor">Who uploads.</param>
    /// <param name="ct">Cancels.</param>
    /// <exception cref="UploadRefusedException">A module says that it may not be stored.</exception>
    public async Task<FileValue> StoreAsync(string name, string? contentType, ReadOnlyMemory<byte> content, Actor actor, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(actor);
        var file = new FileValue(Guid.CreateVersion7(), FileNames.Plain(name), FileNames.TypeOf(contentType, content.Span), content.Length);
        await UploadChecks.RequireAsync(behaviors, new Upload(file.Name, file.ContentType, content, actor), ct);
        await using var connection = await database.OpenAsync(ct);
        await using (var clear = new NpgsqlCommand(ClearSql, connection))
        {
            await clear.ExecuteNonQueryAsync(ct);
        }

        await using var command = new NpgsqlCommand("INSERT INTO crm.file (id, name, content_type, size, content, created_by) VALUES ($1, $2, $3, $4, $5, $6)", connection)
        {
            Parameters =
            {
                new() { Value = file.Id },
                new() { Value = file.Name },
                new() { Value = file.ContentType },
                new() { Value = file.Size },
                new() { Value = content, NpgsqlDbType = NpgsqlDbType.Bytea },
                new() { Value = actor.UserId },
            },
        };
        await command.ExecuteNonQueryAsync(ct);
        return file;
    }

    /// <summary>The content of a file; null when there is none of this id.</summary>
    public Task<byte[]?> ReadAsync(Guid id, CancellationToken ct = default) => ReadAsync("content", id, ct);

    /// <summary>The first 16 bytes of a file, which tell what it is; null when there is none of this id.</summary>
    public Task<byte[]?> BeginningAsync(Guid id, CancellationToken ct = default) => ReadAsync("substring(content FROM 1 FOR 16)", id, ct);

    private async Task<byte[]?> ReadAsync(string what, Guid id, CancellationToken ct)
    {
        await using var connection = await database.OpenAsync(ct);
        await using var command = new NpgsqlCommand($"SELECT {what} FROM crm.file WHERE id = $1", connection) { Parameters = { new() { Value = id } } };
        return (byte[]?)await command.ExecuteScalarAsync(ct);
    }
}
