using System.Collections.Immutable;
using Dapper;
using Npgsql;

namespace Crm.Metadata;

/// <summary>What uses fields and entities without being a definition: those who keep it write it into <c>crm.metadata_use</c>.</summary>
internal static class OutsideUses
{
    /// <summary>Uses of what changes are about.</summary>
    public static async Task<ImmutableArray<PlanUse>> OfAsync(CrmDatabase database, IEnumerable<MetadataChange> changes, CancellationToken ct)
    {
        var concerned = changes.Select(ChangePlanner.Touched).OfType<(string Entity, string? Field)>().Select(t => t.Field is null ? t.Entity : t.Entity + "." + t.Field)
            .Distinct(StringComparer.Ordinal).ToArray();
        if (concerned.Length == 0)
        {
            return [];
        }

        await using var connection = await database.OpenAsync(ct);
        return await OfAsync(connection, concerned, ct);
    }

    /// <summary>Uses of entities, and of fields as <c>entity.field</c>.</summary>
    public static async Task<ImmutableArray<PlanUse>> OfAsync(NpgsqlConnection connection, string[] concerned, CancellationToken ct)
    {
        var rows = await connection.QueryAsync<(string Kind, string Of, string Target, string Name)>(new CommandDefinition(
            "SELECT kind, used, target, name FROM crm.metadata_use WHERE used = ANY(@concerned) ORDER BY used, lower(name), target", new { concerned }, cancellationToken: ct));
        return [.. rows.Select(r => new PlanUse(r.Kind, r.Of, r.Target, MetadataTexts.Of("UseWorkflow", r.Name)))];
    }
}
