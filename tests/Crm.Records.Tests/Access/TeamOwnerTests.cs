using System.Collections.Frozen;
using Crm.Records.Bin;
using Crm.Records.Importing;
using Crm.Sdk;

namespace Crm.Records.Tests.Access;

/// <summary>Records that belong to teams. Bob is in a team that stands below one and above another.</summary>
public sealed class TeamOwnerTests(AccessTests.Firm firm) : IClassFixture<AccessTests.Firm>
{
    private static int made;

    public enum Owner
    {
        Self, Colleague, Stranger, Team, TeamAbove, TeamBelow, OtherTeam,
    }

    private static AccessOperation[] Operations => [AccessOperation.Read, AccessOperation.Write, AccessOperation.Delete, AccessOperation.Export, AccessOperation.Share];

    private IRecordService Bob => firm.Bob;

    private RecordService Admin => firm.Engine.With().As(Engine.Admin);

    private AccessExplainer Why => new(firm.Engine.With());

    [Theory]
    [InlineData("none", new Owner[0])]
    [InlineData("own", new[] { Owner.Self, Owner.Team, Owner.TeamAbove })]
    [InlineData("team", new[] { Owner.Self, Owner.Colleague, Owner.Team, Owner.TeamAbove, Owner.TeamBelow })]
    [InlineData("all", new[] { Owner.Self, Owner.Colleague, Owner.Stranger, Owner.Team, Owner.TeamAbove, Owner.TeamBelow, Owner.OtherTeam })]
    public async Task PLT_37_A_record_of_a_team_is_reached_as_far_as_the_role_goes(string reach, Owner[] reached)
    {
        var owners = await PlaceAsync();
        var records = new Dictionary<Owner, Guid>();
        foreach (var (owner, id) in owners)
        {
            records[owner] = await CompanyAsync(id);
        }

        foreach (var operation in Operations)
        {
            var word = operation.ToString().ToLowerInvariant();
            // What is not asked about stays open, so that it is this operation that decides.
            await firm.GrantAsync("company", operation == AccessOperation.Read ? $$"""{"name":"everyone","read":"{{reach}}"}""" : $$"""{"name":"everyone","read":"all","{{word}}":"{{reach}}"}""");
            foreach (var (owner, id) in records)
            {
                Assert.Equal(reached.Contains(owner), (await Why.WhyAsync(Engine.Admin, Engine.User.UserId, "company", id, operation, null)).IsAllowed);
            }
        }

        await firm.GrantAsync("company", $$"""{"name":"everyone","write":"{{reach}}","delete":"{{reach}}"}""");
        foreach (var (owner, id) in records)
        {
            Assert.Equal(reached.Contains(owner), (await Bob.SaveAsync(RecordChange.Update("company", id, Values(("country", reach))))).Succeeded);
            Assert.Equal(reached.Contains(owner), (await Bob.SaveAsync(RecordChange.Delete("company", id))).Succeeded);
        }

        if (reach == "none")
        {
            return;
        }

        foreach (var owner in owners.Keys.ToList())
        {
            records[owner] = await CompanyAsync(owners[owner]);
        }

        await firm.GrantAsync("company", $$"""{"name":"everyone","read":"{{reach}}"}""");
        var filter = new Filter.In("id", [.. records.Values.Select(v => (object?)v)]);
        var wanted = reached.Select(r => records[r]).Order().ToList();
        Assert.Equal(wanted, (await Bob.QueryAsync(new RecordQuery { Entity = "company", Filter = filter })).Records.Select(r => r.Id).Order());
        Assert.Equal(wanted.Count, (await Bob.QueryAsync(new RecordQuery { Entity = "company", Filter = filter, Count = true, Top = 1 })).Count);
        foreach (var (owner, id) in records)
        {
            Assert.Equal(reached.Contains(owner), await Bob.FindAsync("company", id) is not null);
        }
    }

