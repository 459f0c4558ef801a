using Crm.Sdk;
using Npgsql;

namespace Crm.Records;

/// <summary>People for whom something is done while they are away.</summary>
internal static class Actors
{
    /// <summary>A user with the rights they have now; null when they are gone or not active.</summary>
    public static async Task<Actor?> FindAsync(NpgsqlConnection connection, Guid user, CancellationToken ct)
    {
        if (user == Actor.System.UserId)
        {
            return Actor.System;
        }

        await using var command = new NpgsqlCommand("SELECT name, is_administrator FROM records.\"user\" WHERE id = $1 AND is_active", connection) { Parameters = { new() { Value = user } } };
        await using var reader = await command.ExecuteReaderAsync(ct);
        return await reader.ReadAsync(ct) ? new Actor(user, reader.GetString(0), !await reader.IsDBNullAsync(1, ct) && reader.GetBoolean(1)) : null;
    }
}
