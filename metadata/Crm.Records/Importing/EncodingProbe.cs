using System.Collections.Immutable;
using System.Text;

namespace Crm.Records.Importing;

/// <summary>An encoding a file may be written in.</summary>
/// <param name="Name">As the parameter <c>encoding</c> takes it.</param>
/// <param name="Sample">The first words of the file that are not plain ASCII, as they read in this encoding.</param>
public sealed record EncodingCandidate(string Name, string Sample);

/// <summary>What a file says about its encoding.</summary>
/// <param name="Name">The encoding; null when it is unclear.</param>
/// <param name="Candidates">When it is unclear: what it may be, the likeliest first.</param>
/// <param name="IsCertain">Whether the bytes prove it (a byte order mark, valid UTF-8) or it was only the best fit.</param>
public sealed record EncodingVerdict(string? Name, ImmutableArray<EncodingCandidate> Candidates, bool IsCertain);

/// <summary>
/// Watches the bytes of a file go by and says how they are encoded. A byte order mark or valid UTF-8 proves it; otherwise the words that
/// are not plain ASCII are read in each candidate and judged by their shape: a word of two alphabets, or with a small letter before a
/// capital one, is what a wrong encoding makes.
/// </summary>
public sealed class EncodingProbe
{
    private const int MaxWords = 4000;
    private const int MaxWordBytes = 60;

    private static readonly string[] CandidateNames = ["windows-1252", "windows-1251", "koi8-r"];

    private readonly byte[] head = new byte[4];
    private readonly Utf8Check utf8 = new();
    private readonly List<byte[]> words = [];
    private readonly HashSet<string> seen = new(StringComparer.Ordinal);
    private readonly byte[] word = new byte[MaxWordBytes];
    private int headLength;
    private int wordLength;
    private bool wordHasHighByte;
    private bool wordIsTooLong;
    private byte lastByte;

    /// <summary>Bytes seen.</summary>
    public long Length { get; private set; }

    /// <summary>Whether the file is an archive, as workbooks are.</summary>
    public bool IsWorkbook => head.AsSpan(0, headLength).SequenceEqual("PK\u0003\u0004"u8);

    /// <summary>Line of the first zero byte, counted from 1; null when there is none.</summary>
    public long? ZeroByteLine { get; private set; }

    /// <summary>Lines begun.</summary>
    private long Line { get; set; } = 1;

    /// <summary>Takes the next bytes of the file.</summary>
    public void Add(ReadOnlySpan<byte> bytes)
    {
        for (var i = 0; i < bytes.Length && headLength < head.Length; i++)
        {
            head[headLength++] = bytes[i];
        }

        utf8.Add(bytes);
        foreach (var b in bytes)
        {
            if (b == '\n' || (lastByte == '\r' && b != '\n'))
            {
                Line++;
            }

            if (b == 0)
            {
                ZeroByteLine ??= Line;
            }

            lastByte = b;
            AddToWord(b);
        }

        Length += bytes.Length;
    }

    /// <summary>The verdict over all bytes taken.</summary>
    public EncodingVerdict Conclude()
    {
        EndWord();
        if (ByteOrderMark() is { } marked)
        {
            return new EncodingVerdict(marked, [], IsCertain: true);
        }

        if (utf8.IsValidSoFar && utf8.IsComplete)
        {
            return new EncodingVerdict("utf-8", [], IsCertain: true);
        }

        var scores = CandidateNames
            .Select(name => (Name: name, Score: WordShape.Score(TextEncodings.Get(name), words)))
            .OrderByDescending(s => s.Score)
            .ToList();
        var (best, second) = (scores[0], scores[1]);
        // Few words prove little: then the distance must be total.
        var isClear = best.Score >= 0.9 && second.Score <= (words.Count >= 3 ? best.Score - 0.3 : 0);
        return isClear
            ? new EncodingVerdict(best.Name, [], IsCertain: false)
            : new EncodingVerdict(null, [.. scores.Select(s => new EncodingCandidate(s.Name, Sample(s.Name)))], IsCertain: false);
    }

    private string? ByteOrderMark() => head.AsSpan(0, headLength) switch
    {
        [0xEF, 0xBB, 0xBF, ..] => utf8.IsValidSoFar ? "utf-8" : null,
        [0xFF, 0xFE, 0, 0] or [0, 0, 0xFE, 0xFF] => "utf-32",
        [0xFF, 0xFE, ..] => "utf-16",
        [0xFE, 0xFF, ..] => "utf-16be",
        _ => null,
    };

    private string Sample(string name)
    {
        var encoding = TextEncodings.Get(name);
        return string.Join(' ', words.Take(8).Select(w => new string([.. encoding.GetString(w).Where(c => !char.IsControl(c))])));
    }

    private void AddToWord(byte b)
    {
        var isWordByte = b >= 0x80 || char.IsAsciiLetter((char)b);
        if (!isWordByte)
        {
            EndWord();
            return;
        }

        wordHasHighByte |= b >= 0x80;
        if (wordLength == MaxWordBytes)
        {
            wordIsTooLong = true;
            return;
        }

        word[wordLength++] = b;
    }

    private void EndWord()
    {
        if (wordHasHighByte && !wordIsTooLong && words.Count < MaxWords)
        {
            var bytes = word.AsSpan(0, wordLength).ToArray();
            // A word that stands in every row must not outvote the others.
            if (seen.Add(Convert.ToHexString(bytes)))
            {
                words.Add(bytes);
            }
        }

        wordLength = 0;
        wordHasHighByte = false;
        wordIsTooLong = false;
    }

    /// <summary>Checks UTF-8 over pieces that may cut a character.</summary>
    private sealed class Utf8Check
    {
        private readonly Decoder decoder = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true).GetDecoder();
        private readonly char[] sink = new char[4096];

        public bool IsValidSoFar { get; private set; } = true;

        public bool IsComplete
        {
            get
            {
                try
                {
                    decoder.Convert([], sink, flush: true, out _, out _, out _);
                    return true;
                }
                catch (DecoderFallbackException)
                {
                    return false;
                }
            }
        }

        public void Add(ReadOnlySpan<byte> bytes)
        {
            try
            {
                while (IsValidSoFar && !bytes.IsEmpty)
                {
                    decoder.Convert(bytes, sink, flush: false, out var used, out _, out _);
                    bytes = bytes[used..];
                }
            }
            catch (DecoderFallbackException)
            {
                IsValidSoFar = false;
            }
        }
    }
}
