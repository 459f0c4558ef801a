using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using Crm.Sdk;
using Crm.Sdk.Testing;
using Npgsql;

namespace Crm.Benchmarks;

/// <summary>A CRM with companies and opportunities, made from a fixed seed, and how fast it was filled.</summary>
internal sealed class BenchmarkData : IAsyncDisposable
{
    private static readonly string[] Stages = ["prospect", "offer", "order", "order", "order", "lost"];

    private BenchmarkData(TestCrm crm) => Crm = crm;

    public TestCrm Crm { get; }

    public ImmutableArray<Guid> Ids { get; private set; } = [];

    public ImmutableArray<Guid> Companies { get; private set; } = [];

    public double EngineRowsPerSecond { get; private set; }

    public double PlainRowsPerSecond { get; private set; }

    public static async Task<BenchmarkData> CreateAsync(int opportunities)
    {
        var data = new BenchmarkData(await TestCrm.StartAsync());
        var records = data.Crm.Services.GetRequiredService<IRecords>().As(Actor.System);
        ImmutableArray<RecordChange> companies =
            [.. Enumerable.Range(0, 85).Select(i => RecordChange.Create("company", new Dictionary<string, object?> { ["name"] = $"Company {i}", ["relationship_type"] = "client" }))];
        await SaveAsync(records, companies);

        // Warm up on rows that are not counted.
        await SaveAsync(records, Opportunities(1_000, companies, "warm"));
        var changes = Opportunities(opportunities, companies, "deal");
        var watch = Stopwatch.StartNew();
        await SaveAsync(records, changes);
        data.EngineRowsPerSecond = opportunities / watch.Elapsed.TotalSeconds;
        data.Ids = [.. changes.Select(c => c.Id)];
        data.Companies = [.. companies.Select(c => c.Id)];
        data.PlainRowsPerSecond = await PlainAsync(data.Crm.ConnectionString);
        return data;
    }

    public ValueTask DisposeAsync() => Crm.DisposeAsync();

    private static async Task SaveAsync(IRecordService records, ImmutableArray<RecordChange> changes)
    {
        foreach (var batch in changes.Chunk(1_000))
        {
            var results = await records.SaveManyAsync(batch, new SaveOptions());
            if (results.FirstOrDefault(r => !r.Succeeded) is { } refused)
            {
                throw new InvalidOperationException(refused.Errors[0].Message);
            }
        }
    }

    private static ImmutableArray<RecordChange> Opportunities(int count, ImmutableArray<RecordChange> companies, string prefix)
    {
        var random = new Random(7);
        return
        [
            .. Enumerable.Range(0, count).Select(i => RecordChange.Create("opportunity", new Dictionary<string, object?>
            {
                ["title"] = string.Create(CultureInfo.InvariantCulture, $"{prefix} {random.Next(100_000)}"),
                ["company"] = companies[random.Next(companies.Length)].Id,
                ["stage"] = Stages[random.Next(Stages.Length)],
                ["budget"] = (decimal)random.Next(50, 30_000),
                ["engage_date"] = new DateOnly(2026, 1, 1).AddDays(random.Next(365)),
                ["source_reference"] = string.Create(CultureInfo.InvariantCulture, $"{prefix}-{i}"),
            })),
        ];
    }

    // The same rows into a copy of the table with its indexes, in statements of 1,000: no checks, no history, no outbox.
    private static async Task<double> PlainAsync(string connectionString)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using (var copy = new NpgsqlCommand("CREATE TABLE public.plain (LIKE records.opportunity INCLUDING ALL)", connection))
        {
            await copy.ExecuteNonQueryAsync();
        }

        await using var rows = new NpgsqlCommand(
            """
            WITH batch AS (SELECT * FROM records.opportunity WHERE title LIKE 'deal %' ORDER BY id OFFSET $1 LIMIT 1000)
            INSERT INTO public.plain SELECT * FROM batch
            """,
            connection);
        rows.Parameters.Add(new() { Value = 0 });
        var watch = Stopwatch.StartNew();
        var written = 0;
        for (var offset = 0; offset < 8_800; offset += 1_000)
        {
            rows.Parameters[0].Value = offset;
            written += await rows.ExecuteNonQueryAsync();
        }

        return written / watch.Elapsed.TotalSeconds;
    }
}
