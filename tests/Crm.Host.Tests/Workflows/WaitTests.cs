using Crm.Host.Tests.Api;
using Crm.Sdk;
using Crm.Sdk.Testing;
using Crm.Workflows;
using Microsoft.Extensions.DependencyInjection;
using static Crm.Host.Tests.Workflows.WorkflowClient;

namespace Crm.Host.Tests.Workflows;

/// <summary>Runs that wait: for a moment, with a clock that is moved, and for a record.</summary>
public sealed class WaitTests(WaitTests.Moved crm) : IClassFixture<WaitTests.Moved>
{
    private readonly WorkflowClient flows = new(crm.Api);

    [Fact]
    public async Task C_24_A_delay_ends_when_its_moment_comes_and_what_was_missed_is_caught_up_in_order()
    {
        var job = await JobAsync(0);
        foreach (var hours in new[] { "09", "03", "06", "12" })
        {
            await flows.PublishAsync(Sequence(
                "delay-" + hours,
                Trigger("Crm.StageEntered", "x_job", "\"stage\":\"order\","),
                $$"""{"type":"Elsa.Delay","id":"wait","name":"wait","timeSpan":"{{hours}}:00:00"}""",
                SetFields("After", $$$"""{"note":{"type":"Crm","value":"coalesce(note, \"\") & \"{{{hours}}}\""}}""")));
            await StartAsync("delay-" + hours, job);
            Assert.Equal("suspended", (await flows.OnlyAsync("delay-" + hours)).Status);
        }

        Assert.Equal(crm.Clock.GetUtcNow().AddHours(9), (await flows.OnlyAsync("delay-09")).DueAt!.Value, TimeSpan.FromMinutes(1));

        // The host is down while three of them fall due.
        await crm.Api.Crm.StopAsync();
        crm.Clock.Move(TimeSpan.FromHours(10));
        await crm.Api.Crm.RestartAsync();
        await UntilAsync(async () => await flows.ScalarAsync("SELECT count(*) FROM crm.workflow_instance WHERE definition_id LIKE 'delay-%' AND status = 'finished'") == 3);
        Assert.Equal("030609", (await crm.Api.Crm.Records.FindAsync("x_job", job))!.Get<string>("note"));
        Assert.Equal("suspended", (await flows.OnlyAsync("delay-12")).Status);
    }

