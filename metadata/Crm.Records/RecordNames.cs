using System.Collections.Immutable;
using Crm.Metadata;
using Crm.Records.Webhooks;
using Dapper;
using Npgsql;

namespace Crm.Records;

/// <summary>Lets what is kept beside the records mean entities by their new names.</summary>
internal sealed class RecordNames : IEntityNames
{
    public ImmutableArray<EntityNameColumn> Columns { get; } =
    [
        // As long as the records live and as big as all of them: it stays as it was written, see EntryNames.
        new("history", "entity", EntityNameKind.Kept),
        new("history", "cause_entity", EntityNameKind.Kept),
        new("outbox", "entity"),
        new("outbox", "cause_entity"),
        new("record_share", "entity"),
        new("record_restriction", "entity"),
        new("access_mark", "entity", EntityNameKind.Kept),
        new("bin", "entity"),
        new("bulk_row", "entity"),
        new("export", "entity"),
        new("import_template", "entity") { GoesWithEntity = true },
        new("job", "scope", EntityNameKind.Scope),
        new("merge", "entity"),
        new("merge", "moved_entity", EntityNameKind.List),
        new("webhook", "entities", EntityNameKind.List),
        new("webhook_delivery", "entity"),
        new("webhook_delivery", "cause_entity"),
    ];

    public async Task FollowAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, EntityRename rename, CancellationToken ct)
    {
        // What runs has the entity in its hands.
        if (await connection.ExecuteScalarAsync<bool>(new CommandDefinition(
            "SELECT EXISTS (SELECT FROM crm.job WHERE state = 'running' AND payload ->> 'entity' = @From)", new { rename.From }, transaction, cancellationToken: ct)))
        {
            throw new EntityBusyException(Texts.Of("RenameDuringJob", rename.From));
        }

        await connection.ExecuteAsync(new CommandDefinition(
            """
            UPDATE crm.job SET payload = replace(jsonb_set(payload, '{entity}', to_jsonb(@To))::text, '"' || @From || ':', '"' || @To || ':')::jsonb WHERE payload ->> 'entity' = @From;
            WITH moved AS (DELETE FROM crm.access_mark WHERE entity = @From RETURNING kind),
            marked AS (INSERT INTO crm.access_mark (entity, kind) SELECT @To, kind FROM moved ON CONFLICT DO NOTHING)
            UPDATE crm.access_version SET version = version + 1 WHERE EXISTS (SELECT FROM moved);
            SELECT pg_notify(@Channel, '')
            """,
            new { rename.From, rename.To, WebhookStore.Channel },
            transaction,
            cancellationToken: ct));
    }
}
