using System.Collections.Immutable;
using Crm.Sdk;
using Dapper;
using Npgsql;

namespace Crm.Metadata;

/// <summary>Which modules are switched on, for all hosts of this database. A change is announced on <see cref="Channel"/>.</summary>
public sealed class ModuleStates(CrmDatabase database, TimeProvider time)
{
    /// <summary>Channel of <see cref="Notifications"/>; the payload is the module's id.</summary>
    public const string Channel = "crm_modules";

    /// <summary>All modules ever seen, by id.</summary>
    public async Task<ImmutableArray<ModuleState>> ListAsync(CancellationToken ct = default)
    {
        await using var connection = await database.OpenAsync(ct);
        var rows = await connection.QueryAsync<(string Id, string Name, string[] DependsOn, bool IsEnabled)>(
            new CommandDefinition("SELECT id, name, depends_on, is_enabled FROM crm.module ORDER BY id", cancellationToken: ct));
        return [.. rows.Select(r => new ModuleState(r.Id, r.Name, [.. r.DependsOn], r.IsEnabled))];
    }

    /// <summary>Whether a module is switched on; one never seen before is.</summary>
    public async Task<bool> IsEnabledAsync(string id, CancellationToken ct = default)
    {
        await using var connection = await database.OpenAsync(ct);
        return await connection.ExecuteScalarAsync<bool?>(
            new CommandDefinition("SELECT is_enabled FROM crm.module WHERE id = @id", new { id }, cancellationToken: ct)) ?? true;
    }

    /// <summary>Makes a module known without switching it.</summary>
    public async Task SeenAsync(ModuleInfo module, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(module);
        await using var connection = await database.OpenAsync(ct);
        await SeenAsync(connection, null, module, time, ct);
    }

    internal static Task SeenAsync(NpgsqlConnection connection, NpgsqlTransaction? transaction, ModuleInfo module, TimeProvider time, CancellationToken ct) =>
        connection.ExecuteAsync(new CommandDefinition(
            """
            INSERT INTO crm.module (id, name, depends_on, changed_at) VALUES (@id, @name, @dependsOn, @now)
            ON CONFLICT (id) DO UPDATE SET name = excluded.name, depends_on = excluded.depends_on
            WHERE (crm.module.name, crm.module.depends_on) IS DISTINCT FROM (excluded.name, excluded.depends_on)
            """,
            new { id = module.Id, name = module.Name, dependsOn = DependsOn(module), now = time.GetUtcNow() },
            transaction,
            cancellationToken: ct));

    /// <summary>Switches a module on or off and tells all hosts.</summary>
    /// <returns>False when no module of this id was ever seen.</returns>
    public async Task<bool> SetEnabledAsync(string id, bool isEnabled, CancellationToken ct = default)
    {
        await using var connection = await database.OpenAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var found = await connection.ExecuteAsync(new CommandDefinition(
            "UPDATE crm.module SET is_enabled = @isEnabled, changed_at = @now WHERE id = @id",
            new { id, isEnabled, now = time.GetUtcNow() },
            transaction,
            cancellationToken: ct));
        await connection.ExecuteAsync(new CommandDefinition("SELECT pg_notify(@Channel, @id)", new { Channel, id }, transaction, cancellationToken: ct));
        await transaction.CommitAsync(ct);
        return found > 0;
    }

    /// <summary>Tells all hosts that a module changed in another way: new files, another version.</summary>
    public async Task AnnounceAsync(string id, CancellationToken ct = default)
    {
        await using var connection = await database.OpenAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition("SELECT pg_notify(@Channel, @id)", new { Channel, id }, cancellationToken: ct));
    }

    internal static string[] DependsOn(ModuleInfo module) => module.DependsOn.IsDefault ? [] : [.. module.DependsOn];
}

/// <summary>A module as the database knows it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Name">Shown to administrators.</param>
/// <param name="DependsOn">Ids of modules it needs.</param>
/// <param name="IsEnabled">Whether it is switched on.</param>
public sealed record ModuleState(string Id, string Name, ImmutableArray<string> DependsOn, bool IsEnabled);
