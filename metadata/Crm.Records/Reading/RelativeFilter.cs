using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Records;

/// <summary>Puts borders in the place of periods and the user in the place of "me", so that what is compiled depends on neither.</summary>
internal sealed class RelativeFilter(AccessView view, Actor actor, DateTimeOffset now, TimeZoneInfo? zone)
{
    private readonly TimeZoneInfo zone = zone ?? TimeZoneInfo.Utc;

    /// <summary>Whether a filter says anything that depends on who asks and when. Deeper than any filter may be, it is not looked at: it is refused anyway.</summary>
    public static bool Find(Filter? filter, int depth = 0) => depth <= QueryLimits.MaxDepth && filter switch
    {
        Filter.During or Filter.Mine => true,
        Filter.All { Filters.IsDefault: false } all => Find(all.Filters, depth),
        Filter.Any { Filters.IsDefault: false } any => Find(any.Filters, depth),
        Filter.Not not => Find(not.Filter, depth + 1),
        Filter.Linked linked => Find(linked.Where, depth + 1),
        Filter.Related related => Find(related.Where, depth + 1),
        _ => false,
    };

    /// <summary>The filter as it is meant now.</summary>
    /// <param name="home">The entity its paths begin at.</param>
    /// <param name="filter">The filter.</param>
    /// <param name="depth">How deep it stands in another one.</param>
    public Filter Resolve(string home, Filter filter, int depth = 0) => depth > QueryLimits.MaxDepth ? filter : filter switch
    {
        Filter.During during => Borders(home, during),
        Filter.Mine mine => Mine(home, mine),
        Filter.All { Filters.IsDefault: false } all => new Filter.All([.. all.Filters.Select(f => Resolve(home, f, depth + 1))]),
        Filter.Any { Filters.IsDefault: false } any => new Filter.Any([.. any.Filters.Select(f => Resolve(home, f, depth + 1))]),
        Filter.Not not => new Filter.Not(Resolve(home, not.Filter, depth + 1)),
        // Addresses have neither times nor users.
        Filter.Linked { Where: not null } linked when Find(home, linked.Path).Field.Type is AddressesType => linked,
        Filter.Linked { Where: { } where } linked => linked with { Where = Resolve(Find(home, linked.Path).Field.Definition.Link?.Entity ?? home, where, depth + 1) },
        Filter.Related { Where: { } where } related => related with { Where = Resolve(related.Entity, where, depth + 1) },
        _ => filter,
    };

    private static bool Find(ImmutableArray<Filter> filters, int depth)
    {
        foreach (var filter in filters)
        {
            if (Find(filter, depth + 1))
            {
                return true;
            }
        }

        return false;
    }

    private Filter.Compare Mine(string home, Filter.Mine mine)
    {
        var field = Find(home, mine.Path).Field.Definition;
        return (field.Type as ReferenceType)?.TargetOf(field) == "user"
            ? new Filter.Compare(mine.Path, FilterOperator.Equal, actor.UserId)
            : throw new QueryException(ErrorCodes.BadRequest, Texts.Of("NotOfUser", field.Label), mine.Path);
    }

    private Filter.All Borders(string home, Filter.During during)
    {
        var path = Find(home, during.Path);
        if (path.Field.Columns.IsEmpty || path.Column.Storage is not (StorageKind.Date or StorageKind.Instant))
        {
            throw new QueryException(ErrorCodes.BadRequest, Texts.Of("NotOfTime", path.Field.Definition.Label), during.Path);
        }

        if (during.Days is < 1 or > Filter.During.MaxDays)
        {
            throw new QueryException(ErrorCodes.Range, Texts.Of("PeriodDays", Filter.During.MaxDays), during.Path);
        }

        var (from, to) = Days(during.Period, during.Days);
        var conditions = ImmutableArray.CreateBuilder<Filter>(2);
        if (from is { } first)
        {
            conditions.Add(new Filter.Compare(during.Path, FilterOperator.GreaterOrEqual, Value(path.Column.Storage, first)));
        }

        if (to is { } after)
        {
            conditions.Add(new Filter.Compare(during.Path, FilterOperator.Less, Value(path.Column.Storage, after)));
        }

        return new Filter.All(conditions.ToImmutable());
    }

    /// <summary>The first day of a period and the first one after it; null where it has no border.</summary>
    private (DateOnly? From, DateOnly? To) Days(Period period, int days)
    {
        var today = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(now, zone).DateTime);
        var monday = today.AddDays(-(((int)today.DayOfWeek + 6) % 7));
        var month = new DateOnly(today.Year, today.Month, 1);
        var quarter = new DateOnly(today.Year, ((today.Month - 1) / 3 * 3) + 1, 1);
        var year = new DateOnly(today.Year, 1, 1);
        return period switch
        {
            Period.Today => (today, today.AddDays(1)),
            Period.Yesterday => (today.AddDays(-1), today),
            Period.Tomorrow => (today.AddDays(1), today.AddDays(2)),
            Period.ThisWeek => (monday, monday.AddDays(7)),
            Period.LastWeek => (monday.AddDays(-7), monday),
            Period.NextWeek => (monday.AddDays(7), monday.AddDays(14)),
            Period.ThisMonth => (month, month.AddMonths(1)),
            Period.LastMonth => (month.AddMonths(-1), month),
            Period.NextMonth => (month.AddMonths(1), month.AddMonths(2)),
            Period.ThisQuarter => (quarter, quarter.AddMonths(3)),
            Period.LastQuarter => (quarter.AddMonths(-3), quarter),
            Period.NextQuarter => (quarter.AddMonths(3), quarter.AddMonths(6)),
            Period.ThisYear => (year, year.AddYears(1)),
            Period.LastYear => (year.AddYears(-1), year),
            Period.NextYear => (year.AddYears(1), year.AddYears(2)),
            Period.LastDays => (today.AddDays(1 - days), today.AddDays(1)),
            Period.NextDays => (today, today.AddDays(days)),
            Period.BeforeLastDays => (null, today.AddDays(1 - days)),
            Period.AfterNextDays => (today.AddDays(days), null),
            _ => throw new ArgumentOutOfRangeException(nameof(period)),
        };
    }

    // Midnight is another moment in each zone, and on days the clocks change it may not exist: then the day begins when they do.
    private object Value(StorageKind storage, DateOnly day)
    {
        if (storage == StorageKind.Date)
        {
            return day;
        }

        var midnight = day.ToDateTime(TimeOnly.MinValue);
        while (zone.IsInvalidTime(midnight))
        {
            midnight = midnight.AddMinutes(15);
        }

        return new DateTimeOffset(midnight, zone.GetUtcOffset(midnight)).ToUniversalTime();
    }

    private ResolvedPath Find(string home, string path) =>
        new PathResolver(view, QueryCompiler.TableOf(view.Seen, home)).Find(path is { Length: > 0 and <= 200 } ? path : throw new QueryException(ErrorCodes.UnknownField, Texts.Of("BadName", ""), path));
}
