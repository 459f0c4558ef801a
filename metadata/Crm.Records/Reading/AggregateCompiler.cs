using System.Collections.Immutable;
using System.Globalization;
using Crm.Sdk;
using Npgsql;

namespace Crm.Records;

/// <summary>Turns an aggregation into one GROUP BY.</summary>
internal static class AggregateCompiler
{
    public static Aggregation Compile(AccessView view, EntityTable table, AggregateQuery query)
    {
        var groupBy = query.GroupBy.IsDefault ? [] : query.GroupBy;
        var aggregates = query.Aggregates.IsDefault ? [] : query.Aggregates;
        Require(groupBy.Length <= QueryLimits.MaxGroupBy && aggregates.Length <= QueryLimits.MaxAggregates, "TooManyPaths", Math.Max(QueryLimits.MaxGroupBy, QueryLimits.MaxAggregates));
        Require(groupBy.Length + aggregates.Length > 0, "NothingAsked");
        var names = groupBy.Concat(aggregates.Select(a => a.Alias)).ToImmutableArray();
        Require(names.All(n => !string.IsNullOrEmpty(n)) && names.Distinct(StringComparer.Ordinal).Count() == names.Length, "NamesTwice");

        var paths = new PathResolver(view, table);
        var slots = new List<ParameterSlot>();
        var shape = QueryShape.Of(query.Filter);
        var groups = groupBy.Distinct(StringComparer.Ordinal).Select(paths.Resolve).ToList();
        var columns = groups.ConvertAll(g => (g.Sql, (StorageKind?)g.Column.Storage));
        columns.AddRange(aggregates.Select(a => Column(paths, a)));
        var conditions = new[] { paths.Condition, query.Filter is { } filter ? new FilterWriter(paths, slots).Write(filter) : null }.OfType<string>().ToList();
        var where = conditions.Count > 0 ? " WHERE " + string.Join(" AND ", conditions) : "";
        var places = string.Join(", ", Enumerable.Range(1, groups.Count));
        var sql = $"SELECT {string.Join(", ", columns.Select(c => c.Item1))} FROM {paths.From}{where}"
            + (groups.Count > 0 ? $" GROUP BY {places} ORDER BY {places}" : "")
            + string.Create(CultureInfo.InvariantCulture, $" LIMIT {QueryLimits.MaxGroups + 1}");
        return new Aggregation(sql, [.. slots.Select((slot, i) => slot.Bind(shape.Values[i]))], new RecordShape(names), [.. columns.Select(c => c.Item2)]);
    }

    /// <summary>What is computed, and how it is read; null for an exact number however it was stored.</summary>
    private static (string Sql, StorageKind? Storage) Column(PathResolver paths, Aggregate aggregate)
    {
        if (aggregate is { Function: AggregateFunction.Count, Path: null })
        {
            return ("count(*)", StorageKind.Integer);
        }

        var path = paths.Resolve(aggregate.Path ?? throw new QueryException(ErrorCodes.BadRequest, Texts.Of("AggregateNeedsPath", aggregate.Function), aggregate.Alias));
        var storage = path.Column.Storage;
        var isAllowed = aggregate.Function switch
        {
            AggregateFunction.Sum or AggregateFunction.Average => storage is StorageKind.Integer or StorageKind.Decimal,
            AggregateFunction.Min or AggregateFunction.Max => storage is not (StorageKind.Boolean or StorageKind.Reference or StorageKind.TextList or StorageKind.Json),
            _ => true,
        };
        Require(isAllowed, "CannotAggregate", aggregate.Function, path.Path, path.Field.Type.Name);
        return aggregate.Function switch
        {
            AggregateFunction.Count => ($"count({path.Sql})", StorageKind.Integer),
            AggregateFunction.CountDistinct => ($"count(DISTINCT {path.Sql})", StorageKind.Integer),
            AggregateFunction.Sum => ($"sum({path.Sql})::numeric", null),
            // A mean has as many digits as the division gives; .NET's decimal holds 28.
            AggregateFunction.Average => ($"round(avg({path.Sql}), 10)", null),
            AggregateFunction.Min => ($"min({path.Sql})", storage),
            AggregateFunction.Max => ($"max({path.Sql})", storage),
            _ => throw new QueryException(ErrorCodes.BadRequest, Texts.Of("CannotAggregate", aggregate.Function, path.Path, path.Field.Type.Name), aggregate.Alias),
        };
    }

    private static void Require(bool holds, string text, params ReadOnlySpan<object?> arguments)
    {
        if (!holds)
        {
            throw new QueryException(ErrorCodes.BadRequest, Texts.Of(text, arguments));
        }
    }
}

/// <summary>A compiled aggregation with its values.</summary>
internal sealed record Aggregation(string Sql, ImmutableArray<NpgsqlParameter> Parameters, RecordShape Shape, ImmutableArray<StorageKind?> Columns)
{
    public NpgsqlBatchCommand ToCommand(ActorAccess access)
    {
        var command = new NpgsqlBatchCommand(Sql);
        access.Bind(command.Parameters);
        foreach (var parameter in Parameters)
        {
            command.Parameters.Add(parameter);
        }

        return command;
    }

    public async Task<ImmutableArray<AggregateRow>> ReadAsync(NpgsqlDataReader reader, CancellationToken ct)
    {
        var rows = ImmutableArray.CreateBuilder<AggregateRow>();
        while (await reader.ReadAsync(ct))
        {
            if (rows.Count == QueryLimits.MaxGroups)
            {
                throw new QueryException(ErrorCodes.BadRequest, Texts.Of("TooManyGroups", QueryLimits.MaxGroups));
            }

            rows.Add(new AggregateRow(new RecordValues(Shape, [.. Columns.Select((storage, i) => RowReader.Column(reader, storage ?? StorageKind.Decimal, i))])));
        }

        return rows.DrainToImmutable();
    }
}
