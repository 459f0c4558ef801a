using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Crm.Sdk;

/// <summary>Words users make up. Text separates them by <c>;</c> or <c>,</c>; two that differ in case only are one, spelled as the first.</summary>
public sealed class TagsType : TextListType
{
    /// <summary>Longest tag, in characters.</summary>
    public const int MaxTagLength = 50;

    /// <summary>Most tags of one record.</summary>
    public const int MaxTags = 50;

    /// <inheritdoc/>
    public override string Name => "tags";

    /// <inheritdoc/>
    public override bool TryNormalize(FieldDefinition field, object input, out object? value, [NotNullWhen(false)] out FieldError? error)
    {
        ArgumentNullException.ThrowIfNull(field);
        value = null;
        var items = input switch
        {
            string text => text.Split([';', ',']),
            ImmutableArray<string> names => names,
            IEnumerable<object?> list => list.Select(Inputs.ToText),
            _ => null,
        };
        if (items is null)
        {
            error = new FieldError(ErrorCodes.Type, Texts.Of("NotTags", field.Label));
            return false;
        }

        var tags = new List<string>();
        var known = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var item in items)
        {
            if (item is null || item.Any(c => char.IsControl(c) || c is ';' or ',') || !SingleTextType.IsUnicode(item))
            {
                error = new FieldError(ErrorCodes.Type, Texts.Of("NotTags", field.Label));
                return false;
            }

            var tag = string.Join(' ', item.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
            if (tag.Length > MaxTagLength)
            {
                error = new FieldError(ErrorCodes.Length, Texts.Of("TagTooLong", field.Label, MaxTagLength));
                return false;
            }

            tag = field.NameNow(tag);
            if (tag.Length > 0 && known.Add(tag))
            {
                tags.Add(tag);
            }
        }

        error = tags.Count > MaxTags ? new FieldError(ErrorCodes.Length, Texts.Of("TooManyTags", field.Label, MaxTags)) : null;
        value = error is not null || tags.Count == 0 ? null : tags.ToImmutableArray();
        return error is null;
    }

    /// <inheritdoc/>
    public override string Format(FieldDefinition field, object? value, CultureInfo culture) =>
        value is ImmutableArray<string> tags ? string.Join(", ", tags) : "";
}
