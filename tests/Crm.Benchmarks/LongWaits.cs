using System.Globalization;
using Npgsql;

namespace Crm.Benchmarks;

/// <summary>Watches what the sessions of a database wait for, so that a long wait has a name: a lock and who holds it, the disk, or the processor.</summary>
internal sealed class LongWaits(string connectionString, TimeSpan than) : IAsyncDisposable
{
    private readonly CancellationTokenSource stop = new();
    private readonly Lock gate = new();
    private readonly Dictionary<string, double> longest = new(StringComparer.Ordinal);
    private Task watching = Task.CompletedTask;

    public void Start() => watching = WatchAsync();

    /// <summary>The longest statement for each reason since the last call, the longest first.</summary>
    public IReadOnlyList<string> Take()
    {
        lock (gate)
        {
            var all = longest.OrderByDescending(w => w.Value).Take(4).Select(w => string.Create(CultureInfo.InvariantCulture, $"{w.Value:N0} ms {w.Key}")).ToArray();
            longest.Clear();
            return all;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await watching;
        stop.Dispose();
    }

    private async Task WatchAsync()
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            """
            SELECT extract(epoch FROM clock_timestamp() - a.query_start) * 1000 AS ms, COALESCE(a.wait_event_type || ' ' || a.wait_event, 'processor'),
                   left(regexp_replace(a.query, '\s+', ' ', 'g'), 60),
                   COALESCE((SELECT string_agg(DISTINCT left(regexp_replace(b.query, '\s+', ' ', 'g'), 60), ' | ') FROM pg_stat_activity b WHERE b.pid = ANY(pg_blocking_pids(a.pid))), '')
            FROM pg_stat_activity a
            WHERE a.datname = current_database() AND a.backend_type = 'client backend' AND a.state = 'active' AND a.query !~ '^(CREATE|ANALYZE|SELECT count)' AND a.pid <> pg_backend_pid()
              AND clock_timestamp() - a.query_start > $1
            """,
            connection)
        {
            Parameters = { new() { Value = than } },
        };
        await command.PrepareAsync();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while (!stop.IsCancellationRequested)
        {
            await using (var reader = await command.ExecuteReaderAsync())
            {
                while (await reader.ReadAsync())
                {
                    var holder = reader.GetString(3);
                    var reason = $"{reader.GetString(1)}: {reader.GetString(2)}{(holder.Length > 0 ? $" <- {holder}" : "")}";
                    lock (gate)
                    {
                        longest[reason] = Math.Max(longest.GetValueOrDefault(reason), (double)reader.GetDecimal(0));
                    }
                }
            }

            await timer.WaitForNextTickAsync();
        }
    }
}
