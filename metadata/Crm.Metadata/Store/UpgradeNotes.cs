using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Crm.Sdk;
using Dapper;
using Npgsql;

namespace Crm.Metadata;

/// <summary>What new versions of modules left to a person: kept until they decide.</summary>
public sealed class UpgradeNotes(CrmDatabase database, MetadataStore store, TimeProvider time)
{
    private const int MaxNotes = 1000;

    /// <summary>Notes, newest first; at most 1,000.</summary>
    /// <param name="all">Also those that are settled.</param>
    /// <param name="ct">Cancels.</param>
    public async Task<ImmutableArray<UpgradeNote>> ListAsync(bool all = false, CancellationToken ct = default)
    {
        await using var connection = await database.OpenAsync(ct);
        var rows = await connection.QueryAsync<Row>(new CommandDefinition(
            """
            SELECT id, version, at, module, from_version AS FromVersion, to_version AS ToVersion, kind, entity, key, before::text AS Before, after::text AS After, yours::text AS Yours,
                   text, decided_at AS DecidedAt, decided_name AS DecidedName
            FROM crm.upgrade_note WHERE @all OR decided_at IS NULL ORDER BY id DESC LIMIT @MaxNotes
            """,
            new { all, MaxNotes },
            cancellationToken: ct));
        var layers = store.State.Layers;
        return [.. rows.Select(r => Note(r, layers)).Where(n => all || n.State == UpgradeState.Open)];
    }

    /// <summary>Settles a note: what is there stays as it is.</summary>
    /// <returns>False when there is no open note of this id.</returns>
    public async Task<bool> KeepAsync(long id, Actor actor, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(actor);
        if (!actor.IsAdministrator)
        {
            return false;
        }

        await using var connection = await database.OpenAsync(ct);
        return await connection.ExecuteAsync(new CommandDefinition(
            "UPDATE crm.upgrade_note SET decided_at = @now, decided_by = @userId, decided_name = @name WHERE id = @id AND decided_at IS NULL",
            new { id, now = time.GetUtcNow(), userId = actor.UserId, name = actor.Name },
            cancellationToken: ct)) > 0;
    }

