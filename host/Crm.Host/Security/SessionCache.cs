using System.Collections.Concurrent;
using Crm.Metadata;
using Crm.Sdk;

namespace Crm.Host.Security;

/// <summary>Remembers sign-ins for a moment. What another host changes is announced; the moment bounds the delay should an announcement be lost.</summary>
internal sealed class SessionCache(TimeProvider time, Notifications notifications, MetadataStore metadata) : IDisposable
{
    private const int Limit = 10_000;
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(20);

    private readonly ConcurrentDictionary<string, Entry> entries = new(StringComparer.Ordinal);
    private long generation;
    private IDisposable? subscription;

    /// <summary>Begins to listen to the other hosts.</summary>
    public void Start()
    {
        if (subscription is not null)
        {
            return;
        }

        subscription = notifications.Subscribe(SessionStore.Channel, (payload, _) =>
        {
            if (Guid.TryParse(payload, out var user))
            {
                Forget(user);
            }
            else
            {
                Clear();
            }

            return Task.CompletedTask;
        });
        // A narrowed key names entities, which may have got other names.
        metadata.Changed += Follow;
    }

    public async Task<Session?> GetAsync(string key, Func<Task<Session?>> load)
    {
        var now = time.GetTimestamp();
        if (entries.TryGetValue(key, out var entry) && time.GetElapsedTime(entry.At, now) < Lifetime)
        {
            return entry.Session;
        }

        var before = Interlocked.Read(ref generation);
        var session = await load();
        // Only what holds is remembered: strangers cannot fill the memory with made-up tokens.
        if (session is not null && Interlocked.Read(ref generation) == before)
        {
            if (entries.Count >= Limit)
            {
                entries.Clear();
            }

            entries[key] = new(session, now);
        }
        else
        {
            entries.TryRemove(key, out _);
        }

        return session;
    }

    /// <summary>Forgets what is known of a user; what is being loaded at this moment is not kept either.</summary>
    public void Forget(Guid userId)
    {
        Interlocked.Increment(ref generation);
        foreach (var (key, entry) in entries)
        {
            if (entry.Session.UserId == userId)
            {
                entries.TryRemove(key, out _);
            }
        }
    }

    public void Dispose()
    {
        metadata.Changed -= Follow;
        subscription?.Dispose();
    }

    private void Follow(MetadataSnapshot now) => Clear();

    private void Clear()
    {
        Interlocked.Increment(ref generation);
        entries.Clear();
    }

    private sealed record Entry(Session Session, long At);
}
