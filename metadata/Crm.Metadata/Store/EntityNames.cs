using System.Collections.Immutable;
using Crm.Sdk;
using Dapper;
using Npgsql;

namespace Crm.Metadata;

/// <summary>Lets the product's own tables mean entities by their new names.</summary>
internal sealed class EntityNames(IEnumerable<IEntityNames> keepers)
{
    private readonly ImmutableArray<IEntityNames> keepers = [.. keepers];

    /// <summary>Lets rows follow that are there.</summary>
    public async Task FollowAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, ImmutableArray<EntityRename> renames, CancellationToken ct)
    {
        if (renames.IsEmpty)
        {
            return;
        }

        var known = await KnownAsync(connection, transaction, ct);
        foreach (var rename in renames)
        {
            foreach (var column in keepers.SelectMany(k => k.Columns).Where(c => c.Kind != EntityNameKind.Kept && known.Contains($"{c.Table}.{c.Name}")))
            {
                await connection.ExecuteAsync(new CommandDefinition(Update(column), new { from = rename.From, to = rename.To }, transaction, commandTimeout: 0, cancellationToken: ct));
            }

            foreach (var keeper in keepers.Where(k => k.Columns.All(c => known.Contains($"{c.Table}.{c.Name}"))))
            {
                await keeper.FollowAsync(connection, transaction, rename, ct);
            }
        }
    }

    /// <summary>Deletes what means nothing without entities that are gone.</summary>
    public async Task ForgetAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, MetadataSnapshot before, MetadataSnapshot after, CancellationToken ct)
    {
        var gone = before.Entities.Keys.Where(e => !after.TryEntity(e, out _)).ToArray();
        if (gone.Length == 0)
        {
            return;
        }

        var known = await KnownAsync(connection, transaction, ct);
        foreach (var column in keepers.SelectMany(k => k.Columns).Where(c => c.GoesWithEntity && known.Contains($"{c.Table}.{c.Name}")))
        {
            await connection.ExecuteAsync(new CommandDefinition($"DELETE FROM crm.{Sql.Quote(column.Table)} WHERE {Sql.Quote(column.Name)} = ANY(@gone)", new { gone }, transaction, cancellationToken: ct));
        }
    }

    /// <summary>Lets allow-lists follow fields that get another name.</summary>
    public async Task FollowAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, ImmutableArray<FieldRename> renames, CancellationToken ct)
    {
        if (renames.IsEmpty)
        {
            return;
        }

        var known = await KnownAsync(connection, transaction, ct);
        foreach (var column in keepers.SelectMany(k => k.Columns).Where(c => c.Kind == EntityNameKind.Scope && known.Contains($"{c.Table}.{c.Name}")))
        {
            var (table, name) = ("crm." + Sql.Quote(column.Table), Sql.Quote(column.Name));
            foreach (var entity in renames.GroupBy(r => r.Entity, StringComparer.Ordinal))
            {
                // All at once: one may take the name that another one leaves.
                await connection.ExecuteAsync(new CommandDefinition(
                    $"""
                    UPDATE {table} SET {name} = jsonb_set({name}, ARRAY['entities', @entity, 'fields'],
                        (SELECT jsonb_agg(coalesce(n.renamed, f.field) ORDER BY f.place)
                         FROM jsonb_array_elements_text({name} #> ARRAY['entities', @entity, 'fields']) WITH ORDINALITY AS f (field, place) LEFT JOIN unnest(@from, @to) AS n (field, renamed) ON n.field = f.field))
                    WHERE jsonb_exists_any({name} #> ARRAY['entities', @entity, 'fields'], @from)
                    """,
                    new { entity = entity.Key, from = entity.Select(r => r.From).ToArray(), to = entity.Select(r => r.To).ToArray() },
                    transaction,
                    cancellationToken: ct));
            }
        }
    }

    /// <summary>
    /// Remembers new names, with how far the history of records is written under the old ones. Only when nobody writes under the old name any more, and nobody writes under the
    /// new one before the end. Names of entities that are gone lead nowhere any more.
    /// </summary>
    public static async Task RememberAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, PlanDraft draft, MetadataState before, long version, CancellationToken ct)
    {
        var gone = draft.Start.Snapshot.Entities.Keys.Where(e => !draft.Snapshot.TryEntity(e, out _)).ToArray();
        if (gone.Length > 0)
        {
            await connection.ExecuteAsync(new CommandDefinition("UPDATE crm.entity_rename SET entity = '' WHERE entity = ANY(@gone)", new { gone }, transaction, cancellationToken: ct));
        }

        foreach (var rename in draft.EntityRenames)
        {
            await connection.ExecuteAsync(new CommandDefinition(
                """
                UPDATE crm.entity_rename SET entity = @To WHERE entity = @From;
                INSERT INTO crm.entity_rename (version, from_name, from_set, to_name, entity, last_history)
                VALUES (@version, @From, @set, @To, @To, COALESCE(pg_sequence_last_value(to_regclass('crm.history_id_seq')), 0))
                """,
                new { version, rename.From, rename.To, set = before.Snapshot.Entity(rename.From).SetName },
                transaction,
                cancellationToken: ct));
        }
    }

    /// <summary>Columns there are: not every program that changes definitions has all tables.</summary>
    private static async Task<HashSet<string>> KnownAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken ct) =>
        (await connection.QueryAsync<string>(new CommandDefinition(
            "SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'crm'", transaction: transaction, cancellationToken: ct))).ToHashSet(StringComparer.Ordinal);

    private static string Update(EntityNameColumn column)
    {
        var (table, name) = ("crm." + Sql.Quote(column.Table), Sql.Quote(column.Name));
        const string Renamed = "CASE WHEN u = @from OR starts_with(u, @from || '.') THEN @to || substr(u, char_length(@from) + 1) ELSE u END";
        return column.Kind switch
        {
            EntityNameKind.Name => $"UPDATE {table} SET {name} = @to WHERE {name} = @from",
            EntityNameKind.List => $"UPDATE {table} SET {name} = array_replace({name}, @from, @to) WHERE @from = ANY ({name})",
            EntityNameKind.Uses =>
                $"UPDATE {table} SET {name} = ARRAY(SELECT {Renamed} FROM unnest({name}) WITH ORDINALITY AS n (u, place) ORDER BY place) WHERE EXISTS (SELECT FROM unnest({name}) AS n (u) WHERE u = @from OR starts_with(u, @from || '.'))",
            EntityNameKind.Scope =>
                $"UPDATE {table} SET {name} = jsonb_set({name} #- ARRAY['entities', @from], ARRAY['entities', @to], {name} #> ARRAY['entities', @from]) WHERE {name} #> ARRAY['entities', @from] IS NOT NULL",
            _ => throw new InvalidOperationException($"A column of kind {column.Kind} does not follow."),
        };
    }
}

