using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Crm.Sdk;

/// <summary>Yes or no.</summary>
internal sealed class YesNoType : FieldType
{
    private static readonly ImmutableArray<FieldColumn> Column = [new("value", "", StorageKind.Boolean)];

    public override string Name => "yes_no";

    public override Type ValueType => typeof(bool);

    public override ImmutableArray<FieldColumn> Columns => Column;

    public override bool TryNormalize(FieldDefinition field, object input, out object? value, [NotNullWhen(false)] out FieldError? error)
    {
        value = Inputs.ToBoolean(input);
        error = value is null ? new FieldError(ErrorCodes.Type, Texts.Of("NotYesNo", field.Label)) : null;
        return error is null;
    }

    public override string Format(FieldDefinition field, object? value, CultureInfo culture) => value switch { true => Texts.Of("Yes"), false => Texts.Of("No"), _ => "" };
}

/// <summary>A date without time.</summary>
internal sealed class DateType : FieldType
{
    private static readonly ImmutableArray<FieldColumn> Column = [new("value", "", StorageKind.Date)];

    public override string Name => "date";

    public override Type ValueType => typeof(DateOnly);

    public override ImmutableArray<FieldColumn> Columns => Column;

    public override ImmutableArray<FilterOperator> Operators => NumberType.Ordered;

    public override bool TryNormalize(FieldDefinition field, object input, out object? value, [NotNullWhen(false)] out FieldError? error)
    {
        value = Inputs.ToDate(input);
        error = value is null ? new FieldError(ErrorCodes.Type, Texts.Of("NotDate", field.Label)) : null;
        return error is null;
    }

    public override string Format(FieldDefinition field, object? value, CultureInfo culture) => value is DateOnly date ? date.ToString("d", culture) : "";
}

/// <summary>An instant.</summary>
internal sealed class DateTimeType : FieldType
{
    private static readonly ImmutableArray<FieldColumn> Column = [new("value", "", StorageKind.Instant)];

    public override string Name => "date_time";

    public override Type ValueType => typeof(DateTimeOffset);

    public override ImmutableArray<FieldColumn> Columns => Column;

    public override ImmutableArray<FilterOperator> Operators => NumberType.Ordered;

    public override bool TryNormalize(FieldDefinition field, object input, out object? value, [NotNullWhen(false)] out FieldError? error)
    {
        // PostgreSQL keeps microseconds; what is compared later must be what was stored.
        value = Inputs.ToInstant(input) is { } instant ? new DateTimeOffset(instant.Ticks - (instant.Ticks % TimeSpan.TicksPerMicrosecond), TimeSpan.Zero) : null;
        error = value is null ? new FieldError(ErrorCodes.Type, Texts.Of("NotInstant", field.Label)) : null;
        return error is null;
    }

    public override string Format(FieldDefinition field, object? value, CultureInfo culture) => value is DateTimeOffset instant ? instant.ToString("g", culture) : "";
}

/// <summary>One of the field's choices. Input may be a choice's name or its label.</summary>
internal sealed class ChoiceType : FieldType
{
    private static readonly ImmutableArray<FieldColumn> Column = [new("value", "", StorageKind.Text)];

    public override string Name => "choice";

    public override Type ValueType => typeof(string);

    public override ImmutableArray<FieldColumn> Columns => Column;

    public override bool TryNormalize(FieldDefinition field, object input, out object? value, [NotNullWhen(false)] out FieldError? error)
    {
        value = Choices.Find(field, input);
        error = value is null ? Choices.Unknown(field, input) : null;
        return error is null;
    }

    public override IEnumerable<string> Problems(FieldDefinition field) => Choices.Problems(field);

    public override string Format(FieldDefinition field, object? value, CultureInfo culture) => Choices.Label(field, value as string);
}

/// <summary>Any number of the field's choices; text input separates them by <c>;</c> or <c>,</c>.</summary>
internal sealed class MultiChoiceType : TextListType
{
    public override string Name => "multi_choice";

    public override bool TryNormalize(FieldDefinition field, object input, out object? value, [NotNullWhen(false)] out FieldError? error)
    {
        value = null;
        IEnumerable<object?>? items = input switch
        {
            string text => text.Split([';', ','], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
            ImmutableArray<string> names => names.Cast<object?>(),
            IEnumerable<object?> list => list,
            _ => null,
        };
        if (items is null)
        {
            error = new FieldError(ErrorCodes.Type, Texts.Of("NotChoices", field.Label));
            return false;
        }

        var chosen = new List<string>();
        foreach (var item in items)
        {
            if (Choices.Find(field, item) is not { } name)
            {
                error = Choices.Unknown(field, item);
                return false;
            }

            if (!chosen.Contains(name))
            {
                chosen.Add(name);
            }
        }

        error = null;
        value = chosen.Count == 0 ? null : chosen.ToImmutableArray();
        return true;
    }

    public override IEnumerable<string> Problems(FieldDefinition field) => Choices.Problems(field);

    public override string Format(FieldDefinition field, object? value, CultureInfo culture) =>
        value is ImmutableArray<string> names ? string.Join(", ", names.Select(name => Choices.Label(field, name))) : "";
}

/// <summary>What choice fields share.</summary>
internal static class Choices
{
    public static string? Find(FieldDefinition field, object? input) =>
        Inputs.ToText(input)?.Trim() is { Length: > 0 } written && Now(field, written) is { } text
            ? (field.Choices.FirstOrDefault(c => c.Name == text) ?? field.Choices.FirstOrDefault(c => string.Equals(c.Label, text, StringComparison.OrdinalIgnoreCase)))?.Name
            : null;

