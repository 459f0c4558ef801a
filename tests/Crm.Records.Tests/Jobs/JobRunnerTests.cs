using Crm.Records.Jobs;
using Crm.Sdk;
using Dapper;

namespace Crm.Records.Tests.Jobs;

public sealed class JobRunnerTests(JobFixture fixture) : IClassFixture<JobFixture>
{
    [Fact]
    public async Task A_job_is_done_and_tells_what_it_did()
    {
        using var host = await fixture.StartHostAsync(new CountingHandler(fixture.Database, "count", 3));

        var job = await fixture.Queue.WaitAsync((await fixture.EnqueueAsync("count")).Id);
        await host.StopAsync(CancellationToken.None);

        Assert.Equal(JobState.Succeeded, job.State);
        Assert.Equal(3, job.Position);
        Assert.Contains("\"done\": 3", job.Report, StringComparison.Ordinal);
        Assert.NotNull(job.FinishedAt);
        Assert.Equal("1 2 3", await fixture.DoneAsync(job.Id));
    }

    [Fact]
    public async Task Two_hosts_share_the_jobs_and_do_each_once()
    {
        var one = new CountingHandler(fixture.Database, "share", 2);
        var two = new CountingHandler(fixture.Database, "share", 2);
        using var first = await fixture.StartHostAsync(one);
        using var second = await fixture.StartHostAsync(two);

        var jobs = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => fixture.EnqueueAsync("share")));
        var finished = await Task.WhenAll(jobs.Select(j => fixture.Queue.WaitAsync(j.Id)));
        await first.StopAsync(CancellationToken.None);
        await second.StopAsync(CancellationToken.None);

        Assert.All(finished, j => Assert.Equal(JobState.Succeeded, j.State));
        Assert.Equal(12, one.Runs + two.Runs);
        foreach (var job in jobs)
        {
            Assert.Equal("1 2", await fixture.DoneAsync(job.Id));
        }
    }

    [Fact]
    public async Task A_job_of_a_host_that_fell_silent_goes_on_where_it_was_and_nothing_happens_twice()
    {
        var reached = new TaskCompletionSource();
        var wakeUp = new TaskCompletionSource();
        using var silent = await fixture.StartHostAsync(new CountingHandler(fixture.Database, "silent", 5)
        {
            Before = async (_, unit, _) =>
            {
                if (unit == 3)
                {
                    reached.SetResult();
                    await wakeUp.Task;
                }
            },
        });
        var job = await fixture.EnqueueAsync("silent");
        await reached.Task;
        await fixture.FallSilentAsync(job.Id);

        long resumedAt = 0;
        var healthy = new CountingHandler(fixture.Database, "silent", 5)
        {
            Before = (run, _, _) =>
            {
                resumedAt = run.Position;
                return Task.CompletedTask;
            },
        };
        using var other = await fixture.StartHostAsync(healthy);
        var finished = await fixture.Queue.WaitAsync(job.Id);
        wakeUp.SetResult();
        await silent.StopAsync(CancellationToken.None);
        await other.StopAsync(CancellationToken.None);

        Assert.Equal(JobState.Succeeded, finished.State);
        Assert.Equal(2, resumedAt);
        Assert.Equal("1 2 3 4 5", await fixture.DoneAsync(job.Id));
        Assert.Equal(JobState.Succeeded, (await fixture.Queue.FindAsync(job.Id))!.State);
    }

    [Fact]
    public async Task A_job_that_fails_is_tried_again_and_in_the_end_given_up_with_its_reason()
    {
        var handler = new CountingHandler(fixture.Database, "broken", 5)
        {
            Before = (_, unit, _) => unit == 3 ? throw new InvalidOperationException("The third unit is poisoned.") : Task.CompletedTask,
        };
        using var host = await fixture.StartHostAsync(handler);

        var job = await fixture.Queue.WaitAsync((await fixture.EnqueueAsync("broken")).Id);
        await host.StopAsync(CancellationToken.None);

        Assert.Equal(JobState.Failed, job.State);
        Assert.Equal("The third unit is poisoned.", job.Error);
        Assert.Equal("1 2", await fixture.DoneAsync(job.Id));
        // The first run got somewhere; five runs after it did not, the first of them being its own.
        Assert.InRange(handler.Runs, 5, 6);
    }

    [Fact]
    public async Task A_job_that_kills_its_host_each_time_is_given_up()
    {
        var job = await fixture.EnqueueAsync("deadly");
        await using (var connection = await fixture.Database.OpenAsync())
        {
            await connection.ExecuteAsync("UPDATE crm.job SET state = 'running', attempts = max_attempts, lease = gen_random_uuid(), lease_until = clock_timestamp() - interval '1 minute' WHERE id = @id", new { id = job.Id });
        }

        using var host = await fixture.StartHostAsync(new CountingHandler(fixture.Database, "deadly", 1));
        var finished = await fixture.Queue.WaitAsync(job.Id);
        await host.StopAsync(CancellationToken.None);

        Assert.Equal(JobState.Failed, finished.State);
        Assert.NotNull(finished.Error);
        Assert.Empty(await fixture.DoneAsync(job.Id));
    }

    [Fact]
    public async Task A_failure_that_cannot_be_helped_is_not_tried_again()
    {
        var handler = new CountingHandler(fixture.Database, "hopeless", 1) { Before = (_, _, _) => throw new JobFailedException("The file is gone.") };
        using var host = await fixture.StartHostAsync(handler);

        var job = await fixture.Queue.WaitAsync((await fixture.EnqueueAsync("hopeless")).Id);
        await host.StopAsync(CancellationToken.None);

        Assert.Equal((JobState.Failed, "The file is gone.", 1), (job.State, job.Error, handler.Runs));
    }

    [Fact]
    public async Task A_running_job_is_cancelled_and_keeps_what_it_committed()
    {
        var reached = new TaskCompletionSource();
        using var host = await fixture.StartHostAsync(new CountingHandler(fixture.Database, "long", 1000)
        {
            Before = async (_, unit, ct) =>
            {
                if (unit == 4)
                {
                    reached.SetResult();
                    await Task.Delay(Timeout.Infinite, ct);
                }
            },
        });
        var job = await fixture.EnqueueAsync("long");
        await reached.Task;

        await fixture.Queue.CancelAsync(job.Id);
        var finished = await fixture.Queue.WaitAsync(job.Id);
        await host.StopAsync(CancellationToken.None);

        Assert.Equal(JobState.Cancelled, finished.State);
        Assert.Equal("1 2 3", await fixture.DoneAsync(job.Id));
    }

    [Fact]
    public async Task A_waiting_job_is_cancelled_at_once()
    {
        var job = await fixture.EnqueueAsync("nobody does this");

        Assert.Equal(JobState.Cancelled, (await fixture.Queue.CancelAsync(job.Id))!.State);
    }

    [Fact]
    public async Task A_host_that_stops_in_order_gives_its_jobs_back()
    {
        var reached = new TaskCompletionSource();
        using var leaving = await fixture.StartHostAsync(new CountingHandler(fixture.Database, "handover", 3)
        {
            Before = async (_, unit, ct) =>
            {
                if (unit == 2)
                {
                    reached.SetResult();
                    await Task.Delay(Timeout.Infinite, ct);
                }
            },
        });
        var job = await fixture.EnqueueAsync("handover");
        await reached.Task;
        await leaving.StopAsync(CancellationToken.None);
        Assert.Equal(JobState.Queued, (await fixture.Queue.FindAsync(job.Id))!.State);

        using var next = await fixture.StartHostAsync(new CountingHandler(fixture.Database, "handover", 3));
        var finished = await fixture.Queue.WaitAsync(job.Id);
        await next.StopAsync(CancellationToken.None);

        Assert.Equal(JobState.Succeeded, finished.State);
        Assert.Equal("1 2 3", await fixture.DoneAsync(job.Id));
    }

    [Fact]
    public async Task A_job_of_a_user_who_is_gone_fails_with_the_reason()
    {
        await using (var connection = await fixture.Database.OpenAsync())
        {
            await connection.ExecuteAsync("CREATE TABLE IF NOT EXISTS records.\"user\" (id uuid, name text, is_administrator boolean, is_active boolean)");
        }

        using var host = await fixture.StartHostAsync(new CountingHandler(fixture.Database, "orphan", 1) { Before = (run, _, ct) => run.ActorAsync(ct) });
        var job = await fixture.Queue.EnqueueAsync("orphan", new { }, new Actor(Guid.CreateVersion7(), "Gone", false));

        Assert.Equal(JobState.Failed, (await fixture.Queue.WaitAsync(job.Id)).State);
        await host.StopAsync(CancellationToken.None);
    }
}