/// <summary>Tables of this project.</summary>
internal sealed class MetadataNames : IEntityNames
{
    public ImmutableArray<EntityNameColumn> Columns { get; } =
    [
        new("metadata_step", "entity"),
        new("metadata_step", "tables", EntityNameKind.List),
        new("field_rename", "entity"),
        new("upgrade_note", "entity"),
        new("metadata_use", "used", EntityNameKind.Kept),
        new("saved_view", "entity") { GoesWithEntity = true },
        new("default_view", "entity") { GoesWithEntity = true },
        new("list_columns", "entity") { GoesWithEntity = true },
        // By a statement of the plan, see EntityRenameSteps.
        new("counter", "entity", EntityNameKind.Kept),
        new("entity_rename", "entity", EntityNameKind.Kept),
        new("entity_rename", "from_name", EntityNameKind.Kept),
        new("entity_rename", "to_name", EntityNameKind.Kept),
    ];

    public async Task FollowAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, EntityRename rename, CancellationToken ct)
    {
        // What uses an entity that is gone may name the new name already.
        await connection.ExecuteAsync(new CommandDefinition(
            """
            WITH moved AS (DELETE FROM crm.metadata_use WHERE used = @From OR starts_with(used, @From || '.') RETURNING kind, target, name, used)
            INSERT INTO crm.metadata_use (kind, target, name, used) SELECT kind, target, name, @To || substr(used, char_length(@From) + 1) FROM moved ON CONFLICT DO NOTHING
            """,
            new { rename.From, rename.To },
            transaction,
            cancellationToken: ct));
        await SavedViewUses.FollowAsync(connection, transaction, rename, ct);
    }
}
