using System.Collections.Immutable;
using Crm.Sdk.Web.Forms;

namespace Crm.Sdk.Web.Finding;

/// <summary>A filter in words, for the user (PLT-16).</summary>
public sealed class FilterWords(MetadataSnapshot metadata, DisplayContext display)
{
    private readonly RecordTitles titles = new();

    /// <summary>Reads what the records are called that a filter names.</summary>
    public Task LearnAsync(IRecordService records, EntityDefinition entity, Filter filter, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(entity);
        ArgumentNullException.ThrowIfNull(filter);
        return titles.LearnAsync(records, metadata, Named(entity, filter), ct);
    }

    /// <summary>The filter in words.</summary>
    public string Of(EntityDefinition entity, Filter filter)
    {
        ArgumentNullException.ThrowIfNull(entity);
        return Write(entity, filter, isInner: false);
    }

    /// <summary>A period in words.</summary>
    internal static string Of(Period period, int days) => FindTexts.Of((FindDraft.IsOfDays(period) ? "Days_" : "Period_") + period, days);

    private string Write(EntityDefinition entity, Filter? filter, bool isInner) => filter switch
    {
        Filter.All { Filters.IsEmpty: true } => FindTexts.Of("Everything"),
        Filter.Any { Filters.IsEmpty: true } => FindTexts.Of("Nothing"),
        Filter.All all => Join(entity, all.Filters, "And", isInner),
        Filter.Any any => Join(entity, any.Filters, "Or", isInner),
        Filter.Compare compare when FindOperators.Of(compare) is { } op => Say(entity, compare.Path, op, [compare.Value]),
        Filter.Compare compare => Say(entity, compare.Path, FindOperator.Equal, [compare.Value]),
        Filter.In list => Say(entity, list.Path, FindOperator.AnyOf, list.Values),
        Filter.During during => FindTexts.Of("Say_During", Name(entity, during.Path), Of(during.Period, during.Days)),
        Filter.Mine mine => Say(entity, mine.Path, FindOperator.Me, []),
        Filter.Not { Filter: Filter.Compare { Operator: FilterOperator.Contains } compare } => Say(entity, compare.Path, FindOperator.ContainsNot, [compare.Value]),
        Filter.Not { Filter: Filter.In list } => Say(entity, list.Path, FindOperator.NoneOf, list.Values),
        Filter.Not { Filter: Filter.Mine mine } => Say(entity, mine.Path, FindOperator.NotMe, []),
        Filter.Linked linked => Has(entity, linked.Path, linked.Where, "Say_Has"),
        Filter.Related related => Has(entity, PathOf(related), related.Where, "Say_Has"),
        Filter.Not { Filter: Filter.Linked linked } => Has(entity, linked.Path, linked.Where, "Say_HasNot"),
        Filter.Not { Filter: Filter.Related related } => Has(entity, PathOf(related), related.Where, "Say_HasNot"),
        Filter.Not not => FindTexts.Of("Not", Write(entity, not.Filter, isInner: true)),
        _ => throw new InvalidOperationException($"Unknown filter {filter?.GetType().Name}."),
    };

    private string Join(EntityDefinition entity, ImmutableArray<Filter> filters, string word, bool isInner)
    {
        var text = string.Join($" {FindTexts.Of(word)} ", filters.Select(f => Write(entity, f, isInner: true)));
        return isInner && filters.Length > 1 ? $"({text})" : text;
    }

    private string Has(EntityDefinition entity, string path, Filter? where, string text)
    {
        var subject = FindSubject.Find(metadata, entity, path);
        var name = Name(entity, path);
        return where is null || subject?.Related is not { } related ? FindTexts.Of(text, name) : FindTexts.Of(text + "Where", name, Write(related, where, isInner: false));
    }

    private string Say(EntityDefinition entity, string path, FindOperator op, ImmutableArray<object?> values)
    {
        var field = FindSubject.Find(metadata, entity, path)?.Field;
        var isTime = field?.Type == Fields.Date || field?.Type == Fields.DateTime;
        var text = isTime && op is FindOperator.Equal or FindOperator.Less or FindOperator.LessOrEqual or FindOperator.Greater or FindOperator.GreaterOrEqual && isTime ? "Say_Time_" : "Say_";
        return FindTexts.Of(text + op, Name(entity, path), string.Join(", ", values.Select(v => Value(field, v))));
    }

    private string Name(EntityDefinition entity, string path) => FindSubject.Find(metadata, entity, path)?.Label ?? FindTexts.Of("Missing", path);

    private string Value(FieldDefinition? field, object? value)
    {
        if (field is null || value is null)
        {
            return value?.ToString() ?? "";
        }

        if (field.Type is ReferenceType)
        {
            return Inputs.ToId(value) is { } id && titles[id] is { } title ? title : value.ToString() ?? "";
        }

        var name = value.ToString() ?? "";
        var label = field.Stages?.Find(name)?.Label ?? field.Choices.FirstOrDefault(c => c.Name == name)?.Label;
        return label is not null ? label
            : field.Type is SingleTextType or SeveralType or TextListType ? name
            : field.Type is MoneyType && Inputs.ToDecimal(value) is { } amount ? amount.ToString("#,0.##", display.Culture)
            : field.Type.TryNormalize(field, value, out var normal, out _) ? display.Format(field, normal)
            : name;
    }

    private static string PathOf(Filter.Related related) => related.Entity + FindSubject.Separator + related.Lookup;

    private IEnumerable<(string? Entity, object? Id)> Named(EntityDefinition entity, Filter? filter) => filter switch
    {
        Filter.All all => all.Filters.SelectMany(f => Named(entity, f)),
        Filter.Any any => any.Filters.SelectMany(f => Named(entity, f)),
        Filter.Not not => Named(entity, not.Filter),
        Filter.Compare compare => Named(entity, compare.Path, [compare.Value]),
        Filter.In list => Named(entity, list.Path, list.Values),
        Filter.Linked linked => FindSubject.Find(metadata, entity, linked.Path)?.Related is { } links ? Named(links, linked.Where) : [],
        Filter.Related related => FindSubject.Find(metadata, entity, PathOf(related))?.Related is { } others ? Named(others, related.Where) : [],
        _ => [],
    };

    private IEnumerable<(string? Entity, object? Id)> Named(EntityDefinition entity, string path, ImmutableArray<object?> values) =>
        FindSubject.Find(metadata, entity, path)?.Field is { Type: ReferenceType } field ? values.SelectMany(v => RecordTitles.Pointers(field, Inputs.ToId(v))) : [];
}
