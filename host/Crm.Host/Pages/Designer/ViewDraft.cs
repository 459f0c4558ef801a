using System.Collections.Immutable;
using System.Globalization;
using Crm.Sdk;

namespace Crm.Host.Pages.Designer;

/// <summary>A list as it stands in the designer.</summary>
public sealed class ViewDraft
{
    private string label = "";

    public Guid Key { get; init; } = Guid.CreateVersion7();

    /// <summary>Name of the list as it is stored; null for a new one.</summary>
    public string? Was { get; init; }

    /// <summary>What a proposed name starts with: on entities of modules the customer's prefix, so that a later version of the module cannot bring a list of the same name.</summary>
    public string Prefix { get; init; } = "";

    public string Name { get; set; } = "";

    public string Label
    {
        get => label;
        set
        {
            label = value ?? "";
            if (Was is null)
            {
                Name = FieldDraft.ProposeName(Prefix, label, Names.MaxFieldLength);
            }
        }
    }

    public IList<string> Columns { get; init; } = [];

    public IList<SortDraft> Sort { get; init; } = [];

    public IList<ConditionDraft> Conditions { get; init; } = [];

    /// <summary>The list has a filter that conditions cannot say; it stays.</summary>
    public bool KeepsFilter { get; set; }

    public static ViewDraft Of(ViewDefinition view)
    {
        ArgumentNullException.ThrowIfNull(view);
        var conditions = ConditionDraft.Of(view.Filter);
        return new ViewDraft
        {
            Was = view.Name,
            Name = view.Name,
            label = view.Label,
            Columns = [.. view.Columns],
            Sort = [.. (view.Sort.IsDefault ? [] : view.Sort).Select(s => new SortDraft { Path = s.Path, Descending = s.Descending })],
            Conditions = [.. conditions ?? []],
            KeepsFilter = conditions is null,
        };
    }

    /// <summary>The list as metadata takes it.</summary>
    /// <param name="metadata">The definitions.</param>
    /// <param name="entity">The entity listed.</param>
    /// <param name="known">The list as it is, for a filter that stays; null for a new one.</param>
    public ViewDefinition ToView(MetadataSnapshot metadata, EntityDefinition entity, ViewDefinition? known)
    {
        ImmutableArray<Filter> conditions = [.. Conditions.Where(c => c.Path.Length > 0).Select(c => c.ToFilter(metadata, entity))];
        return new ViewDefinition(
            Name,
            Label.Trim(),
            [.. Columns],
            KeepsFilter ? known?.Filter : conditions.Length switch { 0 => null, 1 => conditions[0], _ => new Filter.All(conditions) },
            [.. Sort.Where(s => s.Path.Length > 0).Select(s => new Sort(s.Path, s.Descending))]);
    }

    /// <summary>The list as it was laid out, also when it is left out because of what it misses.</summary>
    public static ViewDefinition? Laid(EntityDefinition entity, string? name)
    {
        ArgumentNullException.ThrowIfNull(entity);
        return entity.Holes.Select(h => h.View).FirstOrDefault(v => v?.Name == name) ?? entity.Views.FirstOrDefault(v => v.Name == name);
    }
}

/// <summary>What a list is ordered by.</summary>
public sealed class SortDraft
{
    public Guid Key { get; init; } = Guid.CreateVersion7();

    public string Path { get; set; } = "";

    public bool Descending { get; set; }
}

/// <summary>One comparison of a list's filter.</summary>
public sealed class ConditionDraft
{
    public const string Empty = "Empty";
    public const string NotEmpty = "NotEmpty";

    public Guid Key { get; init; } = Guid.CreateVersion7();

    public string Path { get; set; } = "";

    /// <summary>Name of a <see cref="FilterOperator"/>, or <see cref="Empty"/> or <see cref="NotEmpty"/>.</summary>
    public string Operator { get; set; } = nameof(FilterOperator.Equal);

    public string Value { get; set; } = "";

    public bool HasValue => Operator is not (Empty or NotEmpty);

    /// <summary>Conditions that all hold; null when a filter says something else.</summary>
    internal static IEnumerable<ConditionDraft>? Of(Filter? filter) => filter switch
    {
        null => [],
        Filter.All all when all.Filters.All(f => f is Filter.Compare compare && IsPlain(compare)) => all.Filters.Cast<Filter.Compare>().Select(Of),
        Filter.Compare compare when IsPlain(compare) => [Of(compare)],
        _ => null,
    };

    /// <summary>What a field can be compared by.</summary>
    public static IEnumerable<string> Operators(FieldDefinition? field) =>
        [.. field is null || field.Type is ReferenceType ? [] : field.Type.Operators.Select(o => o.ToString()), Empty, NotEmpty];

    internal Filter ToFilter(MetadataSnapshot metadata, EntityDefinition entity)
    {
        if (!HasValue)
        {
            return new Filter.Compare(Path, Operator == Empty ? FilterOperator.Equal : FilterOperator.NotEqual, null);
        }

        var field = Crm.Sdk.Web.FieldPath.Find(metadata, entity, Path)?.Field;
        object value = field?.Type switch
        {
            var type when type == Fields.YesNo => Value == "true",
            NumberType or MoneyType when decimal.TryParse(Value, NumberStyles.Number, CultureInfo.InvariantCulture, out var number) => number,
            _ => Value,
        };
        return new Filter.Compare(Path, Enum.Parse<FilterOperator>(Operator), value);
    }

    private static bool IsPlain(Filter.Compare compare) => compare.Value is null or string or bool or int or long or decimal;

    private static ConditionDraft Of(Filter.Compare compare) => new()
    {
        Path = compare.Path,
        Operator = compare.Value is not null ? compare.Operator.ToString() : compare.Operator == FilterOperator.Equal ? Empty : NotEmpty,
        Value = compare.Value switch { null => "", bool yes => yes ? "true" : "false", IFormattable number => number.ToString(null, CultureInfo.InvariantCulture), var text => (string)text },
    };
}
