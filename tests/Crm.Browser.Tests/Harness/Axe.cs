namespace Crm.Browser.Tests.Harness;

/// <summary>The accessibility checker axe-core, which <c>./test</c> puts below <c>artifacts/axe</c>.</summary>
internal static class Axe
{
    /// <summary>Checks the page; gives one text per violation.</summary>
    public const string Run = """
        async () => {
            // What is in order is not needed in full: on a long list that takes longest.
            const result = await axe.run(document, { resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] });
            return result.violations.map(v => `${v.id} (${v.impact}): ${v.help} — ${v.nodes.slice(0, 3).map(n => n.html.slice(0, 160) + ' ' + (n.any[0]?.message ?? '')).join(' | ')}`);
        }
        """;

    public static async Task<string> ScriptAsync()
    {
        var file = Path.Combine(Repository.Root, "artifacts", "axe", "axe.min.js");
        return File.Exists(file)
            ? await File.ReadAllTextAsync(file)
            : throw new FileNotFoundException($"{file} is missing. ./test fetches it (package axe-core).");
    }
}

/// <summary>Where the repository is.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    private static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Crm.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new DirectoryNotFoundException("The tests do not run from the repository's build output.");
    }
}
