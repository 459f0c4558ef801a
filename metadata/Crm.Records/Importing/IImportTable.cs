using System.Collections.Immutable;

namespace Crm.Records.Importing;

/// <summary>A file of rows under a header, read row by row.</summary>
public interface IImportTable : IAsyncDisposable
{
    /// <summary>Names of the columns, in order.</summary>
    ImmutableArray<string> Headers { get; }

    /// <summary>Reads the next row; null at the end.</summary>
    /// <exception cref="ImportFileException">The file cannot be read on.</exception>
    ValueTask<ImportRow?> ReadAsync(CancellationToken ct = default);
}
