using System.Collections.Immutable;
using System.Globalization;
using System.Xml;

namespace Crm.Records.Importing.Workbooks;

/// <summary>Reads a sheet row by row. Formulas are never worked out: what counts is the result the spreadsheet stored with them.</summary>
internal sealed class SheetTable : IImportTable
{
    private readonly Workbook workbook;
    private readonly XmlReader xml;
    private readonly SharedTexts texts;
    private readonly CellFormats formats;
    private readonly bool from1904;
    private readonly string?[] cells = new string?[CsvTable.MaxColumns];
    private readonly bool[] numbers = new bool[CsvTable.MaxColumns];
    private int width;
    private long line;
    private long rows;

    /// <summary>Reads the header; the table disposes workbook and part.</summary>
    public SheetTable(Workbook workbook, XmlReader xml, SharedTexts texts, CellFormats formats, bool from1904)
    {
        (this.workbook, this.xml, this.texts, this.formats, this.from1904) = (workbook, xml, texts, formats, from1904);
        Headers = ImportHeaders.Of(Next() ? cells[..width].Select(c => c ?? "") : [], Line());
    }

    public ImmutableArray<string> Headers { get; }

    public ValueTask<ImportRow?> ReadAsync(CancellationToken ct = default)
    {
        ct.ThrowIfCancellationRequested();
        return ValueTask.FromResult(Workbook.Guard(Read));
    }

    public ValueTask DisposeAsync()
    {
        xml.Dispose();
        workbook.Dispose();
        return ValueTask.CompletedTask;
    }

    private string Line() => string.Create(CultureInfo.InvariantCulture, $"line {line}");

    private ImportRow? Read()
    {
        if (!Next())
        {
            return null;
        }

        if (width > Headers.Length)
        {
            throw new ImportFileException(ImportCodes.Format, Texts.Of("TooManyValues", line, width, Headers.Length), Line());
        }

        var values = new string[Headers.Length];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = cells[i] ?? "";
        }

        return new ImportRow(++rows, line, values, IsShort: false) { Numbers = Array.IndexOf(numbers, true, 0, values.Length) >= 0 ? numbers[..values.Length] : null };
    }

    /// <summary>Goes to the next row that has something in it.</summary>
    private bool Next()
    {
        while (!xml.EOF)
        {
            if (xml is { NodeType: XmlNodeType.Element, LocalName: "row" })
            {
                ReadRow();
                if (width > 0)
                {
                    return true;
                }
            }
            else
            {
                xml.Read();
            }
        }

        return false;
    }

    private void ReadRow()
    {
        Array.Clear(cells);
        Array.Clear(numbers);
        width = 0;
        line = long.TryParse(xml.GetAttribute("r"), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : line + 1;
        if (xml.IsEmptyElement)
        {
            xml.Read();
            return;
        }

        var depth = xml.Depth;
        var column = -1;
        xml.Read();
        while (xml.Depth > depth)
        {
            if (xml is { NodeType: XmlNodeType.Element, LocalName: "c" })
            {
                column = xml.GetAttribute("r") is { } place ? ColumnOf(place) : column + 1;
                ReadCell(column);
            }
            else if (!xml.Read())
            {
                throw new XmlException();
            }
        }

        xml.Read();
    }

    private void ReadCell(int column)
    {
        var type = xml.GetAttribute("t");
        _ = int.TryParse(xml.GetAttribute("s"), NumberStyles.None, CultureInfo.InvariantCulture, out var style);
        if (xml.IsEmptyElement)
        {
            xml.Read();
            return;
        }

        string? value = null;
        var isFormula = false;
        var depth = xml.Depth;
        xml.Read();
        while (xml.Depth > depth)
        {
            if (xml is { NodeType: XmlNodeType.Element, LocalName: "v" })
            {
                value = SharedTexts.Plain(xml);
            }
            else if (xml is { NodeType: XmlNodeType.Element, LocalName: "is" })
            {
                value = SharedTexts.Rich(xml);
            }
            else
            {
                isFormula |= xml is { NodeType: XmlNodeType.Element, LocalName: "f" };
                if (!xml.Read())
                {
                    throw new XmlException();
                }
            }
        }

        xml.Read();
        if (isFormula && value is null)
        {
            throw new ImportFileException(ImportCodes.Format, Texts.Of("FormulaWithoutResult", line, column + 1), Line());
        }

        if (value is { Length: > 0 })
        {
            Put(column, Text(type, style, value, out var isNumber).Trim(), isNumber);
        }
    }

    private string Text(string? type, int style, string value, out bool isNumber)
    {
        isNumber = false;
        return type switch
        {
            "s" => texts[int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : -1],
            "str" or "inlineStr" or "e" => value,
            "b" => value == "1" ? "true" : "false",
            "d" => value.EndsWith("T00:00:00", StringComparison.Ordinal) ? value[..^9] : value,
            _ => formats.Text(value, style, from1904, out isNumber),
        };
    }

    private void Put(int column, string text, bool isNumber)
    {
        if (text.Length == 0)
        {
            return;
        }

        if (column >= CsvTable.MaxColumns)
        {
            throw new ImportFileException(ImportCodes.Format, Texts.Of("TooManyColumns", column + 1, CsvTable.MaxColumns), Line());
        }

        (cells[column], numbers[column]) = (text, isNumber);
        width = Math.Max(width, column + 1);
    }

    /// <summary>The column of a place such as <c>AB12</c>, from 0.</summary>
    private static int ColumnOf(string place)
    {
        var column = 0;
        foreach (var c in place)
        {
            if (c is < 'A' or > 'Z' || column > 1_000_000)
            {
                break;
            }

            column = (column * 26) + c - 'A' + 1;
        }

        return column > 0 ? column - 1 : throw new InvalidDataException("A cell is nowhere.");
    }
}
