using System.Buffers;
using System.Collections.Immutable;
using System.Text.Json;
using Crm.Metadata;
using Crm.Records.Importing.Workbooks;
using Crm.Records.Jobs;
using Crm.Sdk;
using Npgsql;
using NpgsqlTypes;

namespace Crm.Records.Importing;

/// <summary>An uploaded file.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Name">Its name, for users.</param>
/// <param name="Size">In bytes.</param>
/// <param name="Encoding">What its bytes say about its encoding.</param>
/// <param name="CreatedBy">Who uploaded it; others do not see it.</param>
/// <param name="Sheets">Names of the sheets of a workbook; empty for a text.</param>
public sealed record StoredFile(Guid Id, string Name, long Size, EncodingVerdict Encoding, Guid CreatedBy, ImmutableArray<string> Sheets)
{
    /// <summary>Whether it is an Excel workbook.</summary>
    public bool IsWorkbook => !Sheets.IsEmpty;
}

/// <summary>Keeps uploaded files in the database, where every host finds them; piece by piece, so that none is ever held in memory.</summary>
public sealed class ImportFiles(CrmDatabase database)
{
    /// <summary>Largest file taken, in bytes.</summary>
    public const long MaxBytes = 100L * 1024 * 1024;

    private const int ChunkBytes = 1024 * 1024;

    // Workbooks of before 2007, and newer ones with a password.
    private static ReadOnlySpan<byte> OldWorkbook => [0xD0, 0xCF, 0x11, 0xE0];

    /// <summary>Stores a file.</summary>
    /// <exception cref="ImportFileException">It is too large, empty, or no text; nothing is kept.</exception>
    public async Task<StoredFile> SaveAsync(Stream content, string name, Actor actor, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(content);
        ArgumentNullException.ThrowIfNull(actor);
        var id = Guid.CreateVersion7();
        var shortName = Path.GetFileName(name.Replace('\\', '/')) is { Length: > 0 } file ? file[..Math.Min(file.Length, 200)] : "file.csv";
        await ExecuteAsync("INSERT INTO crm.job_file (id, name, created_by) VALUES ($1, $2, $3)", ct, id, shortName.Replace("\0", "", StringComparison.Ordinal), actor.UserId);
        try
        {
            var probe = await StoreAsync(id, content, ct);
            if (probe.Length == 0)
            {
                throw new ImportFileException(ImportCodes.Format, Texts.Of("NoHeader"), "file");
            }

            var sheets = probe.IsWorkbook ? await SheetsAsync(id, ct) : [];
            var verdict = probe.IsWorkbook ? new EncodingVerdict("utf-8", [], IsCertain: true) : probe.Conclude();
            var isWide = verdict.Name?.StartsWith("utf-16", StringComparison.Ordinal) == true || verdict.Name == "utf-32";
            if (!probe.IsWorkbook && probe.ZeroByteLine is { } line && !isWide)
            {
                throw new ImportFileException(ImportCodes.Format, Texts.Of("ZeroByte", line), $"line {line}");
            }

            await using var connection = await database.OpenAsync(ct);
            await using var command = new NpgsqlCommand("UPDATE crm.job_file SET size = $2, encoding = $3, sheets = $4, is_complete = true WHERE id = $1", connection)
            {
                Parameters = { new() { Value = id }, new() { Value = probe.Length }, new() { Value = JsonSerializer.Serialize(verdict, JobJson.Options), NpgsqlDbType = NpgsqlDbType.Jsonb }, new() { Value = sheets.ToArray() } },
            };
            await command.ExecuteNonQueryAsync(ct);
            return new StoredFile(id, shortName, probe.Length, verdict, actor.UserId, sheets);
        }
        catch
        {
            await DeleteAsync(id, CancellationToken.None);
            throw;
        }
    }

    /// <summary>Finds a complete file; null when there is none.</summary>
    public async Task<StoredFile?> FindAsync(Guid id, CancellationToken ct = default)
    {
        await using var connection = await database.OpenAsync(ct);
        await using var command = new NpgsqlCommand("SELECT name, size, encoding, created_by, sheets FROM crm.job_file WHERE id = $1 AND is_complete", connection) { Parameters = { new() { Value = id } } };
        await using var reader = await command.ExecuteReaderAsync(ct);
        return await reader.ReadAsync(ct)
            ? new StoredFile(id, reader.GetString(0), reader.GetInt64(1), JsonSerializer.Deserialize<EncodingVerdict>(reader.GetString(2), JobJson.Options)!, reader.GetGuid(3), [.. reader.GetFieldValue<string[]>(4)])
            : null;
    }

