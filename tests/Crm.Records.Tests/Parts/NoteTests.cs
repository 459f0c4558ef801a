using Crm.Records.Bin;
using Crm.Records.Files;
using Crm.Records.Merging;
using Crm.Records.Tests.Access;
using Crm.Sdk;

namespace Crm.Records.Tests.Parts;

/// <summary>Notes are parts of records: who may do what with one follows from the record, at every door, and it goes and comes back with it.</summary>
public sealed class NoteTests(AccessTests.Firm firm) : IClassFixture<AccessTests.Firm>, IAsyncLifetime
{
    public enum Door
    {
        Find, List, Count, Search, Aggregate, History, FilterRecords, Export, TakePart, Bin,
    }

    private RecordService Admin => firm.Engine.With().As(Engine.Admin);

    private RecycleBin Bin => new(firm.Engine.With());

    public Task InitializeAsync() => firm.ResetAsync();

    public Task DisposeAsync() => Task.CompletedTask;

    public static TheoryData<string, Door, bool> Doors()
    {
        var data = new TheoryData<string, Door, bool>();
        foreach (var door in Enum.GetValues<Door>())
        {
            data.Add("""{"name":"everyone","read":"own","export":"own"}""", door, false);
            data.Add("""{"name":"everyone","read":"none"}""", door, false);
            data.Add("""{"name":"everyone","read":"all","write":"all","delete":"all","export":"all"}""", door, true);
        }

        // Reading a record is not enough to take it out, to add to it, or to see what was deleted from it.
        data.Add("""{"name":"everyone","read":"all","write":"own","export":"own"}""", Door.Export, false);
        data.Add("""{"name":"everyone","read":"all","write":"own","export":"own"}""", Door.TakePart, false);
        data.Add("""{"name":"everyone","read":"all","write":"own","export":"own"}""", Door.Bin, false);
        data.Add("""{"name":"everyone","read":"all","write":"own","export":"own"}""", Door.List, true);
        return data;
    }

    [Theory]
    [MemberData(nameof(Doors))]
    public async Task A_note_is_at_a_door_where_its_record_is(string grant, Door door, bool sees)
    {
        var company = firm.OthersCompany;
        var note = await Admin.SavedAsync(Note("company", company, "Pays late"));
        var deleted = await Admin.SavedAsync(Note("company", company, "Was deleted"));
        await Admin.SavedAsync(RecordChange.Delete("note", deleted.Id));
        await firm.GrantAsync("company", grant);
        var about = Filter.Equal("about", company);
        var bob = firm.Engine.With().As(Engine.User);
        var answer = door switch
        {
            Door.Find => await bob.FindAsync("note", note.Id) is not null,
            Door.List => (await bob.QueryAsync(new RecordQuery { Entity = "note", Filter = about })).Records.Any(r => r.Id == note.Id),
            Door.Count => (await bob.QueryAsync(new RecordQuery { Entity = "note", Filter = about, Count = true })).Count > 0,
            Door.Search => (await bob.QueryAsync(new RecordQuery { Entity = "note", Search = "pays late", SearchMode = SearchMode.BestFirst })).Records.Any(r => r.Id == note.Id),
            Door.Aggregate => (await bob.AggregateAsync(new AggregateQuery { Entity = "note", Filter = about, GroupBy = ["text"], Aggregates = [new Aggregate(AggregateFunction.Count, null, "n")] })).Any(r => Equals(r.Values["text"], "Pays late")),
            Door.History => !(await bob.HistoryAsync("note", note.Id)).IsEmpty,
            Door.FilterRecords => await FindsByNoteAsync(bob, company),
            Door.Export => await TakesOutAsync(bob, note.Id),
            Door.TakePart => (await bob.SaveAsync(Note("company", company, "Bob was here"))).Succeeded,
            Door.Bin => (await Bin.ListAsync(Engine.User, new BinQuery { Entity = "note" })).Records.Any(r => r.Id == deleted.Id),
            _ => throw new ArgumentOutOfRangeException(nameof(door)),
        };
        Assert.Equal(sees, answer);
    }

