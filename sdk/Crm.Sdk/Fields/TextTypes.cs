using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net.Mail;

namespace Crm.Sdk;

/// <summary>A field stored as one text column.</summary>
public abstract class SingleTextType : FieldType
{
    private static readonly ImmutableArray<FieldColumn> Column = [new("value", "", StorageKind.Text)];

    private static readonly ImmutableArray<FilterOperator> TextOperators = [.. Enum.GetValues<FilterOperator>().Where(o => o != FilterOperator.Matches)];

    /// <summary>Operators of a text that has a <see cref="MatchKey"/>.</summary>
    private protected static readonly ImmutableArray<FilterOperator> WithMatches = [.. Enum.GetValues<FilterOperator>()];

    /// <inheritdoc/>
    public override Type ValueType => typeof(string);

    /// <inheritdoc/>
    public override ImmutableArray<FieldColumn> Columns => Column;

    /// <inheritdoc/>
    public override ImmutableArray<FilterOperator> Operators => TextOperators;

    /// <inheritdoc/>
    public override bool CanBeUnique => true;

    /// <summary>Longest text when the field gives no length, in characters.</summary>
    public abstract int DefaultMaxLength { get; }

    /// <inheritdoc/>
    public override bool TryNormalize(FieldDefinition field, object input, out object? value, [NotNullWhen(false)] out FieldError? error)
    {
        ArgumentNullException.ThrowIfNull(field);
        value = null;
        if (Inputs.ToText(input) is not { } text)
        {
            error = new FieldError(ErrorCodes.Type, Texts.Of("NotText", field.Label));
            return false;
        }

        if (text.Contains('\0', StringComparison.Ordinal))
        {
            error = new FieldError(ErrorCodes.Type, Texts.Of("NulCharacter", field.Label));
            return false;
        }

        if (!IsUnicode(text))
        {
            error = new FieldError(ErrorCodes.Type, Texts.Of("HalfCharacter", field.Label));
            return false;
        }

        text = Trim(text);
        if (text.Length == 0)
        {
            error = null;
            return true;
        }

        var longest = field.MaxLength ?? DefaultMaxLength;
        if (text.Length > longest)
        {
            error = new FieldError(ErrorCodes.Length, Texts.Of("TooLong", field.Label, text.Length, longest));
            return false;
        }

        if (!TryShape(field, text, out var shaped, out error))
        {
            return false;
        }

        value = shaped;
        return true;
    }

    /// <inheritdoc/>
    public override IEnumerable<string> Problems(FieldDefinition field)
    {
        ArgumentNullException.ThrowIfNull(field);
        return field.MaxLength is < 1 or > 1_000_000 ? [Texts.Of("MaxLengthRange", field.Name)] : [];
    }

    /// <summary>Whether a text can be written as UTF-8: no half of a surrogate pair stands alone.</summary>
    public static bool IsUnicode(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsSurrogate(text[i]) && (i + 1 == text.Length || !char.IsSurrogatePair(text[i], text[i++ + 1])))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Removes white space that says nothing.</summary>
    protected virtual string Trim(string text) => text?.Trim() ?? "";

    /// <summary>Checks and brings into the stored form; <paramref name="text"/> is neither empty nor too long. Null is no value.</summary>
    protected virtual bool TryShape(FieldDefinition field, string text, out string? shaped, [NotNullWhen(false)] out FieldError? error)
    {
        shaped = text;
        error = null;
        return true;
    }
}

/// <summary>Plain text of one or several lines.</summary>
internal sealed class TextType(string name, int maxLength, bool multiline = false) : SingleTextType
{
    private static readonly ImmutableArray<MatchKey> NameKey = [new("name 1", "__k", IsIdentity: false, (_, text) => MatchKeys.Name(text))];

    public override string Name => name;

    public override int DefaultMaxLength => maxLength;

    public override bool CanBeUnique => !multiline;

    public override ImmutableArray<FilterOperator> Operators => multiline ? base.Operators : WithMatches;

    public override ImmutableArray<MatchKey> Keys(FieldDefinition field) => field is { IsTitle: true, IsCalculated: false } && !multiline ? NameKey : [];

    protected override string Trim(string text) => multiline ? text.TrimEnd() : text.Trim();

    protected override bool TryShape(FieldDefinition field, string text, out string? shaped, [NotNullWhen(false)] out FieldError? error)
    {
        shaped = multiline ? text.ReplaceLineEndings("\n") : text;
        if (!multiline && text.AsSpan().IndexOfAny('\n', '\r') >= 0)
        {
            error = new FieldError(ErrorCodes.Type, Texts.Of("OneLine", field.Label));
            return false;
        }

        error = null;
        return true;
    }
}

/// <summary>An e-mail address.</summary>
internal sealed class EmailType : SingleTextType
{
    private static readonly ImmutableArray<MatchKey> MailKeys =
        [new("email 1", "__k", IsIdentity: true, (_, text) => MatchKeys.Email(text)), new("domain 2", "__d", IsIdentity: false, (_, text) => MatchKeys.Domain(text))];

    public override string Name => "email";

    // RFC 5321, 4.5.3.1.3: a path is at most 256 octets with its angle brackets.
    public override int DefaultMaxLength => 254;

    public override ImmutableArray<FilterOperator> Operators => WithMatches;

    public override ImmutableArray<MatchKey> Keys(FieldDefinition field) => field.IsCalculated ? [] : MailKeys;

