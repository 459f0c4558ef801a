using System.Collections.Immutable;

namespace Crm.Sdk.Web.Finding;

/// <summary>How a condition compares, as people say it.</summary>
public enum FindOperator
{
    /// <summary>The text, or one of several values, holds it.</summary>
    Contains,

    /// <summary>It does not.</summary>
    ContainsNot,

    /// <summary>The same value.</summary>
    Equal,

    /// <summary>Another value, or none.</summary>
    NotEqual,

    /// <summary>The text begins with it.</summary>
    StartsWith,

    /// <summary>The text ends with it.</summary>
    EndsWith,

    /// <summary>The same in any notation.</summary>
    Matches,

    /// <summary>Smaller, or earlier.</summary>
    Less,

    /// <summary>Not greater, or not later.</summary>
    LessOrEqual,

    /// <summary>Greater, or later.</summary>
    Greater,

    /// <summary>Not smaller, or not earlier.</summary>
    GreaterOrEqual,

    /// <summary>One of several choices.</summary>
    AnyOf,

    /// <summary>None of several choices.</summary>
    NoneOf,

    /// <summary>Whoever asks.</summary>
    Me,

    /// <summary>Somebody else, or nobody.</summary>
    NotMe,

    /// <summary>In a period counted from today.</summary>
    During,

    /// <summary>There is such a record.</summary>
    Has,

    /// <summary>There is no such record.</summary>
    HasNot,

    /// <summary>No value.</summary>
    Empty,

    /// <summary>Any value.</summary>
    NotEmpty,
}

/// <summary>Which comparisons suit a field, and what they compare with.</summary>
internal static class FindOperators
{
    private static readonly ImmutableArray<FindOperator> Presence = [FindOperator.Empty, FindOperator.NotEmpty];

    private static readonly ImmutableArray<FindOperator> Choices = [FindOperator.AnyOf, FindOperator.NoneOf, .. Presence];

    private static readonly ImmutableArray<FindOperator> Texts =
        [FindOperator.Contains, FindOperator.ContainsNot, FindOperator.Equal, FindOperator.NotEqual, FindOperator.StartsWith, FindOperator.EndsWith, .. Presence];

    private static readonly ImmutableArray<FindOperator> Order =
        [FindOperator.Equal, FindOperator.NotEqual, FindOperator.GreaterOrEqual, FindOperator.Greater, FindOperator.LessOrEqual, FindOperator.Less, .. Presence];

    private static readonly ImmutableArray<FindOperator> Moments = [FindOperator.During, FindOperator.GreaterOrEqual, FindOperator.Less, .. Presence];

    private static readonly ImmutableArray<FindOperator> Dates =
        [FindOperator.During, FindOperator.Equal, FindOperator.GreaterOrEqual, FindOperator.Greater, FindOperator.LessOrEqual, FindOperator.Less, .. Presence];

    private static readonly ImmutableArray<FindOperator> References = [FindOperator.Equal, FindOperator.NotEqual, .. Presence];

    private static readonly ImmutableArray<FindOperator> Users = [FindOperator.Me, FindOperator.NotMe, .. References];

    /// <summary>Records somewhere else that belong to this one.</summary>
    public static ImmutableArray<FindOperator> OfRelated { get; } = [FindOperator.Has, FindOperator.HasNot];

    /// <summary>What a field can be compared by; empty when it cannot.</summary>
    public static ImmutableArray<FindOperator> Of(FieldDefinition field) => field.Type switch
    {
        ManyToManyType => OfRelated,
        ReferenceType reference => reference.TargetOf(field) == "user" ? Users : References,
        StageType => Choices,
        AddressesType => [FindOperator.Contains, FindOperator.ContainsNot, .. OfRelated, .. Presence],
        SeveralType => [FindOperator.Contains, FindOperator.ContainsNot, .. Presence],
        TagsType => [FindOperator.Contains, FindOperator.ContainsNot, .. Presence],
        var type when type == Fields.Choice || type == Fields.MultiChoice => Choices,
        var type when type == Fields.YesNo => References,
        var type when type == Fields.Date => Dates,
        var type when type == Fields.DateTime => Moments,
        var type when type == Fields.Phone || type == Fields.Email || type == Fields.Url => [FindOperator.Contains, FindOperator.ContainsNot, FindOperator.Matches, FindOperator.StartsWith, FindOperator.EndsWith, .. Presence],
        SingleTextType => Texts,
        NumberType => Order,
        var type when type == Fields.Time => Order,
        _ => Presence,
    };

