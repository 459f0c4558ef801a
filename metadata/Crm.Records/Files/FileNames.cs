using System.Text;
using Crm.Sdk;

namespace Crm.Records.Files;

/// <summary>What clients say about files, made harmless.</summary>
internal static class FileNames
{
    private const int MaxName = 255;

    private const string Unknown = "application/octet-stream";

    /// <summary>The name without its path and without what cannot stand in a name.</summary>
    public static string Plain(string name)
    {
        var last = name[(name.LastIndexOfAny(['/', '\\']) + 1)..];
        var plain = new StringBuilder();
        foreach (var rune in last.EnumerateRunes())
        {
            // Half a character becomes U+FFFD here; what turns the direction of writing hides a file's real ending.
            if (!Rune.IsControl(rune) && Rune.GetUnicodeCategory(rune) != System.Globalization.UnicodeCategory.Format && plain.Length + rune.Utf16SequenceLength <= MaxName)
            {
                plain.Append(rune.ToString());
            }
        }

        return plain.ToString().Trim() is { Length: > 0 } text and not ("." or "..") ? text : "file";
    }

    /// <summary>The media type: of images what the content says, of everything else what was declared. Nothing may call itself an image that is none.</summary>
    public static string TypeOf(string? declared, ReadOnlySpan<byte> content)
    {
        if (ImageType(content) is { } image)
        {
            return image;
        }

        var type = declared?.Split(';')[0].Trim().ToLowerInvariant() ?? "";
        var isType = type.Length is > 2 and <= 100 && type.Count(c => c == '/') == 1 && type[0] != '/' && type[^1] != '/' && type.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '.' or '-' or '+');
        return isType && !FileType.Images.Contains(type) ? type : Unknown;
    }

    private static string? ImageType(ReadOnlySpan<byte> content)
    {
        if (content is [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, ..])
        {
            return "image/png";
        }

        if (content is [0xFF, 0xD8, 0xFF, ..])
        {
            return "image/jpeg";
        }

        if (content.StartsWith("GIF87a"u8) || content.StartsWith("GIF89a"u8))
        {
            return "image/gif";
        }

        return content.Length > 12 && content.StartsWith("RIFF"u8) && content[8..].StartsWith("WEBP"u8) ? "image/webp" : null;
    }
}
