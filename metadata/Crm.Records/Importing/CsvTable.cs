using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Crm.Records.Exporting;
using CsvHelper;

namespace Crm.Records.Importing;

/// <summary>One row of a file.</summary>
/// <param name="Number">Counted from 1, the header left out.</param>
/// <param name="Line">The line it begins on, as an editor counts.</param>
/// <param name="Values">One per column of the header, trimmed; a missing one is empty.</param>
/// <param name="IsShort">Whether the row has fewer columns than the header.</param>
public sealed record ImportRow(long Number, long Line, string[] Values, bool IsShort)
{
    /// <summary>Which values were numbers in the file and not texts: they are written as programs write them, whatever the file's language; null for none.</summary>
    public bool[]? Numbers { get; init; }
}

/// <summary>Reads a CSV file row by row, holding no more than one. What cannot be read without guessing is refused with its line.</summary>
public sealed class CsvTable : IImportTable
{
    /// <summary>Most columns a file may have.</summary>
    public const int MaxColumns = 500;

    // No row of a real file is this long; a quote that is never closed would otherwise swallow the file.
    private const int MaxRowBytes = 4 * 1024 * 1024;

    private static readonly ImmutableArray<char> Delimiters = [',', ';', '\t', '|'];

    private readonly CsvReader reader;
    private CsvMalformedRecord? malformed;

    private CsvTable(Stream stream, Encoding encoding, char? delimiter) =>
        reader = CsvReader.Create(stream, new CsvReaderOptions
        {
            Encoding = encoding,
            Separator = delimiter,
            TrackLineNumbers = true,
            MaxRecordSize = MaxRowBytes,
            MalformedData = CsvMalformedDataHandling.Recover,
            OnMalformedRecord = record => malformed ??= record,
        });

    /// <summary>Names of the columns, in order.</summary>
    public ImmutableArray<string> Headers { get; private set; } = [];

    /// <summary>What separates the columns.</summary>
    public char Delimiter { get; private set; }

    /// <summary>Opens a file and reads its header.</summary>
    /// <param name="stream">The file from its beginning; closed with the table.</param>
    /// <param name="encoding">How it is written.</param>
    /// <param name="delimiter">What separates the columns; null to find out.</param>
    /// <param name="ct">Stops reading.</param>
    /// <exception cref="ImportFileException">There is no header, or it cannot be used.</exception>
    public static async Task<CsvTable> OpenAsync(Stream stream, Encoding encoding, char? delimiter, CancellationToken ct = default)
    {
        var table = new CsvTable(stream, encoding, delimiter);
        try
        {
            await table.ReadHeaderAsync(ct);
            return table;
        }
        catch
        {
            await table.DisposeAsync();
            throw;
        }
    }

    /// <summary>Reads the parameter <c>delimiter</c>: one of <c>, ; | tab</c>, empty or <c>auto</c> to find out.</summary>
    /// <exception cref="ImportFileException">It is none of them.</exception>
    public static char? ParseDelimiter(string? text) => text switch
    {
        null or "" or "auto" => null,
        "tab" or "\\t" => '\t',
        [var one] when Delimiters.Contains(one) => one,
        _ => throw new ImportFileException(ImportCodes.Format, Texts.Of("UnknownDelimiter", text), "delimiter"),
    };

    /// <summary>Reads the next row; null at the end.</summary>
    /// <exception cref="ImportFileException">The file cannot be read on.</exception>
    public async ValueTask<ImportRow?> ReadAsync(CancellationToken ct = default)
    {
        var more = await GuardAsync(() => reader.ReadAsync(ct));
        ThrowIfMalformed();
        if (!more)
        {
            return null;
        }

        var count = reader.FieldCount;
        for (var i = Headers.Length; i < count; i++)
        {
            if (!reader.IsEmpty(i))
            {
                throw new ImportFileException(ImportCodes.Format, Texts.Of("TooManyValues", reader.LineNumber, count, Headers.Length), Line(reader.LineNumber));
            }
        }

        var values = new string[Headers.Length];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = i < count ? SheetText.Plain(Guarded(() => reader.GetString(i)).Trim()) : "";
        }

        return new ImportRow(reader.RowNumber, reader.LineNumber, values, count < Headers.Length);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => reader.DisposeAsync();

    private static string Line(long line) => string.Create(CultureInfo.InvariantCulture, $"line {line}");

    private async Task ReadHeaderAsync(CancellationToken ct)
    {
        await GuardAsync(async () =>
        {
            await reader.ReadHeaderAsync(ct);
            return true;
        });
        ThrowIfMalformed();
        Delimiter = reader.Separator;
        var names = new List<string>();
        foreach (var header in reader.Headers)
        {
            names.Add(SheetText.Plain(header));
        }

        Headers = ImportHeaders.Of(names, Line(1));
    }

    private void ThrowIfMalformed()
    {
        if (malformed is { } fault)
        {
            var text = fault.Reason switch
            {
                CsvMalformedReason.UnterminatedQuote => "QuoteNotClosed",
                CsvMalformedReason.TextAfterClosingQuote => "TextAfterQuote",
                _ => "StrayQuote",
            };
            throw new ImportFileException(ImportCodes.Format, Texts.Of(text, fault.LineNumber), Line(fault.LineNumber));
        }
    }

    private async ValueTask<bool> GuardAsync(Func<ValueTask<bool>> read)
    {
        try
        {
            return await read();
        }
        catch (CsvFormatException e)
        {
            throw new ImportFileException(ImportCodes.Format, Texts.Of("RowTooLong", e.LineNumber, MaxRowBytes / 1024 / 1024), Line(e.LineNumber));
        }
        catch (DecoderFallbackException)
        {
            throw new ImportFileException(ImportCodes.Encoding, Texts.Of("WrongEncoding", reader.Options.Encoding!.WebName), "encoding");
        }
    }

    private string Guarded(Func<string> read)
    {
        try
        {
            return read();
        }
        catch (DecoderFallbackException)
        {
            throw new ImportFileException(ImportCodes.Encoding, Texts.Of("WrongEncoding", reader.Options.Encoding!.WebName), "encoding");
        }
    }
}
