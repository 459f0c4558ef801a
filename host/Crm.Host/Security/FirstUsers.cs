using System.Security.Cryptography;
using Crm.Host.Startup;
using Crm.Metadata;
using Crm.Sdk;
using Dapper;

namespace Crm.Host.Security;

/// <summary>Makes the users every installation begins with: the product itself, and an administrator with a password nobody else has.</summary>
internal sealed class FirstUsers(CrmDatabase database, IRecords records, Passwords passwords, CrmSettings settings, Readiness readiness, ILogger<FirstUsers> log)
{
    public const string AdminUserName = "admin";

    // Without letters and digits that are taken for each other.
    private const string Alphabet = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    private const int PasswordLength = 20;

    // Hosts that start together on an empty database must not both make them.
    private const long LockKey = 0x43524d_55534552;

    public async Task EnsureAsync(CancellationToken ct)
    {
        // The lock ends with the session.
        await using var connection = await database.OpenSessionAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition($"SELECT pg_advisory_lock({LockKey})", cancellationToken: ct));
        await FollowChangesAsync(connection, ct);
        var service = records.As(Actor.System);
        if (await service.FindAsync("user", Actor.System.UserId, ct) is null)
        {
            await CreateAsync(service, Actor.System.UserId, new() { ["name"] = Actor.System.Name, ["user_name"] = "system", ["can_sign_in"] = false, ["is_administrator"] = true }, ct);
        }

        // Looked for among passwords: an administrator who renamed the first account keeps it so.
        if (await connection.ExecuteScalarAsync<long>(new CommandDefinition("SELECT count(*) FROM crm.credential", cancellationToken: ct)) == 0)
        {
            await CreateAdministratorAsync(service, ct);
        }
    }

    private async Task CreateAdministratorAsync(IRecordService service, CancellationToken ct)
    {
        if (settings.AdminPassword is { } weak && PasswordRules.Refuses(weak, AdminUserName) is not null)
        {
            log.LogWarning("The administrator's password given by Crm__AdminPassword is short or common; change it after signing in.");
        }

        var password = settings.AdminPassword ?? RandomNumberGenerator.GetString(Alphabet, PasswordLength);
        var found = await service.QueryAsync(new RecordQuery { Entity = "user", Filter = Filter.Equal("user_name", AdminUserName), Top = 1 }, ct);
        var id = found.Records is [var existing] ? existing.Id : Guid.CreateVersion7();
        if (found.Records.IsEmpty)
        {
            await CreateAsync(service, id, new() { ["name"] = SecurityTexts.Of("AdminName"), ["user_name"] = AdminUserName, ["can_sign_in"] = true, ["is_administrator"] = true }, ct);
        }

        await passwords.SetAsync(id, password, ct);
        readiness.NewAdminPassword = settings.AdminPassword is null ? password : null;
    }

    private static async Task CreateAsync(IRecordService service, Guid id, Dictionary<string, object?> values, CancellationToken ct)
    {
        var result = await service.SaveAsync(new RecordChange(ChangeKind.Create, "user", id, values) { Source = "start" }, ct);
        if (!result.Succeeded)
        {
            throw new StartupException($"The user '{values["user_name"]}' cannot be made: {string.Join(" ", result.Errors.Select(error => error.Message))}");
        }
    }

    // The table of users is made from metadata, so its trigger cannot be in a script that runs before.
    private static async Task FollowChangesAsync(System.Data.IDbConnection connection, CancellationToken ct)
    {
        var exists = await connection.ExecuteScalarAsync<bool>(new CommandDefinition(
            "SELECT EXISTS (SELECT FROM pg_trigger WHERE tgname = 'crm_announce_user' AND tgrelid = 'records.\"user\"'::regclass)", cancellationToken: ct));
        if (!exists)
        {
            await connection.ExecuteAsync(new CommandDefinition(
                "CREATE TRIGGER crm_announce_user AFTER UPDATE OR DELETE ON records.\"user\" FOR EACH ROW EXECUTE FUNCTION crm.announce_user()", cancellationToken: ct));
        }
    }
}
