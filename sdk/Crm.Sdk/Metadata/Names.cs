using System.Collections.Frozen;
using System.Collections.Immutable;

namespace Crm.Sdk;

/// <summary>Rules for names of entities, fields, choices, stages, views and sets.</summary>
public static class Names
{
    /// <summary>Longest name of an entity, so that constraint names fit PostgreSQL's 63 bytes.</summary>
    public const int MaxEntityLength = 24;

    /// <summary>Longest name of a field.</summary>
    public const int MaxFieldLength = 32;

    /// <summary>Longest label, in characters.</summary>
    public const int MaxLabelLength = 100;

    /// <summary>Most fields of one entity; PostgreSQL's own limit is 1,600 columns.</summary>
    public const int MaxFields = 500;

    /// <summary>Names the customer gives start with this, so that a later module version can never collide.</summary>
    public const string CustomPrefix = "x_";

    // Names that OData, a URL of the product or a system column already uses.
    private static readonly FrozenSet<string> ReservedFields = FrozenSet.Create(
        "id", "version", "created_at", "created_by", "modified_at", "modified_by", "owner", "is_active",
        "tableoid", "xmin", "xmax", "cmin", "cmax", "ctid", "oid");

    private static readonly FrozenSet<string> ReservedEntities = FrozenSet.Create(
        "new", "metadata", "batch", "entity", "field", "module", "job", "import", "export", "pg", "information_schema");

    // What every object of a script has: a rule could not tell it from a field.
    private static readonly FrozenSet<string> OfScripts = FrozenSet.Create("constructor", "prototype");

    /// <summary>Why a name cannot be used, or null when it can.</summary>
    /// <param name="name">The name.</param>
    /// <param name="maxLength">Longest allowed, in characters.</param>
    public static string? Problem(string? name, int maxLength)
    {
        if (string.IsNullOrEmpty(name))
        {
            return Texts.Of("NameMissing");
        }

        if (name.Length > maxLength)
        {
            return Texts.Of("NameTooLong", name[..Math.Min(name.Length, 40)], maxLength);
        }

        if (name[0] is < 'a' or > 'z' || name.Any(c => c is not ((>= 'a' and <= 'z') or (>= '0' and <= '9') or '_')))
        {
            return Texts.Of("NameLetters", name);
        }

        if (name.EndsWith('_') || name.Contains("__", StringComparison.Ordinal) || name.StartsWith("pg_", StringComparison.Ordinal))
        {
            return Texts.Of("NameUnderscores", name);
        }

        return OfScripts.Contains(name) ? Texts.Of("NameOfScripts", name) : null;
    }

    /// <summary>Why an entity cannot have this name, or null when it can.</summary>
    public static string? EntityProblem(string? name) =>
        Problem(name, MaxEntityLength) ?? (ReservedEntities.Contains(name!) ? Texts.Of("NameReserved", name) : null);

    /// <summary>Why a field cannot have this name, or null when it can.</summary>
    public static string? FieldProblem(string? name) =>
        Problem(name, MaxFieldLength) ?? (ReservedFields.Contains(name!) ? Texts.Of("NameOfSystemField", name) : null);

    /// <summary>A label made from a name: <c>close_date</c> gives <c>Close date</c>.</summary>
    public static string ToLabel(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        var words = name.StartsWith(CustomPrefix, StringComparison.Ordinal) ? name[CustomPrefix.Length..] : name;
        words = words.Replace('_', ' ');
        return words.Length == 0 ? name : char.ToUpperInvariant(words[0]) + words[1..];
    }

    /// <summary>An English plural of a name, for sets: <c>company</c> gives <c>companies</c>.</summary>
    public static string ToPlural(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (name.EndsWith('y') && name.Length > 1 && !"aeiou".Contains(name[^2], StringComparison.Ordinal))
        {
            return name[..^1] + "ies";
        }

        string[] sibilants = ["s", "x", "z", "ch", "sh"];
        return sibilants.Any(s => name.EndsWith(s, StringComparison.Ordinal)) ? name + "es" : name + "s";
    }

    /// <summary>A name made from what a user typed as a label: <c>Größe (m²)</c> gives <c>grosse_m</c>; empty when no letter is left.</summary>
    public static string FromLabel(string label)
    {
        ArgumentNullException.ThrowIfNull(label);
        var plain = label.Replace("ß", "ss", StringComparison.Ordinal).Normalize(System.Text.NormalizationForm.FormD);
        var letters = plain
            .Where(c => System.Globalization.CharUnicodeInfo.GetUnicodeCategory(c) != System.Globalization.UnicodeCategory.NonSpacingMark)
            .Select(c => char.IsAsciiLetterOrDigit(c) ? char.ToLowerInvariant(c) : '_')
            .ToImmutableArray();
        var name = string.Join('_', new string([.. letters]).Split('_', StringSplitOptions.RemoveEmptyEntries));
        return name.TrimStart('0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '_');
    }
}