    /// <summary>Whether something has to be given to compare with.</summary>
    public static bool NeedsValue(FindOperator op) => op is not (FindOperator.Empty or FindOperator.NotEmpty or FindOperator.Me or FindOperator.NotMe or FindOperator.During or FindOperator.Has or FindOperator.HasNot);

    /// <summary>The field a value is typed into; its name is its place in the form.</summary>
    public static FieldDefinition Value(FieldDefinition field, FindOperator op, string name)
    {
        var value = field with { Name = name, IsRequired = false, IsReadOnly = false, IsSystem = false, Formula = null, RollUp = null, Help = null, Minimum = null, Maximum = null, Default = null };
        return field.Type switch
        {
            var type when type == Fields.YesNo => value with { Type = Fields.Choice, Choices = [new("true", FindTexts.Of("Yes")), new("false", FindTexts.Of("No"))] },
            StageType => value with { Type = Fields.MultiChoice, Choices = [.. (field.Stages?.Stages ?? []).Select(s => new ChoiceDefinition(s.Name, s.Label))], Stages = null },
            var type when type == Fields.Choice => value with { Type = Fields.MultiChoice },
            ReferenceType or DurationType => value,
            RatingType => value with { Type = Fields.Integer },
            MoneyType => value with { Type = Fields.Decimal, Scale = null },
            NumberType => value,
            var type when type == Fields.MultiChoice || type == Fields.Date || type == Fields.DateTime || type == Fields.Time => value,
            _ => value with { Type = Fields.Text, MaxLength = 255 },
        };
    }

    /// <summary>The engine's word for a comparison of one value.</summary>
    public static FilterOperator Compare(FindOperator op) => op switch
    {
        FindOperator.Contains or FindOperator.ContainsNot => FilterOperator.Contains,
        FindOperator.Equal => FilterOperator.Equal,
        FindOperator.NotEqual => FilterOperator.NotEqual,
        FindOperator.StartsWith => FilterOperator.StartsWith,
        FindOperator.EndsWith => FilterOperator.EndsWith,
        FindOperator.Matches => FilterOperator.Matches,
        FindOperator.Less => FilterOperator.Less,
        FindOperator.LessOrEqual => FilterOperator.LessOrEqual,
        FindOperator.Greater => FilterOperator.Greater,
        FindOperator.GreaterOrEqual => FilterOperator.GreaterOrEqual,
        _ => throw new ArgumentOutOfRangeException(nameof(op)),
    };

    /// <summary>The people's word for a comparison of the engine; null when there is none.</summary>
    public static FindOperator? Of(Filter.Compare compare) => compare.Value is null or "" ? compare.Operator switch { FilterOperator.Equal => FindOperator.Empty, FilterOperator.NotEqual => FindOperator.NotEmpty, _ => null } : compare.Operator switch
    {
        FilterOperator.Contains => FindOperator.Contains,
        FilterOperator.Equal => FindOperator.Equal,
        FilterOperator.NotEqual => FindOperator.NotEqual,
        FilterOperator.StartsWith => FindOperator.StartsWith,
        FilterOperator.EndsWith => FindOperator.EndsWith,
        FilterOperator.Matches => FindOperator.Matches,
        FilterOperator.Less => FindOperator.Less,
        FilterOperator.LessOrEqual => FindOperator.LessOrEqual,
        FilterOperator.Greater => FindOperator.Greater,
        FilterOperator.GreaterOrEqual => FindOperator.GreaterOrEqual,
        _ => null,
    };
}
