using System.Globalization;

namespace Crm.Sdk.Web.Forms;

/// <summary>Parts of a field that holds several values: how many rows there are, and kind and value of each.</summary>
public static class SeveralRows
{
    /// <summary>The part that says how many rows there are; empty for none, so that an untouched field has no parts.</summary>
    public const string Count = "count";

    /// <summary>Name of the part with the kind of a row, which count from zero.</summary>
    public static string Kind(int row) => string.Create(CultureInfo.InvariantCulture, $"{row}.kind");

    /// <summary>Name of the part with the value of a row.</summary>
    public static string Value(int row) => string.Create(CultureInfo.InvariantCulture, $"{row}.value");

    /// <summary>The rows, empty ones included.</summary>
    public static IEnumerable<(string Kind, string Value)> Read(FieldParts parts)
    {
        ArgumentNullException.ThrowIfNull(parts);
        // The browser is not believed: a draft may say anything.
        var count = int.TryParse(parts[Count], NumberStyles.None, CultureInfo.InvariantCulture, out var rows) ? Math.Min(rows, SeveralType.MaxValues + 1) : 0;
        return Enumerable.Range(0, count).Select(row => (parts[Kind(row)], parts[Value(row)]));
    }

    /// <summary>The parts of rows.</summary>
    public static FieldParts Write(IEnumerable<(string Kind, string Value)> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        var (parts, count) = (FieldParts.Empty, 0);
        foreach (var (kind, value) in rows)
        {
            parts = parts.With(Kind(count), kind).With(Value(count), value);
            count++;
        }

        return count == 0 ? FieldParts.Empty : parts.With(Count, count.ToString(CultureInfo.InvariantCulture));
    }
}