    [Theory]
    [InlineData("own", true, false)]
    [InlineData("team", true, true)]
    public async Task PLT_37_A_record_is_made_for_a_team_as_far_as_the_role_goes_the_first_time_too(string reach, bool forTeam, bool forBelow)
    {
        var owners = await PlaceAsync();
        await firm.GrantAsync("company", $$"""{"name":"everyone","create":"{{reach}}"}""");
        foreach (var (owner, may) in new[] { (Owner.Team, forTeam), (Owner.TeamAbove, forTeam), (Owner.TeamBelow, forBelow), (Owner.OtherTeam, false) })
        {
            Assert.Equal(0, await firm.Engine.ScalarAsync<long>($"SELECT count(*) FROM crm.principal WHERE id = '{owners[owner]}'"));
            var result = await Bob.SaveAsync(Company(owners[owner]));
            Assert.Equal(may ? [] : [ErrorCodes.Access], result.Errors.Select(e => e.Code));
        }
    }

    [Fact]
    public async Task SAL_06_What_belongs_to_a_team_is_seen_and_changed_by_who_is_in_it_as_long_as_they_are()
    {
        var owners = await PlaceAsync();
        await firm.Engine.ChangeAsync("""[{"change":"change_entity","entity":"company","visibility":"private"}]""");
        var company = await CompanyAsync(owners[Owner.Team]);
        Assert.True((await Bob.SaveAsync(RecordChange.Update("company", company, Values(("country", "DE"))))).Succeeded);
        await firm.TeamsAsync(Engine.User);
        Assert.Null(await Bob.FindAsync("company", company));
        // The main team counts as the others do.
        await firm.TeamAsync(Engine.User, owners[Owner.Team]);
        Assert.NotNull(await Bob.FindAsync("company", company));
        Assert.True((await Bob.SaveAsync(RecordChange.Update("company", company, Values(("owner", Engine.Admin.UserId))))).Succeeded);
        Assert.Null(await Bob.FindAsync("company", company));
        await firm.TeamAsync(Engine.User, null);
    }

    [Fact]
    public async Task SAL_06_A_restricted_record_of_a_team_is_seen_by_the_team()
    {
        var owners = await PlaceAsync();
        await firm.ResetAsync();
        var (ours, theirs) = (await CompanyAsync(owners[Owner.Team]), await CompanyAsync(owners[Owner.OtherTeam]));
        foreach (var id in new[] { ours, theirs })
        {
            Assert.Null((await new RecordSharing(firm.Engine.With()).SaveAsync(Engine.Admin, "company", id, new Sharing(true, [])))!.Value.Error);
        }

        Assert.NotNull(await Bob.FindAsync("company", ours));
        Assert.Null(await Bob.FindAsync("company", theirs));
    }

    [Theory]
    [InlineData(Owner.Team, true, "owns the record, and Bob is in it or in a team below it.")]
    [InlineData(Owner.TeamAbove, true, "owns the record, and Bob is in it or in a team below it.")]
    [InlineData(Owner.TeamBelow, true, "owns the record and is below a team of Bob.")]
    [InlineData(Owner.OtherTeam, false, "owns the record; Bob is not in it.")]
    public async Task PLT_37_The_reason_of_a_verdict_names_the_team(Owner owner, bool may, string says)
    {
        var owners = await PlaceAsync();
        var company = await CompanyAsync(owners[owner]);
        await firm.GrantAsync("company", """{"name":"everyone","read":"team"}""");
        var verdict = await Why.WhyAsync(Engine.Admin, Engine.User.UserId, "company", company, AccessOperation.Read, null);
        Assert.Equal(may, verdict.IsAllowed);
        var name = (await Admin.FindAsync("team", owners[owner]))!.Get<string>("name");
        Assert.Contains($"The team {name} {says}", verdict.Facts);
    }

