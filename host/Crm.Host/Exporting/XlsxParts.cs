using System.Globalization;
using System.Security;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml;

namespace Crm.Host.Exporting;

/// <summary>What every workbook has beside its rows (ECMA-376).</summary>
internal static partial class XlsxParts
{
    /// <summary>Namespace of workbooks and sheets.</summary>
    public const string Main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";

    public const int General = 0;

    public const int Heading = 1;

    public const int Date = 2;

    public const int Instant = 3;

    public const int Time = 4;

    public const int Duration = 5;

    /// <summary>A text that stays one when somebody edits the cell.</summary>
    public const int Quoted = 6;

    public const string Relations =
        """<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>""";

    public const string Styles =
        $"""
        <?xml version="1.0" encoding="UTF-8"?><styleSheet xmlns="{Main}"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="7"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/><xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/><xf numFmtId="14" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/><xf numFmtId="22" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/><xf numFmtId="21" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/><xf numFmtId="46" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/><xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" quotePrefix="1"/></cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>
        """;

    private const string Office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

    private const string Spreadsheet = "application/vnd.openxmlformats-officedocument.spreadsheetml";

    public static string ContentTypes(int sheets)
    {
        var text = new StringBuilder("""<?xml version="1.0" encoding="UTF-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>""")
            .Append(CultureInfo.InvariantCulture, $"""<Override PartName="/xl/workbook.xml" ContentType="{Spreadsheet}.sheet.main+xml"/><Override PartName="/xl/styles.xml" ContentType="{Spreadsheet}.styles+xml"/>""");
        for (var i = 1; i <= sheets; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"""<Override PartName="/xl/worksheets/sheet{i}.xml" ContentType="{Spreadsheet}.worksheet+xml"/>""");
        }

        return text.Append("</Types>").ToString();
    }

    public static string Workbook(string title, int sheets)
    {
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"""<?xml version="1.0" encoding="UTF-8"?><workbook xmlns="{Main}" xmlns:r="{Office}"><sheets>""");
        for (var i = 1; i <= sheets; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"""<sheet name="{SecurityElement.Escape(i == 1 ? title : $"{title} ({i})")}" sheetId="{i}" r:id="rId{i}"/>""");
        }

        return text.Append("</sheets></workbook>").ToString();
    }

    public static string WorkbookRelations(int sheets)
    {
        var text = new StringBuilder("""<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">""");
        for (var i = 1; i <= sheets; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"""<Relationship Id="rId{i}" Type="{Office}/worksheet" Target="worksheets/sheet{i}.xml"/>""");
        }

        return text.Append(CultureInfo.InvariantCulture, $"""<Relationship Id="rId{sheets + 1}" Type="{Office}/styles" Target="styles.xml"/></Relationships>""").ToString();
    }

    /// <summary>A text with what XML cannot hold written as <c>_x0001_</c>, and what looks like that as it is.</summary>
    public static string Escape(string text)
    {
        var plain = text.Contains("_x", StringComparison.Ordinal) ? Escaped().Replace(text, "_x005F$0") : text;
        if (!plain.Any(c => !XmlConvert.IsXmlChar(c) && !char.IsSurrogate(c)))
        {
            return plain;
        }

        return string.Concat(plain.Select(c => XmlConvert.IsXmlChar(c) || char.IsSurrogate(c) ? c.ToString() : string.Create(CultureInfo.InvariantCulture, $"_x{(int)c:X4}_")));
    }

    [GeneratedRegex("_x[0-9A-Fa-f]{4}_", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Escaped();
}
