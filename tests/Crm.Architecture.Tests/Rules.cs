using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Crm.Architecture.Tests;

/// <summary>A rule looks at one file and names what breaks it.</summary>
internal static partial class Rules
{
    /// <summary>Modules reference the sdk only.</summary>
    public static IEnumerable<string> ModulesPointAtTheSdk(SourceFile project) =>
        project.Path.StartsWith("modules/", StringComparison.Ordinal) || project.Path.StartsWith("tests/fixtures/", StringComparison.Ordinal)
            ? References(project).Where(r => !r.StartsWith("sdk/", StringComparison.Ordinal))
            : [];

    /// <summary>The sdk references nothing but itself, except its test harness, which starts the whole product.</summary>
    public static IEnumerable<string> TheSdkStandsAlone(SourceFile project) =>
        project.Path.StartsWith("sdk/", StringComparison.Ordinal) && !project.Path.Contains("Crm.Sdk.Testing", StringComparison.Ordinal)
            ? References(project).Where(r => !r.StartsWith("sdk/", StringComparison.Ordinal))
            : [];

    /// <summary>The engine references the sdk and itself.</summary>
    public static IEnumerable<string> TheEngineKnowsOnlyTheSdk(SourceFile project) =>
        project.Path.StartsWith("metadata/", StringComparison.Ordinal)
            ? References(project).Where(r => !r.StartsWith("sdk/Crm.Sdk/", StringComparison.Ordinal) && !r.StartsWith("metadata/", StringComparison.Ordinal))
            : [];

    /// <summary>Modules are loaded at run time: nothing references them.</summary>
    public static IEnumerable<string> NothingReferencesAModule(SourceFile project) =>
        References(project).Where(r => r.StartsWith("modules/", StringComparison.Ordinal));

    /// <summary>Only the engine and the embedded server speak to PostgreSQL.</summary>
    public static IEnumerable<string> OnlyTheEngineKnowsNpgsql(SourceFile file) =>
        file.Path.StartsWith("metadata/", StringComparison.Ordinal) || file.Path.StartsWith("host/Crm.Host/Embedded/", StringComparison.Ordinal)
        || file.Path.StartsWith("tests/", StringComparison.Ordinal) || file.Path.StartsWith("sdk/Crm.Sdk.Testing/", StringComparison.Ordinal)
            ? []
            : Lines(file, UsesNpgsql());

    /// <summary>Only Crm.Rules knows the script engine.</summary>
    public static IEnumerable<string> OnlyTheRulesKnowTheScriptEngine(SourceFile file) =>
        file.Path.StartsWith("metadata/Crm.Rules", StringComparison.Ordinal) || file.Path.StartsWith("tests/", StringComparison.Ordinal) ? [] : Lines(file, UsesJint());

    /// <summary>Markup made from text is how scripts get into pages.</summary>
    public static IEnumerable<string> NoRawMarkup(SourceFile file) =>
        file.Path.StartsWith("tests/", StringComparison.Ordinal) ? [] : Lines(file, RawMarkup());

    /// <summary>Nothing half done, hidden or folded away.</summary>
    public static IEnumerable<string> NothingUnfinished(SourceFile file) =>
        file.Path.StartsWith("tests/Crm.Architecture.Tests/", StringComparison.Ordinal) ? [] : Lines(file, Unfinished());

    /// <summary>A file one can read.</summary>
    public static IEnumerable<string> FilesAreShort(SourceFile file)
    {
        var lines = file.Text.AsSpan().Count('\n');
        return lines > 400 ? [$"{lines} lines"] : [];
    }

    /// <summary>The machine's own set-up decides where packages come from.</summary>
    public static IEnumerable<string> NoPackageSourceIsNamed(SourceFile file) =>
        file.Path.StartsWith("tests/Crm.Architecture.Tests/", StringComparison.Ordinal) ? [] : Lines(file, PackageSource());

    private static IEnumerable<string> References(SourceFile project)
    {
        var folder = Path.GetDirectoryName(project.Path)!;
        return XDocument.Parse(project.Text).Descendants("ProjectReference")
            // Without Include it only changes a reference named elsewhere.
            .Select(reference => reference.Attribute("Include")?.Value.Replace('\\', '/'))
            .OfType<string>()
            .Select(include => include.StartsWith("$(", StringComparison.Ordinal)
                ? include[(include.IndexOf(')', StringComparison.Ordinal) + 1)..].Replace("../", "", StringComparison.Ordinal)
                : Path.GetRelativePath(Repository.Root, Path.GetFullPath(Path.Combine(Repository.Root, folder, include))).Replace('\\', '/'));
    }

    private static IEnumerable<string> Lines(SourceFile file, Regex pattern) =>
        file.Text.Split('\n').Select((line, index) => (line, index)).Where(l => pattern.IsMatch(l.line)).Select(l => $"line {l.index + 1}: {l.line.Trim()}");

    [GeneratedRegex(@"\bNpgsql\b", RegexOptions.None, 1000)]
    private static partial Regex UsesNpgsql();

    [GeneratedRegex(@"\bJint\b", RegexOptions.None, 1000)]
    private static partial Regex UsesJint();

    [GeneratedRegex(@"\bMarkupString\b|AddMarkupContent|AllowHtml=""true""", RegexOptions.None, 1000)]
    private static partial Regex RawMarkup();

    [GeneratedRegex(@"NotImplementedException|\bTODO\b|\bFIXME\b|\bHACK\b|^\s*#region|#pragma warning disable|\bSkip\s*=\s*""", RegexOptions.None, 1000)]
    private static partial Regex Unfinished();

    [GeneratedRegex(@"api\.nuget\.org|nuget\.org/v3|registry\.npmjs\.org|npmjs\.com|deb\.debian\.org|<packageSources>", RegexOptions.None, 1000)]
    private static partial Regex PackageSource();
}
