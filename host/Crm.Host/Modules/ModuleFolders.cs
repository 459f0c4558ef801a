using System.Collections.Immutable;

namespace Crm.Host.Modules;

/// <summary>The folder a module is loaded from.</summary>
/// <param name="Id">Its name, which is the module's id.</param>
/// <param name="Path">Where it lies.</param>
/// <param name="Fingerprint">Changes when a file of the folder does.</param>
internal sealed record ModuleFolder(string Id, string Path, string Fingerprint);

/// <summary>Finds modules: one folder each, below the shipped and the uploaded ones. An uploaded module replaces the shipped one of the same id.</summary>
internal sealed class ModuleFolders(string shipped, string uploaded)
{
    public string Uploaded => uploaded;

    public ImmutableArray<ModuleFolder> List()
    {
        var folders = new SortedDictionary<string, ModuleFolder>(StringComparer.Ordinal);
        foreach (var root in new[] { shipped, uploaded })
        {
            foreach (var directory in Directory.Exists(root) ? Directory.EnumerateDirectories(root) : [])
            {
                var id = Path.GetFileName(directory);
                // A folder that is being unpacked starts with a dot; one without assemblies is what a clean build leaves behind.
                if (!id.StartsWith('.') && Directory.EnumerateFiles(directory, "*.dll").Any())
                {
                    folders[id] = new ModuleFolder(id, directory, Fingerprint(directory));
                }
            }
        }

        return [.. folders.Values];
    }

    private static string Fingerprint(string directory)
    {
        var files = new DirectoryInfo(directory).EnumerateFiles("*", SearchOption.AllDirectories)
            .OrderBy(f => f.FullName, StringComparer.Ordinal)
            .Select(f => FormattableString.Invariant($"{f.Name}:{f.Length}:{f.LastWriteTimeUtc.Ticks}"));
        return directory + "|" + string.Join('|', files);
    }
}