    [Fact]
    public async Task PLT_37_Mine_is_what_names_me_and_teams_are_reached_by_their_own_path()
    {
        var owners = await PlaceAsync();
        await firm.ResetAsync();
        var (mine, ours) = (await CompanyAsync(Engine.User.UserId), await CompanyAsync(owners[Owner.Team]));
        var query = new RecordQuery { Entity = "company", Select = ["owner", "owner_user.name", "owner_team.name"], Filter = new Filter.In("id", [mine, ours]), Sort = [new Sort("owner_team.name")] };
        Assert.Equal(mine, Assert.Single((await Bob.QueryAsync(query with { Filter = Filter.AllOf(query.Filter!, new Filter.Mine("owner")) })).Records).Id);
        var team = (await Admin.FindAsync("team", owners[Owner.Team]))!["name"];
        Assert.Equal(ours, Assert.Single((await Bob.QueryAsync(query with { Filter = Filter.AllOf(query.Filter!, Filter.Equal("owner_team.name", team)) })).Records).Id);
        var rows = (await Bob.QueryAsync(query)).Records.ToDictionary(r => r.Id);
        Assert.Equal(("Bob", null), (rows[mine]["owner_user.name"], rows[mine]["owner_team.name"]));
        Assert.Equal((null, team), (rows[ours]["owner_user.name"], rows[ours]["owner_team.name"]));
        var groups = await Bob.AggregateAsync(new AggregateQuery { Entity = "company", GroupBy = ["owner_team.name"], Aggregates = [new Aggregate(AggregateFunction.Count, null, "n")], Filter = query.Filter });
        Assert.Contains(groups, g => Equals(g.Values["owner_team.name"], team) && Equals(g.Values["n"], 1L));
    }

    [Fact]
    public async Task PLT_37_A_team_that_owns_records_is_not_deleted_before_they_are_given_to_somebody_else()
    {
        var owners = await PlaceAsync();
        await firm.ResetAsync();
        var (first, second) = (await CompanyAsync(owners[Owner.OtherTeam]), await CompanyAsync(owners[Owner.OtherTeam]));
        var error = Assert.Single((await Admin.SaveAsync(RecordChange.Delete("team", owners[Owner.OtherTeam]))).Errors);
        Assert.Equal(ErrorCodes.InUse, error.Code);
        Assert.Contains("2 Companies", error.Message, StringComparison.Ordinal);
        // A team that is not in use any more keeps its records, as a user does.
        Assert.True((await Admin.SaveAsync(RecordChange.Update("team", owners[Owner.OtherTeam], Values(("is_active", false))))).Succeeded);
        Assert.Equal(owners[Owner.OtherTeam], (await Admin.FindAsync("company", first))!["owner"]);

        Assert.True((await Admin.SaveAsync(RecordChange.Update("company", first, Values(("owner", Engine.Admin.UserId))))).Succeeded);
        Assert.True((await Admin.SaveAsync(RecordChange.Update("company", second, Values(("owner", owners[Owner.Team]))))).Succeeded);
        Assert.True((await Admin.SaveAsync(RecordChange.Delete("team", owners[Owner.OtherTeam]))).Succeeded);
        Assert.Null(await Admin.FindAsync("team", owners[Owner.OtherTeam]));
        Assert.Equal(0, await firm.Engine.ScalarAsync<long>($"SELECT count(*) FROM crm.principal WHERE id = '{owners[Owner.OtherTeam]}'"));
    }

    [Fact]
    public async Task PLT_37_A_deleted_record_comes_back_to_its_team()
    {
        var owners = await PlaceAsync();
        await firm.GrantAsync("company", """{"name":"everyone","read":"own","delete":"own"}""");
        var company = await CompanyAsync(owners[Owner.Team]);
        Assert.True((await Bob.SaveAsync(RecordChange.Delete("company", company))).Succeeded);
        var bin = new RecycleBin(firm.Engine.With());
        Assert.Contains((await bin.ListAsync(Engine.User, new BinQuery { Entity = "company" })).Records, r => r.Id == company);
        Assert.Empty(Assert.Single(await bin.RestoreAsync(Engine.Admin, [company])).Errors);
        Assert.Equal(owners[Owner.Team], (await Admin.FindAsync("company", company))!["owner"]);
    }

