using System.Buffers.Binary;
using System.Collections.Immutable;
using System.IO.Compression;
using System.Xml;

namespace Crm.Records.Importing.Workbooks;

/// <summary>An Excel workbook (ECMA-376), read without trusting it. An archive is read from its end, so that the file lies on the disk of this host while it is open.</summary>
internal sealed class Workbook : IDisposable
{
    private const string Main = "xl/workbook.xml";
    private const string Office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

    // Directory of the archive: held in memory as a whole.
    private const long MaxDirectory = 1024 * 1024;
    private const long MaxSmallPart = 16L * 1024 * 1024;
    private const long MaxTexts = 256L * 1024 * 1024;
    private const long MaxSheet = 2L * 1024 * 1024 * 1024;

    private readonly FileStream file;
    private readonly ZipArchive archive;
    private readonly List<(string Name, string Path)> sheets;
    private readonly bool countsFrom1904;

    private Workbook(FileStream file, ZipArchive archive)
    {
        (this.file, this.archive) = (file, archive);
        (sheets, countsFrom1904) = ReadSheets();
    }

    /// <summary>Names of its sheets, in their order.</summary>
    public ImmutableArray<string> Sheets => [.. sheets.Select(s => s.Name)];

    /// <summary>Opens a workbook.</summary>
    /// <param name="content">The file from its beginning.</param>
    /// <param name="ct">Gives up.</param>
    /// <exception cref="ImportFileException">It is none, or is broken, or too large.</exception>
    public static async Task<Workbook> OpenAsync(Stream content, CancellationToken ct)
    {
        var copy = new FileStream(
            Path.Combine(Path.GetTempPath(), "crm-" + Path.GetRandomFileName()),
            new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Options = FileOptions.DeleteOnClose | FileOptions.Asynchronous });
        try
        {
            await content.CopyToAsync(copy, ct);
            return Guard(() =>
            {
                CheckDirectory(copy);
                return new Workbook(copy, new ZipArchive(copy, ZipArchiveMode.Read, leaveOpen: true));
            });
        }
        catch
        {
            await copy.DisposeAsync();
            throw;
        }
    }

    /// <summary>Reads a sheet.</summary>
    /// <param name="name">Its name; null for the first one.</param>
    /// <exception cref="ImportFileException">There is none of this name, or it cannot be read.</exception>
    public SheetTable OpenSheet(string? name) => Guard(() =>
    {
        var sheet = name is null ? sheets[0] : sheets.Find(s => s.Name == name);
        if (sheet.Path is null)
        {
            throw new ImportFileException(ImportCodes.Format, Texts.Of("UnknownSheet", name, string.Join(", ", Sheets)), "sheet");
        }

        return new SheetTable(this, Open(sheet.Path, MaxSheet)!, ReadTexts(), ReadFormats(), countsFrom1904);
    });

    /// <summary>Turns what a broken archive or broken XML throws into what users are told.</summary>
    public static T Guard<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception problem) when (problem is InvalidDataException or XmlException or EndOfStreamException or NotSupportedException)
        {
            throw new ImportFileException(ImportCodes.Format, Texts.Of("WorkbookBroken"), "file");
        }
    }

    public void Dispose()
    {
        archive.Dispose();
        file.Dispose();
    }

    // The end of an archive says where its directory begins (APPNOTE 4.3.16); archives beyond 4 GB say it elsewhere, and no workbook that is taken is one.
    private static void CheckDirectory(FileStream copy)
    {
        var tail = new byte[Math.Min(copy.Length, 22 + ushort.MaxValue)];
        copy.Position = copy.Length - tail.Length;
        copy.ReadExactly(tail);
        var end = tail.AsSpan().LastIndexOf("PK\u0005\u0006"u8);
        if (end < 0 || end + 22 > tail.Length)
        {
            throw new InvalidDataException("The archive has no end.");
        }

        var begin = BinaryPrimitives.ReadUInt32LittleEndian(tail.AsSpan(end + 16));
        if (begin > copy.Length || copy.Length - begin > MaxDirectory + tail.Length)
        {
            throw new InvalidDataException("The directory of the archive is out of place.");
        }

        copy.Position = 0;
    }

    private (List<(string Name, string Path)> Sheets, bool From1904) ReadSheets()
    {
        var targets = new Dictionary<string, string>(StringComparer.Ordinal);
        using (var relations = Open("xl/_rels/workbook.xml.rels", MaxSmallPart))
        {
            while (relations?.Read() == true)
            {
                if (relations is { NodeType: XmlNodeType.Element, LocalName: "Relationship" } && relations.GetAttribute("Id") is { } id && relations.GetAttribute("Target") is { } target)
                {
                    targets[id] = target.StartsWith('/') ? target[1..] : "xl/" + target;
                }
            }
        }

        var found = new List<(string Name, string Path)>();
        var from1904 = false;
        using var book = Open(Main, MaxSmallPart) ?? throw new ImportFileException(ImportCodes.Format, Texts.Of("NoWorkbook"), "file");
        while (book.Read())
        {
            if (book is { NodeType: XmlNodeType.Element, LocalName: "workbookPr" })
            {
                from1904 = book.GetAttribute("date1904") is "1" or "true";
            }
            else if (book is { NodeType: XmlNodeType.Element, LocalName: "sheet" } && book.GetAttribute("name") is { Length: > 0 and <= 200 } name
                && targets.GetValueOrDefault(book.GetAttribute("id", Office) ?? "") is { } path && archive.GetEntry(path) is not null && path.Contains("worksheets/", StringComparison.Ordinal))
            {
                found.Add((name, path));
            }
        }

        return found.Count > 0 ? (found, from1904) : throw new ImportFileException(ImportCodes.Format, Texts.Of("NoSheet"), "file");
    }

    private SharedTexts ReadTexts()
    {
        using var part = Open("xl/sharedStrings.xml", MaxTexts);
        return SharedTexts.Read(part);
    }

    private CellFormats ReadFormats()
    {
        using var part = Open("xl/styles.xml", MaxSmallPart);
        return CellFormats.Read(part);
    }

    private XmlReader? Open(string path, long most) => archive.GetEntry(path) is { } entry
        ? XmlReader.Create(new LimitedPart(entry.Open(), entry.CompressedLength, most), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, IgnoreComments = true, IgnoreProcessingInstructions = true, CloseInput = true })
        : null;
}