    /// <summary>Writes what a declaration found, in its transaction. A property that was open already keeps what the module said when the customer last looked.</summary>
    internal static async Task SaveAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, MetadataChange.Declare declare, IEnumerable<UpgradeFinding> findings, long version, DateTimeOffset at, CancellationToken ct)
    {
        var from = await connection.ExecuteScalarAsync<string?>(new CommandDefinition(
            "SELECT version FROM crm.module WHERE id = @id", new { id = declare.Module.Id }, transaction, cancellationToken: ct));
        foreach (var finding in findings)
        {
            var earlier = (await connection.QueryAsync<(string? Before, string? From)>(new CommandDefinition(
                """
                DELETE FROM crm.upgrade_note WHERE decided_at IS NULL AND module = @module AND entity = @Entity AND key = @Key AND (kind = @kind OR @isBack)
                RETURNING before::text, from_version
                """,
                new { module = declare.Module.Id, finding.Entity, finding.Key, kind = Word(finding.Kind), isBack = finding.Kind == UpgradeKind.Back },
                transaction,
                cancellationToken: ct))).ToList();
            var before = earlier.Count > 0 ? earlier[0].Before : finding.Before;
            if (finding.Kind == UpgradeKind.Back || (finding.Kind == UpgradeKind.Kept && JsonNode.DeepEquals(Parse(before), Parse(finding.After))))
            {
                continue;
            }

            await connection.ExecuteAsync(new CommandDefinition(
                """
                INSERT INTO crm.upgrade_note (version, at, module, from_version, to_version, kind, entity, key, before, after, yours, text)
                VALUES (@version, @at, @module, @from, @to, @kind, @Entity, @Key, @before::jsonb, @After::jsonb, @Yours::jsonb, @Text)
                """,
                new
                {
                    version,
                    at,
                    module = declare.Module.Id,
                    from = earlier.Count > 0 ? earlier[0].From : from,
                    to = declare.Version,
                    kind = Word(finding.Kind),
                    finding.Entity,
                    finding.Key,
                    before,
                    finding.After,
                    finding.Yours,
                    finding.Text,
                },
                transaction,
                cancellationToken: ct));
        }
    }

    /// <summary>Remembers which version of a module is in force.</summary>
    internal static Task RememberAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, MetadataChange.Declare declare, CancellationToken ct) =>
        connection.ExecuteAsync(new CommandDefinition(
            "UPDATE crm.module SET version = @version WHERE id = @id AND version IS DISTINCT FROM @version",
            new { id = declare.Module.Id, version = declare.Version },
            transaction,
            cancellationToken: ct));

    private static UpgradeNote Note(Row row, MetadataLayers layers)
    {
        var kind = Enum.Parse<UpgradeKind>(row.Kind, ignoreCase: true);
        var path = LayerSays.Path(row.Key);
        var custom = LayerSays.Of(layers.Custom.Entity(row.Entity));
        var isYours = custom.TryGetValue(row.Key, out var yours);
        // A customer who went back to the layer below, or says the same as the module by now, has decided.
        var isTaken = kind == UpgradeKind.Kept && (!isYours || (row.After is not null && JsonNode.DeepEquals(yours, Parse(row.After))));
        return new UpgradeNote(
            row.Id,
            row.Version,
            new DateTimeOffset(DateTime.SpecifyKind(row.At, DateTimeKind.Utc)),
            row.Module,
            row.FromVersion,
            row.ToVersion,
            kind,
            row.Entity,
            path,
            row.DecidedAt is not null ? UpgradeState.Kept : isTaken ? UpgradeState.Taken : UpgradeState.Open)
        {
            Before = row.Before,
            After = row.After,
            Yours = isYours ? yours?.ToJsonString() : row.Yours,
            Text = row.Text,
            DecidedBy = row.DecidedName,
            CanTake = kind == UpgradeKind.Kept && !isTaken && PropertyOrigins.Overrides(layers, row.Entity).Any(p => p.SequenceEqual(path)),
        };
    }

    private static JsonNode? Parse(string? json) => json is null ? null : JsonNode.Parse(json);

    private static string Word(UpgradeKind kind) => ShapeJson.Word(kind);

    private sealed class Row
    {
        public long Id { get; init; }

        public long Version { get; init; }

        public DateTime At { get; init; }

        public string Module { get; init; } = "";

        public string? FromVersion { get; init; }

        public string? ToVersion { get; init; }

        public string Kind { get; init; } = "";

        public string Entity { get; init; } = "";

        public string Key { get; init; } = "";

        public string? Before { get; init; }

        public string? After { get; init; }

        public string? Yours { get; init; }

        public string? Text { get; init; }

        public DateTime? DecidedAt { get; init; }

        public string? DecidedName { get; init; }
    }
}

/// <summary>Something a new version of a module left to a person.</summary>
/// <param name="Id">Of the note.</param>
/// <param name="Version">Version of the definitions the upgrade made.</param>
/// <param name="At">When.</param>
/// <param name="Module">Id of the module.</param>
/// <param name="FromVersion">The module's version before; null when it is not known.</param>
/// <param name="ToVersion">The module's version now.</param>
/// <param name="Kind">What happened.</param>
/// <param name="Entity">Name of the entity.</param>
/// <param name="Path">The property, see <see cref="PropertyOrigin.Path"/>.</param>
/// <param name="State">Whether somebody decided.</param>
public sealed record UpgradeNote(
    long Id, long Version, DateTimeOffset At, string Module, string? FromVersion, string? ToVersion, UpgradeKind Kind, string Entity, ImmutableArray<string> Path, UpgradeState State)
{
    /// <summary>What the module said before, as JSON; null for nothing.</summary>
    public string? Before { get; init; }

    /// <summary>What it says now.</summary>
    public string? After { get; init; }

    /// <summary>What the customer says today.</summary>
    public string? Yours { get; init; }

    /// <summary>In words, where there is more to say than two values.</summary>
    public string? Text { get; init; }

    /// <summary>Who kept what was there.</summary>
    public string? DecidedBy { get; init; }

    /// <summary>Whether <see cref="MetadataChange.ResetProperty"/> with <see cref="Path"/> takes what the module says.</summary>
    public bool CanTake { get; init; }
}

/// <summary>How a note stands.</summary>
public enum UpgradeState
{
    /// <summary>Nobody decided.</summary>
    Open,

    /// <summary>Somebody kept what was there.</summary>
    Kept,

    /// <summary>What the module says holds by now.</summary>
    Taken,
}
