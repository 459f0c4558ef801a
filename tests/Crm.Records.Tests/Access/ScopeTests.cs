using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Records.Tests.Access;

/// <summary>Allow-lists narrow whoever acts, an administrator like anybody else; the doors are asked over the API, in Crm.Host.Tests.</summary>
public sealed class ScopeTests(AccessTests.Firm firm) : IClassFixture<AccessTests.Firm>, IAsyncLifetime
{
    private static readonly ImmutableArray<AccessOperation> Reading = [AccessOperation.Read];
    private static readonly ImmutableArray<AccessOperation> All = [AccessOperation.Read, AccessOperation.Create, AccessOperation.Write, AccessOperation.Delete];

    private RecordService Admin => firm.Engine.With().As(Engine.Admin);

    public async Task InitializeAsync()
    {
        await firm.ResetAsync();
        await AdministratorAsync(true);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public void Nobody_is_an_administrator_while_narrowed()
    {
        var narrowed = Engine.Admin with { Scope = Scope(("company", Reading, null)) };
        Assert.False(narrowed.IsAdministrator);
        Assert.False((narrowed with { IsAdministrator = true }).IsAdministrator);
        Assert.True((narrowed with { Scope = null }).IsAdministrator);
    }

    [Fact]
    public async Task Statements_of_one_list_are_not_taken_for_another_of_the_same_user()
    {
        foreach (var actor in new[] { Engine.Admin, Engine.User })
        {
            var query = new RecordQuery { Entity = "company", Select = ["email"] };
            var (without, with) = (As(actor, ("company", Reading, ["name"])), As(actor, ("company", Reading, ["email"])));
            for (var turn = 0; turn < 2; turn++)
            {
                Assert.NotEmpty((await with.QueryAsync(query)).Records);
                Assert.Equal(ErrorCodes.UnknownField, (await Assert.ThrowsAsync<QueryException>(() => without.QueryAsync(query))).Code);
                Assert.NotEmpty((await firm.Engine.With().As(actor).QueryAsync(query)).Records);
            }

            Assert.Equal(["id", "name", "version"], (await without.FindAsync("company", firm.OthersCompany))!.Values.Keys.Order(StringComparer.Ordinal));
        }
    }

    [Fact]
    public async Task A_list_takes_away_and_gives_nothing()
    {
        var wide = new[] { ("company", All, (string[]?)null), ("user", All, null), ("team", All, null) };
        var bob = As(Engine.User, wide);
        await firm.GrantAsync("company", """{"name":"everyone","read":"own","write":"all","fields":[{"name":"email","access":"none"}]}""");
        Assert.Null(await bob.FindAsync("company", firm.OthersCompany));
        Assert.Equal(ErrorCodes.UnknownField, (await Assert.ThrowsAsync<QueryException>(() => bob.QueryAsync(new RecordQuery { Entity = "company", Select = ["email"] }))).Code);
        Assert.Equal(ErrorCodes.NotFound, Assert.Single((await bob.SaveAsync(Named(firm.OthersCompany))).Errors).Code);

        // Whoever could write users could give themselves any right: that is for administrators who are not narrowed.
        foreach (var actor in new[] { Engine.Admin, Engine.User })
        {
            var refused = await As(actor, wide).SaveAsync(RecordChange.Update("user", Engine.User.UserId, new Dictionary<string, object?> { ["is_administrator"] = true }));
            Assert.Equal(ErrorCodes.Access, Assert.Single(refused.Errors).Code);
        }
    }

    [Theory]
    [InlineData(AccessOperation.Create)]
    [InlineData(AccessOperation.Write)]
    [InlineData(AccessOperation.Delete)]
    public async Task A_refusal_names_the_list(AccessOperation operation)
    {
        var narrowed = As(Engine.Admin, ("company", All.Remove(operation), null));
        var made = (await Admin.SaveAsync(RecordChange.Create("company", new Dictionary<string, object?> { ["name"] = "Kept " + operation }))).Record!.Id;
        var error = Assert.Single((await narrowed.SaveAsync(operation switch
        {
            AccessOperation.Create => RecordChange.Create("company", new Dictionary<string, object?> { ["name"] = "New" }),
            AccessOperation.Write => Named(made),
            _ => RecordChange.Delete("company", made),
        })).Errors);
        Assert.Equal(ErrorCodes.Access, error.Code);
        Assert.Contains("“Report”", error.Message, StringComparison.Ordinal);
        var why = new AccessExplainer(firm.Engine.With());
        var verdict = await why.WhyAsync(Engine.Admin, Engine.Admin.UserId, "company", made, operation, null, Scope(("company", All.Remove(operation), null)));
        Assert.False(verdict.IsAllowed);
        Assert.Contains("“Report”", verdict.Rule, StringComparison.Ordinal);
        Assert.Contains("administrator", Assert.Single(verdict.Facts, f => f.Contains("Ada is", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.True((await why.WhyAsync(Engine.Admin, Engine.Admin.UserId, "company", made, AccessOperation.Read, null, Scope(("company", All, null)))).IsAllowed);
    }

    [Fact]
    public async Task An_administrator_reaches_restricted_records_with_a_list_and_loses_them_with_their_right()
    {
        await firm.Engine.ChangeAsync("""[{"change":"change_entity","entity":"company","visibility":"private"}]""");
        var made = (await firm.Engine.Records.SaveAsync(RecordChange.Create("company", new Dictionary<string, object?> { ["name"] = "Restricted" }))).Record!.Id;
        Assert.Null((await new RecordSharing(firm.Engine.With()).SaveAsync(Engine.Admin, "company", made, new Sharing(true, [])))!.Value.Error);
        var narrowed = As(Engine.Admin, ("company", All, null));
        Assert.NotNull(await narrowed.FindAsync("company", made));
        Assert.True((await narrowed.SaveAsync(Named(made))).Succeeded);
        await AdministratorAsync(false);
        Assert.Null(await narrowed.FindAsync("company", made));
        Assert.Equal(ErrorCodes.NotFound, Assert.Single((await narrowed.SaveAsync(Named(made))).Errors).Code);
    }

    [Fact]
    public async Task Links_follow_the_fields_that_show_them()
    {
        await firm.Engine.ChangeAsync("""[{"change":"add_field","entity":"deal","field":{"name":"x_backers","type":"many_to_many","label":"Backers","target":"company","link":{"name":"x_backer"},"inverse":{"name":"x_backed","label":"Backed"}}}]""");
        var change = RecordChange.Update("deal", firm.DealOfOthersCompany, new Dictionary<string, object?> { ["x_backers"] = new[] { firm.OthersCompany } });
        var links = new RecordQuery { Entity = "x_backer" };
        // Both ends are needed, and the field.
        foreach (var (scope, code) in new[] { (Scope(("deal", All, null)), ErrorCodes.Unknown), (Scope(("deal", All, ["title"]), ("company", All, null)), ErrorCodes.UnknownField) })
        {
            Assert.Contains((await As(Engine.Admin, scope).SaveAsync(change)).Errors, e => e.Code == code);
            Assert.Empty((await Admin.QueryAsync(links)).Records);
        }

        // As for everybody, a link is made by whoever may change one of its records.
        var reader = As(Engine.Admin, ("deal", Reading, null), ("company", Reading, null));
        Assert.False((await reader.SaveAsync(change)).Succeeded);
        var writer = As(Engine.Admin, ("deal", [AccessOperation.Read, AccessOperation.Write], null), ("company", [AccessOperation.Read, AccessOperation.Write], null));
        Assert.Empty((await writer.SaveAsync(change)).Errors);
        Assert.Single((await reader.QueryAsync(links)).Records);
        var link = Assert.Single((await writer.QueryAsync(links)).Records);
        Assert.False((await reader.SaveAsync(RecordChange.Delete("x_backer", link.Id))).Succeeded);
        await Assert.ThrowsAsync<QueryException>(() => As(Engine.Admin, ("deal", All, ["title"]), ("company", Reading, ["name"])).QueryAsync(links));
    }

    [Fact]
    public async Task Parts_are_chosen_by_themselves_and_take_the_right_to_their_record()
    {
        var values = new Dictionary<string, object?> { ["text"] = "Pays late", ["about"] = new RecordRef("company", firm.OthersCompany) };
        Assert.True((await Admin.SaveAsync(RecordChange.Create("note", values))).Succeeded);
        Task<SaveResult> WriteAsync(RecordService by) => by.SaveAsync(RecordChange.Create("note", values));
        Assert.Contains((await WriteAsync(As(Engine.Admin, ("company", All, null)))).Errors, e => e.Code == ErrorCodes.UnknownEntity);
        Assert.Contains((await WriteAsync(As(Engine.Admin, ("note", All, null)))).Errors, e => e.Code == ErrorCodes.UnknownEntity);
        Assert.False((await WriteAsync(As(Engine.Admin, ("note", All, null), ("company", Reading, null)))).Succeeded);
        var both = As(Engine.Admin, ("note", All, null), ("company", All, null));
        Assert.True((await WriteAsync(both)).Succeeded);
        Assert.Equal(2, (await both.QueryAsync(new RecordQuery { Entity = "note", Filter = Filter.Equal("about", firm.OthersCompany) })).Records.Length);
        // Notes of records that are not in the list are not there.
        Assert.Empty((await As(Engine.Admin, ("note", All, null), ("deal", All, null)).QueryAsync(new RecordQuery { Entity = "note" })).Records);
    }

    private static RecordChange Named(Guid id) => RecordChange.Update("company", id, new Dictionary<string, object?> { ["name"] = "Renamed" });

    private static AccessScope Scope(params (string Entity, ImmutableArray<AccessOperation> Operations, string[]? Fields)[] entities) => AccessScope.Parse(new AccessScope(
        new Guid("00000000-0000-7000-8000-0000000000c1"),
        "Report",
        entities.ToDictionary(e => e.Entity, e => new EntityScope(e.Operations, e.Fields is null ? null : [.. e.Fields]), StringComparer.Ordinal)).ToString());

    private RecordService As(Actor actor, params (string Entity, ImmutableArray<AccessOperation> Operations, string[]? Fields)[] entities) => As(actor, Scope(entities));

    private RecordService As(Actor actor, AccessScope scope) => firm.Engine.With().As(actor with { Scope = scope });

    private async Task AdministratorAsync(bool isAdministrator) =>
        Assert.True((await Admin.SaveAsync(RecordChange.Update("user", Engine.Admin.UserId, new Dictionary<string, object?> { ["is_administrator"] = isAdministrator }))).Succeeded);
}
