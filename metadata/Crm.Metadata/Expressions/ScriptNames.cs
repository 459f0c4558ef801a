using System.Text.RegularExpressions;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>
/// Where a script names a field: <c>record.amount</c>, <c>before['amount']</c>, <c>refuse('amount', …)</c>, <c>changed.includes('amount')</c>. By its text, because who uses
/// a field has to be known without running anything; a name that a script puts together itself is not found.
/// </summary>
internal static class ScriptNames
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);

    /// <summary>Names a field has in scripts: its own and those of its columns.</summary>
    public static IEnumerable<string> Of(FieldDefinition field) => field.Type.Columns.Select(c => field.Name + c.Suffix).Append(field.Name).Distinct(StringComparer.Ordinal);

    /// <summary>Whether a rule's script names a field or the rule is about it.</summary>
    public static bool Uses(RuleDefinition rule, FieldDefinition field) =>
        rule.Script is { } script && (rule.Fields.Contains(field.Name) || Of(field).Any(n => Regex.IsMatch(script.Text, Pattern(n), RegexOptions.CultureInvariant, Limit)));

    /// <summary>A script that calls a field by its new name.</summary>
    public static string Renamed(string script, FieldDefinition field, string to) => Of(field).Aggregate(
        script, (text, name) => Regex.Replace(text, Pattern(name), to + name[field.Name.Length..], RegexOptions.CultureInvariant, Limit));

    /// <summary>Whether a script names an entity: as a text of its own, or as the beginning of a reference.</summary>
    public static bool NamesEntity(string script, string entity) =>
        Regex.IsMatch(script, $$"""(?<=['"`]){{entity}}(?=['"`:])""", RegexOptions.CultureInvariant, Limit);

    // Names are letters, digits and underscores.
    private static string Pattern(string name) =>
        $$"""(?<=\b(?:record|before)\.){{name}}\b|(?<=\b(?:(?:record|before)\[|refuse\(|changed\.(?:includes|indexOf)\()\s*['"]){{name}}(?=['"])""";
}
