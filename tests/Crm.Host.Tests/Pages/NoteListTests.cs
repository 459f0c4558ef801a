using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using Crm.Host.Pages.Parts;
using Crm.Host.Tests.Api;
using Crm.Sdk;
using Record = Crm.Sdk.Record;

namespace Crm.Host.Tests.Pages;

/// <summary>Notes as the page and the API show them.</summary>
public sealed class NoteListTests(ApiCrm api) : IClassFixture<ApiCrm>
{
    [Fact]
    public async Task CON_44_Notes_are_shown_pinned_ones_first_then_the_newest_page_by_page()
    {
        var about = await FirmAsync("Paged");
        var list = Notes(about);
        for (var i = 1; i <= 25; i++)
        {
            Assert.NotNull((await list.AddAsync(string.Create(CultureInfo.InvariantCulture, $"Note {i}"))).Note);
        }

        await list.PinAsync(list.Items.Single(n => n.Text == "Note 3"));
        var read = Notes(about);
        await read.ReadAsync();
        Assert.Equal((20, true), (read.Items.Count, read.HasMore));
        await read.ReadAsync();
        Assert.Equal((25, false), (read.Items.Count, read.HasMore));
        string[] order = ["Note 3", .. Enumerable.Range(1, 25).Reverse().Where(i => i != 3).Select(i => string.Create(CultureInfo.InvariantCulture, $"Note {i}"))];
        Assert.Equal(order, read.Items.Select(n => n.Text));
        Assert.Equal(order, list.Items.Select(n => n.Text));
        Assert.Equal("Administrator", read.Authors[(Guid)read.Items[0].Record["created_by"]!]);

        await read.PinAsync(read.Items[0]);
        Assert.Equal("Note 3", read.Items[22].Text);
        Assert.True(await read.DeleteAsync(read.Items[22]));
        Assert.DoesNotContain(read.Items, n => n.Text == "Note 3");
    }

    [Fact]
    public async Task CON_44_A_note_that_somebody_else_changed_meanwhile_is_not_overwritten_unless_one_says_so()
    {
        var (mine, theirs) = (Notes(await FirmAsync("Contended")), default(NoteList));
        var note = (await mine.AddAsync("First")).Note!;
        theirs = Notes((RecordRef)note.Record["about"]!);
        Assert.True(await theirs.WriteAsync((await theirs.FindAsync(note.Id))!, "Theirs"));

        Assert.False(await mine.WriteAsync(note, "Mine"));
        Assert.Equal(("Theirs", "Mine"), (note.Text, note.Mine));
        Assert.True(await mine.WriteAsync(note, note.Mine!));
        Assert.Equal(("Mine", null), (note.Text, note.Mine));
        Assert.False(await mine.WriteAsync(note, "  "));
        Assert.Equal("Text is required.", note.Problem);
        Assert.Equal("Mine", note.Text);
    }

    [Fact]
    public async Task CON_44_A_note_whose_answer_never_came_is_there_once()
    {
        var door = new Unanswering(api.Crm.Records);
        var list = new NoteList(door, api.Crm.Metadata, await FirmAsync("Unanswered"));
        var (note, problem) = await list.AddAsync("Typed once");
        Assert.Null(note);
        Assert.Contains("Try again", problem, StringComparison.Ordinal);
        (note, problem) = await list.AddAsync("Typed once");
        Assert.Null(problem);
        Assert.Equal("Typed once", note!.Text);
        var read = Notes((RecordRef)note.Record["about"]!);
        await read.ReadAsync();
        Assert.Single(read.Items);
    }

    [Fact]
    public async Task Notes_are_records_of_the_API_found_by_search_and_by_what_they_are_about()
    {
        var firm = await FirmAsync("Findable");
        var note = await api.CreateAsync("notes", $$"""{"about":"x_firm:{{firm.Id}}","text":"{{new string('x', 400)}} quarrelsome\nbookkeeper {{new string('y', 400)}}"}""");
        Assert.Equal((firm.Id.ToString(), "x_firm", 100), (note["about_id"]!.ToString(), note["about_entity"]!.ToString(), note["title"]!.ToString().Length));
        var found = await api.GetAsync("odata/v4/x_firms?$filter=notes_by_about/any(n:contains(n/text,'quarrelsome'))&$select=name");
        Assert.Equal(["Findable"], found.Column("name"));

        var group = Assert.Single((await api.GetAsync("api/search?q=quarrelsome")).Value);
        Assert.Equal("note", group!["entity"]!.ToString());
        var hit = Assert.Single(group["records"]!.AsArray());
        Assert.Equal((note["id"]!.ToString(), "x_firm", firm.Id.ToString()), (hit!["id"]!.ToString(), hit["part_of"]!["entity"]!.ToString(), hit["part_of"]!["id"]!.ToString()));
        Assert.Contains("quarrelsome", hit["hint"]!.ToString(), StringComparison.Ordinal);
        Assert.InRange(hit["hint"]!.ToString().Length, 100, 165);

        var refused = await api.SendAsync("POST", "odata/v4/notes", """{"text":"About nothing"}""");
        Assert.Equal((HttpStatusCode.UnprocessableEntity, ErrorCodes.Required, "about"), (refused.Status, refused.Code, refused.Target));
    }

    private NoteList Notes(RecordRef about) => new(api.Crm.Records, api.Crm.Metadata, about);

    private async Task<RecordRef> FirmAsync(string name) => new("x_firm", Guid.Parse((await api.CreateAsync("x_firms", $$"""{"name":"{{name}}"}"""))["id"]!.ToString()));

    /// <summary>A door whose first answer is lost after the work was done.</summary>
    private sealed class Unanswering(IRecordService door) : IRecordService
    {
        private bool hasFailed;

        public Actor Actor => door.Actor;

        public Task<Record?> FindAsync(string entity, Guid id, CancellationToken ct = default) => door.FindAsync(entity, id, ct);

        public Task<RecordPage> QueryAsync(RecordQuery query, CancellationToken ct = default) => door.QueryAsync(query, ct);

        public Task<ImmutableDictionary<Guid, RecordPage>> QueryEachAsync(RecordQuery query, string by, IReadOnlyCollection<Guid> of, CancellationToken ct = default) => door.QueryEachAsync(query, by, of, ct);

        public Task<ImmutableArray<AggregateRow>> AggregateAsync(AggregateQuery query, CancellationToken ct = default) => door.AggregateAsync(query, ct);

        public Task<ImmutableArray<SaveResult>> SaveManyAsync(IReadOnlyList<RecordChange> changes, SaveOptions options, CancellationToken ct = default) => door.SaveManyAsync(changes, options, ct);

        public Task<ImmutableArray<HistoryEntry>> HistoryAsync(string entity, Guid id, CancellationToken ct = default) => door.HistoryAsync(entity, id, ct);

        public async Task<SaveResult> SaveAsync(RecordChange change, CancellationToken ct = default)
        {
            var result = await door.SaveAsync(change, ct);
            var fails = !hasFailed;
            hasFailed = true;
            return fails ? throw new TimeoutException() : result;
        }
    }
}
