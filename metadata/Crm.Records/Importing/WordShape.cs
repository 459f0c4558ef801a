using System.Globalization;
using System.Text;

namespace Crm.Records.Importing;

/// <summary>Judges how natural words look when their bytes are read in an encoding.</summary>
internal static class WordShape
{
    // The ten commonest letters of Russian make up about two thirds of any text; what another Cyrillic encoding makes of it does not.
    private const string CommonCyrillic = "оеаинтсрвл";

    // Letters of Windows-1252 that Western languages write; the others there are rare enough to speak against it.
    private const string WesternLetters = "äöüßéèêëàâçñóíáúôûîïæøåãõìòùýœÿ";

    // Signs that stand alone in Western texts.
    private const string WesternSigns = "€£§©®°«»¿¡–—‘’“”„…•·²³½¼¾´¨ºªµ¶±×÷¢¥¬\u00A0\u00AD™‰‹›";

    /// <summary>From -1 (no word can be read) to 1 (every word looks natural).</summary>
    public static double Score(Encoding encoding, IReadOnlyCollection<byte[]> words)
    {
        if (words.Count == 0)
        {
            return 0;
        }

        var sum = 0.0;
        var common = 0;
        var cyrillic = 0;
        foreach (var bytes in words)
        {
            var word = encoding.GetString(bytes);
            sum += Shape(word);
            foreach (var letter in word)
            {
                var lower = char.ToLowerInvariant(letter);
                if (IsCyrillic(lower))
                {
                    cyrillic++;
                    common += CommonCyrillic.Contains(lower, StringComparison.Ordinal) ? 1 : 0;
                }
            }
        }

        var score = sum / words.Count;
        // Text in capitals has the same shape in both Cyrillic encodings; its letters tell them apart.
        return cyrillic >= 12 && (double)common / cyrillic < 0.4 ? score - 0.6 : score;
    }

    private static double Shape(string word)
    {
        var trimmed = word.Trim([.. WesternSigns]);
        if (trimmed.Length == 0)
        {
            // A lone sign: it speaks for Windows-1252, but does not prove it.
            return 0.5;
        }

        var hasLatin = false;
        var hasCyrillic = false;
        var foreign = 0;
        var foreignRun = 0;
        var longestRun = 0;
        foreach (var letter in trimmed)
        {
            if (!char.IsLetter(letter))
            {
                // An apostrophe joins French and Ukrainian words; any other sign inside a word is what a wrong encoding makes.
                if (letter is '’' or '‘' or '\u00AD' or '-')
                {
                    continue;
                }

                return -1;
            }

            if (IsCyrillic(letter))
            {
                hasCyrillic = true;
                continue;
            }

            hasLatin = true;
            if (char.IsAscii(letter))
            {
                foreignRun = 0;
                continue;
            }

            if (!WesternLetters.Contains(char.ToLowerInvariant(letter), StringComparison.Ordinal))
            {
                return -1;
            }

            foreign++;
            longestRun = Math.Max(longestRun, ++foreignRun);
        }

        if (hasLatin && hasCyrillic)
        {
            return -1;
        }

        if (!IsCaseNatural(trimmed))
        {
            return -1;
        }

        // Western words have one or two accents among plain letters; three in a row are a word of another alphabet.
        return hasCyrillic ? 1 : longestRun >= 3 || (foreign > 2 && foreign * 2 > trimmed.Length) ? -1 : foreign == trimmed.Length ? 0.5 : 1;
    }

    /// <summary>All small, all capital, or one capital first (and again after a sign).</summary>
    private static bool IsCaseNatural(string word)
    {
        var capitals = 0;
        var letters = 0;
        var breaks = 0;
        var before = '\0';
        foreach (var letter in word)
        {
            if (char.IsLetter(letter))
            {
                letters++;
                var isUpper = CharUnicodeInfo.GetUnicodeCategory(letter) == UnicodeCategory.UppercaseLetter;
                capitals += isUpper ? 1 : 0;
                breaks += isUpper && char.IsLower(before) ? 1 : 0;
            }

            before = letter;
        }

        return capitals == letters || breaks == 0 && (capitals == 0 || (capitals == 1 && char.IsUpper(word[0])) || letters <= 3 || capitals * 2 > letters);
    }

    private static bool IsCyrillic(char letter) => letter is >= '\u0400' and <= '\u04FF';
}
