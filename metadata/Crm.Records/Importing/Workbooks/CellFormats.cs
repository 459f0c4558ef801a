using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml;

namespace Crm.Records.Importing.Workbooks;

/// <summary>What a number in a cell means is said by its format only: an amount, a day, a time, or parts of a hundred.</summary>
internal sealed partial class CellFormats
{
    private static readonly DateTime First1900 = new(1899, 12, 30);
    private static readonly DateTime First1904 = new(1904, 1, 1);

    private readonly List<CellFormat> formats = [];

    [Flags]
    private enum CellFormat
    {
        Number = 0,
        Day = 1,
        Time = 2,
        Length = 4,
        Percent = 8,
    }

    /// <summary>Reads the part that holds them; without one all numbers are numbers.</summary>
    public static CellFormats Read(XmlReader? xml)
    {
        var read = new CellFormats();
        var codes = new Dictionary<int, CellFormat>();
        var isOfCells = false;
        while (xml?.Read() == true)
        {
            if (xml.LocalName == "cellXfs")
            {
                isOfCells = xml is { NodeType: XmlNodeType.Element, IsEmptyElement: false };
            }
            else if (xml.NodeType != XmlNodeType.Element)
            {
                // Only what begins says something.
            }
            else if (xml.LocalName == "numFmt" && int.TryParse(xml.GetAttribute("numFmtId"), NumberStyles.None, CultureInfo.InvariantCulture, out var id) && xml.GetAttribute("formatCode") is { Length: <= 1000 } code)
            {
                codes[id] = OfCode(code);
            }
            else if (isOfCells && xml.LocalName == "xf")
            {
                _ = int.TryParse(xml.GetAttribute("numFmtId"), NumberStyles.None, CultureInfo.InvariantCulture, out var format);
                read.formats.Add(codes.TryGetValue(format, out var own) ? own : BuiltIn(format));
            }
        }

        return read;
    }

    /// <summary>A number as a field takes it: <c>12.5</c>, <c>2026-01-31</c>, <c>2026-01-31 10:20:00</c>, <c>10:20:00</c>; a percentage in parts of a hundred.</summary>
    /// <param name="text">The number as the file has it.</param>
    /// <param name="style">Which format the cell has.</param>
    /// <param name="from1904">Whether days are counted from 1904.</param>
    /// <param name="isNumber">Whether it is a plain number.</param>
    public string Text(string text, int style, bool from1904, out bool isNumber)
    {
        isNumber = false;
        if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) || !double.IsFinite(number))
        {
            return text;
        }

        var format = style >= 0 && style < formats.Count ? formats[style] : CellFormat.Number;
        if (format.HasFlag(CellFormat.Length) && Math.Abs(number) < 1_000_000)
        {
            var seconds = (long)Math.Round(number * 86_400);
            return Sdk.DurationType.Write(seconds);
        }

        if ((format & (CellFormat.Day | CellFormat.Time)) != CellFormat.Number && number is >= 0 and < 2_958_466)
        {
            return Moment(number, format, from1904);
        }

        isNumber = true;
        number = format.HasFlag(CellFormat.Percent) ? number * 100 : number;
        // A decimal has the fifteen digits that were meant, and no exponent.
        return Math.Abs(number) < 1e27 ? ((decimal)number).ToString(CultureInfo.InvariantCulture) : text;
    }

    private static string Moment(double number, CellFormat format, bool from1904)
    {
        var seconds = Math.Round((number - Math.Floor(number)) * 86_400);
        if (!format.HasFlag(CellFormat.Day) && number < 1)
        {
            return TimeOnly.MinValue.Add(TimeSpan.FromSeconds(Math.Min(seconds, 86_399))).ToString("HH:mm:ss", CultureInfo.InvariantCulture);
        }

        // Excel believes in a 29th of February 1900; days before it are one later than the calendar says.
        var days = Math.Floor(number) + (!from1904 && number < 60 ? 1 : 0);
        var moment = (from1904 ? First1904 : First1900).AddDays(days).AddSeconds(format.HasFlag(CellFormat.Time) ? seconds : 0);
        return moment.ToString(moment.TimeOfDay == TimeSpan.Zero ? "yyyy-MM-dd" : "yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
    }

    private static CellFormat BuiltIn(int id) => id switch
    {
        9 or 10 => CellFormat.Percent,
        (>= 14 and <= 17) or (>= 27 and <= 31) or 36 or (>= 50 and <= 54) or 57 or 58 => CellFormat.Day,
        (>= 18 and <= 21) or (>= 32 and <= 35) or 45 or 47 or 55 or 56 => CellFormat.Time,
        22 => CellFormat.Day | CellFormat.Time,
        46 => CellFormat.Length,
        _ => CellFormat.Number,
    };

    private static CellFormat OfCode(string code)
    {
        if (Elapsed().IsMatch(code))
        {
            return CellFormat.Length;
        }

        // What stands in quotes, in brackets or behind a backslash is shown as it is, or is a colour.
        var plain = Shown().Replace(code, "");
        var first = plain.Split(';')[0];
        var format = CellFormat.Number;
        if (first.Contains("General", StringComparison.OrdinalIgnoreCase))
        {
            return format;
        }

        if (first.AsSpan().ContainsAny("yYdD"))
        {
            format |= CellFormat.Day;
        }

        if (first.AsSpan().ContainsAny("hHsS"))
        {
            format |= CellFormat.Time;
        }

        if (format != CellFormat.Number)
        {
            return format;
        }

        // Alone, the letter means a month.
        return first.AsSpan().ContainsAny("mM") ? CellFormat.Day : first.Contains('%', StringComparison.Ordinal) ? CellFormat.Percent : CellFormat.Number;
    }

    [GeneratedRegex(@"\[[hHmMsS]+\]", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Elapsed();

    [GeneratedRegex(@"""[^""]*""|\[[^\]]*\]|\\.|_.", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Shown();
}
