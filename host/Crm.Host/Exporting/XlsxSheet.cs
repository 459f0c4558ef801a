using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Xml;
using Crm.Records.Exporting;
using Crm.Sdk;

namespace Crm.Host.Exporting;

/// <summary>
/// An Excel workbook: texts are stored as texts, numbers and dates as what they are. Written forwards only, so that a million rows need no more memory than one. What does
/// not fit on a sheet goes on to the next one.
/// </summary>
/// <param name="target">Where it goes.</param>
/// <param name="name">Name of the sheet.</param>
/// <param name="zone">Time zone of instants, of which Excel knows nothing.</param>
internal sealed class XlsxSheet(Stream target, string name, TimeZoneInfo zone) : ISheet
{
    /// <summary>Longest text of a cell, in characters.</summary>
    public const int MaxText = 32_767;

    private const int MaxRows = 1_048_576;

    // What Excel shows of a number; more digits would be lost.
    private const decimal MaxNumber = 999_999_999_999_999m;

    // Before it Excel counts days otherwise than the calendar.
    private static readonly DateOnly FirstDay = new(1900, 3, 1);

    private readonly Outlet outlet = new(target);
    private readonly string title = Title(name);
    private IReadOnlyList<string> headings = [];
    private ZipArchive? archive;
    private Stream? part;
    private XmlWriter? xml;
    private int sheets;
    private int rows;

    public string ContentType => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

    private XmlWriter Xml => xml ?? throw new InvalidOperationException("The file has not begun.");

    public Task BeginAsync(IReadOnlyList<string> headings, CancellationToken ct)
    {
        this.headings = headings;
        archive = new ZipArchive(outlet, ZipArchiveMode.Create, leaveOpen: true);
        BeginSheet();
        return Task.CompletedTask;
    }

    public ValueTask RowAsync(object?[] cells, CancellationToken ct)
    {
        if (rows == MaxRows)
        {
            EndSheet();
            BeginSheet();
        }

        rows++;
        Xml.WriteStartElement("row");
        foreach (var cell in cells)
        {
            Write(cell);
        }

        Xml.WriteEndElement();
        return ValueTask.CompletedTask;
    }

    public Task FlushAsync(CancellationToken ct)
    {
        Xml.Flush();
        return outlet.DrainAsync(ct);
    }

    public Task EndAsync(CancellationToken ct)
    {
        EndSheet();
        Part("[Content_Types].xml", XlsxParts.ContentTypes(sheets));
        Part("_rels/.rels", XlsxParts.Relations);
        Part("xl/workbook.xml", XlsxParts.Workbook(title, sheets));
        Part("xl/_rels/workbook.xml.rels", XlsxParts.WorkbookRelations(sheets));
        Part("xl/styles.xml", XlsxParts.Styles);
        archive!.Dispose();
        return outlet.DrainAsync(ct);
    }

    /// <summary>The archive is let go of by the end only: it would be a whole one.</summary>
    public ValueTask DisposeAsync() => outlet.DisposeAsync();

    /// <summary>A name as Excel takes it: short, and without the signs that mean something in formulas.</summary>
    public static string Title(string name)
    {
        var plain = new string([.. name.Select(c => c is '[' or ']' or ':' or '*' or '?' or '/' or '\\' || char.IsControl(c) ? ' ' : c)]).Trim(' ', '\'');
        return plain.Length == 0 ? "Sheet" : plain[..Math.Min(plain.Length, 25)].Trim();
    }

    private void BeginSheet()
    {
        sheets++;
        rows = 1;
        part = archive!.CreateEntry(string.Create(CultureInfo.InvariantCulture, $"xl/worksheets/sheet{sheets}.xml"), CompressionLevel.Fastest).Open();
        xml = XmlWriter.Create(part, new XmlWriterSettings { Encoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), CloseOutput = false });
        xml.WriteStartElement("worksheet", XlsxParts.Main);
        xml.WriteRaw("""<sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetFormatPr defaultColWidth="18" defaultRowHeight="15"/>""");
        xml.WriteStartElement("sheetData");
        xml.WriteStartElement("row");
        foreach (var heading in headings)
        {
            Text(heading, XlsxParts.Heading);
        }

        xml.WriteEndElement();
    }

    private void EndSheet()
    {
        Xml.WriteEndElement();
        Xml.WriteEndElement();
        Xml.Dispose();
        part!.Dispose();
    }

    private void Part(string path, string content)
    {
        using var stream = archive!.CreateEntry(path, CompressionLevel.Fastest).Open();
        stream.Write(Encoding.UTF8.GetBytes(content));
    }

    private void Write(object? cell)
    {
        switch (cell)
        {
            case null or "":
                Xml.WriteStartElement("c");
                Xml.WriteEndElement();
                break;
            case string text:
                Text(text, SheetText.IsFormula(text) ? XlsxParts.Quoted : XlsxParts.General);
                break;
            case long number:
                Number(number, XlsxParts.General);
                break;
            case decimal number:
                Number(number, XlsxParts.General);
                break;
            case DateOnly date when date < FirstDay:
                Text(date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), XlsxParts.General);
                break;
            case DateOnly date:
                Number((decimal)date.ToDateTime(TimeOnly.MinValue).ToOADate(), XlsxParts.Date);
                break;
            case TimeOnly time:
                Number(Days(time.ToTimeSpan()), XlsxParts.Time);
                break;
            case TimeSpan { Ticks: >= 0 } length:
                Number(Days(length), XlsxParts.Duration);
                break;
            case TimeSpan length:
                // Excel shows no negative times.
                Text(DurationType.Write((long)length.TotalSeconds), XlsxParts.Quoted);
                break;
            case DateTimeOffset instant:
                var local = TimeZoneInfo.ConvertTime(instant, zone).DateTime;
                if (DateOnly.FromDateTime(local) < FirstDay)
                {
                    Text(local.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture), XlsxParts.General);
                }
                else
                {
                    Number((decimal)local.Date.ToOADate() + Days(local.TimeOfDay), XlsxParts.Instant);
                }

                break;
            default:
                throw new InvalidOperationException($"A value of type {cell.GetType()} cannot be written.");
        }
    }

    private static decimal Days(TimeSpan time) => Math.Round((decimal)time.Ticks / TimeSpan.TicksPerDay, 10);

    private void Number(decimal number, int style)
    {
        if (Math.Abs(number) > MaxNumber)
        {
            Text(number.ToString(CultureInfo.InvariantCulture), XlsxParts.General);
            return;
        }

        Xml.WriteStartElement("c");
        Style(style);
        Xml.WriteElementString("v", number.ToString(CultureInfo.InvariantCulture));
        Xml.WriteEndElement();
    }

    private void Text(string text, int style)
    {
        Xml.WriteStartElement("c");
        Style(style);
        Xml.WriteAttributeString("t", "inlineStr");
        Xml.WriteStartElement("is");
        Xml.WriteStartElement("t");
        Xml.WriteAttributeString("xml", "space", null, "preserve");
        Xml.WriteString(XlsxParts.Escape(text.Length > MaxText ? string.Concat(text.AsSpan(0, MaxText - 1), "…") : text));
        Xml.WriteEndElement();
        Xml.WriteEndElement();
        Xml.WriteEndElement();
    }

    private void Style(int style)
    {
        if (style != XlsxParts.General)
        {
            Xml.WriteAttributeString("s", style.ToString(CultureInfo.InvariantCulture));
        }
    }
}
