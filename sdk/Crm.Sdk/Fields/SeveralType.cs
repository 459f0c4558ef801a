using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Crm.Sdk;

/// <summary>One of several values of a field, and what it is for.</summary>
/// <param name="Kind">Name of the kind: <c>work</c>; see <see cref="KindsType.KindsOf"/>.</param>
/// <param name="Value">The value, as the field's single type stores it.</param>
public readonly record struct KindValue([property: JsonPropertyName("kind")] string Kind, [property: JsonPropertyName("value")] string Value);

/// <summary>
/// Several phone numbers, e-mail addresses or web addresses in the order the user gave them; the first is the one to use. Input is a list of <c>kind</c> and <c>value</c>, of
/// texts, one text with the values separated by <c>;</c>, or values by kind (<c>work</c> to <c>030 901820</c>), which replace the first one of their kind and leave the others.
/// </summary>
public sealed class SeveralType : KindsType
{
    internal SeveralType(string name, FieldType single, params ImmutableArray<string> kinds)
        : base(name, kinds) => Single = single;

    /// <summary>What each value is.</summary>
    public FieldType Single { get; }

    /// <inheritdoc/>
    public override Type ValueType => typeof(ImmutableArray<KindValue>);

    /// <inheritdoc/>
    public override ImmutableArray<MatchKey> Keys(FieldDefinition field) => [.. Single.Keys(field).Select(k => k with { IsList = true })];

    /// <summary>The field as one of its values sees it.</summary>
    public FieldDefinition SingleOf(FieldDefinition field)
    {
        ArgumentNullException.ThrowIfNull(field);
        return field with { Type = Single, Choices = [] };
    }

    /// <inheritdoc/>
    public override bool TryNormalize(FieldDefinition field, object input, out object? value, [NotNullWhen(false)] out FieldError? error)
    {
        ArgumentNullException.ThrowIfNull(field);
        value = null;
        error = null;
        var known = KindsOf(field);
        var values = new List<KindValue>();
        var row = 0;
        foreach (var item in Items(input))
        {
            if (!TryItem(item, known[0].Name, out var kind, out var text))
            {
                error = new FieldError(ErrorCodes.Type, Texts.Of("NotSeveral", field.Label)) { At = At(row) };
                return false;
            }

            if (text is not null and not "")
            {
                if (Find(known, kind) is not { } choice)
                {
                    error = UnknownKind(field, known, kind, row);
                    return false;
                }

                if (!Single.TryNormalize(SingleOf(field), text, out var one, out var problem))
                {
                    error = problem with { Message = Texts.Of("InRow", row + 1, problem.Message), At = At(row, "value") };
                    return false;
                }

                if (one is string shaped && !values.Contains(new KindValue(choice.Name, shaped)))
                {
                    values.Add(new KindValue(choice.Name, shaped));
                }
            }

            row++;
        }

        error = TooMany(field, values.Count);
        value = error is not null || values.Count == 0 ? null : values.ToImmutableArray();
        return error is null;
    }

    /// <inheritdoc/>
    public override object Complete(object input, object stored)
    {
        if (input is not IReadOnlyDictionary<string, object?> byKind || stored is not ImmutableArray<KindValue> values)
        {
            return input;
        }

        var rows = values.Select(v => (v.Kind, Value: (object?)v.Value)).ToList();
        foreach (var (kind, value) in byKind)
        {
            var place = rows.FindIndex(r => r.Kind == kind);
            if (place < 0)
            {
                rows.Add((kind, value));
            }
            else
            {
                rows[place] = (kind, value);
            }
        }

        return rows.Select(r => (object?)Row(r.Kind, r.Value)).ToList();
    }

    /// <inheritdoc/>
    public override void ToColumns(object? value, Span<object?> columns)
    {
        columns[0] = null;
        if (value is ImmutableArray<KindValue> values)
        {
            using var buffer = new MemoryStream();
            using (var json = new Utf8JsonWriter(buffer))
            {
                json.WriteStartArray();
                foreach (var (kind, text) in values)
                {
                    json.WriteStartObject();
                    json.WriteString("kind", kind);
                    json.WriteString("value", text);
                    json.WriteEndObject();
                }

                json.WriteEndArray();
            }

            columns[0] = Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
        }
    }

    /// <inheritdoc/>
    public override object? FromColumns(ReadOnlySpan<object?> columns)
    {
        if (columns[0] is not string text)
        {
            return null;
        }

        using var document = JsonDocument.Parse(text);
        return document.RootElement.EnumerateArray().Select(v => new KindValue(v.GetProperty("kind").GetString()!, v.GetProperty("value").GetString()!)).ToImmutableArray();
    }

    /// <inheritdoc/>
    public override bool AreEqual(object? left, object? right) =>
        left is ImmutableArray<KindValue> one && right is ImmutableArray<KindValue> other ? one.SequenceEqual(other) : left is null && right is null;

    /// <inheritdoc/>
    public override IEnumerable<string> Problems(FieldDefinition field) => base.Problems(field).Concat(Single.Problems(field));

    /// <inheritdoc/>
    public override string Format(FieldDefinition field, object? value, CultureInfo culture) =>
        value is ImmutableArray<KindValue> values ? string.Join(", ", values.Select(v => $"{v.Value} ({LabelOf(field, v.Kind)})")) : "";

    private static IEnumerable<object?> Items(object input) => input switch
    {
        string text => text.Split([';', '\n'], StringSplitOptions.TrimEntries),
        ImmutableArray<KindValue> values => values.Select(v => (object?)v),
        IReadOnlyDictionary<string, object?> byKind => byKind.Select(k => (object?)Row(k.Key, k.Value)),
        IEnumerable<object?> list => list,
        _ => [input],
    };

    private static bool TryItem(object? item, string usual, [NotNullWhen(true)] out string? kind, out string? text)
    {
        (kind, text) = (usual, null);
        switch (item)
        {
            case KindValue value:
                (kind, text) = value;
                return true;
            case IReadOnlyDictionary<string, object?> parts when parts.Keys.All(k => k is "kind" or "value"):
                kind = parts.GetValueOrDefault("kind") switch { null or "" => usual, var given => Inputs.ToText(given) };
                text = Inputs.ToText(parts.GetValueOrDefault("value"));
                return kind is not null && (text is not null || parts.GetValueOrDefault("value") is null);
            default:
                text = Inputs.ToText(item);
                return text is not null || item is null;
        }
    }

    private static Dictionary<string, object?> Row(string kind, object? value) => new(StringComparer.Ordinal) { ["kind"] = kind, ["value"] = value };
}
