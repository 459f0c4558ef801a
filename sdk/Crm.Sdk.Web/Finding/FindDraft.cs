using System.Collections.Immutable;
using System.Globalization;
using Crm.Sdk.Web.Forms;

namespace Crm.Sdk.Web.Finding;

/// <summary>A filter being put together: lines of conditions, their values typed into the editors of a form.</summary>
public sealed class FindDraft
{
    /// <summary>Most groups inside one another; more is read by nobody.</summary>
    public const int MaxDepth = 3;

    private readonly MetadataSnapshot metadata;
    private int values;

    /// <summary>Starts from a filter; null for none.</summary>
    public FindDraft(MetadataSnapshot metadata, EntityDefinition entity, Filter? filter, FieldText text)
    {
        ArgumentNullException.ThrowIfNull(entity);
        this.metadata = metadata;
        Form = new FormModel(entity, new Record(entity.Name, Guid.Empty, 0, ImmutableDictionary<string, object?>.Empty), text);
        Root = filter is Filter.All or Filter.Any ? Group(new FindGroup(entity), filter) : new FindGroup(entity);
        if (filter is not (null or Filter.All or Filter.Any))
        {
            Root.Items.Add(Read(Root, filter));
        }

        if (Root.Items.Count == 0)
        {
            Add(Root);
        }
    }

    /// <summary>The lines.</summary>
    public FindGroup Root { get; }

    /// <summary>The values.</summary>
    public FormModel Form { get; }

    /// <summary>What conditions of a group can be about.</summary>
    public ImmutableArray<FindSubject> Subjects(EntityDefinition entity) => FindSubject.Of(metadata, entity);

    /// <summary>What a condition is about; null before something was chosen.</summary>
    public FindSubject? Subject(FindCondition condition)
    {
        ArgumentNullException.ThrowIfNull(condition);
        return condition.Path.Length == 0 ? null : FindSubject.Find(metadata, condition.Entity, condition.Path);
    }

    /// <summary>Adds an empty condition.</summary>
    public void Add(FindGroup group)
    {
        ArgumentNullException.ThrowIfNull(group);
        group.Items.Add(new FindCondition(group, NextName()));
    }

    /// <summary>Adds a group with an empty condition, of the other kind than the one it stands in.</summary>
    public void AddGroup(FindGroup group)
    {
        ArgumentNullException.ThrowIfNull(group);
        var inner = new FindGroup(group.Entity) { IsAny = !group.IsAny };
        Add(inner);
        group.Items.Add(inner);
    }

    /// <summary>Chooses what a condition is about.</summary>
    public void Choose(FindCondition condition, string path)
    {
        ArgumentNullException.ThrowIfNull(condition);
        condition.Path = path ?? "";
        if (Subject(condition) is { } subject)
        {
            Use(condition, subject.Operators[0]);
            condition.Name = NextName();
        }
    }

    /// <summary>Chooses how a condition compares; what was typed stays where it still fits.</summary>
    public void Use(FindCondition condition, FindOperator op)
    {
        ArgumentNullException.ThrowIfNull(condition);
        condition.Operator = op;
        condition.Where = op is FindOperator.Has or FindOperator.HasNot && Subject(condition)?.Related is { } related
            ? condition.Where?.Entity.Name == related.Name ? condition.Where : new FindGroup(related)
            : null;
    }

    /// <summary>The field the value of a condition is typed into; null when it needs none.</summary>
    public FieldDefinition? Value(FindCondition condition) =>
        Subject(condition) is { } subject && (subject.Related is null || subject.Field.Type is AddressesType) && FindOperators.NeedsValue(condition.Operator) ? FindOperators.Value(subject.Field, condition.Operator, condition.Name) : null;

    /// <summary>The filter put together; null when nothing is asked.</summary>
    /// <param name="problem">What is missing; null when nothing is.</param>
    public Filter? ToFilter(out string? problem)
    {
        problem = null;
        return Write(Root, ref problem);
    }

