using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Records.Importing;

/// <summary>A file or a request that cannot be imported at all; the caller's mistake, found before anything is changed.</summary>
/// <param name="code">One of <see cref="ImportCodes"/>, or of the product's error codes.</param>
/// <param name="message">For the user; names the line where one is at fault.</param>
/// <param name="target">The line, column, field or parameter at fault.</param>
public sealed class ImportFileException(string code, string message, string? target = null) : Exception(message)
{
    /// <summary>Stable code.</summary>
    public string Code { get; } = code;

    /// <summary>The line, column, field or parameter at fault.</summary>
    public string? Target { get; } = target;

    /// <summary>With <see cref="ImportCodes.Encoding"/>: encodings the file may be written in, each with how it would read.</summary>
    public ImmutableArray<EncodingCandidate> Candidates { get; init; } = [];

    /// <summary>Every problem, when there are several.</summary>
    public ImmutableArray<ValidationError> Details { get; init; } = [];
}

/// <summary>Codes an import adds to the product's error codes.</summary>
public static class ImportCodes
{
    /// <summary>The encoding is unclear or does not fit; the caller must name it.</summary>
    public const string Encoding = "encoding";

    /// <summary>The file is not CSV that can be read.</summary>
    public const string Format = "format";

    /// <summary>The file is larger than allowed.</summary>
    public const string TooLarge = "too_large";

    /// <summary>The mapping names something that does not exist or cannot work.</summary>
    public const string Mapping = "mapping";

    /// <summary>Several records fit where one is meant.</summary>
    public const string Ambiguous = "ambiguous";

    /// <summary>A reference is empty in the row; the record is kept without it.</summary>
    public const string Empty = "empty";

    /// <summary>The row's record is there already.</summary>
    public const string Exists = "exists";

    /// <summary>An earlier row of the file has the same key.</summary>
    public const string Repeated = "repeated";

    /// <summary>A value nobody knows was left empty, as the mapping asks.</summary>
    public const string LeftEmpty = "left_empty";

    /// <summary>A record was made for a value nobody knew, as the mapping asks.</summary>
    public const string Created = "created";

    /// <summary>The row has fewer columns than the header.</summary>
    public const string ShortRow = "short_row";
}
