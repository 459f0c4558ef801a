using System.Collections.Immutable;
using Crm.Records.Bulk;
using Crm.Records.Importing;
using Crm.Records.Jobs;
using Crm.Sdk;
using Microsoft.Extensions.Logging.Abstractions;

namespace Crm.Records.Tests.Bulk;

public sealed class BulkTests : IClassFixture<Engine>
{
    private readonly Engine engine;
    private readonly RecordEngine records;
    private readonly JobQueue queue;
    private readonly BulkService bulk;

    public BulkTests(Engine engine)
    {
        this.engine = engine;
        records = engine.With(new Interceptor("deal", change =>
        {
            // A module follows: what is urgent gets a word into its notes.
            if (change.Kind == ChangeKind.Update && change.Changes("urgent"))
            {
                change["notes"] = true.Equals(change["urgent"]) ? "Hurry" : "Calm";
            }
        }));
        queue = new JobQueue(engine.Database, engine.Notifications);
        bulk = new BulkService(engine.Database, records, queue, engine.Metadata);
    }

    [Fact]
    public async Task PLT_28_Every_record_that_matches_is_changed_once_and_the_others_are_not()
    {
        var ids = await DealsAsync("match", 2300);
        var other = (await DealsAsync("spare", 1))[0];
        var job = await RunAsync(Update("match", ("kind", "old"), ("count", 7L)));
        Assert.Equal((JobState.Succeeded, 2300L, 2300L), (job.State, job.Position, job.Total));
        Assert.Equal((2300L, 2300L, 0L, 0L), Figures(job));
        Assert.Equal(2300L, await CountAsync(Filter.AllOf(Filter.Equal("kind", "old"), Filter.Equal("count", 7L), Match("match"), Filter.Equal("version", 2L))));
        Assert.Equal(1L, (await records.As(Engine.User).FindAsync("deal", other))!.Version);
        var history = await records.As(Engine.User).HistoryAsync("deal", ids[^1]);
        Assert.Equal(["bulk", "api"], history.Select(h => h.Source));
        Assert.Equal(2300L, await engine.ScalarAsync<long>($"SELECT count(*) FROM crm.history WHERE source = 'bulk' AND record_id IN (SELECT record_id FROM crm.bulk_row WHERE job_id = '{job.Id}')"));

        // What is like that already is not written again.
        Assert.Equal((2300L, 0L, 2300L, 0L), Figures(await RunAsync(Update("match", ("kind", "old")))));
    }

    [Fact]
    public async Task What_is_refused_is_told_with_its_field_and_the_rest_is_changed()
    {
        var ids = await DealsAsync("stages", 5);
        await SaveAsync(ids[1], ("stage", "lost"));
        await SaveAsync(ids[3], ("stage", "lost"));
        var preview = await bulk.PreviewAsync(Update("stages", ("stage", "offer")), Engine.User);
        Assert.Equal((5L, 3L, 2L), (preview.Count, preview.Sample.Changed, preview.Sample.Refused));
        Assert.Equal(1L, (await records.As(Engine.User).FindAsync("deal", ids[0]))!.Version);

        var job = await RunAsync(Update("stages", ("stage", "offer")));
        Assert.Equal((5L, 3L, 0L, 2L), Figures(job));
        var issue = Assert.Single(BulkService.ReportOf(job).Issues);
        Assert.Equal((ErrorCodes.Stage, "stage", 2L), (issue.Code, issue.Field, issue.Count));
        Assert.Equal(new[] { ids[1], ids[3] }.Order(), issue.Examples.Order());
        var verdicts = await new VerdictStore(engine.Database).ReadAsync(job.Id, 2, 0, 10);
        Assert.Equal(new[] { ids[1], ids[3] }.Order(), verdicts.Select(v => v.RecordId!.Value).Order());
        Assert.All(verdicts, v => Assert.Equal("stage", Assert.Single(v.Issues).Field));
    }