    /// <summary>Reads what the records are called that conditions name.</summary>
    public Task LearnAsync(IRecordService records, CancellationToken ct = default) =>
        Form.Titles.LearnAsync(records, metadata, Values(Root).SelectMany(v => RecordTitles.Pointers(v, Form[v.Name])), ct);

    private IEnumerable<FieldDefinition> Values(FindGroup group) => group.Items.SelectMany(item => item switch
    {
        FindGroup inner => Values(inner),
        FindCondition { Where: { } where } => Values(where),
        FindCondition condition when Value(condition) is { } field => [field],
        _ => [],
    });

    /// <summary>A value as it is written into a filter: what survives an address and a table.</summary>
    private static object? Plain(FieldDefinition field, object? value) => value switch
    {
        "true" or "false" when field.Type == Fields.Choice => value is "true",
        Guid id => id.ToString(),
        DateOnly date => date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        TimeOnly time => time.ToString("HH:mm:ss", CultureInfo.InvariantCulture),
        DateTimeOffset instant => instant.ToUniversalTime().ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture),
        decimal number when decimal.Truncate(number) == number && Math.Abs(number) < 1_000_000_000_000_000 => (long)number,
        _ => value,
    };

    private Filter? Write(FindGroup group, ref string? problem)
    {
        var filters = ImmutableArray.CreateBuilder<Filter>();
        foreach (var item in group.Items)
        {
            var filter = item switch
            {
                FindGroup inner => Write(inner, ref problem),
                FindKept kept => kept.Filter,
                FindCondition condition => Write(condition, ref problem),
                _ => null,
            };
            if (filter is not null)
            {
                filters.Add(filter);
            }
        }

        return filters.Count switch { 0 => null, 1 => filters[0], _ => group.IsAny ? new Filter.Any(filters.ToImmutable()) : new Filter.All(filters.ToImmutable()) };
    }

    private Filter? Write(FindCondition condition, ref string? problem)
    {
        if (Subject(condition) is not { } subject)
        {
            return null;
        }

        if (condition.Operator is FindOperator.Has or FindOperator.HasNot)
        {
            var where = condition.Where is null ? null : Write(condition.Where, ref problem);
            Filter has = subject.Field.Type is ManyToManyType or AddressesType ? new Filter.Linked(subject.Path, where) : new Filter.Related(subject.Related!.Name, subject.Field.Name, where);
            return condition.Operator == FindOperator.Has ? has : new Filter.Not(has);
        }

        object? value = null;
        if (Value(condition) is { } field)
        {
            value = Form[field.Name];
            if (value is null or "" || Form.Error(field.Name) is not null)
            {
                problem ??= Form.Error(field.Name) ?? FindTexts.Of("ValueMissing", subject.Label);
                return null;
            }

            value = Plain(field, value);
        }

        var path = subject.Path;
        return condition.Operator switch
        {
            FindOperator.Empty => new Filter.Compare(path, FilterOperator.Equal, null),
            FindOperator.NotEmpty => new Filter.Compare(path, FilterOperator.NotEqual, null),
            FindOperator.Me => new Filter.Mine(path),
            FindOperator.NotMe => new Filter.Not(new Filter.Mine(path)),
            FindOperator.During => new Filter.During(path, condition.Period, IsOfDays(condition.Period) ? Math.Clamp(condition.Days, 1, Filter.During.MaxDays) : 1),
            FindOperator.AnyOf => In(path, value),
            FindOperator.NoneOf => new Filter.Not(In(path, value)),
            FindOperator.ContainsNot => new Filter.Not(new Filter.Compare(path, FilterOperator.Contains, value)),
            _ => new Filter.Compare(path, FindOperators.Compare(condition.Operator), value),
        };
    }

    /// <summary>Whether a period needs a number of days.</summary>
    internal static bool IsOfDays(Period period) => period is Period.LastDays or Period.NextDays or Period.BeforeLastDays or Period.AfterNextDays;

    private static Filter.In In(string path, object? value) => new(path, [.. (value is ImmutableArray<string> names ? names : []).Select(n => (object?)n)]);

    private FindGroup Group(FindGroup group, Filter filter)
    {
        group.IsAny = filter is Filter.Any;
        foreach (var part in filter switch { Filter.All all => all.Filters, Filter.Any any => any.Filters, _ => [filter] })
        {
            group.Items.Add(Read(group, part));
        }

        return group;
    }

    private FindItem Read(FindGroup group, Filter filter) => filter switch
    {
        Filter.All or Filter.Any => Group(new FindGroup(group.Entity), filter),
        Filter.Compare compare when FindOperators.Of(compare) is { } op => Condition(group, filter, compare.Path, op, compare.Value),
        Filter.In list => Condition(group, filter, list.Path, FindOperator.AnyOf, list.Values.ToArray()),
        Filter.During during => Condition(group, filter, during.Path, FindOperator.During, null, c => (c.Period, c.Days) = (during.Period, during.Days)),
        Filter.Mine mine => Condition(group, filter, mine.Path, FindOperator.Me, null),
        Filter.Linked linked => Condition(group, filter, linked.Path, FindOperator.Has, null, c => About(c, linked.Where)),
        Filter.Related related => Condition(group, filter, related.Entity + FindSubject.Separator + related.Lookup, FindOperator.Has, null, c => About(c, related.Where)),
        Filter.Not { Filter: Filter.Compare { Operator: FilterOperator.Contains } compare } => Condition(group, filter, compare.Path, FindOperator.ContainsNot, compare.Value),
        Filter.Not { Filter: Filter.In list } => Condition(group, filter, list.Path, FindOperator.NoneOf, list.Values.ToArray()),
        Filter.Not { Filter: Filter.Mine mine } => Condition(group, filter, mine.Path, FindOperator.NotMe, null),
        Filter.Not { Filter: Filter.Linked linked } => Condition(group, filter, linked.Path, FindOperator.HasNot, null, c => About(c, linked.Where)),
        Filter.Not { Filter: Filter.Related related } => Condition(group, filter, related.Entity + FindSubject.Separator + related.Lookup, FindOperator.HasNot, null, c => About(c, related.Where)),
        _ => new FindKept(filter),
    };

    private FindItem Condition(FindGroup group, Filter filter, string path, FindOperator op, object? value, Action<FindCondition>? more = null)
    {
        var condition = new FindCondition(group, NextName()) { Path = path };
        if (Subject(condition) is not { } subject)
        {
            return new FindKept(filter);
        }

        // A choice that has to be one is one of one.
        (op, value) = op switch
        {
            FindOperator.Equal when subject.Operators.Contains(FindOperator.AnyOf) => (FindOperator.AnyOf, new[] { value }),
            FindOperator.Contains when subject.Operators.Contains(FindOperator.AnyOf) => (FindOperator.AnyOf, new[] { value }),
            _ => (op, value),
        };
        if (!subject.Operators.Contains(op))
        {
            return new FindKept(filter);
        }

        Use(condition, op);
        if (Value(condition) is { } field)
        {
            var input = value switch { bool yes => yes ? "true" : "false", object?[] list => list.ToList(), _ => value };
            if (input is null || !field.Type.TryNormalize(field, input, out var normal, out _) || normal is null)
            {
                return new FindKept(filter);
            }

            Form.Set(field, normal);
        }

        more?.Invoke(condition);
        return condition;
    }

    private void About(FindCondition condition, Filter? where)
    {
        if (where is not null && condition.Where is { } group)
        {
            Group(group, where);
        }
    }

    private string NextName() => string.Create(CultureInfo.InvariantCulture, $"find-{++values}");
}