    /// <summary>What was written, or the name of the choice or stage that took its place.</summary>
    public static string Now(FieldDefinition field, string written) =>
        field.Merged.IsEmpty ? written : (field.FindMerged(written) ?? field.Merged.FirstOrDefault(m => string.Equals(m.Label, written, StringComparison.OrdinalIgnoreCase) && !IsKnown(field, written)))?.Into ?? written;

    private static bool IsKnown(FieldDefinition field, string label) =>
        field.Choices.Any(c => string.Equals(c.Label, label, StringComparison.OrdinalIgnoreCase)) || field.Stages?.Stages.Any(s => string.Equals(s.Label, label, StringComparison.OrdinalIgnoreCase)) == true;

    public static FieldError Unknown(FieldDefinition field, object? input) =>
        new(ErrorCodes.Unknown, Texts.Of("UnknownChoice", field.Label, Inputs.ToText(input) ?? "?", string.Join(", ", field.Choices.Select(c => c.Name).Take(20))));

    public static string Label(FieldDefinition field, string? name) =>
        name is null ? "" : field.Choices.FirstOrDefault(c => c.Name == name)?.Label ?? field.FindMerged(name)?.Label ?? name;

    /// <summary>What is wrong with choices or stages that became others.</summary>
    public static IEnumerable<string> MergedProblems(FieldDefinition field, IReadOnlyCollection<string> names)
    {
        foreach (var merged in field.Merged)
        {
            if (names.Contains(merged.Name))
            {
                yield return Texts.Of("MergedStays", field.Name, merged.Name, merged.Into);
            }

            if (!names.Contains(merged.Into))
            {
                yield return Texts.Of("MergedNowhere", field.Name, merged.Name, merged.Into);
            }
        }
    }

    public static IEnumerable<string> Problems(FieldDefinition field)
    {
        if (field.Choices.IsEmpty)
        {
            yield return Texts.Of("NoChoices", field.Name);
        }

        if (field.Choices.Length > 1000)
        {
            yield return Texts.Of("TooManyChoices", field.Name);
        }

        foreach (var twice in field.Choices.GroupBy(c => c.Name).Where(g => g.Skip(1).Any()))
        {
            yield return Texts.Of("ChoiceTwice", field.Name, twice.Key);
        }

        foreach (var problem in MergedProblems(field, [.. field.Choices.Select(c => c.Name)]))
        {
            yield return problem;
        }

        foreach (var choice in field.Choices)
        {
            if (string.IsNullOrWhiteSpace(choice.Name) || choice.Name.Length > 64 || string.IsNullOrWhiteSpace(choice.Label) || choice.Label.Length > Names.MaxLabelLength)
            {
                yield return Texts.Of("ChoiceLength", field.Name, Names.MaxLabelLength);
            }
        }
    }
}

/// <summary>One of the field's stages. Input may be a stage's name or its label. Which moves are allowed is checked by the record service, which knows the stage before.</summary>
public sealed class StageType : FieldType
{
    private static readonly ImmutableArray<FieldColumn> Column = [new("value", "", StorageKind.Text)];

    /// <inheritdoc/>
    public override string Name => "stage";

    /// <inheritdoc/>
    public override Type ValueType => typeof(string);

    /// <inheritdoc/>
    public override ImmutableArray<FieldColumn> Columns => Column;

    /// <inheritdoc/>
    public override bool TryNormalize(FieldDefinition field, object input, out object? value, [NotNullWhen(false)] out FieldError? error)
    {
        ArgumentNullException.ThrowIfNull(field);
        var stages = field.Stages?.Stages ?? [];
        var text = Inputs.ToText(input)?.Trim() is { } written ? Choices.Now(field, written) : null;
        value = (stages.FirstOrDefault(s => s.Name == text) ?? stages.FirstOrDefault(s => string.Equals(s.Label, text, StringComparison.OrdinalIgnoreCase)))?.Name;
        error = value is null ? new FieldError(ErrorCodes.Unknown, Texts.Of("UnknownStage", field.Label, text, string.Join(", ", stages.Select(s => s.Name)))) : null;
        return error is null;
    }

    /// <inheritdoc/>
    public override IEnumerable<string> Problems(FieldDefinition field)
    {
        ArgumentNullException.ThrowIfNull(field);
        if (field.Stages is not { Stages.IsEmpty: false } stages)
        {
            yield return Texts.Of("NoStages", field.Name);
            yield break;
        }

        foreach (var twice in stages.Stages.GroupBy(s => s.Name).Where(g => g.Skip(1).Any()))
        {
            yield return Texts.Of("StageTwice", field.Name, twice.Key);
        }

        foreach (var problem in Choices.MergedProblems(field, [.. stages.Stages.Select(s => s.Name)]))
        {
            yield return problem;
        }

        foreach (var stage in stages.Stages)
        {
            if (Names.Problem(stage.Name, Names.MaxFieldLength) is { } problem)
            {
                yield return problem;
            }

            if (string.IsNullOrWhiteSpace(stage.Label) || stage.Label.Length > Names.MaxLabelLength)
            {
                yield return Texts.Of("StageLabel", stage.Name, Names.MaxLabelLength);
            }

            if (stage.Probability is < 0 or > 100)
            {
                yield return Texts.Of("Probability", stage.Name);
            }
        }

        foreach (var move in stages.Moves.Where(m => stages.Find(m.From) is null || stages.Find(m.To) is null))
        {
            yield return Texts.Of("UnknownMove", move.From, move.To);
        }
    }

    /// <inheritdoc/>
    public override string Format(FieldDefinition field, object? value, CultureInfo culture)
    {
        ArgumentNullException.ThrowIfNull(field);
        return value is string name ? field.Stages?.Find(name)?.Label ?? field.FindMerged(name)?.Label ?? name : "";
    }
}
