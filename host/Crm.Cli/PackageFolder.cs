using System.IO.Compression;
using System.Text;

namespace Crm.Cli;

/// <summary>A package as a folder (for git) or a zip, whichever the path names.</summary>
internal static class PackageFolder
{
    private const string Manifest = "crm.yaml";

    /// <summary>The zip of a package.</summary>
    public static byte[] Read(string path)
    {
        try
        {
            return Directory.Exists(path) ? Pack(path) : File.ReadAllBytes(path);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new CliException(problem.Message);
        }
    }

    /// <summary>Writes a package; files of an earlier one that it does not have any more are taken away.</summary>
    /// <returns>How many files were written or taken away: none when all is as it was.</returns>
    public static int Write(string path, byte[] zip)
    {
        try
        {
            if (path.EndsWith(".zip", StringComparison.OrdinalIgnoreCase))
            {
                if (File.Exists(path) && File.ReadAllBytes(path).AsSpan().SequenceEqual(zip))
                {
                    return 0;
                }

                File.WriteAllBytes(path, zip);
                return 1;
            }

            return Unpack(path, zip);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new CliException(problem.Message);
        }
    }

    private static byte[] Pack(string folder)
    {
        if (!File.Exists(Path.Combine(folder, Manifest)))
        {
            throw new CliException(Texts.Of("NoPackage", folder, Manifest));
        }

        using var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var file in Files(folder))
            {
                using var content = zip.CreateEntry(Name(folder, file)).Open();
                content.Write(File.ReadAllBytes(file));
            }
        }

        return stream.ToArray();
    }

    private static int Unpack(string folder, byte[] bytes)
    {
        // A folder with other things in it is not ours to tidy up.
        if (Directory.Exists(folder) && !File.Exists(Path.Combine(folder, Manifest)) && Files(folder).Any())
        {
            throw new CliException(Texts.Of("NotEmpty", folder, Manifest));
        }

        Directory.CreateDirectory(folder);
        using var zip = new ZipArchive(new MemoryStream(bytes));
        var changed = 0;
        foreach (var entry in zip.Entries)
        {
            var target = Path.GetFullPath(Path.Combine(folder, entry.FullName));
            if (!target.StartsWith(Path.GetFullPath(folder) + Path.DirectorySeparatorChar, StringComparison.Ordinal))
            {
                throw new CliException(Texts.Of("StrangePath", entry.FullName));
            }

            using var content = new StreamReader(entry.Open(), Encoding.UTF8);
            var text = content.ReadToEnd();
            if (!File.Exists(target) || File.ReadAllText(target) != text)
            {
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                File.WriteAllText(target, text);
                changed++;
            }
        }

        var names = zip.Entries.Select(e => e.FullName).ToHashSet(StringComparer.Ordinal);
        foreach (var gone in Files(folder).Where(f => !names.Contains(Name(folder, f))).ToList())
        {
            File.Delete(gone);
            changed++;
        }

        return changed;
    }

    /// <summary>Files of the package; what git and people keep beside it (.git, README.md) is left alone.</summary>
    private static IEnumerable<string> Files(string folder) => Directory
        .EnumerateFiles(folder, "*", SearchOption.AllDirectories)
        .Where(f => !Name(folder, f).Split('/').Any(s => s.StartsWith('.')) && !f.EndsWith(".md", StringComparison.OrdinalIgnoreCase))
        .Order(StringComparer.Ordinal);

    private static string Name(string folder, string file) => Path.GetRelativePath(folder, file).Replace(Path.DirectorySeparatorChar, '/');
}
