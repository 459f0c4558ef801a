using Crm.Metadata;
using Crm.Rules;
using Crm.Sdk;
using Npgsql;

namespace Crm.Records;

/// <summary>What every record service shares.</summary>
public sealed class RecordEngine(CrmDatabase database, MetadataStore metadata, BehaviorSource behaviors, ScriptWorkers scripts, TimeProvider time) : IRecords
{
    internal CrmDatabase Database => database;

    internal MetadataStore Metadata => metadata;

    internal BehaviorSource Behaviors => behaviors;

    internal ScriptWorkers Scripts => scripts;

    internal TimeProvider Time => time;

    /// <summary>How long a save waits for records somebody else is changing.</summary>
    internal TimeSpan LockTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the database may work on one query.</summary>
    internal TimeSpan QueryTimeout { get; init; } = TimeSpan.FromMilliseconds(QueryLimits.TimeoutMilliseconds);

    /// <summary>How often the database is asked how a commit ended, with growing pauses: about 20 seconds in all.</summary>
    internal int CommitChecks { get; init; } = 20;

    internal AccessDirectory Access { get; } = new();

    /// <summary>The definitions without what somebody may not see, by what is known of their roles; see <see cref="SnapshotOfAsync"/>.</summary>
    public MetadataSnapshot SnapshotOf(Actor actor)
    {
        ArgumentNullException.ThrowIfNull(actor);
        return Access.Known(actor, metadata.Current).Seen;
    }

    /// <summary>The definitions without what somebody may not see.</summary>
    public async ValueTask<MetadataSnapshot> SnapshotOfAsync(Actor actor, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(actor);
        return (await Access.OfAsync(actor, metadata.Current, database, ct)).View.Seen;
    }

    /// <summary>A record service that acts for the given actor.</summary>
    public RecordService As(Actor actor) => As(actor, null);

    /// <summary>As <see cref="As(Actor)"/>, for somebody whose saves belong together.</summary>
    /// <param name="actor">Who.</param>
    /// <param name="causation">What history and outbox say the writes were set off by; null for each save on its own.</param>
    public RecordService As(Actor actor, Guid? causation)
    {
        ArgumentNullException.ThrowIfNull(actor);
        return new RecordService(this, actor, causation: causation);
    }

    /// <inheritdoc/>
    IRecordService IRecords.As(Actor actor) => As(actor);

    /// <summary>Whether a transaction was committed whose answer never came; null when the database does not say.</summary>
    internal async Task<bool?> WasCommittedAsync(ulong transactionId)
    {
        // After a broken connection the server needs a moment to notice that its client is gone, and after a crash to recover.
        for (var attempt = 0; attempt < CommitChecks; attempt++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50 + (100 * attempt)), time);
            try
            {
                await using var connection = await database.OpenAsync();
                await using var command = new NpgsqlCommand("SELECT pg_xact_status($1::text::xid8)", connection) { Parameters = { new() { Value = transactionId.ToString(System.Globalization.CultureInfo.InvariantCulture) } } };
                switch (await command.ExecuteScalarAsync())
                {
                    case "committed":
                        return true;
                    case "aborted":
                        return false;
                    case not "in progress":
                        return null;
                }
            }
            catch (NpgsqlException)
            {
                // Not back yet: asked again, and in the end said to be unknown.
            }
        }

        return null;
    }
}
