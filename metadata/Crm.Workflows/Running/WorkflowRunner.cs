using System.Data.Common;
using Crm.Metadata;
using Crm.Records;
using Crm.Sdk;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Crm.Workflows;

/// <summary>
/// Moves runs on: what an activity writes, the state of the run and its journal are one transaction, so that a host that dies between two activities loses nothing
/// and does nothing twice. Several hosts share the work.
/// </summary>
public sealed class WorkflowRunner : BackgroundService
{
    private const int Batch = 32;
    private const int Lanes = 4;
    private const int MaxPure = 100;

    // Also how late a moved clock is noticed.
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);
    // What is due and was not taken waits for another run, or for another host.
    private static readonly TimeSpan Blocked = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Kept = TimeSpan.FromDays(90);

    private readonly RunStore store;
    private readonly WorkflowStore definitions;
    private readonly RecordEngine records;
    private readonly MetadataStore metadata;
    private readonly BehaviorSource behaviors;
    private readonly Notifications notifications;
    private readonly TimeProvider time;
    private readonly ILogger log;
    private readonly ActivityCatalog activities = new();
    private readonly WakeUp wake = new();
    private DateTimeOffset clearAt;

    /// <summary>Made by the host.</summary>
    public WorkflowRunner(
        CrmDatabase database, WorkflowStore definitions, RecordEngine records, MetadataStore metadata, BehaviorSource behaviors, Notifications notifications, TimeProvider time, ILogger<WorkflowRunner> log)
    {
        (this.definitions, this.records, this.metadata, this.behaviors, this.notifications, this.time, this.log) = (definitions, records, metadata, behaviors, notifications, time, log);
        store = new RunStore(database, time);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        wake.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var subscription = notifications.Subscribe(WorkflowStore.Channel, async (_, ct) =>
        {
            behaviors.HearOutside("workflows", await definitions.HeardAsync(ct));
            wake.Call();
        });
        while (!stoppingToken.IsCancellationRequested)
        {
            var pause = Interval;
            try
            {
                if (behaviors.IsKnown)
                {
                    await DrainAsync(stoppingToken);
                    pause = await store.NextAsync(stoppingToken) is { } next && next < Interval ? next > Blocked ? next : Blocked : Interval;
                }
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception problem) when (problem is DbException or TimeoutException)
            {
                log.LogWarning(problem, "What workflows have to do cannot be read; trying again.");
            }

            await wake.SleepAsync(pause, stoppingToken);
        }
    }

    private async Task DrainAsync(CancellationToken ct)
    {
        if (time.GetUtcNow() is var now && now >= clearAt)
        {
            await store.ClearAsync(Kept, ct);
            clearAt = now.AddHours(1);
        }

        while (await store.TakeAsync(Batch, ct) is { IsEmpty: false } taken)
        {
            await Parallel.ForEachAsync(taken, new ParallelOptions { MaxDegreeOfParallelism = Lanes, CancellationToken = ct }, async (instance, token) => await GoOnAsync(instance, token));
            await store.AnnounceAsync(ct);
        }
    }

    private async Task GoOnAsync(InstanceRow instance, CancellationToken ct)
    {
        try
        {
            await RunAsync(instance, ct);
        }
        catch (LeaseLostException)
        {
            log.LogInformation("The run {Run} of {Workflow} was stopped, or another host goes on with it.", instance.Id, instance.Name);
        }
        catch (Exception problem) when (problem is not OperationCanceledException && !ct.IsCancellationRequested)
        {
            // What broke is not the definition's fault: the run stands where it was.
            log.LogWarning(problem, "The run {Run} of {Workflow} could not go on; trying again.", instance.Id, instance.Name);
            await store.PostponeAsync(instance, PauseAfter(instance.Attempts), ct);
        }
    }

    private async Task RunAsync(InstanceRow instance, CancellationToken ct)
    {
        var snapshot = metadata.Current;
        var graph = await store.GraphAsync(instance.VersionId, snapshot.Version, ct);
        var door = records.As(Actor.System, instance.Id);
        var run = new Run(instance, graph, instance.State is { } state ? RunState.Of(state) : Run.Begin(graph), activities, door, snapshot, time);
        foreach (var (id, frame, activity, kind) in instance.State is null ? [] : await store.WokenAsync(instance.Id, ct))
        {
            run.Resume(frame, activity, new Wake(id, kind));
        }

        // The limit is for what never rests; a run that was tried again begins anew.
        run.State.Steps = 0;
        for (var pure = 0; !run.IsIdle;)
        {
            var mark = run.Mark();
            try
            {
                var changes = await run.StepAsync(ct);
                if (changes.Count > 0)
                {
                    var results = await door.SaveManyAsync(changes, new SaveOptions(), (connection, transaction, _, token) => RunStore.WriteAsync(connection, transaction, run, token), ct);
                    Refuse(results);
                    run.Written();
                    pure = 0;
                }
                else if (++pure == MaxPure)
                {
                    await store.WriteAsync(run, ct);
                    run.Written();
                    pure = 0;
                }
            }
            catch (Exception problem) when (problem is ActivityFailedException or QueryException && metadata.Current.Version != snapshot.Version)
            {
                // What it names may be called otherwise by now: once more, as it is stored.
                throw new InvalidOperationException("The definitions changed while the run went on.", problem);
            }
            catch (ActivityFailedException failure)
            {
                run.Fail(mark, failure.Code, failure.Message);
                break;
            }
            catch (Exception problem) when (problem is QueryException or InterceptorException)
            {
                run.Fail(mark, "error", problem.Message);
                break;
            }
        }

        if (run.HasUnwritten)
        {
            await store.WriteAsync(run, ct);
        }
    }

    /// <summary>A refusal stops the run; that somebody else is in the way for a moment does not.</summary>
    private static void Refuse(IReadOnlyList<SaveResult> results)
    {
        var errors = results.SelectMany(r => r.Errors).Where(e => e.Code != ErrorCodes.Batch).ToList();
        if (errors.Exists(e => e.Code is ErrorCodes.Busy or ErrorCodes.Unavailable))
        {
            throw new TimeoutException(errors[0].Message);
        }

        if (errors.Count > 0)
        {
            throw new ActivityFailedException(errors[0].Code, string.Join('\n', errors.Select(e => e.Field is null ? e.Message : e.Field + ": " + e.Message)));
        }
    }

    private static TimeSpan PauseAfter(int attempts) => TimeSpan.FromSeconds(Math.Min(3600, Math.Pow(2, Math.Min(attempts, 12) - 1)));
}
