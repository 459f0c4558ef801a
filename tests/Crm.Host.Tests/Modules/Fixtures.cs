using Crm.Host.Modules;

namespace Crm.Host.Tests.Modules;

/// <summary>The modules below <c>tests/fixtures</c>, as built.</summary>
internal static class Fixtures
{
    public static string Directory { get; } = Find();

    /// <summary>The versions of the module that is built in several: <c>1/upgrade</c> and so on.</summary>
    public static string Versions { get; } = Path.Combine(Path.GetDirectoryName(Directory)!, "test-versions");

    public static ModuleFolder Folder(string id) => new(id, Path.Combine(Directory, id), "");

    /// <summary>A new folder with copies of some of them, for a test that changes files or starts a host with these only.</summary>
    public static DirectoryInfo Copy(params ReadOnlySpan<string> ids)
    {
        var copy = System.IO.Directory.CreateTempSubdirectory("crm-test-modules-");
        foreach (var id in ids)
        {
            var target = copy.CreateSubdirectory(id);
            foreach (var file in new DirectoryInfo(Path.Combine(Directory, id)).EnumerateFiles())
            {
                file.CopyTo(Path.Combine(target.FullName, file.Name));
            }
        }

        return copy;
    }

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var built = Path.Combine(folder.FullName, "test-modules");
            if (System.IO.Directory.Exists(built))
            {
                return built;
            }
        }

        throw new InvalidOperationException("The fixture modules were not built: artifacts/test-modules is missing.");
    }
}