    protected override bool TryShape(FieldDefinition field, string text, out string? shaped, [NotNullWhen(false)] out FieldError? error)
    {
        shaped = text;
        var at = text.LastIndexOf('@');
        var plain = !text.Any(c => char.IsWhiteSpace(c) || char.IsControl(c) || c is '<' or '>' or ',' or ';');
        if (at <= 0 || !plain || !MailAddress.TryCreate(text, out var address) || address.Address != text || !IsDomain(text[(at + 1)..]))
        {
            error = new FieldError(ErrorCodes.Type, Texts.Of("NotEmail", field.Label));
            return false;
        }

        shaped = text[..at] + text[at..].ToLowerInvariant();
        error = null;
        return true;
    }

    private static bool IsDomain(string domain) =>
        domain.Contains('.', StringComparison.Ordinal) && domain.Split('.').All(label => label.Length is > 0 and <= 63 && label[0] != '-' && label[^1] != '-');
}

/// <summary>A phone number.</summary>
internal sealed class PhoneType : SingleTextType
{
    private static readonly ImmutableArray<MatchKey> NumberKey = [new("phone 1", "__k", IsIdentity: true, (field, text) => MatchKeys.Phone(text, field.Country))];

    public override string Name => "phone";

    public override int DefaultMaxLength => 50;

    public override ImmutableArray<FilterOperator> Operators => WithMatches;

    public override ImmutableArray<MatchKey> Keys(FieldDefinition field) => field.IsCalculated ? [] : NumberKey;

    protected override bool TryShape(FieldDefinition field, string text, out string? shaped, [NotNullWhen(false)] out FieldError? error)
    {
        shaped = text;
        var digits = text.Count(char.IsAsciiDigit);
        var allowed = text.All(c => char.IsAsciiDigit(c) || c is ' ' or '\u00A0' or '+' or '(' or ')' or '-' or '.' or '/' or '#' or '*' or 'x' or 'X');
        if (digits < 2 || !allowed || text.LastIndexOf('+') > 0)
        {
            error = new FieldError(ErrorCodes.Type, Texts.Of("NotPhone", field.Label));
            return false;
        }

        error = null;
        return true;
    }
}

/// <summary>A web address.</summary>
internal sealed class UrlType : SingleTextType
{
    private static readonly ImmutableArray<MatchKey> HostKey = [new("domain 2", "__d", IsIdentity: false, (_, text) => MatchKeys.Domain(text))];

    public override string Name => "url";

    public override int DefaultMaxLength => 2048;

    public override ImmutableArray<FilterOperator> Operators => WithMatches;

    public override ImmutableArray<MatchKey> Keys(FieldDefinition field) => field.IsCalculated ? [] : HostKey;

    protected override bool TryShape(FieldDefinition field, string text, out string? shaped, [NotNullWhen(false)] out FieldError? error)
    {
        // What people type has no scheme; javascript: and data: have one that is refused below.
        shaped = text.Contains(':', StringComparison.Ordinal) ? text : "https://" + text;
        if (!Uri.TryCreate(shaped, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") || !uri.Host.Contains('.', StringComparison.Ordinal) && !uri.IsLoopback
            || text.Any(c => char.IsWhiteSpace(c) || char.IsControl(c)))
        {
            error = new FieldError(ErrorCodes.Type, Texts.Of("NotUrl", field.Label));
            return false;
        }

        error = null;
        return true;
    }
}

/// <summary>Formatted text, stored as HTML of which only harmless elements are left.</summary>
internal sealed class RichTextType : SingleTextType
{
    public override string Name => "rich_text";

    public override int DefaultMaxLength => 100_000;

    public override bool CanBeUnique => false;

    public override string Format(FieldDefinition field, object? value, CultureInfo culture) => value is string html ? RichText.ToText(html) : "";

    protected override bool TryShape(FieldDefinition field, string text, out string? shaped, [NotNullWhen(false)] out FieldError? error)
    {
        shaped = RichText.Clean(text);
        var longest = field.MaxLength ?? DefaultMaxLength;
        // A character that is written as an entity makes the text longer.
        error = shaped?.Length > longest ? new FieldError(ErrorCodes.Length, Texts.Of("TooLong", field.Label, shaped.Length, longest)) : null;
        return error is null;
    }
}

/// <summary>A colour, stored as <c>#rrggbb</c>.</summary>
internal sealed class ColourType : SingleTextType
{
    public override string Name => "colour";

    public override int DefaultMaxLength => 7;

    public override bool CanBeUnique => false;

    protected override bool TryShape(FieldDefinition field, string text, out string? shaped, [NotNullWhen(false)] out FieldError? error)
    {
        var digits = text.TrimStart('#').ToLowerInvariant();
        shaped = "#" + (digits.Length == 3 ? string.Concat(digits.Select(c => new string(c, 2))) : digits);
        error = digits.Length is 3 or 6 && digits.All(char.IsAsciiHexDigit) ? null : new FieldError(ErrorCodes.Type, Texts.Of("NotColour", field.Label));
        return error is null;
    }
}

/// <summary>A number given by the product.</summary>
internal sealed class AutoNumberType : SingleTextType
{
    public override string Name => "auto_number";

    public override int DefaultMaxLength => 64;

    public override IEnumerable<string> Problems(FieldDefinition field) =>
        field.Number switch
        {
            null => [Texts.Of("NumberMissing", field.Name)],
            { Width: < 1 or > 18 } => [Texts.Of("NumberWidth", field.Name)],
            { Start: < 0 } => [Texts.Of("NumberStart", field.Name)],
            { Prefix.Length: > 20 } => [Texts.Of("NumberPrefix", field.Name)],
            _ => [],
        };
}
