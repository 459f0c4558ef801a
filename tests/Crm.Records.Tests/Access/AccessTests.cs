using System.Collections.Frozen;
using Crm.Records.Importing;
using Crm.Sdk;

namespace Crm.Records.Tests.Access;

/// <summary>Role × door × operation. Bob's rights change from test to test; what is forbidden is as if it did not exist, at every door.</summary>
public sealed class AccessTests(AccessTests.Firm firm) : IClassFixture<AccessTests.Firm>
{
    private static readonly RecordQuery Deals = new() { Entity = "deal", Select = ["title"], Sort = [new Sort("title")] };

    public enum Door
    {
        Find, List, Each, EachCount, Count, Search, Aggregate, Path, FilterByPath, SortByPath, History, TakePart, ImportedName, ImportedMatch,
    }

    private IRecordService Bob => firm.Bob;

    private RecordService Admin => firm.Engine.With().As(Engine.Admin);

    public static TheoryData<string, Door, bool> Doors()
    {
        var data = new TheoryData<string, Door, bool>();
        foreach (var door in Enum.GetValues<Door>())
        {
            data.Add("""{"name":"everyone","read":"own"}""", door, false);
            data.Add("""{"name":"everyone","read":"all"}""", door, true);
            data.Add("""{"name":"everyone","read":"none"}""", door, false);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Doors))]
    public async Task A_record_that_may_not_be_read_is_at_no_door(string grant, Door door, bool sees)
    {
        await firm.GrantAsync("company", grant);
        var (company, deal) = (firm.OthersCompany, firm.DealOfOthersCompany);
        var isEntityHidden = grant.Contains("none", StringComparison.Ordinal);
        Task<object?> Ask() => door switch
        {
            Door.Find => Is(async () => await Bob.FindAsync("company", company) is not null),
            Door.List => Is(async () => (await Bob.QueryAsync(new RecordQuery { Entity = "company" })).Records.Any(r => r.Id == company)),
            Door.Each => Is(async () => (await Bob.QueryEachAsync(new RecordQuery { Entity = "company" }, "owner", [Engine.Admin.UserId]))[Engine.Admin.UserId].Records.Any(r => r.Id == company)),
            Door.EachCount => Is(async () => (await Bob.QueryEachAsync(new RecordQuery { Entity = "company", Count = true, Filter = Filter.Equal("name", "Hidden Ltd") }, "owner", [Engine.Admin.UserId]))[Engine.Admin.UserId].Count > 0),
            Door.Count => Is(async () => (await Bob.QueryAsync(new RecordQuery { Entity = "company", Count = true, Filter = Filter.Equal("name", "Hidden Ltd") })).Count > 0),
            Door.Search => Is(async () => !(await Bob.QueryAsync(new RecordQuery { Entity = "company", Search = "hidden" })).Records.IsEmpty),
            Door.Aggregate => Is(async () => (await Bob.AggregateAsync(new AggregateQuery { Entity = "company", GroupBy = ["name"], Aggregates = [new Aggregate(AggregateFunction.Count, null, "n")] })).Any(r => Equals(r.Values["name"], "Hidden Ltd"))),
            Door.Path => Is(async () => (await Bob.QueryAsync(Deals with { Select = ["company.name"], Filter = Filter.Equal("id", deal) })).Records[0]["company.name"] is not null),
            Door.FilterByPath => Is(async () => !(await Bob.QueryAsync(Deals with { Filter = Filter.Equal("company.name", "Hidden Ltd") })).Records.IsEmpty),
            Door.SortByPath => Is(async () =>
            {
                var aggregate = await Bob.AggregateAsync(new AggregateQuery { Entity = "deal", GroupBy = ["company.name"], Aggregates = [new Aggregate(AggregateFunction.Max, "company.name", "top")] });
                await Bob.QueryAsync(Deals with { Sort = [new Sort("company.name")] });
                return aggregate.Any(r => Equals(r.Values["top"], "Hidden Ltd"));
            }),
            Door.History => Is(async () => !(await Bob.HistoryAsync("company", company)).IsEmpty),
            Door.TakePart => Is(async () => (await Bob.SaveAsync(RecordChange.Create("deal", new Dictionary<string, object?> { ["title"] = "New", ["company"] = company }))).Succeeded),
            Door.ImportedName => Is(async () => (await NamedAsync("company", "hidden ltd")) is not null),
            Door.ImportedMatch => Is(async () => (await new MatchIndex(Bob, firm.Engine.Metadata.Current.Entity("company"), ["name"]).FindAsync([new MappedRow(new ImportRow(1, 2, [], false)) { Values = { ["name"] = "Hidden Ltd" } }], CancellationToken.None)).Count > 0),
            _ => throw new ArgumentOutOfRangeException(nameof(door)),
        };

        if (isEntityHidden && door is not (Door.TakePart or Door.ImportedName))
        {
            var refused = await Assert.ThrowsAsync<QueryException>(Ask);
            Assert.Contains(refused.Code, new[] { ErrorCodes.UnknownEntity, ErrorCodes.UnknownField });
            return;
        }

        Assert.Equal(sees, await Ask());

        static async Task<object?> Is(Func<Task<bool>> question) => await question();
    }

    [Theory]
    [InlineData("own", ChangeKind.Update, false)]
    [InlineData("own", ChangeKind.Delete, false)]
    [InlineData("none", ChangeKind.Update, false)]
    [InlineData("none", ChangeKind.Delete, false)]
    [InlineData("all", ChangeKind.Update, true)]
    [InlineData("all", ChangeKind.Delete, true)]
    public async Task A_record_of_somebody_else_is_written_as_far_as_the_role_goes(string reach, ChangeKind kind, bool may)
    {
        await firm.GrantAsync("company", $$"""{"name":"everyone","read":"all","write":"{{reach}}","delete":"{{reach}}"}""");
        var made = await Admin.SaveAsync(Company("Somebody's"));
        var change = kind == ChangeKind.Update ? RecordChange.Update("company", made.Record!.Id, Name("Taken over")) : RecordChange.Delete("company", made.Record!.Id);
        var result = await Bob.SaveAsync(change);
        Assert.Equal(may, result.Succeeded);
        if (!may)
        {
            var error = Assert.Single(result.Errors);
            Assert.Equal(ErrorCodes.Access, error.Code);
            Assert.Contains("“Everyone”", error.Message, StringComparison.Ordinal);
            Assert.Equal("Somebody's", (await Admin.FindAsync("company", made.Record.Id))!["name"]);
        }
    }

    [Fact]
    public async Task What_may_not_be_seen_is_not_found_when_written_even_with_a_stale_version()
    {
        await firm.GrantAsync("company", """{"name":"everyone","read":"own","write":"all","delete":"all"}""");
        foreach (var change in new[]
        {
            RecordChange.Update("company", firm.OthersCompany, Name("Mine"), 99),
            RecordChange.Update("company", firm.OthersCompany, Name("Mine")),
            RecordChange.Delete("company", firm.OthersCompany),
        })
        {
            var result = await Bob.SaveAsync(change);
            Assert.Equal(ErrorCodes.NotFound, Assert.Single(result.Errors).Code);
            Assert.Null(result.Stored);
        }
    }

    [Fact]
    public async Task Only_own_records_are_made_where_the_role_says_so()
    {
        await firm.GrantAsync("company", """{"name":"everyone","read":"all","create":"own"}""");
        Assert.True((await Bob.SaveAsync(Company("Bob's"))).Succeeded);
        var forAda = Company("Ada's");
        var result = await Bob.SaveAsync(forAda with { Values = new Dictionary<string, object?>(forAda.Values, StringComparer.Ordinal) { ["owner"] = Engine.Admin.UserId } });
        Assert.Equal(ErrorCodes.Access, Assert.Single(result.Errors).Code);
        Assert.Null(await Admin.FindAsync("company", forAda.Id));
    }

    [Fact]
    public async Task A_field_that_may_not_be_read_does_not_exist()
    {
        await firm.GrantAsync("company", """{"name":"everyone","fields":[{"name":"email","access":"none"}]}""");
        var record = (await Bob.FindAsync("company", firm.OthersCompany))!;
        Assert.False(record.Values.ContainsKey("email"));
        foreach (var query in new[]
        {
            new RecordQuery { Entity = "company", Select = ["email"] },
            new RecordQuery { Entity = "company", Filter = Filter.Equal("email", "x@hidden.example") },
            new RecordQuery { Entity = "company", Sort = [new Sort("email")] },
            new RecordQuery { Entity = "deal", Select = ["company.email"] },
            new RecordQuery { Entity = "deal", Filter = Filter.Equal("company.email", "x@hidden.example") },
            new RecordQuery { Entity = "deal", Sort = [new Sort("company.email")] },
        })
        {
            Assert.Equal(ErrorCodes.UnknownField, (await Assert.ThrowsAsync<QueryException>(() => Bob.QueryAsync(query))).Code);
        }

        foreach (var query in new[]
        {
            new AggregateQuery { Entity = "company", GroupBy = ["email"] },
            new AggregateQuery { Entity = "company", Aggregates = [new Aggregate(AggregateFunction.Max, "email", "x")] },
        })
        {
            Assert.Equal(ErrorCodes.UnknownField, (await Assert.ThrowsAsync<QueryException>(() => Bob.AggregateAsync(query))).Code);
        }

        Assert.Empty((await Bob.QueryAsync(new RecordQuery { Entity = "company", Search = "x@hidden.example" })).Records);
        Assert.Single((await Admin.QueryAsync(new RecordQuery { Entity = "company", Search = "x@hidden.example" })).Records);
        Assert.DoesNotContain((await Bob.HistoryAsync("company", firm.OthersCompany)).SelectMany(h => h.Changes), c => c.Field == "email");
        var written = await Bob.SaveAsync(RecordChange.Update("company", firm.OthersCompany, new Dictionary<string, object?> { ["email"] = "y@hidden.example" }));
        Assert.Equal(ErrorCodes.UnknownField, Assert.Single(written.Errors).Code);
        var renamed = await Bob.SaveAsync(RecordChange.Update("company", firm.OthersCompany, new Dictionary<string, object?> { ["country"] = "DE" }));
        Assert.False(renamed.Record!.Values.ContainsKey("email"));
        Assert.Equal("x@hidden.example", (await Admin.FindAsync("company", firm.OthersCompany))!["email"]);
    }

    [Fact]
    public async Task A_field_that_may_only_be_read_keeps_its_value()
    {
        await firm.GrantAsync("company", """{"name":"everyone","fields":[{"name":"country","access":"read"}]}""");
        var result = await Bob.SaveAsync(RecordChange.Update("company", firm.OthersCompany, new Dictionary<string, object?> { ["country"] = "Atlantis" }));
        Assert.Equal(("country", ErrorCodes.Access), result.Errors.Select(e => (e.Field, e.Code)).Single());
        var stored = (await Bob.FindAsync("company", firm.OthersCompany))!["country"];
        Assert.True((await Bob.SaveAsync(RecordChange.Update("company", firm.OthersCompany, new Dictionary<string, object?> { ["country"] = stored }))).Succeeded);
        Assert.Contains(firm.Engine.With().SnapshotOf(Engine.User).Entity("company").Fields, f => f is { Name: "country", IsReadOnly: true } || f.Name == "country");
    }

    [Fact]
    public async Task A_role_gives_more_and_what_was_taken_is_gone_with_the_next_query()
    {
        await firm.GrantAsync("company", """{"name":"everyone","read":"own","fields":[{"name":"email","access":"none"}]}""");
        await firm.GrantAsync("company", """{"name":"auditor","read":"all","fields":[{"name":"email","access":"read"}]}""");
        Assert.Null(await Bob.FindAsync("company", firm.OthersCompany));
        await firm.RolesAsync("auditor");
        Assert.Equal("x@hidden.example", (await Bob.FindAsync("company", firm.OthersCompany))!["email"]);
        // Another host changes it.
        await firm.RolesAsync();
        Assert.Null(await Bob.FindAsync("company", firm.OthersCompany));
        Assert.Empty((await Bob.QueryAsync(new RecordQuery { Entity = "company", Filter = Filter.Equal("name", "Hidden Ltd") })).Records);
    }

    [Fact]
    public async Task Whoever_is_above_somebody_reaches_their_records()
    {
        await firm.GrantAsync("company", """{"name":"everyone","read":"own"}""");
        Assert.Null(await Bob.FindAsync("company", firm.OthersCompany));
        await firm.ManagerAsync(of: Engine.Admin, Engine.User.UserId);
        Assert.NotNull(await Bob.FindAsync("company", firm.OthersCompany));
        await firm.ManagerAsync(of: Engine.Admin, null);
        Assert.Null(await Bob.FindAsync("company", firm.OthersCompany));
    }

    [Theory]
    [InlineData("public_write", true, true)]
    [InlineData("public_read", true, false)]
    [InlineData("private", false, false)]
    public async Task Who_sees_a_new_record_follows_from_the_entity(string visibility, bool sees, bool writes)
    {
        await firm.ResetAsync();
        await firm.Engine.ChangeAsync($$"""[{"change":"change_entity","entity":"company","visibility":"{{visibility}}"}]""");
        Assert.Equal(sees, await Bob.FindAsync("company", firm.OthersCompany) is not null);
        Assert.Equal(writes, (await Bob.SaveAsync(RecordChange.Update("company", firm.OthersCompany, new Dictionary<string, object?> { ["country"] = visibility }))).Succeeded);
    }

    [Fact]
    public async Task Users_teams_and_roles_are_for_administrators_to_change()
    {
        await firm.GrantAsync("user", """{"name":"everyone","write":"all"}""");
        var result = await Bob.SaveAsync(RecordChange.Update("user", Engine.User.UserId, new Dictionary<string, object?> { ["is_administrator"] = true }));
        Assert.Equal(ErrorCodes.Access, Assert.Single(result.Errors).Code);
        Assert.Equal(ErrorCodes.Access, Assert.Single((await Bob.SaveAsync(RecordChange.Create("team", Name("Mine")))).Errors).Code);
    }

    [Theory]
    [InlineData("""{"change":"set_grant","entity":"company","grant":{"name":"nobody","read":"all"}}""", "no role 'nobody'")]
    [InlineData("""{"change":"set_grant","entity":"company","grant":{"name":"everyone","read":"some"}}""", "no 'some'")]
    [InlineData("""{"change":"set_grant","entity":"company","grant":{"name":"everyone","fields":[{"name":"ghost","access":"none"}]}}""", "'ghost'")]
    [InlineData("""{"change":"set_grant","entity":"company","grant":{"name":"everyone","fields":[{"name":"id","access":"none"}]}}""", "nothing works without it")]
    [InlineData("""{"change":"remove_grant","entity":"company","role":"ghost"}""", "'ghost'")]
    [InlineData("""{"change":"change_entity","entity":"company","visibility":"secret"}""", "no 'secret'")]
    public async Task Grants_that_make_no_sense_are_refused(string change, string why) =>
        Assert.Contains(why, await firm.Engine.RefusedAsync("[" + change + "]"), StringComparison.Ordinal);

    [Fact]
    public async Task An_import_finds_no_record_by_a_field_that_may_not_be_read()
    {
        await firm.GrantAsync("company", """{"name":"everyone","fields":[{"name":"name","access":"none"}]}""");
        Assert.Null(await NamedAsync("company", "hidden ltd"));
        await firm.GrantAsync("user", """{"name":"everyone","fields":[{"name":"user_name","access":"none"},{"name":"name","access":"none"}]}""");
        Assert.Null(await NamedAsync("owner", "Ada"));
        await firm.ResetAsync();
        Assert.NotNull(await NamedAsync("company", "hidden ltd"));
        Assert.NotNull(await NamedAsync("owner", "Ada"));
    }

    [Theory]
    [InlineData("all", "1 Deal")]
    [InlineData("own", "Other records")]
    [InlineData("none", "Other records")]
    public async Task What_keeps_a_record_from_being_deleted_is_counted_as_far_as_it_may_be_read(string reach, string says)
    {
        await firm.GrantAsync("deal", $$"""{"name":"everyone","read":"{{reach}}"}""");
        var company = (await Bob.SaveAsync(Company("Bob's"))).Record!.Id;
        Assert.True((await Admin.SaveAsync(RecordChange.Create("deal", new Dictionary<string, object?> { ["title"] = "Ada's", ["company"] = company }))).Succeeded);
        var error = Assert.Single((await Bob.SaveAsync(RecordChange.Delete("company", company))).Errors);
        Assert.Equal(ErrorCodes.InUse, error.Code);
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
        Assert.Equal(reach == "all", error.Message.Contains("Deal", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Whoever_may_not_read_a_record_does_not_learn_by_linking_it_that_it_is_linked()
    {
        await firm.Engine.ChangeAsync("""[{"change":"add_field","entity":"deal","field":{"name":"x_partners","type":"many_to_many","label":"Partners","target":"company","link":{"name":"x_partner"},"inverse":{"name":"x_deals","label":"Deals"}}}]""");
        await firm.GrantAsync("company", """{"name":"everyone","read":"own"}""");
        var other = (await Admin.SaveAsync(Company("Not linked"))).Record!.Id;
        var deal = (await Admin.SaveAsync(RecordChange.Create("deal", new Dictionary<string, object?> { ["title"] = "Linked", ["x_partners"] = new object?[] { firm.OthersCompany } }))).Record!.Id;
        async Task<SaveResult> LinkAsync(object? wanted) => await Bob.SaveAsync(RecordChange.Update("deal", deal, new Dictionary<string, object?> { ["x_partners"] = wanted }));
        var answers = new List<ValidationError>();
        foreach (var company in new[] { firm.OthersCompany, other, Guid.CreateVersion7() })
        {
            answers.AddRange((await LinkAsync(new Dictionary<string, object?> { ["add"] = new object?[] { company } })).Errors);
        }

        Assert.Equal(3, answers.Count);
        Assert.Single(answers.Distinct());
        // What may not be seen is not taken away either.
        Assert.True((await LinkAsync(Array.Empty<object?>())).Succeeded);
        Assert.True((await LinkAsync(new Dictionary<string, object?> { ["remove"] = new object?[] { firm.OthersCompany } })).Succeeded);
        Assert.Single((await Admin.QueryAsync(new RecordQuery { Entity = "x_partner", Filter = Filter.Equal("deal", deal) })).Records);
    }

    [Fact]
    public async Task History_names_linked_records_to_those_who_may_read_the_links_and_what_the_records_are_called()
    {
        await firm.Engine.ChangeAsync("""[{"change":"add_field","entity":"deal","field":{"name":"x_allies","type":"many_to_many","label":"Allies","target":"company","link":{"name":"x_ally"},"inverse":{"name":"x_allied","label":"Allied"}}}]""");
        await firm.ResetAsync();
        var deal = (await Admin.SaveAsync(RecordChange.Create("deal", new Dictionary<string, object?> { ["title"] = "Allied", ["x_allies"] = new object?[] { firm.OthersCompany } }))).Record!.Id;
        async Task<bool> SeesAsync() => (await Bob.HistoryAsync("deal", deal)).SelectMany(h => h.Changes).Any(c => c.Field == "x_allies");
        Assert.True(await SeesAsync());
        await firm.GrantAsync("company", """{"name":"everyone","fields":[{"name":"name","access":"none"}]}""");
        Assert.False(await SeesAsync());
        await firm.GrantAsync("x_ally", """{"name":"everyone","read":"own"}""");
        Assert.False(await SeesAsync());
    }

    /// <summary>The record that an import of Bob's takes a name in a lookup of deals for.</summary>
    private async Task<Guid?> NamedAsync(string lookup, string name)
    {
        var bob = firm.Engine.With();
        var plan = FieldPlan.Create(lookup, firm.Engine.Metadata.Current.Entity("deal").Field(lookup), new FieldMapping(), FrozenDictionary<string, int>.Empty);
        return (await new LookupResolver(bob.As(Engine.User), await bob.SnapshotOfAsync(Engine.User)).FindAsync(plan, [name], CancellationToken.None)).GetValueOrDefault(name)?.Id;
    }

    private static Dictionary<string, object?> Name(string name) => new() { ["name"] = name };

    private static RecordChange Company(string name) => RecordChange.Create("company", Name(name));

    public sealed class Firm : IAsyncLifetime
    {
        public Engine Engine { get; } = new();

        public IRecordService Bob { get; private set; } = null!;

        public Guid OthersCompany { get; private set; }

        public Guid DealOfOthersCompany { get; private set; }

        public async Task InitializeAsync()
        {
            await Engine.InitializeAsync();
            Bob = Engine.With().As(Engine.User);
            var admin = Engine.With().As(Engine.Admin);
            await Engine.ChangeAsync("""[{"change":"change_field","entity":"user","field":{"name":"roles","choices":[{"name":"auditor","label":"Auditor"}]}}]""");
            var company = await admin.SaveAsync(RecordChange.Create("company", new Dictionary<string, object?> { ["name"] = "Hidden Ltd", ["email"] = "x@hidden.example" }));
            var deal = await admin.SaveAsync(RecordChange.Create("deal", new Dictionary<string, object?> { ["title"] = "Deal", ["company"] = company.Record!.Id }));
            (OthersCompany, DealOfOthersCompany) = (company.Record.Id, deal.Record!.Id);
        }

        public Task DisposeAsync() => Engine.DisposeAsync();

        public async Task GrantAsync(string entity, string grant)
        {
            if (grant.Contains("everyone", StringComparison.Ordinal))
            {
                await ResetAsync();
            }

            await Engine.ChangeAsync($$"""[{"change":"set_grant","entity":"{{entity}}","grant":{{grant}}}]""");
        }

        public async Task ResetAsync()
        {
            var changes = Engine.Metadata.Current.Entities.Values.SelectMany(e => e.Grants.Select(g => $$"""{"change":"remove_grant","entity":"{{e.Name}}","role":"{{g.Role}}"}"""))
                .Append("""{"change":"change_entity","entity":"company","visibility":"public_write"}""");
            await Engine.ChangeAsync($"[{string.Join(',', changes)}]");
        }

        public Task RolesAsync(params string[] roles) => UserAsync(Engine.User.UserId, "roles", roles);

        public Task ManagerAsync(Actor of, Guid? manager) => UserAsync(of.UserId, "manager", manager);

        public Task TeamsAsync(Actor of, params Guid[] teams) => UserAsync(of.UserId, "teams", teams);

        public Task TeamAsync(Actor of, Guid? team) => UserAsync(of.UserId, "team", team);

        private async Task UserAsync(Guid user, string field, object? value) =>
            Assert.True((await Engine.With().As(Engine.Admin).SaveAsync(RecordChange.Update("user", user, new Dictionary<string, object?> { [field] = value }))).Succeeded);
    }
}