    [Fact]
    public async Task A_run_waits_for_a_record_and_no_longer_than_it_says()
    {
        await flows.PublishAsync(Flowchart(
            "watch",
            [
                Trigger("Crm.StageEntered", "x_job", "\"stage\":\"order\","),
                """{"type":"Crm.WaitForRecord","id":"wait","name":"wait","condition":{"expression":{"type":"Crm","value":"count > 5"}},"timeout":{"expression":{"type":"Literal","value":"P2D"}}}""",
                SetFields("Come", """{"note":"came"}"""), SetFields("Late", """{"note":"late"}"""), """{"type":"Elsa.WriteLine","id":"Gone","name":"Gone","text":"gone"}""",
            ],
            "trigger>wait", "wait:Done>Come", "wait:TimedOut>Late", "wait:Deleted>Gone"));
        Guid[] jobs = [await JobAsync(1), await JobAsync(1), await JobAsync(1), await JobAsync(7)];
        foreach (var job in jobs)
        {
            await StartAsync("watch", job);
        }

        var runs = await flows.EndedAsync("watch", 4);
        Assert.Equal(["suspended", "suspended", "suspended", "finished"], runs.Select(r => r.Status));

        // A change that does not meet the condition changes nothing; one that does goes on at once.
        await crm.Api.Crm.Records.SaveAsync(RecordChange.Update("x_job", jobs[0], new Dictionary<string, object?> { ["count"] = 4 }));
        await crm.Api.Crm.Records.SaveAsync(RecordChange.Update("x_job", jobs[1], new Dictionary<string, object?> { ["count"] = 6 }));
        await crm.Api.Crm.Records.SaveAsync(RecordChange.Delete("x_job", jobs[2]));
        await StatusesAsync("suspended", "finished", "finished", "finished");
        Assert.Contains("Gone Completed", await flows.JournalAsync(runs[2]));
        Assert.Contains("wait Resumed", await flows.JournalAsync(runs[0]));

        crm.Clock.Move(TimeSpan.FromDays(2));
        await crm.NotifyAsync();
        await StatusesAsync("finished", "finished", "finished", "finished");
        Assert.Equal<IEnumerable<string?>>(["late", "came", null, "came"], await Task.WhenAll(jobs.Select(async j => (await crm.Api.Crm.Records.FindAsync("x_job", j))?.Get<string>("note"))));
        Assert.Equal(0, await flows.ScalarAsync("SELECT count(*) FROM crm.workflow_bookmark AS b JOIN crm.workflow_instance AS i ON i.id = b.instance_id AND i.definition_id = 'watch'"));

        Task StatusesAsync(params string[] wanted) =>
            UntilAsync(async () => (await flows.EndedAsync("watch", 4)).Select(r => r.Status).SequenceEqual(wanted, StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_first_of_two_branches_ends_the_other_and_a_cancelled_run_goes_on_no_more()
    {
        await flows.PublishAsync(Flowchart(
            "race",
            [
                Trigger("Crm.StageEntered", "x_job", "\"stage\":\"order\","),
                """{"type":"Elsa.FlowFork","id":"fork","name":"fork","branches":["A","B"]}""",
                """{"type":"Elsa.Delay","id":"short","name":"short","timeSpan":"01:00:00"}""",
                """{"type":"Elsa.StartAt","id":"long","name":"long","dateTime":"2099-01-01T00:00:00Z"}""",
                """{"type":"Elsa.FlowJoin","id":"join","name":"join","mode":"WaitAny"}""",
                SetFields("End", """{"count":{"type":"Crm","value":"count + 1"}}"""),
            ],
            "trigger>fork", "fork:A>short", "fork:B>long", "short>join", "long>join", "join>End"));
        var (first, second) = (await JobAsync(0), await JobAsync(0));
        await StartAsync("race", first);
        var cancelled = await StartAsync("race", second);
        await flows.EndedAsync("race", 2);
        Assert.True(await Runs.CancelAsync(cancelled, Actor.System));

        crm.Clock.Move(TimeSpan.FromHours(1));
        await crm.NotifyAsync();
        await UntilAsync(async () => (await flows.EndedAsync("race", 2)).Select(r => r.Status).SequenceEqual(["finished", "cancelled"]));
        var run = (await flows.EndedAsync("race", 2))[0];
        Assert.Contains("long Cancelled", await flows.JournalAsync(run));
        Assert.Equal<IEnumerable<long>>([1L, 0L], await Task.WhenAll(new[] { first, second }.Select(async j => (await crm.Api.Crm.Records.FindAsync("x_job", j))!.Get<long>("count"))));
    }

    private WorkflowRuns Runs => crm.Api.Crm.Services.GetRequiredService<WorkflowRuns>();

    private async Task<Guid> JobAsync(int count) =>
        (await crm.Api.Crm.Records.SaveAsync(RecordChange.Create("x_job", new Dictionary<string, object?> { ["title"] = "Wait", ["count"] = count }))).Record!.Id;

    private async Task<Guid> StartAsync(string definition, Guid job) => (await Runs.StartAsync(definition, job, Actor.System))!.Value;

    /// <summary>A CRM whose clock can be moved.</summary>
    public sealed class Moved : IAsyncLifetime
    {
        public Moved() => Api = new ApiCrm { Options = new TestCrmOptions { Configure = builder => builder.Services.AddSingleton<TimeProvider>(Clock) } };

        public MovedClock Clock { get; } = new();

        public ApiCrm Api { get; }

        public async Task InitializeAsync()
        {
            await Api.InitializeAsync();
            await Api.ApplyAsync(Shape);
        }

        public Task DisposeAsync() => Api.DisposeAsync();

        /// <summary>The clock says nothing when it is moved; hosts look again when they are told to.</summary>
        public Task NotifyAsync() => new WorkflowClient(Api).ScalarAsync("SELECT count(*) FROM (SELECT pg_notify('crm_workflows', '')) AS n");
    }

    /// <summary>The time, and a bit more.</summary>
    public sealed class MovedClock : TimeProvider
    {
        private long ticks;

        public void Move(TimeSpan span) => Interlocked.Add(ref ticks, span.Ticks);

        public override DateTimeOffset GetUtcNow() => System.GetUtcNow().AddTicks(Interlocked.Read(ref ticks));
    }
}
