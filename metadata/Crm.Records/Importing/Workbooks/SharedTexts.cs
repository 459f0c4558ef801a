using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml;

namespace Crm.Records.Importing.Workbooks;

/// <summary>The texts that cells refer to by number, as bytes in one piece: a million of them as strings would take three times the memory.</summary>
internal sealed partial class SharedTexts
{
    private const int MaxBytes = 128 * 1024 * 1024;
    private const int MaxTexts = 5_000_000;

    // What a cell may hold is a thirtieth of it.
    private const int MaxText = 1_000_000;

    private readonly ArrayBufferWriter<byte> bytes = new(64 * 1024);
    private readonly List<int> ends = [];

    /// <summary>The text of a number.</summary>
    public string this[int index] => index >= 0 && index < ends.Count
        ? Encoding.UTF8.GetString(bytes.WrittenSpan[(index == 0 ? 0 : ends[index - 1])..ends[index]])
        : throw new InvalidDataException("There is no such text.");

    /// <summary>Reads the part that holds them; none without one.</summary>
    public static SharedTexts Read(XmlReader? xml)
    {
        var texts = new SharedTexts();
        if (xml is null)
        {
            return texts;
        }

        while (!xml.EOF)
        {
            if (xml is { NodeType: XmlNodeType.Element, LocalName: "si" })
            {
                Encoding.UTF8.GetBytes(Rich(xml), texts.bytes);
                texts.ends.Add(texts.bytes.WrittenCount);
                if (texts.bytes.WrittenCount > MaxBytes || texts.ends.Count > MaxTexts)
                {
                    throw new ImportFileException(ImportCodes.TooLarge, Texts.Of("UnpacksTooLarge"), "file");
                }
            }
            else
            {
                xml.Read();
            }
        }

        return texts;
    }

    /// <summary>The text of an element that holds pieces of one; how it is pronounced is left out. Ends behind the element.</summary>
    public static string Rich(XmlReader xml)
    {
        if (xml.IsEmptyElement)
        {
            xml.Read();
            return "";
        }

        var depth = xml.Depth;
        var text = new StringBuilder();
        xml.Read();
        while (xml.Depth > depth)
        {
            if (xml is { NodeType: XmlNodeType.Element, LocalName: "t" })
            {
                text.Append(Plain(xml));
            }
            else if (xml is { NodeType: XmlNodeType.Element, LocalName: "rPh" })
            {
                xml.Skip();
            }
            else if (!xml.Read())
            {
                throw new XmlException();
            }

            Check(text.Length);
        }

        xml.Read();
        return Unescape(text.ToString());
    }

    /// <summary>The text of an element that holds nothing else. Ends behind the element.</summary>
    public static string Plain(XmlReader xml)
    {
        if (xml.IsEmptyElement)
        {
            xml.Read();
            return "";
        }

        var depth = xml.Depth;
        var text = new StringBuilder();
        var buffer = new char[256];
        while (xml.Read() && xml.Depth > depth)
        {
            while (xml.NodeType is XmlNodeType.Text or XmlNodeType.CDATA or XmlNodeType.Whitespace or XmlNodeType.SignificantWhitespace && xml.ReadValueChunk(buffer, 0, buffer.Length) is > 0 and var length)
            {
                text.Append(buffer, 0, length);
                Check(text.Length);
            }
        }

        xml.Read();
        return text.ToString();
    }

    // What XML cannot hold is written as _x0001_.
    private static string Unescape(string text) =>
        text.Contains("_x", StringComparison.Ordinal) ? Escaped().Replace(text, m => ((char)int.Parse(m.ValueSpan[2..6], NumberStyles.HexNumber, CultureInfo.InvariantCulture)).ToString()) : text;

    private static void Check(int length)
    {
        if (length > MaxText)
        {
            throw new ImportFileException(ImportCodes.TooLarge, Texts.Of("CellTooLong", MaxText), "file");
        }
    }

    [GeneratedRegex("_x[0-9A-Fa-f]{4}_", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Escaped();
}
