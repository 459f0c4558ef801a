using System.Collections.Immutable;
using System.Globalization;

namespace Crm.Sdk;

/// <summary>A field of several values in the order the user gave them, each with what it is for; the first is the one to use.</summary>
public abstract class KindsType : FieldType
{
    /// <summary>Most values of one record.</summary>
    public const int MaxValues = 20;

    private static readonly ImmutableArray<FieldColumn> Column = [new("value", "", StorageKind.Json)];

    private static readonly ImmutableArray<FilterOperator> HoldsOne = [FilterOperator.Contains];

    private readonly ImmutableArray<string> kinds;

    private protected KindsType(string name, ImmutableArray<string> kinds)
    {
        Name = name;
        this.kinds = kinds;
    }

    /// <inheritdoc/>
    public override string Name { get; }

    /// <inheritdoc/>
    public override ImmutableArray<FieldColumn> Columns => Column;

    /// <summary>Whether one of the values is, or holds, what is asked for.</summary>
    public override ImmutableArray<FilterOperator> Operators => HoldsOne;

    /// <inheritdoc/>
    public override bool CanSort => false;

    /// <summary>What values of a field may be for: its choices, or those of the type.</summary>
    public ImmutableArray<ChoiceDefinition> KindsOf(FieldDefinition field)
    {
        ArgumentNullException.ThrowIfNull(field);
        return field.Choices.IsEmpty ? [.. kinds.Select(k => new ChoiceDefinition(k, Texts.Of("Kind_" + k)))] : field.Choices;
    }

    /// <summary>What users call a kind; one that is no longer known by its name.</summary>
    public string LabelOf(FieldDefinition field, string kind) => KindsOf(field).FirstOrDefault(k => k.Name == kind)?.Label ?? kind;

    /// <inheritdoc/>
    public override IEnumerable<string> Problems(FieldDefinition field)
    {
        ArgumentNullException.ThrowIfNull(field);
        return field.Choices.IsEmpty ? [] : Choices.Problems(field);
    }

    // A kind is known by its name, or by what users call it.
    private protected static ChoiceDefinition? Find(ImmutableArray<ChoiceDefinition> known, string kind) =>
        known.FirstOrDefault(k => k.Name == kind) ?? known.FirstOrDefault(k => string.Equals(k.Label, kind, StringComparison.OrdinalIgnoreCase));

    private protected static FieldError UnknownKind(FieldDefinition field, ImmutableArray<ChoiceDefinition> known, string kind, int row) =>
        new(ErrorCodes.Unknown, Texts.Of("UnknownKind", field.Label, kind, string.Join(", ", known.Select(k => k.Name)))) { At = At(row, "kind") };

    private protected static FieldError? TooMany(FieldDefinition field, int count) =>
        count > MaxValues ? new FieldError(ErrorCodes.Length, Texts.Of("TooManyValues", field.Label, MaxValues)) : null;

    private protected static string At(int row, string? part = null) => string.Create(CultureInfo.InvariantCulture, $"[{row}]{(part is null ? "" : "." + part)}");
}
