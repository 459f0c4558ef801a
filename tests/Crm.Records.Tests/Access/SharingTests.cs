using Crm.Records.Bin;
using Crm.Sdk;

namespace Crm.Records.Tests.Access;

/// <summary>Teams, single records shared or restricted, and the reasons of verdicts.</summary>
public sealed class SharingTests(AccessTests.Firm firm) : IClassFixture<AccessTests.Firm>
{
    private IRecordService Bob => firm.Bob;

    private RecordService Admin => firm.Engine.With().As(Engine.Admin);

    private RecordSharing Sharing => new(firm.Engine.With());

    [Fact]
    public async Task Team_reach_goes_to_members_of_ones_teams_and_of_the_teams_below_them()
    {
        await firm.GrantAsync("company", """{"name":"everyone","read":"team"}""");
        var (above, team, below) = (await TeamAsync("Above", null), Guid.Empty, Guid.Empty);
        team = await TeamAsync("Team", above);
        below = await TeamAsync("Below", team);
        foreach (var (bobs, adas, sees) in new (Guid, Guid, bool)[] { (team, team, true), (team, below, true), (above, below, true), (team, above, false), (below, team, false) })
        {
            await firm.TeamsAsync(Engine.User, bobs);
            await firm.TeamsAsync(Engine.Admin, adas);
            Assert.Equal(sees, await Bob.FindAsync("company", firm.OthersCompany) is not null);
            // The main team counts as the others do.
            await firm.TeamsAsync(Engine.Admin);
            Assert.Null(await Bob.FindAsync("company", firm.OthersCompany));
            await firm.TeamAsync(Engine.Admin, adas);
            Assert.Equal(sees, await Bob.FindAsync("company", firm.OthersCompany) is not null);
            await firm.TeamAsync(Engine.Admin, null);
        }

        await firm.TeamsAsync(Engine.User);
    }

    [Theory]
    [InlineData(ShareLevel.Read, true, false, false)]
    [InlineData(ShareLevel.Write, true, true, false)]
    [InlineData(ShareLevel.Own, true, true, true)]
    public async Task CON_11_A_private_record_is_shared_with_users_teams_and_everybody(ShareLevel level, bool reads, bool writes, bool deletes)
    {
        await firm.ResetAsync();
        await firm.Engine.ChangeAsync("""[{"change":"change_entity","entity":"company","visibility":"private"}]""");
        var above = await TeamAsync("Upper " + level, null);
        await firm.TeamsAsync(Engine.User, await TeamAsync("Lower " + level, above));
        foreach (var with in new[] { Engine.User.UserId, above, Guid.Empty })
        {
            var company = (await Admin.SaveAsync(RecordChange.Create("company", new Dictionary<string, object?> { ["name"] = "Shared" }))).Record!.Id;
            Assert.Null(await Bob.FindAsync("company", company));
            Assert.Null((await Sharing.SaveAsync(Engine.Admin, "company", company, new Sharing(false, [new Share(with, level)])))!.Value.Error);
            Assert.Equal(reads, await Bob.FindAsync("company", company) is not null);
            Assert.Equal(writes, (await Bob.SaveAsync(RecordChange.Update("company", company, new Dictionary<string, object?> { ["country"] = "DE" }))).Succeeded);
            Assert.Equal(level, Assert.Single((await Sharing.FindAsync(Engine.User, "company", company))!.Shares).Level);
            // Whoever has it for reading cannot pass it on.
            var passed = await Sharing.SaveAsync(Engine.User, "company", company, new Sharing(false, [new Share(with, level), new Share(Engine.Admin.UserId, ShareLevel.Read)]));
            Assert.Equal(deletes ? null : ErrorCodes.Access, passed!.Value.Error?.Code);
            Assert.Equal(deletes, (await Bob.SaveAsync(RecordChange.Delete("company", company))).Succeeded);
        }

        await firm.TeamsAsync(Engine.User);
    }