    /// <summary>The bytes of a file.</summary>
    public Stream OpenRead(Guid id) => new ChunkStream(database, id);

    /// <summary>Reads the rows of a file.</summary>
    /// <param name="id">The file.</param>
    /// <param name="encoding">How a text is written.</param>
    /// <param name="delimiter">What separates the columns of a text; null to find out.</param>
    /// <param name="sheet">Name of a workbook's sheet; null for a text.</param>
    /// <param name="ct">Gives up.</param>
    /// <exception cref="ImportFileException">It cannot be read this way.</exception>
    public async Task<IImportTable> OpenTableAsync(Guid id, string encoding, char? delimiter, string? sheet, CancellationToken ct = default)
    {
        if (sheet is null)
        {
            return await CsvTable.OpenAsync(OpenRead(id), TextEncodings.Get(encoding), delimiter, ct);
        }

        await using var content = OpenRead(id);
        var workbook = await Workbook.OpenAsync(content, ct);
        try
        {
            return workbook.OpenSheet(sheet);
        }
        catch
        {
            workbook.Dispose();
            throw;
        }
    }

    /// <summary>Removes a file.</summary>
    public Task DeleteAsync(Guid id, CancellationToken ct = default) => ExecuteAsync("DELETE FROM crm.job_file WHERE id = $1", ct, id);

    /// <summary>Removes files no job needs any more: uploads that were abandoned, files of jobs that ended a week ago.</summary>
    public Task SweepAsync(CancellationToken ct = default) => ExecuteAsync(
        """
        DELETE FROM crm.job_file f WHERE f.created_at < clock_timestamp() - interval '7 days'
        AND NOT EXISTS (SELECT 1 FROM crm.job j WHERE j.state IN ('queued', 'running') AND j.payload ->> 'file' = f.id::text)
        """,
        ct);

    private async Task<ImmutableArray<string>> SheetsAsync(Guid id, CancellationToken ct)
    {
        await using var content = OpenRead(id);
        using var workbook = await Workbook.OpenAsync(content, ct);
        return workbook.Sheets;
    }

    private async Task<EncodingProbe> StoreAsync(Guid id, Stream content, CancellationToken ct)
    {
        var probe = new EncodingProbe();
        var buffer = ArrayPool<byte>.Shared.Rent(ChunkBytes);
        try
        {
            for (var number = 0; ; number++)
            {
                var length = await content.ReadAtLeastAsync(buffer.AsMemory(0, ChunkBytes), ChunkBytes, throwOnEndOfStream: false, ct);
                if (length == 0)
                {
                    return probe;
                }

                var chunk = buffer.AsMemory(0, length);
                if (number == 0 && chunk.Span.StartsWith(OldWorkbook))
                {
                    throw new ImportFileException(ImportCodes.Format, Texts.Of("OldWorkbook"), "file");
                }

                probe.Add(chunk.Span);
                if (probe.Length > MaxBytes)
                {
                    throw new ImportFileException(ImportCodes.TooLarge, Texts.Of("TooLarge", MaxBytes / 1024 / 1024), "file");
                }

                await ExecuteAsync("INSERT INTO crm.job_file_chunk (file_id, number, data) VALUES ($1, $2, $3)", ct, id, number, chunk);
                if (length < ChunkBytes)
                {
                    return probe;
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async Task ExecuteAsync(string sql, CancellationToken ct, params object[] values)
    {
        await using var connection = await database.OpenAsync(ct);
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Reads a file piece by piece; between pieces it holds no connection.</summary>
    private sealed class ChunkStream(CrmDatabase database, Guid id) : ReadStream
    {
        private ReadOnlyMemory<byte> chunk;
        private int number;
        private bool isEnded;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (chunk.IsEmpty && !isEnded)
            {
                await using var connection = await database.OpenAsync(cancellationToken);
                await using var command = new NpgsqlCommand("SELECT data FROM crm.job_file_chunk WHERE file_id = $1 AND number = $2", connection) { Parameters = { new() { Value = id }, new() { Value = number++ } } };
                chunk = await command.ExecuteScalarAsync(cancellationToken) as byte[] ?? [];
                isEnded = chunk.IsEmpty;
            }

            var length = Math.Min(buffer.Length, chunk.Length);
            chunk[..length].CopyTo(buffer);
            chunk = chunk[length..];
            return length;
        }
    }
}