    [Fact]
    public async Task Named_records_that_are_gone_are_accounted_for()
    {
        var ids = await DealsAsync("named", 3);
        await records.As(Engine.User).SaveAsync(RecordChange.Delete("deal", ids[1]));
        var missing = Guid.CreateVersion7();
        var request = new BulkRequest("deal", BulkAction.Update) { Ids = [ids[0], ids[1], ids[0], missing, ids[2]], Set = Values(("count", 3L)) };
        Assert.Equal((4L, 2L, 2L), (await bulk.PreviewAsync(request, Engine.User)) is var (count, sample) ? (count, sample.Changed, sample.Refused) : default);
        var job = await RunAsync(request);
        Assert.Equal((4L, 2L, 0L, 2L), Figures(job));
        Assert.Equal([ErrorCodes.NotFound], BulkService.ReportOf(job).Issues.Select(i => i.Code).Distinct());
    }

    [Fact]
    public async Task Who_was_faster_than_the_job_is_left_alone()
    {
        var ids = await DealsAsync("faster", 3);
        var waiting = await bulk.StartAsync(Update("faster", ("count", 5L)), Engine.User);
        await SaveAsync(ids[1], ("notes", "mine"));
        await records.As(Engine.User).SaveAsync(RecordChange.Delete("deal", ids[2]));
        var job = await FinishAsync(waiting);
        Assert.Equal((3L, 1L, 0L, 2L), Figures(job));
        Assert.Equal([ErrorCodes.Conflict, ErrorCodes.NotFound], BulkService.ReportOf(job).Issues.Select(i => i.Code).Order(StringComparer.Ordinal));
        Assert.Null((await records.As(Engine.User).FindAsync("deal", ids[1]))!["count"]);
    }

    [Fact]
    public async Task D_09_Undo_gives_back_what_was_there_with_what_followed_and_leaves_alone_what_changed_since()
    {
        var ids = await DealsAsync("undo", 4);
        await SaveAsync(ids[0], ("budget", new Money(12.5m, "CHF")), ("tags", "a"));
        await SaveAsync(ids[2], ("urgent", true));
        var request = Update("undo", ("urgent", true), ("budget", "99 EUR"), ("due", "2026-12-24")) with { Add = Lists(("tags", ["b"])) };
        var job = await RunAsync(request);
        Assert.Equal((4L, 4L, 0L, 0L), Figures(job));
        var changed = (await records.As(Engine.User).FindAsync("deal", ids[0]))!;
        Assert.Equal(("Hurry", new Money(99m, "EUR"), new DateOnly(2026, 12, 24)), (changed["notes"], changed["budget"], changed["due"]));
        Assert.Equal(["a", "b"], changed.Get<ImmutableArray<string>>("tags").AsEnumerable());
        await SaveAsync(ids[3], ("count", 1L));

        var undo = await FinishAsync(await bulk.UndoAsync(job, Engine.User));
        Assert.Equal((4L, 3L, 0L, 1L), Figures(undo));
        Assert.Equal([ids[3]], Assert.Single(BulkService.ReportOf(undo).Issues).Examples);
        var back = (await records.As(Engine.User).FindAsync("deal", ids[0]))!;
        Assert.Equal((null, new Money(12.5m, "CHF"), null), (back["urgent"], back["budget"], back["due"]));
        Assert.Equal(["a"], back.Get<ImmutableArray<string>>("tags").AsEnumerable());
        Assert.Equal((null, true), ((await records.As(Engine.User).FindAsync("deal", ids[1]))!["budget"], (await records.As(Engine.User).FindAsync("deal", ids[2]))!["urgent"]));
        Assert.Equal(new Money(99m, "EUR"), (await records.As(Engine.User).FindAsync("deal", ids[3]))!["budget"]);

        // Once is enough; what was taken back can be taken back again.
        Assert.Equal(ErrorCodes.Conflict, (await Assert.ThrowsAsync<BulkRefusedException>(() => bulk.UndoAsync(job, Engine.User))).Errors[0].Code);
        var redo = await FinishAsync(await bulk.UndoAsync(undo, Engine.User));
        Assert.Equal((3L, 3L, 0L, 0L), Figures(redo));
        Assert.Equal(new Money(99m, "EUR"), (await records.As(Engine.User).FindAsync("deal", ids[0]))!["budget"]);
    }

