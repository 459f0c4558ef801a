using Crm.Sdk;
using Dapper;
using Microsoft.Extensions.Logging.Abstractions;

namespace Crm.Records.Tests.Events;

public sealed class PresenceTests(Engine engine) : IClassFixture<Engine>
{
    private readonly Guid record = Guid.CreateVersion7();

    [Fact]
    public async Task Whoever_has_a_record_open_at_any_host_is_known_to_the_others_until_they_leave()
    {
        using var first = Host();
        using var second = Host();
        var (one, again, other) = (Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7());
        await first.EnterAsync(one, record, Engine.User.UserId, isEditing: false);
        await first.EnterAsync(again, record, Engine.User.UserId, isEditing: true);
        await second.EnterAsync(other, record, Engine.Admin.UserId, isEditing: false);
        Assert.Equal([new Present(Engine.User.UserId, IsEditing: true)], await OthersAsync(second, Engine.Admin));
        Assert.Equal([new Present(Engine.Admin.UserId, IsEditing: false)], await OthersAsync(first, Engine.User));
        Assert.Empty(await second.OthersAsync(Guid.CreateVersion7(), Engine.Admin.UserId));

        await first.EnterAsync(again, record, Engine.User.UserId, isEditing: false);
        Assert.Equal([new Present(Engine.User.UserId, IsEditing: false)], await OthersAsync(second, Engine.Admin));
        await first.LeaveAsync(again);
        Assert.Single(await OthersAsync(second, Engine.Admin));
        await first.LeaveAsync(one);
        await first.LeaveAsync(one);
        Assert.Empty(await OthersAsync(second, Engine.Admin));
    }

    [Fact]
    public async Task Pages_of_a_host_that_died_are_forgotten_and_those_of_one_that_lives_stay()
    {
        using var alive = Host();
        using var dead = Host();
        await alive.EnterAsync(Guid.CreateVersion7(), record, Engine.User.UserId, isEditing: true);
        await dead.EnterAsync(Guid.CreateVersion7(), record, Engine.Admin.UserId, isEditing: true);
        await engine.ExecuteAsync("UPDATE crm.presence SET seen_at = now() - interval '2 minutes'");
        Assert.Empty(await OthersAsync(alive, Engine.Admin));

        await alive.RenewAsync(CancellationToken.None);
        Assert.Equal([new Present(Engine.User.UserId, IsEditing: true)], await OthersAsync(alive, Engine.Admin));
        Assert.Empty(await OthersAsync(alive, Engine.User));
        Assert.Equal(1, await engine.ScalarAsync<long>("SELECT count(*) FROM crm.presence"));

        // After a crash of the database the table is empty.
        await engine.ExecuteAsync("TRUNCATE crm.presence");
        await alive.RenewAsync(CancellationToken.None);
        Assert.Single(await OthersAsync(alive, Engine.Admin));
        await engine.ExecuteAsync("TRUNCATE crm.presence");
    }

    [Fact]
    public async Task A_page_that_leaves_while_it_is_said_to_be_there_does_not_come_back()
    {
        using var host = Host();
        var (page, stays) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await host.EnterAsync(page, record, Engine.User.UserId, isEditing: false);
        await host.EnterAsync(stays, record, Engine.Admin.UserId, isEditing: false);
        await engine.ExecuteAsync(
            """
            CREATE FUNCTION crm.wait_in_turn() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock_shared(4711); RETURN NULL; END';
            CREATE TRIGGER wait_in_turn BEFORE INSERT ON crm.presence FOR EACH STATEMENT EXECUTE FUNCTION crm.wait_in_turn()
            """);
        await using (var turn = await engine.Database.OpenAsync())
        {
            await turn.ExecuteAsync("SELECT pg_advisory_lock(4711)");
            // Which pages there are is looked up at once; they are written when it is its turn.
            var brief = Guid.CreateVersion7();
            var renewing = host.RenewAsync(CancellationToken.None);
            var entering = host.EnterAsync(brief, record, Engine.User.UserId, isEditing: false);
            await host.LeaveAsync(page);
            await host.LeaveAsync(brief);
            await turn.ExecuteAsync("SELECT pg_advisory_unlock(4711)");
            await renewing;
            await entering;
        }

        Assert.Equal(stays, await engine.ScalarAsync<Guid>("SELECT page FROM crm.presence"));
        await engine.ExecuteAsync("DROP FUNCTION crm.wait_in_turn CASCADE; TRUNCATE crm.presence");
    }

    private async Task<Present[]> OthersAsync(Presence host, Actor actor) => [.. await host.OthersAsync(record, actor.UserId)];

    private Presence Host() => new(engine.Database, TimeProvider.System, NullLogger<Presence>.Instance);
}
