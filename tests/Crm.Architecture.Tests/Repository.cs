using System.Runtime.CompilerServices;

namespace Crm.Architecture.Tests;

/// <summary>The files of the repository as they lie on disk, without what a build makes.</summary>
internal static class Repository
{
    private static readonly string[] Made = [".git", "artifacts", "data", "node_modules", "bin", "obj"];

    public static string Root { get; } = FindRoot();

    /// <summary>All files with one of the extensions, relative to the root and with forward slashes.</summary>
    public static IEnumerable<SourceFile> Files(params string[] extensions) =>
        Walk(new DirectoryInfo(Root))
            .Where(file => extensions.Length == 0 || extensions.Contains(file.Extension))
            .Select(file => new SourceFile(Path.GetRelativePath(Root, file.FullName).Replace('\\', '/'), File.ReadAllText(file.FullName)));

    private static IEnumerable<FileInfo> Walk(DirectoryInfo directory) =>
        directory.EnumerateFiles().Concat(directory.EnumerateDirectories().Where(d => !Made.Contains(d.Name)).SelectMany(Walk));

    private static string FindRoot([CallerFilePath] string thisFile = "")
    {
        var directory = new DirectoryInfo(Path.GetDirectoryName(thisFile)!);
        while (!File.Exists(Path.Combine(directory.FullName, "Crm.sln")))
        {
            directory = directory.Parent ?? throw new InvalidOperationException("Crm.sln was not found above " + thisFile);
        }

        return directory.FullName;
    }
}

/// <summary>One file.</summary>
/// <param name="Path">Relative to the root, with forward slashes.</param>
/// <param name="Text">Its content.</param>
internal sealed record SourceFile(string Path, string Text);