    [Fact]
    public async Task SAL_05_A_public_record_is_restricted_to_its_owner_and_selected_users()
    {
        await firm.ResetAsync();
        var company = (await Admin.SaveAsync(RecordChange.Create("company", new Dictionary<string, object?> { ["name"] = "Restricted" }))).Record!.Id;
        Assert.NotNull(await Bob.FindAsync("company", company));
        Assert.Equal(ErrorCodes.Access, (await Sharing.SaveAsync(Engine.User, "company", company, new Sharing(true, [])))!.Value.Error!.Code);
        await Sharing.SaveAsync(Engine.Admin, "company", company, new Sharing(true, []));
        Assert.Null(await Bob.FindAsync("company", company));
        Assert.Null(await Sharing.FindAsync(Engine.User, "company", company));
        Assert.Equal(ErrorCodes.NotFound, Assert.Single((await Bob.SaveAsync(RecordChange.Delete("company", company))).Errors).Code);
        Assert.NotNull(await Bob.FindAsync("company", firm.OthersCompany));
        await Sharing.SaveAsync(Engine.Admin, "company", company, new Sharing(true, [new Share(Engine.User.UserId, ShareLevel.Write)]));
        Assert.True((await Bob.SaveAsync(RecordChange.Update("company", company, new Dictionary<string, object?> { ["country"] = "FR" }))).Succeeded);
        Assert.Equal(ErrorCodes.Access, Assert.Single((await Bob.SaveAsync(RecordChange.Delete("company", company))).Errors).Code);
        await Sharing.SaveAsync(Engine.Admin, "company", company, new Sharing(false, []));
        Assert.True((await Bob.SaveAsync(RecordChange.Delete("company", company))).Succeeded);
    }

    [Fact]
    public async Task CON_11_SAL_05_The_history_tells_who_shared_a_record_with_whom_to_those_who_see_it()
    {
        await firm.ResetAsync();
        var team = await TeamAsync("Told", null);
        var company = (await Admin.SaveAsync(RecordChange.Create("company", new Dictionary<string, object?> { ["name"] = "Told" }))).Record!;
        var written = await firm.Engine.ScalarAsync<long>($"SELECT count(*) FROM crm.outbox WHERE record_id = '{company.Id}'");
        async Task ShareAsync(bool restricted, params Share[] shares) => Assert.Null((await Sharing.SaveAsync(Engine.Admin, "company", company.Id, new Sharing(restricted, [.. shares])))!.Value.Error);
        await ShareAsync(false, new Share(team, ShareLevel.Read), new Share(Guid.Empty, ShareLevel.Read));
        await ShareAsync(true, new Share(team, ShareLevel.Write));
        // Nothing new is nothing to tell.
        await ShareAsync(true, new Share(team, ShareLevel.Write));
        var entries = await Sharing.HistoryAsync(Engine.Admin, "company", company.Id);
        Assert.Equal([true, null], entries.Select(e => e.Restricted));
        Assert.All(entries, e => Assert.Equal((Engine.Admin.UserId, Engine.Admin.Name), (e.UserId, e.UserName)));
        Assert.Equal([new ShareChange(team, true, "Told", ShareLevel.Read, ShareLevel.Write), new ShareChange(Guid.Empty, false, "", ShareLevel.Read, null)], entries[0].Shares.AsEnumerable());
        Assert.Equal([new ShareChange(Guid.Empty, false, "", null, ShareLevel.Read), new ShareChange(team, true, "Told", null, ShareLevel.Read)], entries[1].Shares.AsEnumerable());
        // The record did not change by it, and nobody is told that it did.
        Assert.Equal(company.Version, (await Admin.FindAsync("company", company.Id))!.Version);
        Assert.Equal(written, await firm.Engine.ScalarAsync<long>($"SELECT count(*) FROM crm.outbox WHERE record_id = '{company.Id}'"));

        Assert.Empty(await Sharing.HistoryAsync(Engine.User, "company", company.Id));
        await ShareAsync(true, new Share(Engine.User.UserId, ShareLevel.Read));
        var seen = await Sharing.HistoryAsync(Engine.User, "company", company.Id);
        Assert.Equal(3, seen.Length);
        Assert.Equal([new ShareChange(Engine.User.UserId, false, Engine.User.Name, null, ShareLevel.Read), new ShareChange(team, true, "Told", ShareLevel.Write, null)], seen[0].Shares.AsEnumerable());
        var key = new AccessScope(Guid.CreateVersion7(), "Key", new Dictionary<string, EntityScope> { ["company"] = new([AccessOperation.Read], null) });
        Assert.NotNull(await firm.Engine.With().As(Engine.Admin with { Scope = key }).FindAsync("company", company.Id));
        Assert.Empty(await Sharing.HistoryAsync(Engine.Admin with { Scope = key }, "company", company.Id));
        // A refused one leaves nothing.
        Assert.Equal(ErrorCodes.Access, (await Sharing.SaveAsync(Engine.User, "company", company.Id, new Sharing(false, [])))!.Value.Error!.Code);
        Assert.Equal(3, (await Sharing.HistoryAsync(Engine.Admin, "company", company.Id)).Length);

        // Writes and sharings in one list, newest first.
        await Admin.SavedAsync(RecordChange.Update("company", company.Id, new Dictionary<string, object?> { ["country"] = "FR" }));
        var lines = HistoryLine.Of(await Admin.HistoryAsync("company", company.Id), seen).Select(l => l.Write?.Kind).ToList();
        Assert.Equal([ChangeKind.Update, null, null, null, ChangeKind.Create], lines);

        // What is deleted for good leaves no names behind.
        await Admin.SavedAsync(RecordChange.Delete("company", company.Id));
        Assert.Equal(1, await new RecycleBin(firm.Engine.With()).PurgeAsync(Engine.Admin, [company.Id]));
        Assert.Equal(0L, await firm.Engine.ScalarAsync<long>($"SELECT count(*) FROM crm.share_history WHERE record_id = '{company.Id}'"));
    }