    [Theory]
    [InlineData("all", true)]
    [InlineData("own", false)]
    [InlineData("none", false)]
    public async Task Who_may_change_a_record_may_write_its_notes(string write, bool may)
    {
        var note = await Admin.SavedAsync(Note("company", firm.OthersCompany, "Before"));
        var bobs = await firm.Bob.SavedAsync(Note("deal", firm.DealOfOthersCompany, "Of Bob"));
        await firm.GrantAsync("company", $$"""{"name":"everyone","read":"all","write":"{{write}}"}""");
        foreach (var change in new[]
        {
            Note("company", firm.OthersCompany, "New"),
            Values.Update(note, ("text", "After")),
            // Taking it from one record to another is adding it there.
            Values.Update(bobs, ("about", new RecordRef("company", firm.OthersCompany))),
            RecordChange.Delete("note", note.Id),
        })
        {
            var result = await firm.Bob.SaveAsync(change);
            Assert.Equal(may, result.Succeeded);
            if (!may)
            {
                var error = Assert.Single(result.Errors);
                Assert.Equal(ErrorCodes.Access, error.Code);
                Assert.Contains("that takes the right to change the record they are a part of", error.Message, StringComparison.Ordinal);
            }
        }

        Assert.Equal(may, await Admin.FindAsync("note", note.Id) is null);
        var verdict = await new AccessExplainer(firm.Engine.With()).WhyAsync(Engine.User, Engine.User.UserId, "note", bobs.Id, AccessOperation.Write, null);
        Assert.True(verdict.IsAllowed);
        Assert.StartsWith("Notes are parts of another record", verdict.Rule, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_grant_narrows_what_the_record_allows_and_never_widens_it()
    {
        var others = await Admin.SavedAsync(Note("company", firm.OthersCompany, "Ada's"));
        var bobs = await firm.Bob.SavedAsync(Note("company", firm.OthersCompany, "Bob's"));
        await firm.GrantAsync("note", """{"name":"everyone","write":"own","delete":"own"}""");
        Assert.Equal(ErrorCodes.Access, (await firm.Bob.RefusedOnceAsync(Values.Update(others, ("text", "Mine now")))).Code);
        await firm.Bob.SavedAsync(Values.Update(bobs, ("is_pinned", true)));

        await firm.GrantAsync("company", """{"name":"everyone","read":"own","write":"own"}""");
        await firm.Engine.ChangeAsync("""[{"change":"set_grant","entity":"note","grant":{"name":"everyone","read":"all","write":"all"}}]""");
        Assert.Null(await firm.Bob.FindAsync("note", bobs.Id));
        Assert.Equal(ErrorCodes.NotFound, (await firm.Bob.RefusedOnceAsync(Values.Update(bobs, ("is_pinned", false)))).Code);
    }

    [Fact]
    public async Task Notes_are_deleted_with_their_record_and_come_back_with_it_whoever_wrote_them()
    {
        var company = await firm.Bob.SavedAsync(Values.Company("Bob's company"));
        var note = await Admin.SavedAsync(Note("company", company.Id, "Of Ada\nwith two lines", ("is_pinned", true)));
        var gone = await Admin.SavedAsync(Note("company", company.Id, "Deleted before"));
        await Admin.SavedAsync(RecordChange.Delete("note", gone.Id));
        // Bob may delete his company; of its notes only those he wrote himself.
        await firm.GrantAsync("note", """{"name":"everyone","create":"none","write":"none","delete":"own"}""");
        await firm.Bob.SavedAsync(RecordChange.Delete("company", company.Id) with { Source = "form" });
        Assert.Null(await Admin.FindAsync("note", note.Id));
        Assert.Equal("form", (await Admin.HistoryAsync("note", note.Id))[0].Source);
        Assert.DoesNotContain((await Bin.ListAsync(Engine.Admin, new BinQuery { Entity = "note" })).Records, r => r.Id == note.Id);

        Assert.Empty(Assert.Single(await Bin.RestoreAsync(Engine.User, [company.Id])).Errors);
        var back = (await Admin.FindAsync("note", note.Id))!;
        Assert.Equal(("Of Ada\nwith two lines", true, new RecordRef("company", company.Id), Engine.Admin.UserId), (back["text"], back["is_pinned"], back["about"], back["created_by"]));
        Assert.Null(await Admin.FindAsync("note", gone.Id));
        Assert.Empty(Assert.Single(await Bin.RestoreAsync(Engine.Admin, [gone.Id])).Errors);
        Assert.NotNull(await Admin.FindAsync("note", gone.Id));
    }

    [Fact]
    public async Task Notes_follow_a_merge_and_go_back_when_it_is_taken_back()
    {
        var (survivor, other) = (await Admin.SavedAsync(Values.Company("Acme")), await Admin.SavedAsync(Values.Company("ACME")));
        var note = await Admin.SavedAsync(Note("company", other.Id, "Of the other"));
        var merger = new RecordMerger(firm.Engine.With(), Bin);
        var merged = await merger.MergeAsync(Engine.Admin, new MergeRequest("company", survivor.Id, [other.Id]));
        Assert.Empty(merged.Errors);
        Assert.Equal(new RecordRef("company", survivor.Id), (await Admin.FindAsync("note", note.Id))!["about"]);
        Assert.Empty((await merger.UndoAsync(Engine.Admin, merged.Id!.Value)).Errors);
        Assert.Equal(new RecordRef("company", other.Id), (await Admin.FindAsync("note", note.Id))!["about"]);
    }

    [Fact]
    public async Task An_entity_without_notes_takes_none_and_keeps_those_it_has()
    {
        var company = await Admin.SavedAsync(Values.Company("Quiet"));
        var note = await Admin.SavedAsync(Note("company", company.Id, "From before"));
        Assert.Equal(["note"], firm.Engine.Metadata.Current.Entity("company").Parts.Where(p => p == "note"));
        await firm.Engine.ChangeAsync("""[{"change":"change_entity","entity":"company","parts":[]}]""");
        Assert.DoesNotContain("company", firm.Engine.Metadata.Current.Entity("note").Field("about").Targets);
        Assert.Equal(("about", ErrorCodes.Unknown), await RefusedAsync(Note("company", company.Id, "Too late")));
        Assert.Null(await firm.Bob.FindAsync("note", note.Id));
        await firm.Engine.ChangeAsync("""[{"change":"change_entity","entity":"company","parts":null}]""");
        Assert.NotNull(await firm.Bob.FindAsync("note", note.Id));
        Assert.Contains("'invoice', which is no entity whose records are parts of others", await firm.Engine.RefusedAsync("""[{"change":"change_entity","entity":"company","parts":["invoice"]}]"""), StringComparison.Ordinal);
        // Users have none: to change them is for administrators, whatever is granted.
        Assert.Equal(("about", ErrorCodes.Unknown), await RefusedAsync(Note("user", Engine.User.UserId, "About Bob")));
    }

    [Fact]
    public async Task CON_45_A_file_follows_its_record_and_its_content_is_there_as_long_as_it_can_come_back()
    {
        var company = await Admin.SavedAsync(Values.Company("Filed"));
        var content = await new FileStore(firm.Engine.Database, new BehaviorSource()).StoreAsync("../offer.pdf", "application/pdf", new byte[] { 1, 2, 3 }, Engine.Admin);
        var file = await Admin.SavedAsync(RecordChange.Create("file", Values.Of(("about", new RecordRef("company", company.Id)), ("content", content))));
        Assert.Equal("offer.pdf", file["name"]);
        Assert.Equal(content, (await firm.Bob.FindAsync("file", file.Id))!["content"]);
        Assert.Equal(file.Id, Assert.Single((await firm.Bob.QueryAsync(new RecordQuery { Entity = "file", Search = "offer" })).Records).Id);
        await firm.GrantAsync("company", """{"name":"everyone","read":"own"}""");
        Assert.Null(await firm.Bob.FindAsync("file", file.Id));
        Assert.Empty((await firm.Bob.QueryAsync(new RecordQuery { Entity = "file", Search = "offer" })).Records);

        await Admin.SavedAsync(RecordChange.Delete("company", company.Id));
        Assert.Null(await Admin.FindAsync("file", file.Id));
        Assert.Empty(Assert.Single(await Bin.RestoreAsync(Engine.Admin, [company.Id])).Errors);
        Assert.Equal(content, (await Admin.FindAsync("file", file.Id))!["content"]);
        Assert.Equal(1L, await ContentsAsync());

        await Admin.SavedAsync(RecordChange.Delete("company", company.Id));
        Assert.Equal(1, await Bin.PurgeAsync(Engine.Admin, [company.Id]));
        Assert.Equal(0L, await ContentsAsync());

        Task<long> ContentsAsync() => firm.Engine.ScalarAsync<long>($"SELECT count(*) FROM crm.file WHERE id = '{content.Id}'");
    }

    [Fact]
    public async Task A_record_is_not_deleted_while_it_gets_a_note()
    {
        var company = await Admin.SavedAsync(Values.Company("Contended"));
        Task<SaveResult>? deleting = null;
        var slow = firm.Engine.With(new Interceptor("note", after: async _ =>
        {
            deleting = Admin.SaveAsync(RecordChange.Delete("company", company.Id));
            while (await firm.Engine.ScalarAsync<long>("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") == 0)
            {
                Assert.False(deleting.IsCompleted);
                await Task.Yield();
            }
        }));
        var note = await slow.As(Engine.Admin).SavedAsync(Note("company", company.Id, "Just in time"));
        Assert.Empty((await deleting!).Errors);
        Assert.Null(await Admin.FindAsync("note", note.Id));
        Assert.Equal(("about", ErrorCodes.Unknown), await RefusedAsync(Note("company", company.Id, "Too late")));
    }

    private static RecordChange Note(string entity, Guid about, string text, params (string Name, object? Value)[] values) =>
        RecordChange.Create("note", Values.Of([("about", new RecordRef(entity, about)), ("text", text), .. values]));

    private async Task<(string?, string)> RefusedAsync(RecordChange change) => await Admin.RefusedOnceAsync(change) is var error ? (error.Field, error.Code) : default;

    private static async Task<bool> FindsByNoteAsync(RecordService records, Guid company)
    {
        try
        {
            var filter = Filter.AllOf(Filter.Equal("id", company), new Filter.Related("note", "about", Filter.Equal("text", "Pays late")));
            return !(await records.QueryAsync(new RecordQuery { Entity = "company", Filter = filter })).Records.IsEmpty;
        }
        catch (QueryException problem) when (problem.Code == ErrorCodes.UnknownEntity)
        {
            return false;
        }
    }

    private static async Task<bool> TakesOutAsync(RecordService records, Guid note)
    {
        var found = false;
        await records.StreamAsync(new RecordQuery { Entity = "note" }, 100, chunk =>
        {
            found |= chunk.Any(r => r.Id == note);
            return Task.CompletedTask;
        }, CancellationToken.None);
        return found;
    }
}
