namespace Crm.Host.Exporting;

/// <summary>
/// Writes a table as a file, row by row; what is written is held until <see cref="FlushAsync"/>. A value is null, a text, a <c>long</c>, a <c>decimal</c>, a date, a time,
/// an instant or a length of time.
/// </summary>
internal interface ISheet : IAsyncDisposable
{
    /// <summary>What browsers are told.</summary>
    string ContentType { get; }

    /// <summary>Begins the file.</summary>
    Task BeginAsync(IReadOnlyList<string> headings, CancellationToken ct);

    /// <summary>Adds a row.</summary>
    ValueTask RowAsync(object?[] cells, CancellationToken ct);

    /// <summary>Sends what was written.</summary>
    Task FlushAsync(CancellationToken ct);

    /// <summary>Ends the file. One that breaks off is not ended, so that nobody takes it for whole.</summary>
    Task EndAsync(CancellationToken ct);
}
