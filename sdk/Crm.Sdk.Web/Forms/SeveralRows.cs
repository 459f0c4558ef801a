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
    public static string Value(int row) => Part(row, "value");

    /// <summary>Name of a part of an address.</summary>
    public static string Part(int row, string part) => string.Create(CultureInfo.InvariantCulture, $"{row}.{part}");

    /// <summary>The rows, empty ones included.</summary>
    public static IEnumerable<(string Kind, string Value)> Read(FieldParts parts)
    {
        ArgumentNullException.ThrowIfNull(parts);
        return Enumerable.Range(0, CountOf(parts)).Select(row => (parts[Kind(row)], parts[Value(row)]));
    }

    /// <summary>The rows of addresses, each with its kind and its parts; empty ones included.</summary>
    public static IEnumerable<IReadOnlyDictionary<string, object?>> ReadAddresses(FieldParts parts)
    {
        ArgumentNullException.ThrowIfNull(parts);
        return Enumerable.Range(0, CountOf(parts)).Select(row => AddressesType.Parts.Select(p => p.Part).Prepend("kind").ToDictionary(p => p, p => (object?)parts[Part(row, p)], StringComparer.Ordinal));
    }

    /// <summary>The parts of addresses.</summary>
    public static FieldParts OfAddresses(IEnumerable<KindAddress> addresses)
    {
        ArgumentNullException.ThrowIfNull(addresses);
        return WriteAddresses(addresses.Select(a =>
        {
            var cells = new object?[AddressesType.Parts.Length];
            Fields.Address.ToColumns(a.Address, cells);
            return AddressesType.Parts.Select((p, i) => KeyValuePair.Create(p.Part, cells[i])).Append(KeyValuePair.Create("kind", (object?)a.Kind));
        }));
    }

    /// <summary>The parts of rows of addresses.</summary>
    public static FieldParts WriteAddresses(IEnumerable<IEnumerable<KeyValuePair<string, object?>>> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        var (parts, count) = (FieldParts.Empty, 0);
        foreach (var row in rows)
        {
            parts = row.Aggregate(parts, (all, part) => all.With(Part(count, part.Key), part.Value as string ?? ""));
            count++;
        }

        return count == 0 ? FieldParts.Empty : parts.With(Count, count.ToString(CultureInfo.InvariantCulture));
    }

    // The browser is not believed: a draft may say anything.
    private static int CountOf(FieldParts parts) => int.TryParse(parts[Count], NumberStyles.None, CultureInfo.InvariantCulture, out var rows) ? Math.Min(rows, KindsType.MaxValues + 1) : 0;

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
