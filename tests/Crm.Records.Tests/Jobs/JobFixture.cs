using Crm.Metadata;
using Crm.Records.Jobs;
using Crm.Sdk;
using Crm.Sdk.Testing;
using Dapper;
using Microsoft.Extensions.Logging.Abstractions;

namespace Crm.Records.Tests.Jobs;

/// <summary>A database with the tables of jobs, and hosts that work on them.</summary>
public sealed class JobFixture : IAsyncLifetime
{
    private TestDatabase? test;

    public CrmDatabase Database { get; private set; } = null!;

    public Notifications Notifications { get; private set; } = null!;

    public JobQueue Queue { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        test = await TestDatabase.CreateAsync();
        Database = new CrmDatabase(test.ConnectionString);
        await PlatformScripts.RunAsync(Database, [typeof(CrmDatabase).Assembly, typeof(JobQueue).Assembly]);
        await using var connection = await Database.OpenAsync();
        await connection.ExecuteAsync("CREATE TABLE done (job uuid, unit bigint)");
        Notifications = new Notifications(Database, TimeProvider.System, NullLogger<Notifications>.Instance);
        Queue = new JobQueue(Database, Notifications);
    }

    public async Task DisposeAsync()
    {
        await Notifications.DisposeAsync();
        await Database.DisposeAsync();
        await test!.DisposeAsync();
    }

    /// <summary>A host that works on jobs of one handler.</summary>
    public async Task<JobRunner> StartHostAsync(IJobHandler handler, JobOptions? options = null)
    {
        var runner = new JobRunner(Database, Notifications, [handler], options ?? new JobOptions { Backoff = TimeSpan.Zero }, TimeProvider.System, NullLogger<JobRunner>.Instance);
        await runner.StartAsync(CancellationToken.None);
        return runner;
    }

    public Task<Job> EnqueueAsync(string kind) => Queue.EnqueueAsync(kind, new { }, Actor.System);

    /// <summary>What a killed host looks like to the others: its lease ends, nobody says so.</summary>
    public async Task FallSilentAsync(Guid job)
    {
        await using var connection = await Database.OpenAsync();
        await connection.ExecuteAsync("UPDATE crm.job SET lease_until = clock_timestamp() - interval '1 second' WHERE id = @job", new { job });
    }

    public async Task<string> DoneAsync(Guid job)
    {
        await using var connection = await Database.OpenAsync();
        return string.Join(' ', await connection.QueryAsync<long>("SELECT unit FROM done WHERE job = @job ORDER BY unit", new { job }));
    }
}

/// <summary>Does units of work, one row and one transaction each, and lets the test look in between.</summary>
internal sealed class CountingHandler(CrmDatabase database, string kind, int units) : IJobHandler
{
    public string Kind => kind;

    /// <summary>Called before each unit.</summary>
    public Func<JobRun, long, CancellationToken, Task> Before { get; init; } = (_, _, _) => Task.CompletedTask;

    public int Runs { get; private set; }

    public async Task RunAsync(JobRun job, CancellationToken ct)
    {
        Runs++;
        for (var unit = job.Position + 1; unit <= units; unit++)
        {
            await Before(job, unit, ct);
            await using var connection = await database.OpenAsync(ct);
            await using var transaction = await connection.BeginTransactionAsync(ct);
            await connection.ExecuteAsync("INSERT INTO done VALUES (@id, @unit)", new { id = job.Id, unit }, transaction);
            await job.CheckpointAsync(connection, transaction, unit, new { Done = unit }, ct);
            await transaction.CommitAsync(ct);
        }
    }
}
