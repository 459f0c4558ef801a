using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Records.Importing;

/// <summary>Makes names of columns of what stands in the first row.</summary>
internal static class ImportHeaders
{
    /// <summary>The names, one for each column.</summary>
    /// <exception cref="ImportFileException">There are none, too many, or two that are the same.</exception>
    public static ImmutableArray<string> Of(IEnumerable<string> row, string line)
    {
        var names = row.Select(n => n.Trim()).ToList();
        // A spreadsheet that once had more columns leaves empty ones at the end.
        while (names.Count > 0 && names[^1].Length == 0)
        {
            names.RemoveAt(names.Count - 1);
        }

        if (names.Count == 0)
        {
            throw new ImportFileException(ImportCodes.Format, Texts.Of("NoHeader"), "file");
        }

        if (names.Count > CsvTable.MaxColumns)
        {
            throw new ImportFileException(ImportCodes.Format, Texts.Of("TooManyColumns", names.Count, CsvTable.MaxColumns), line);
        }

        for (var i = 0; i < names.Count; i++)
        {
            names[i] = names[i].Length == 0 ? Texts.Of("ColumnNumber", i + 1) : names[i];
        }

        var twice = names.GroupBy(n => n, StringComparer.OrdinalIgnoreCase).Where(g => g.Skip(1).Any()).Select(g => g.Key).ToList();
        return twice.Count == 0
            ? [.. names]
            : throw new ImportFileException(ImportCodes.Format, Texts.Of("DuplicateHeader", string.Join(", ", twice)), twice[0])
            {
                Details = [.. twice.Select(name => new ValidationError(name, ImportCodes.Format, Texts.Of("DuplicateHeader", name)))],
            };
    }
}
