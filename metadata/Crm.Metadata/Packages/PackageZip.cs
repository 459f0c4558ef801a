using System.Collections.Immutable;
using System.IO.Compression;
using System.Text;

namespace Crm.Metadata;

/// <summary>Files of a package in a zip: the same files give the same bytes, and what a stranger packed is read within limits.</summary>
internal static class PackageZip
{
    /// <summary>Most files.</summary>
    public const int MaxFiles = 50_000;

    /// <summary>Largest file, in bytes.</summary>
    public const int MaxFileBytes = 1024 * 1024;

    /// <summary>All files together, in bytes.</summary>
    public const long MaxBytes = 64L * 1024 * 1024;

    // Text is seldom packed smaller than to a twentieth; a bomb lives on a thousandth.
    private const int MaxRatio = 200;
    private const int RatioCounts = 64 * 1024;
    private const int FileKind = 0xF000;
    private const int RegularFile = 0x8000;
    private const int DirectoryKind = 0x4000;

    // The first instant a zip can hold: when something was exported is not part of what was exported.
    private static readonly DateTimeOffset Time = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static byte[] Write(IEnumerable<PackageFile> files)
    {
        using var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var file in files.OrderBy(f => f.Path, StringComparer.Ordinal))
            {
                var entry = zip.CreateEntry(file.Path, CompressionLevel.Optimal);
                entry.LastWriteTime = Time;
                using var content = entry.Open();
                content.Write(Strict.GetBytes(file.Text));
            }
        }

        return stream.ToArray();
    }

    /// <exception cref="PackageException">It is no zip, or one that cannot be trusted.</exception>
    public static ImmutableArray<PackageFile> Read(Stream stream)
    {
        try
        {
            using var zip = new ZipArchive(stream, ZipArchiveMode.Read);
            return Read(zip);
        }
        catch (Exception problem) when (problem is InvalidDataException or IOException or NotSupportedException or ArgumentException)
        {
            throw new PackageException(null, 0, MetadataTexts.Of("PackageNoZip"));
        }
    }

    private static ImmutableArray<PackageFile> Read(ZipArchive zip)
    {
        if (zip.Entries.Count > MaxFiles)
        {
            throw new PackageException(null, 0, MetadataTexts.Of("PackageFiles", MaxFiles));
        }

        var files = ImmutableArray.CreateBuilder<PackageFile>();
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var total = 0L;
        foreach (var entry in zip.Entries)
        {
            if (CheckPath(entry))
            {
                continue;
            }

            if (!seen.Add(entry.FullName))
            {
                throw new PackageException(entry.FullName, 0, MetadataTexts.Of("PackageFileTwice"));
            }

            var bytes = Content(entry);
            total += bytes.Length;
            if (total > MaxBytes)
            {
                throw new PackageException(null, 0, MetadataTexts.Of("PackageBytes", MaxBytes / 1024 / 1024));
            }

            files.Add(new PackageFile(entry.FullName, Text(entry.FullName, bytes)));
        }

        return files.ToImmutable();
    }

    /// <summary>Whether the entry is a folder and holds nothing.</summary>
    private static bool CheckPath(ZipArchiveEntry entry)
    {
        var path = entry.FullName;
        var shown = new string([.. path.Take(200).Select(c => char.IsControl(c) ? '?' : c)]);
        if (path.Length == 0 || path[0] is '/' or '\\' || path.Contains(':', StringComparison.Ordinal) || path.Split('/', '\\').Contains(".."))
        {
            throw new PackageException(shown, 0, MetadataTexts.Of("PackagePath"));
        }

        var kind = (entry.ExternalAttributes >> 16) & FileKind;
        if (kind is not (0 or RegularFile or DirectoryKind))
        {
            throw new PackageException(shown, 0, MetadataTexts.Of("PackageLink"));
        }

        if (entry.IsEncrypted)
        {
            throw new PackageException(shown, 0, MetadataTexts.Of("PackageEncrypted"));
        }

        if (path.EndsWith('/') && entry.Length == 0)
        {
            return true;
        }

        return PackageLayout.IsKnown(path) ? false : throw new PackageException(shown, 0, MetadataTexts.Of("PackageUnknown"));
    }

    private static byte[] Content(ZipArchiveEntry entry)
    {
        // What the directory says about sizes is the packer's word; what counts is what comes out.
        using var content = entry.Open();
        var buffer = new byte[MaxFileBytes + 1];
        var length = content.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        if (length > MaxFileBytes)
        {
            throw new PackageException(entry.FullName, 0, MetadataTexts.Of("PackageFileBytes", MaxFileBytes / 1024));
        }

        return length > RatioCounts && length > MaxRatio * Math.Max(1, entry.CompressedLength)
            ? throw new PackageException(entry.FullName, 0, MetadataTexts.Of("PackageRatio"))
            : buffer[..length];
    }

    private static string Text(string path, byte[] bytes)
    {
        try
        {
            var text = Strict.GetString(bytes);
            return text.StartsWith('\uFEFF') ? text[1..] : text;
        }
        catch (DecoderFallbackException)
        {
            throw new PackageException(path, 0, MetadataTexts.Of("PackageUtf8"));
        }
    }
}
