using Crm.Sdk;
using Npgsql;

namespace Crm.Records.Tests.Reading;

/// <summary>Limits of a query that only the engine knows.</summary>
public sealed class LimitTests(Engine engine) : IClassFixture<Engine>
{
    [Fact]
    public async Task A_query_that_takes_too_long_is_given_up_with_its_reason()
    {
        var hasty = new RecordEngine(engine.Database, engine.Metadata, new BehaviorSource(), engine.Scripts, TimeProvider.System) { QueryTimeout = TimeSpan.FromMilliseconds(50) }.As(Engine.User);
        await using (var connection = new NpgsqlConnection(engine.ConnectionString))
        {
            // What takes long here is to wait for the table.
            await connection.OpenAsync();
            await using var transaction = await connection.BeginTransactionAsync();
            await using var hold = new NpgsqlCommand("LOCK TABLE records.deal IN ACCESS EXCLUSIVE MODE", connection, transaction);
            await hold.ExecuteNonQueryAsync();
            foreach (var read in new Func<Task>[]
            {
                () => hasty.QueryAsync(new RecordQuery { Entity = "deal", Count = true }),
                () => hasty.QueryEachAsync(new RecordQuery { Entity = "deal" }, "company", [Guid.CreateVersion7()]),
                () => hasty.AggregateAsync(new AggregateQuery { Entity = "deal", GroupBy = ["stage"] }),
            })
            {
                Assert.Equal(ErrorCodes.TooSlow, (await Assert.ThrowsAsync<QueryException>(read)).Code);
            }
        }

        // It ends with the query: the connection serves the next one.
        Assert.NotNull((await hasty.QueryAsync(new RecordQuery { Entity = "deal", Count = true })).Count);
        Assert.Equal(30_000, QueryLimits.TimeoutMilliseconds);
    }

    [Fact]
    public async Task A_query_follows_24_lookups_and_no_more()
    {
        var paths = Lookups("deal").Select(p => p + ".id").ToArray();
        Assert.Equal(25, paths.Length);
        await engine.Records.QueryAsync(new RecordQuery { Entity = "deal", Select = [.. paths[..24]] });
        foreach (var query in new[]
        {
            new RecordQuery { Entity = "deal", Select = [.. paths] },
            new RecordQuery { Entity = "deal", Select = [.. paths[..24]], Sort = [new Sort(paths[24])] },
            new RecordQuery { Entity = "deal", Select = [.. paths[..24]], Filter = Filter.Equal(paths[24], null) },
        })
        {
            var refused = await Assert.ThrowsAsync<QueryException>(() => engine.Records.QueryAsync(query));
            Assert.Equal((ErrorCodes.BadRequest, paths[24]), (refused.Code, refused.Target));
            Assert.Contains("24", refused.Message, StringComparison.Ordinal);
        }
    }

    // The nearest first, so that the last of them is one join more and not several.
    private string[] Lookups(string entity)
    {
        var found = new List<string>();
        var open = new Queue<(string Path, string Entity)>([("", entity)]);
        while (found.Count < 25 && open.TryDequeue(out var next))
        {
            foreach (var field in engine.Metadata.Current.Entity(next.Entity).Fields.Where(f => !f.IsHidden && f.Type is ReferenceType))
            {
                if (((ReferenceType)field.Type).TargetOf(field) is { } target)
                {
                    found.Add(next.Path + field.Name);
                    open.Enqueue((next.Path + field.Name + ".", target));
                }
            }
        }

        return [.. found.Take(25)];
    }
}
