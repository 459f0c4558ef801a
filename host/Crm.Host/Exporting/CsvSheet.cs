using System.Globalization;
using Crm.Records.Exporting;
using Crm.Sdk;
using CsvHelper;

namespace Crm.Host.Exporting;

/// <summary>A CSV file.</summary>
/// <param name="target">Where it goes.</param>
/// <param name="separator">Between values.</param>
/// <param name="hasMark">Whether it begins with a byte order mark, without which spreadsheets take UTF-8 for something else.</param>
/// <param name="culture">How numbers and dates are written; null for the way programs read them.</param>
/// <param name="zone">Time zone of instants.</param>
internal sealed class CsvSheet(Stream target, char separator, bool hasMark, CultureInfo? culture, TimeZoneInfo zone) : ISheet
{
    private readonly CsvWriter csv = CsvWriter.Create(target, new CsvWriterOptions { Separator = separator, WriteByteOrderMark = hasMark }, leaveOpen: true);

    public string ContentType => "text/csv; charset=utf-8";

    public async Task BeginAsync(IReadOnlyList<string> headings, CancellationToken ct)
    {
        foreach (var heading in headings)
        {
            csv.WriteField(SheetText.Harmless(heading));
        }

        await csv.EndRecordAsync(ct);
    }

    public async ValueTask RowAsync(object?[] cells, CancellationToken ct)
    {
        foreach (var cell in cells)
        {
            csv.WriteField(Text(cell));
        }

        await csv.EndRecordAsync(ct);
    }

    public async Task FlushAsync(CancellationToken ct) => await csv.FlushAsync(ct);

    public async Task EndAsync(CancellationToken ct)
    {
        await csv.FlushAsync(ct);
        await csv.DisposeAsync();
    }

    /// <summary>The writer itself is let go of by the end only: it would send what it still holds.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private string Text(object? cell)
    {
        var format = culture ?? CultureInfo.InvariantCulture;
        return cell switch
        {
            null => "",
            string text => SheetText.Harmless(text),
            long number => number.ToString(format),
            decimal number => number.ToString(format),
            DateOnly date => date.ToString(culture is null ? "yyyy-MM-dd" : "d", format),
            TimeOnly time => time.ToString(culture is null ? "HH:mm:ss" : "T", format),
            TimeSpan length => DurationType.Write((long)length.TotalSeconds),
            DateTimeOffset instant when culture is null => TimeZoneInfo.ConvertTime(instant, zone).ToString("yyyy-MM-ddTHH:mm:sszzz", format),
            DateTimeOffset instant => TimeZoneInfo.ConvertTime(instant, zone).ToString("d", format) + " " + TimeZoneInfo.ConvertTime(instant, zone).ToString("T", format),
            _ => throw new InvalidOperationException($"A value of type {cell.GetType()} cannot be written."),
        };
    }
}