    [Fact]
    public async Task PLT_37_A_team_that_begins_to_own_records_changes_what_is_sent_with_a_statement_and_not_the_statement()
    {
        var owners = await PlaceAsync();
        await firm.GrantAsync("company", """{"name":"everyone","read":"team"}""");
        var engine = firm.Engine.With();
        async Task<ActorAccess> AccessAsync()
        {
            engine.Access.Forget(Engine.User);
            return await engine.Access.OfAsync(Engine.User, firm.Engine.Metadata.Current, firm.Engine.Database, CancellationToken.None);
        }

        var before = await AccessAsync();
        Assert.DoesNotContain(owners[Owner.Team], before.Facts.Owners.Concat(before.Facts.OwningTeams));
        await CompanyAsync(owners[Owner.TeamAbove]);
        await CompanyAsync(owners[Owner.TeamBelow]);
        var after = await AccessAsync();
        // The view keeps the statements compiled for it.
        Assert.Same(before.View, after.View);
        Assert.True(after.Version > before.Version);
        Assert.Equal([owners[Owner.TeamAbove]], after.Facts.Owners.Except(before.Facts.Owners));
        Assert.Equal([owners[Owner.TeamBelow]], after.Facts.OwningTeams.Except(before.Facts.OwningTeams));
    }

    [Fact]
    public async Task PLT_37_Only_users_and_teams_own_records_and_none_has_the_id_of_another()
    {
        var team = await TeamAsync(null);
        var unknown = Assert.Single((await Admin.SaveAsync(Company(Guid.CreateVersion7()))).Errors);
        Assert.Equal(("owner", ErrorCodes.Unknown), (unknown.Field, unknown.Code));
        Assert.Equal(ErrorCodes.Unknown, Assert.Single((await Admin.SaveAsync(Company(firm.OthersCompany))).Errors).Code);
        var user = new RecordChange(ChangeKind.Create, "user", team, Values(("name", "Twin"), ("user_name", "twin")));
        Assert.Equal(("id", ErrorCodes.Unique), Assert.Single((await Admin.SaveAsync(user)).Errors.Select(e => (e.Field, e.Code))));
        var twin = new RecordChange(ChangeKind.Create, "team", Engine.User.UserId, Values(("name", "Twin")));
        Assert.Equal(("id", ErrorCodes.Unique), Assert.Single((await Admin.SaveAsync(twin)).Errors.Select(e => (e.Field, e.Code))));
        // Who made a record is a user, whatever else changes.
        Assert.Equal(Fields.User, firm.Engine.Metadata.Current.Entity("company").Field("created_by").Type);
    }

    [Fact]
    public async Task PLT_37_Whoever_may_not_see_teams_gives_no_record_to_one_and_does_not_learn_that_it_exists()
    {
        var team = await TeamAsync(null);
        var company = await CompanyAsync(Engine.User.UserId);
        await firm.GrantAsync("team", """{"name":"everyone","read":"none"}""");
        var errors = new List<ValidationError>();
        foreach (var id in new[] { team, Guid.CreateVersion7() })
        {
            errors.AddRange((await Bob.SaveAsync(RecordChange.Update("company", company, Values(("owner", id))))).Errors);
        }

        Assert.Equal(2, errors.Count);
        Assert.Single(errors.Distinct());
        await firm.ResetAsync();
    }