    [Fact]
    public async Task Texts_are_added_and_taken_out_without_touching_the_others()
    {
        var ids = await DealsAsync("lists", 3);
        await SaveAsync(ids[0], ("tags", "a"));
        await SaveAsync(ids[1], ("tags", "a;b"));
        var job = await RunAsync(new BulkRequest("deal", BulkAction.Update) { Query = Query("lists"), Add = Lists(("tags", ["b"])), Remove = Lists(("tags", ["a"])) });
        Assert.Equal((3L, 3L, 0L, 0L), Figures(job));
        foreach (var id in ids)
        {
            Assert.Equal(["b"], (await records.As(Engine.User).FindAsync("deal", id))!.Get<ImmutableArray<string>>("tags").AsEnumerable());
        }

        await RunAsync(new BulkRequest("deal", BulkAction.Update) { Query = Query("lists"), Remove = Lists(("tags", ["b"])) });
        Assert.Null((await records.As(Engine.User).FindAsync("deal", ids[0]))!["tags"]);
    }

    [Fact]
    public async Task Records_are_deleted_except_those_others_point_to()
    {
        var door = records.As(Engine.User);
        var firms = (await Task.WhenAll(Enumerable.Range(0, 3).Select(i => door.SaveAsync(RecordChange.Create("company", Values(("name", "Firm of bulk"), ("country", "X" + i))))))).Select(r => r.Record!.Id).ToList();
        Assert.True((await door.SaveAsync(RecordChange.Create("deal", Values(("title", "Pointing"), ("company", firms[1]))))).Succeeded);
        var job = await RunAsync(new BulkRequest("company", BulkAction.Delete) { Query = new RecordQuery { Entity = "company", Filter = Filter.Equal("name", "Firm of bulk") } });
        Assert.Equal((3L, 2L, 0L, 1L), Figures(job));
        Assert.Equal(ErrorCodes.InUse, Assert.Single(BulkService.ReportOf(job).Issues).Code);
        Assert.Equal(ErrorCodes.Conflict, (await Assert.ThrowsAsync<BulkRefusedException>(() => bulk.UndoAsync(job, Engine.User))).Errors[0].Code);
    }

    [Fact]
    public async Task A_cancelled_change_keeps_what_it_did_and_can_be_taken_back()
    {
        await DealsAsync("cancel", 2);
        var job = await queue.CancelAsync((await bulk.StartAsync(Update("cancel", ("count", 5L)), Engine.User)).Id);
        Assert.Equal(JobState.Cancelled, job!.State);
        Assert.Equal(ErrorCodes.Conflict, (await Assert.ThrowsAsync<BulkRefusedException>(() => bulk.UndoAsync(job, Engine.User))).Errors[0].Code);
    }