    [Fact]
    public async Task A_record_is_shared_with_those_there_are_only()
    {
        await firm.ResetAsync();
        Assert.Equal(ErrorCodes.Unknown, (await Sharing.SaveAsync(Engine.Admin, "company", firm.OthersCompany, new Sharing(false, [new Share(Guid.CreateVersion7(), ShareLevel.Read)])))!.Value.Error!.Code);
        Assert.Null(await Sharing.SaveAsync(Engine.Admin, "company", Guid.CreateVersion7(), new Sharing(false, [])));
        Assert.Empty((await Sharing.FindAsync(Engine.Admin, "company", firm.OthersCompany))!.Shares);
    }

    [Fact]
    public async Task D_03_The_reason_of_every_verdict_is_given_in_words()
    {
        var why = new AccessExplainer(firm.Engine.With());
        await firm.GrantAsync("company", """{"name":"everyone","read":"all","write":"own","fields":[{"name":"email","access":"none"},{"name":"country","access":"read"}]}""");
        async Task<AccessVerdict> AskAsync(AccessOperation operation, string? field = null) => await why.WhyAsync(Engine.Admin, Engine.User.UserId, "company", firm.OthersCompany, operation, field);
        var read = await AskAsync(AccessOperation.Read);
        Assert.True(read.IsAllowed);
        var write = await AskAsync(AccessOperation.Write);
        Assert.False(write.IsAllowed);
        Assert.Contains("the role “Everyone”", write.Rule, StringComparison.Ordinal);
        Assert.Contains("only their own", write.Rule, StringComparison.Ordinal);
        Assert.Contains("Ada owns the record.", write.Facts);
        Assert.Contains("The record is not shared with Bob.", write.Facts);
        Assert.Contains("email", (await AskAsync(AccessOperation.Read, "email")).Rule, StringComparison.OrdinalIgnoreCase);
        Assert.False((await AskAsync(AccessOperation.Write, "country")).IsAllowed);
        Assert.True((await AskAsync(AccessOperation.Read, "country")).IsAllowed);
        Assert.Contains("administrator", (await why.WhyAsync(Engine.Admin, Engine.Admin.UserId, "company", null, AccessOperation.Delete, null)).Rule, StringComparison.Ordinal);
        Assert.Equal(ErrorCodes.Access, (await Assert.ThrowsAsync<QueryException>(() => why.WhyAsync(Engine.User, Engine.Admin.UserId, "company", null, AccessOperation.Read, null))).Code);
        // What does not exist for somebody is not explained to them either.
        Assert.Equal(ErrorCodes.UnknownField, (await Assert.ThrowsAsync<QueryException>(() => why.WhyAsync(Engine.User, Engine.User.UserId, "company", null, AccessOperation.Read, "email"))).Code);
    }

    private async Task<Guid> TeamAsync(string name, Guid? parent)
    {
        var result = await Admin.SaveAsync(RecordChange.Create("team", new Dictionary<string, object?> { ["name"] = name, ["parent"] = parent }));
        Assert.Empty(result.Errors);
        return result.Record!.Id;
    }
}
