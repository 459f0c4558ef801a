using System.Text;

namespace Crm.Records.Importing;

/// <summary>Encodings a file may be read in.</summary>
public static class TextEncodings
{
    // Windows-1252 has five bytes without a character; .NET makes control characters of them, which nobody means.
    private static readonly HashSet<string> Unicode = new(StringComparer.OrdinalIgnoreCase) { "utf-8", "utf-16", "utf-16be", "utf-16le", "utf-32" };

    /// <summary>What the wizard offers.</summary>
    public static IReadOnlyList<string> Offered { get; } =
        ["utf-8", "windows-1252", "windows-1251", "koi8-r", "windows-1250", "windows-1253", "windows-1254", "iso-8859-1", "iso-8859-2", "iso-8859-15", "utf-16", "utf-16be", "shift_jis", "gb18030"];

    /// <summary>The encoding of this name; bytes it cannot read throw.</summary>
    /// <exception cref="ImportFileException">There is no such encoding.</exception>
    public static Encoding Get(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        try
        {
            return Unicode.Contains(name)
                ? Encoding.GetEncoding(name, EncoderFallback.ExceptionFallback, DecoderFallback.ExceptionFallback)
                : CodePagesEncodingProvider.Instance.GetEncoding(name, EncoderFallback.ExceptionFallback, DecoderFallback.ExceptionFallback)
                    ?? Encoding.GetEncoding(name, EncoderFallback.ExceptionFallback, DecoderFallback.ExceptionFallback);
        }
        catch (ArgumentException)
        {
            throw new ImportFileException(ImportCodes.Encoding, Texts.Of("UnknownEncoding", name, string.Join(", ", Offered)), "encoding");
        }
    }
}
