using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;

namespace Crm.Sdk;

/// <summary>A file whose content is in the database.</summary>
/// <param name="Id">Id of the content; a content never changes.</param>
/// <param name="Name">Name of the file, without a path.</param>
/// <param name="ContentType">Its media type, as it was found out or declared when it was uploaded.</param>
/// <param name="Size">Its size in bytes.</param>
public sealed record FileValue(Guid Id, string Name, string ContentType, long Size)
{
    /// <summary>The name.</summary>
    public override string ToString() => Name;
}

/// <summary>
/// A file, or an image that browsers can show. The content is uploaded first; the record then gets the answer of the upload as its value. The record
/// service refuses a value that is no upload. <see cref="FieldDefinition.Maximum"/> is the greatest size in megabytes, ten when the field gives none.
/// </summary>
/// <param name="name">Name of the type: <c>file</c> or <c>image</c>.</param>
public sealed class FileType(string name) : FieldType
{
    /// <summary>Greatest size of any file, in bytes.</summary>
    public const long MaxBytes = 50 * Megabyte;

    private const long Megabyte = 1024 * 1024;

    private const int DefaultMegabytes = 10;

    private static readonly ImmutableArray<FieldColumn> Parts =
    [
        new("name", "_name", StorageKind.Text, MaxLength: 255), new("id", "_id", StorageKind.Reference),
        new("content_type", "_content_type", StorageKind.Text, MaxLength: 100), new("size", "_size", StorageKind.Integer),
    ];

    private static readonly ImmutableArray<FilterOperator> TextOperators = [.. Enum.GetValues<FilterOperator>().Where(o => o != FilterOperator.Matches)];

    /// <summary>Media types of images browsers show without running anything in them.</summary>
    public static ImmutableArray<string> Images { get; } = ["image/png", "image/jpeg", "image/gif", "image/webp"];

    /// <inheritdoc/>
    public override string Name => name;

    /// <summary>Whether only images are taken.</summary>
    public bool IsImage => name == "image";

    /// <inheritdoc/>
    public override Type ValueType => typeof(FileValue);

    /// <inheritdoc/>
    public override ImmutableArray<FieldColumn> Columns => Parts;

    /// <inheritdoc/>
    public override ImmutableArray<FilterOperator> Operators => TextOperators;

    /// <summary>Greatest size a field takes, in megabytes.</summary>
    public static int MegabytesOf(FieldDefinition field) => (int?)field?.Maximum ?? DefaultMegabytes;

    /// <inheritdoc/>
    public override bool TryNormalize(FieldDefinition field, object input, out object? value, [NotNullWhen(false)] out FieldError? error)
    {
        ArgumentNullException.ThrowIfNull(field);
        value = null;
        var file = input switch
        {
            FileValue given => given,
            IReadOnlyDictionary<string, object?> parts => OfParts(parts),
            string text => OfJson(text),
            _ => null,
        };
        if (file is null)
        {
            error = new FieldError(ErrorCodes.Type, Texts.Of("NotFile", field.Label));
        }
        else if (IsImage && !Images.Contains(file.ContentType))
        {
            error = new FieldError(ErrorCodes.Type, Texts.Of("NotImage", field.Label));
        }
        else if (file.Id != Guid.Empty && !Takes(field, file))
        {
            error = new FieldError(ErrorCodes.Type, Texts.Of("NotAccepted", field.Label, string.Join(", ", field.Accept)));
        }
        else if (file.Size > MegabytesOf(field) * Megabyte)
        {
            error = new FieldError(ErrorCodes.Length, Texts.Of("FileTooLarge", field.Label, MegabytesOf(field)));
        }
        else
        {
            error = null;
            // The parts of a value that was emptied.
            value = file.Id == Guid.Empty ? null : file;
        }

        return error is null;
    }

    /// <inheritdoc/>
    public override void ToColumns(object? value, Span<object?> columns)
    {
        var file = value as FileValue;
        (columns[0], columns[1], columns[2], columns[3]) = (file?.Name, file?.Id, file?.ContentType, file?.Size);
    }

    /// <inheritdoc/>
    public override object? FromColumns(ReadOnlySpan<object?> columns) =>
        columns[1] is Guid id ? new FileValue(id, columns[0] as string ?? "", columns[2] as string ?? "", columns[3] as long? ?? 0) : null;

    /// <inheritdoc/>
    public override IEnumerable<string> Problems(FieldDefinition field)
    {
        ArgumentNullException.ThrowIfNull(field);
        if (field.Minimum is not null || field.Maximum is { } most && (most is < 1 or > MaxBytes / Megabyte || decimal.Truncate(most) != most))
        {
            yield return Texts.Of("FileSizeRange", field.Name, MaxBytes / Megabyte);
        }

        foreach (var kind in field.Accept.Where(k => !IsKind(k)))
        {
            yield return Texts.Of("FileKind", field.Name, kind);
        }
    }

    /// <inheritdoc/>
    public override string Format(FieldDefinition field, object? value, CultureInfo culture) => value is FileValue file ? file.Name : "";

    private static bool Takes(FieldDefinition field, FileValue file) =>
        field.Accept.IsEmpty || field.Accept.Any(kind => kind switch
        {
            ['.', ..] => file.Name.EndsWith(kind, StringComparison.OrdinalIgnoreCase),
            [.., '/', '*'] => file.ContentType.StartsWith(kind[..^1], StringComparison.OrdinalIgnoreCase),
            _ => file.ContentType.Equals(kind, StringComparison.OrdinalIgnoreCase),
        });

    // As an upload input takes them: https://html.spec.whatwg.org/multipage/input.html#attr-input-accept
    private static bool IsKind(string kind) =>
        kind is { Length: > 1 and <= 100 } && kind.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '/' or '*' or '-' or '+')
        && (kind[0] == '.' ? !kind.AsSpan(1).ContainsAny("/*") : kind.Split('/') is [{ Length: > 0 } type, { Length: > 0 } name] && !type.Contains('*', StringComparison.Ordinal) && (name == "*" || !name.Contains('*', StringComparison.Ordinal)));

    private FileValue? OfParts(IReadOnlyDictionary<string, object?> parts)
    {
        if (parts.Values.All(v => v is null))
        {
            return new FileValue(Guid.Empty, "", IsImage ? Images[0] : "", 0);
        }

        return Inputs.ToId(parts.GetValueOrDefault("id")) is { } id && parts.GetValueOrDefault("name") is string file && parts.GetValueOrDefault("content_type") is string type
            && Inputs.ToDecimal(parts.GetValueOrDefault("size")) is { } size and >= 0 and <= long.MaxValue
            ? new FileValue(id, file, type, (long)size)
            : null;
    }

    private FileValue? OfJson(string text)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            return json.RootElement.ValueKind == JsonValueKind.Object
                ? OfParts(json.RootElement.EnumerateObject().ToDictionary(p => p.Name, p => p.Value.ValueKind == JsonValueKind.Null ? null : (object?)p.Value.ToString(), StringComparer.Ordinal))
                : null;
        }
        catch (Exception problem) when (problem is JsonException or ArgumentException)
        {
            return null;
        }
    }
}
