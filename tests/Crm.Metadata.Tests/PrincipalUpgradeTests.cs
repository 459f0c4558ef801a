namespace Crm.Metadata.Tests;

/// <summary>An installation from the time when only users owned records.</summary>
public sealed class PrincipalUpgradeTests : NodeTests
{
    private const string AsItWas =
        """
        DO $$
        DECLARE k record;
        BEGIN
            FOR k IN SELECT conrelid::regclass AS entity, conname AS name, pg_get_constraintdef(oid) AS definition FROM pg_constraint WHERE confrelid = 'crm.principal'::regclass LOOP
                EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I, ADD CONSTRAINT %I %s', k.entity, k.name, k.name, regexp_replace(k.definition, '\S*principal\(', 'records."user"('));
            END LOOP;
        END
        $$;
        DROP TRIGGER crm_principal_comes ON records."user";
        DROP TRIGGER crm_principal_goes ON records."user";
        DROP TRIGGER crm_principal_comes ON records.team;
        DROP TRIGGER crm_principal_goes ON records.team;
        DROP FUNCTION crm.keep_principal();
        DROP TABLE crm.principal;
        DELETE FROM crm.script WHERE name = '0191-principals.sql';
        """;

    [Fact]
    public async Task PLT_37_Records_keep_their_owners_and_may_be_given_to_teams_from_then_on()
    {
        await node.ChangeAsync("""[{"change":"create_entity","name":"x_venue","fields":[{"name":"name","type":"text"},{"name":"x_host","type":"owner"},{"name":"x_guide","type":"user"}]}]""");
        await node.ExecuteAsync(AsItWas);
        var (user, team) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await node.ExecuteAsync(
            $"""
            INSERT INTO records."user" (id, created_at, modified_at, name, user_name, owner) VALUES ('{user}', now(), now(), 'Ada', 'ada', '{user}');
            INSERT INTO records.team (id, created_at, modified_at, name) VALUES ('{team}', now(), now(), 'West');
            """);
        await node.InsertAsync("x_venue", "name, owner, x_host, x_guide", $"'Hall', '{user}', '{user}', '{user}'");

        await PlatformScripts.RunAsync(node.Database, [typeof(PlatformScripts).Assembly]);

        Assert.Empty((await node.Consistency.RunAsync()).Differences);
        Assert.Equal(user.ToString(), await node.ScalarAsync<string>("SELECT owner::text FROM records.x_venue WHERE x_host = owner AND x_guide = owner"));
        // A user is a principal at once, a team when it is given something; who owns something does not go.
        await Assert.ThrowsAsync<Npgsql.PostgresException>(() => node.ExecuteAsync($"UPDATE records.x_venue SET owner = '{team}'"));
        await node.ExecuteAsync($"INSERT INTO crm.principal VALUES ('{team}'); UPDATE records.x_venue SET owner = '{team}', x_host = '{team}'");
        await Assert.ThrowsAsync<Npgsql.PostgresException>(() => node.ExecuteAsync("DELETE FROM records.team"));
        await Assert.ThrowsAsync<Npgsql.PostgresException>(() => node.ExecuteAsync($"UPDATE records.x_venue SET x_guide = '{team}'"));
        await node.ExecuteAsync("DELETE FROM records.x_venue; DELETE FROM records.team; DELETE FROM records.\"user\"");
        Assert.Equal(0, await node.ScalarAsync<long>("SELECT count(*) FROM crm.principal"));
    }
}