    [Fact]
    public async Task PLT_37_A_rule_that_says_which_users_may_own_a_record_lets_no_team_own_it()
    {
        var owners = await PlaceAsync();
        await firm.ResetAsync();
        Assert.True((await Admin.SaveAsync(RecordChange.Update("user", Engine.User.UserId, Values(("region", "West"))))).Succeeded);
        await firm.Engine.ChangeAsync("""[{"change":"set_rule","entity":"company","rule":{"name":"west","kind":"options","condition":"owner.region = 'West'","fields":["owner"]}}]""");
        try
        {
            Assert.True((await Admin.SaveAsync(Company(Engine.User.UserId))).Succeeded);
            foreach (var owner in new[] { Owner.Team, Owner.Colleague })
            {
                var error = Assert.Single((await Admin.SaveAsync(Company(owners[owner]))).Errors);
                Assert.Equal(("owner", ErrorCodes.Rule), (error.Field, error.Code));
            }
        }
        finally
        {
            await firm.Engine.ChangeAsync("""[{"change":"remove_rule","entity":"company","rule":"west"}]""");
        }
    }

    [Fact]
    public async Task PLT_37_An_import_finds_an_owner_by_name_and_takes_no_name_that_a_user_and_a_team_have()
    {
        await firm.ResetAsync();
        var (team, twin) = (await TeamAsync(null, "Import West"), await TeamAsync(null, "Bob"));
        var engine = firm.Engine.With();
        var plan = FieldPlan.Create("owner", firm.Engine.Metadata.Current.Entity("company").Field("owner"), new FieldMapping(), FrozenDictionary<string, int>.Empty);
        var found = await new LookupResolver(engine.As(Engine.User), await engine.SnapshotOfAsync(Engine.User)).FindAsync(plan, ["import west", "Ada", "Bob", "Nobody"], CancellationToken.None);
        Assert.Equal((team, Engine.Admin.UserId), (found["import west"].Id, found["Ada"].Id));
        Assert.Equal(new Named(null, 2, IsMixed: true), found["Bob"]);
        Assert.False(found.ContainsKey("Nobody"));
        Assert.True((await Admin.SaveAsync(RecordChange.Delete("team", twin))).Succeeded);
    }

    private static Dictionary<string, object?> Values(params (string Field, object? Value)[] values) => values.ToDictionary(v => v.Field, v => v.Value, StringComparer.Ordinal);

    private static RecordChange Company(Guid owner) => RecordChange.Create("company", Values(("name", "Owned"), ("owner", owner)));

    private async Task<Guid> CompanyAsync(Guid owner)
    {
        var result = await Admin.SaveAsync(Company(owner));
        Assert.Empty(result.Errors);
        return result.Record!.Id;
    }

    private async Task<Guid> TeamAsync(Guid? parent, string? name = null)
    {
        var result = await Admin.SaveAsync(RecordChange.Create("team", Values(("name", name ?? $"Owning {Interlocked.Increment(ref made)}"), ("parent", parent))));
        Assert.Empty(result.Errors);
        return result.Record!.Id;
    }

    /// <summary>New teams, Bob in the middle one, with a colleague; none of them owns anything yet.</summary>
    private async Task<Dictionary<Owner, Guid>> PlaceAsync()
    {
        var above = await TeamAsync(null);
        var team = await TeamAsync(above);
        var (below, other) = (await TeamAsync(team), await TeamAsync(above));
        var colleague = Guid.CreateVersion7();
        Assert.Empty((await Admin.SaveAsync(new RecordChange(ChangeKind.Create, "user", colleague, Values(("name", "Colleague"), ("user_name", colleague.ToString()), ("team", team))))).Errors);
        await firm.TeamsAsync(Engine.User, team);
        return new()
        {
            [Owner.Self] = Engine.User.UserId,
            [Owner.Colleague] = colleague,
            [Owner.Stranger] = Engine.Admin.UserId,
            [Owner.Team] = team,
            [Owner.TeamAbove] = above,
            [Owner.TeamBelow] = below,
            [Owner.OtherTeam] = other,
        };
    }
}
