using System.Globalization;
using Crm.Sdk;
using Microsoft.Extensions.Logging;

namespace Crm.Metadata;

/// <summary>Holds the current definitions of this host and follows what other hosts apply.</summary>
public sealed class MetadataStore : IMetadata, IDisposable
{
    private readonly CrmDatabase database;
    private readonly ChangeRunner runner;
    private readonly Notifications notifications;
    private readonly TimeProvider time;
    private readonly ILogger log;
    private readonly Lock gate = new();
    private readonly SemaphoreSlim reading = new(1, 1);
    private MetadataState state = MetadataState.Of(MetadataLayers.None);
    private IDisposable? subscription;

    /// <summary>Makes the store; it is empty until it is loaded.</summary>
    public MetadataStore(CrmDatabase database, Notifications notifications, TimeProvider time, ILogger<MetadataStore> log, IEnumerable<IEntityNames> names)
    {
        ArgumentNullException.ThrowIfNull(notifications);
        this.database = database;
        runner = new ChangeRunner(database, time, () => State, new EntityNames(names));
        this.notifications = notifications;
        this.time = time;
        this.log = log;
    }

    /// <inheritdoc/>
    public event Action<MetadataSnapshot>? Changed;

    /// <inheritdoc/>
    public MetadataSnapshot Current => State.Snapshot;

    /// <summary>The current definitions with the layers they were made of.</summary>
    public MetadataState State => Volatile.Read(ref state);

    internal ChangeRunner Runner => runner;

    /// <summary>Declares the platform's own entities, loads everything and begins to follow other hosts.</summary>
    public async Task LoadAsync(CancellationToken ct = default)
    {
        await new KeyUpgrade(database, time).RunAsync(ct);
        var declare = new MetadataChange.Declare(PlatformShape.Module, PlatformShape.Shape);
        var (result, _) = await runner.ApplyAsync(new ApplyRequest([declare], Actor.System, ApplyOptions.None, MetadataEditor.StartWait), ct);
        if (!result.Succeeded)
        {
            throw new InvalidOperationException("The platform's definitions were refused: " + string.Join(" ", result.Errors.Select(e => e.Message)));
        }

        if (await runner.FeaturesAsync(ct) is { TrigramSchema: null })
        {
            log.LogWarning("The database has no extension pg_trgm: searching in big tables will be slow. Ask the administrator of the database server to create it.");
        }

        Accept(MetadataState.Of(await runner.LoadAsync(ct)));
        lock (gate)
        {
            subscription ??= notifications.Subscribe(ChangeRunner.Channel, FollowAsync);
        }
    }

    /// <summary>Reads the definitions again when the database has newer ones than somebody worked with: a host that missed the news must not write by old ones.</summary>
    /// <param name="known">The version they worked with.</param>
    /// <param name="ct">Cancels.</param>
    /// <returns>Whether <see cref="Current"/> is newer than that.</returns>
    public async Task<bool> CatchUpAsync(long known, CancellationToken ct = default)
    {
        // Everybody who saves at that moment comes here at once: one of them reads for all.
        await reading.WaitAsync(ct);
        try
        {
            if (Current.Version <= known && await runner.VersionAsync(ct) > known)
            {
                Accept(MetadataState.Of(await runner.LoadAsync(ct)));
            }
        }
        finally
        {
            reading.Release();
        }

        return Current.Version > known;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        subscription?.Dispose();
        reading.Dispose();
    }

    /// <summary>Makes newer definitions the current ones; older ones come late and are dropped.</summary>
    internal void Accept(MetadataState next)
    {
        bool isConverted;
        lock (gate)
        {
            if (next.Snapshot.Version <= state.Snapshot.Version)
            {
                return;
            }

            isConverted = PhysicalDiff.ConvertsColumns(state.Snapshot, next.Snapshot);
            Volatile.Write(ref state, next);
        }

        if (isConverted)
        {
            database.Renew();
        }

        log.LogInformation("Metadata is at version {Version}.", next.Snapshot.Version);
        foreach (var handler in Changed?.GetInvocationList() ?? [])
        {
            try
            {
                ((Action<MetadataSnapshot>)handler)(next.Snapshot);
            }
            catch (Exception problem)
            {
                // The change is committed; whoever cannot follow it must not make it look refused.
                log.LogError(problem, "A subscriber of metadata changes failed.");
            }
        }
    }

    private async Task FollowAsync(string payload, CancellationToken ct)
    {
        var announced = long.TryParse(payload, NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? version : await runner.VersionAsync(ct);
        await CatchUpAsync(announced - 1, ct);
    }
}
