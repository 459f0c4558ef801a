using System.Collections.Immutable;
using Crm.Metadata;
using Crm.Records;
using Dapper;
using Npgsql;

namespace Crm.Host.Security;

/// <summary>Lets narrowed API keys mean entities by their new names.</summary>
internal sealed class KeyNames : IEntityNames
{
    public ImmutableArray<EntityNameColumn> Columns => [];

    public async Task FollowAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, EntityRename rename, CancellationToken ct)
    {
        await connection.ExecuteAsync(new CommandDefinition(ScopeNames.Update("session"), new { rename.From, rename.To }, transaction, cancellationToken: ct));
        // No user in the payload: all sign-ins are read again.
        await connection.ExecuteAsync(new CommandDefinition("SELECT pg_notify(@Channel, '')", new { SessionStore.Channel }, transaction, cancellationToken: ct));
    }
}
