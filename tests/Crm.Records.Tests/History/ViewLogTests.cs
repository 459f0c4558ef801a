using Crm.Records.Bin;
using Crm.Records.Tests.Access;
using Crm.Sdk;

namespace Crm.Records.Tests.History;

/// <summary>Who looked at records of an entity that keeps it.</summary>
public sealed class ViewLogTests(AccessTests.Firm firm) : IClassFixture<AccessTests.Firm>
{
    private readonly Clock clock = new();

    private RecordEngine Engine => new(firm.Engine.Database, firm.Engine.Metadata, firm.Engine.With().Behaviors, firm.Engine.Scripts, clock);

    private ViewLog Log => new(Engine);

    [Fact]
    public async Task Who_opens_a_record_is_kept_once_an_hour_and_user()
    {
        var company = await CompanyAsync(keeps: true);
        await Engine.As(Tests.Engine.User).FindAsync("company", company);
        clock.Now = clock.Now.AddMinutes(10);
        // However few of its fields are asked for.
        await Engine.As(Tests.Engine.User).QueryAsync(new RecordQuery { Entity = "company", Select = ["name"], Filter = Filter.Equal("id", company), Top = 1 });
        clock.Now = clock.Now.AddHours(1);
        await Engine.As(Tests.Engine.User).FindAsync("company", company);
        await Engine.As(Tests.Engine.Admin).FindAsync("company", company);

        var views = (await Log.ReadAsync(Tests.Engine.Admin, "company", company))!.Value;

        var start = new Clock().Now;
        Assert.Equal(
            [
                (Tests.Engine.Admin.UserId, "Ada", start.AddMinutes(70), start.AddMinutes(70), 1),
                (Tests.Engine.User.UserId, "Bob", start.AddMinutes(70), start.AddMinutes(70), 1),
                (Tests.Engine.User.UserId, "Bob", start, start.AddMinutes(10), 2),
            ],
            views.OrderByDescending(v => v.LastAt).ThenBy(v => v.UserName, StringComparer.Ordinal).Select(v => (v.UserId, v.UserName, v.FirstAt, v.LastAt, v.Times)));
    }

    [Fact]
    public async Task Lists_saves_the_product_itself_and_entities_that_do_not_keep_it_leave_nothing()
    {
        var company = await CompanyAsync(keeps: true);
        var bob = Engine.As(Tests.Engine.User);
        await bob.QueryAsync(new RecordQuery { Entity = "company", Filter = Filter.Equal("name", "Looked at") });
        Assert.True((await bob.SaveAsync(RecordChange.Update("company", company, new Dictionary<string, object?> { ["country"] = "AT" }))).Succeeded);
        await Engine.As(Actor.System).FindAsync("company", company);
        Assert.Null(await bob.FindAsync("company", Guid.CreateVersion7()));
        Assert.Empty((await Log.ReadAsync(Tests.Engine.Admin, "company", company))!.Value);

        await firm.Engine.ChangeAsync("""[{"change":"change_entity","entity":"company","view_log":false}]""");
        await bob.FindAsync("company", company);
        Assert.Empty((await Log.ReadAsync(Tests.Engine.Admin, "company", company))!.Value);
    }

    [Fact]
    public async Task Only_who_may_share_a_record_reads_who_looked_at_it()
    {
        var company = await CompanyAsync(keeps: true);
        await firm.GrantAsync("company", """{"name":"everyone","read":"all","share":"own"}""");
        await Engine.As(Tests.Engine.User).FindAsync("company", company);
        Assert.Null(await Log.ReadAsync(Tests.Engine.User, "company", company));
        Assert.Single((await Log.ReadAsync(Tests.Engine.Admin, "company", company))!.Value);

        // Who may not see the record at all is not noted either.
        await firm.GrantAsync("company", """{"name":"everyone","read":"own"}""");
        Assert.Null(await Engine.As(Tests.Engine.User).FindAsync("company", company));
        Assert.Equal(1, Assert.Single((await Log.ReadAsync(Tests.Engine.Admin, "company", company))!.Value).Times);
        await firm.ResetAsync();
    }

    [Fact]
    public async Task Who_looked_at_a_record_goes_with_it_when_it_is_deleted_for_good()
    {
        var company = await CompanyAsync(keeps: true);
        await Engine.As(Tests.Engine.User).FindAsync("company", company);
        Assert.True((await Engine.As(Tests.Engine.Admin).SaveAsync(RecordChange.Delete("company", company))).Succeeded);
        Assert.Equal(1L, await KeptAsync());
        Assert.Equal(1, await new RecycleBin(firm.Engine.With()).PurgeAsync(Tests.Engine.Admin, [company]));
        Assert.Equal(0L, await KeptAsync());

        Task<long> KeptAsync() => firm.Engine.ScalarAsync<long>($"SELECT count(*) FROM crm.record_view WHERE record_id = '{company}'");
    }

    private async Task<Guid> CompanyAsync(bool keeps)
    {
        await firm.Engine.ChangeAsync($$"""[{"change":"change_entity","entity":"company","view_log":{{(keeps ? "true" : "false")}}}]""");
        return (await Engine.As(Tests.Engine.Admin).SaveAsync(RecordChange.Create("company", new Dictionary<string, object?> { ["name"] = "Looked at" }))).Record!.Id;
    }

    private sealed class Clock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = new(2026, 3, 4, 9, 5, 0, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
