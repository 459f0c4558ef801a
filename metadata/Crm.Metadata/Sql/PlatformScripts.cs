using System.Reflection;
using Npgsql;

namespace Crm.Metadata;

/// <summary>
/// Creates the platform's own tables: embedded <c>*.sql</c> files, each run once, in the order of their file names, in one transaction each.
/// Names are <c>0001-metadata.sql</c> (Crm.Metadata up to 0099), <c>0100-…</c> (Crm.Records), <c>0200-…</c> (Crm.Host); a script that was released is never edited.
/// </summary>
public static class PlatformScripts
{
    // Any number will do as long as every host uses the same one.
    internal const long LockKey = 0x43524d_5343_5250;

    /// <summary>Runs the scripts that have not run on this database; hosts that start together wait for each other.</summary>
    /// <returns>Names of the scripts that ran and what the server had to say about them.</returns>
    public static async Task<ScriptsRun> RunAsync(CrmDatabase database, IEnumerable<Assembly> assemblies, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentNullException.ThrowIfNull(assemblies);
        var scripts = Find(assemblies);
        var warnings = new List<string>();
        var ran = new List<string>();

        // The lock ends with the session.
        await using var connection = await database.OpenSessionAsync(ct);
        connection.Notice += (_, args) =>
        {
            if (args.Notice.Severity == "WARNING")
            {
                warnings.Add(args.Notice.MessageText);
            }
        };
        await ExecuteAsync(connection, $"SELECT pg_advisory_lock({LockKey})", ct);
        await ExecuteAsync(
            connection,
            "CREATE SCHEMA IF NOT EXISTS crm; CREATE TABLE IF NOT EXISTS crm.script (name text PRIMARY KEY, ran_at timestamptz NOT NULL DEFAULT now());",
            ct);
        var done = await DoneAsync(connection, ct);
        foreach (var (name, text) in scripts.Where(s => !done.Contains(s.Name)))
        {
            await using var transaction = await connection.BeginTransactionAsync(ct);
            await ExecuteAsync(connection, text, ct);
            await using (var record = new NpgsqlCommand("INSERT INTO crm.script (name) VALUES ($1)", connection) { Parameters = { new() { Value = name } } })
            {
                await record.ExecuteNonQueryAsync(ct);
            }

            await transaction.CommitAsync(ct);
            ran.Add(name);
        }

        return new ScriptsRun(ran, warnings);
    }

    private static List<(string Name, string Text)> Find(IEnumerable<Assembly> assemblies)
    {
        var found = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var assembly in assemblies)
        {
            foreach (var resource in assembly.GetManifestResourceNames().Where(r => r.EndsWith(".sql", StringComparison.Ordinal)))
            {
                // Crm.Metadata.Sql.0001-metadata.sql → 0001-metadata.sql
                var name = string.Join('.', resource.Split('.')[^2..]);
                using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
                if (!found.TryAdd(name, reader.ReadToEnd()))
                {
                    throw new InvalidOperationException($"Two scripts are called '{name}'.");
                }
            }
        }

        return [.. found.Select(s => (s.Key, s.Value))];
    }

    private static async Task<HashSet<string>> DoneAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var done = new HashSet<string>(StringComparer.Ordinal);
        await using var command = new NpgsqlCommand("SELECT name FROM crm.script", connection);
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            done.Add(reader.GetString(0));
        }

        return done;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(ct);
    }
}

/// <summary>What a start did to the platform's tables.</summary>
/// <param name="Ran">Names of the scripts that ran.</param>
/// <param name="Warnings">What an administrator should know, for example an extension that could not be created.</param>
public sealed record ScriptsRun(IReadOnlyList<string> Ran, IReadOnlyList<string> Warnings);