    public static TheoryData<string, object?, string> Wrong => new()
    {
        { "nowhere", 1L, ErrorCodes.UnknownField },
        { "count", "many", ErrorCodes.Type },
        { "number", "D1", ErrorCodes.ReadOnly },
        { "score", 1L, ErrorCodes.ReadOnly },
        { "modified_at", "2026-01-01T00:00:00Z", ErrorCodes.ReadOnly },
        { "kind", "other", ErrorCodes.Unknown },
        { "notes", "a\0b", ErrorCodes.Type },
        { "ratio", double.NaN, ErrorCodes.Type },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public async Task What_no_record_could_take_is_refused_before_anything_starts(string field, object? value, string code)
    {
        var refused = await Assert.ThrowsAsync<BulkRefusedException>(() => bulk.StartAsync(Update("wrong", (field, value)), Engine.User));
        Assert.Contains(refused.Errors, e => e.Code == code && e.Field == field);
    }

    [Fact]
    public async Task Requests_that_say_too_little_or_too_much_are_refused()
    {
        async Task<string> RefusedAsync(BulkRequest request, Actor? actor = null) => (await Assert.ThrowsAsync<BulkRefusedException>(() => bulk.StartAsync(request, actor ?? Engine.User))).Errors[0].Code;
        var nothing = new BulkRequest("deal", BulkAction.Update);
        Assert.Equal(ErrorCodes.BadRequest, await RefusedAsync(nothing with { Set = Values(("count", 1L)) }));
        Assert.Equal(ErrorCodes.BadRequest, await RefusedAsync(nothing with { Ids = [Guid.CreateVersion7()] }));
        Assert.Equal(ErrorCodes.BadRequest, await RefusedAsync(Update("x", ("count", 1L)) with { Ids = [Guid.CreateVersion7()] }));
        Assert.Equal(ErrorCodes.BadRequest, await RefusedAsync(Update("x", ("tags", "a")) with { Add = Lists(("tags", ["b"])) }));
        Assert.Equal(ErrorCodes.Type, await RefusedAsync(Update("x", ("notes", "\ud800"))));
        Assert.Equal(ErrorCodes.Type, await RefusedAsync(Update("x") with { Add = Lists(("title", ["b"])) }));
        Assert.Equal(ErrorCodes.NotFound, await RefusedAsync(Update("nobody at all", ("count", 1L))));
        Assert.Equal("limit", await RefusedAsync(nothing with { Set = Values(("count", 1L)), Ids = [.. Enumerable.Range(0, BulkRequest.MaxIds + 1).Select(_ => Guid.CreateVersion7())] }));
        Assert.Equal(ErrorCodes.Access, await RefusedAsync(new BulkRequest("user", BulkAction.Update) { Ids = [Engine.User.UserId], Set = Values(("name", "Eve")) }));
        Assert.Equal(ErrorCodes.Unique, (await Assert.ThrowsAsync<BulkRefusedException>(() => bulk.StartAsync(new BulkRequest("company", BulkAction.Update) { Ids = [Guid.CreateVersion7()], Set = Values(("code", "A")) }, Engine.User))).Errors[0].Code);
        await Assert.ThrowsAsync<QueryException>(() => bulk.StartAsync(nothing with { Entity = "nowhere", Ids = [Guid.CreateVersion7()] }, Engine.User));
        Assert.Equal(0L, await engine.ScalarAsync<long>("SELECT count(*) FROM crm.bulk_row b WHERE NOT EXISTS (SELECT FROM crm.job j WHERE j.id = b.job_id)"));
    }

    private static RecordQuery Query(string title) => new() { Entity = "deal", Filter = Match(title) };

    private static Filter.Compare Match(string title) => new Filter.Compare("title", FilterOperator.StartsWith, title + " ");

    private static BulkRequest Update(string title, params (string Field, object? Value)[] values) => new("deal", BulkAction.Update) { Query = Query(title), Set = Values(values) };

    private static Dictionary<string, object?> Values(params (string Field, object? Value)[] values) => values.ToDictionary(v => v.Field, v => v.Value);

    private static Dictionary<string, ImmutableArray<string>> Lists(params (string Field, ImmutableArray<string> Texts)[] lists) => lists.ToDictionary(l => l.Field, l => l.Texts);

    private static (long Read, long Changed, long Unchanged, long Refused) Figures(Job job) =>
        BulkService.ReportOf(job) is var report ? (report.Read, report.Changed, report.Unchanged, report.Refused) : default;

    private async Task<Job> RunAsync(BulkRequest request) => await FinishAsync(await bulk.StartAsync(request, Engine.User));

    private async Task<Job> FinishAsync(Job job)
    {
        using var host = new JobRunner(
            engine.Database,
            engine.Notifications,
            [new BulkHandler(engine.Database, records, engine.Metadata)],
            new JobOptions { Backoff = TimeSpan.Zero },
            TimeProvider.System,
            NullLogger<JobRunner>.Instance);
        await host.StartAsync(CancellationToken.None);
        var ended = await queue.WaitAsync(job.Id);
        await host.StopAsync(CancellationToken.None);
        Assert.True(ended.State == JobState.Succeeded, ended.Error);
        return ended;
    }

    private async Task<List<Guid>> DealsAsync(string title, int count)
    {
        var changes = Enumerable.Range(0, count).Select(i => RecordChange.Create("deal", Values(("title", $"{title} {i}")))).ToList();
        Assert.All(await records.As(Engine.User).SaveManyAsync(changes, new SaveOptions()), r => Assert.True(r.Succeeded));
        return changes.ConvertAll(c => c.Id);
    }

    private async Task SaveAsync(Guid id, params (string Field, object? Value)[] values) =>
        Assert.True((await records.As(Engine.User).SaveAsync(RecordChange.Update("deal", id, Values(values)))).Succeeded);

    private async Task<long> CountAsync(Filter filter) => (await records.As(Engine.User).QueryAsync(new RecordQuery { Entity = "deal", Filter = filter, Top = 1, Count = true })).Count ?? 0;
}
