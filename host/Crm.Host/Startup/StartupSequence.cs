using System.Data.Common;
using System.Diagnostics;
using Crm.Host.Modules;
using Crm.Host.Security;
using Crm.Metadata;
using Crm.Records;
using Crm.Workflows;

namespace Crm.Host.Startup;

/// <summary>What happens between building the host and answering the first request, in this order.</summary>
internal sealed class StartupSequence(CrmDatabase database, MetadataStore metadata, ModuleUpdates modules, FirstUsers users, ConsistencyCheck consistency, SessionCache sessions, Readiness readiness, ILogger<StartupSequence> log)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public async Task RunAsync(CancellationToken ct)
    {
        await ReachDatabaseAsync(ct);
        var scripts = await PlatformScripts.RunAsync(database, [typeof(CrmDatabase).Assembly, typeof(RecordEngine).Assembly, typeof(WorkflowStore).Assembly, typeof(StartupSequence).Assembly], ct);
        foreach (var warning in scripts.Warnings)
        {
            log.LogWarning("The database says: {Warning}", warning);
        }

        await metadata.LoadAsync(ct);
        await modules.StartAsync(ct);
        await consistency.WarnAsync(ct);
        await users.EnsureAsync(ct);
        sessions.Start();
        readiness.SetReady();
    }

    /// <summary>A database started together with this host may need a moment; a wrong password or name never comes right.</summary>
    private async Task ReachDatabaseAsync(CancellationToken ct)
    {
        var begun = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                await using var connection = await database.OpenAsync(ct);
                if (connection.PostgreSqlVersion.Major < Embedded.PostgresBinaries.Oldest)
                {
                    throw new StartupException($"The database server is PostgreSQL {connection.PostgreSqlVersion.Major}; {Embedded.PostgresBinaries.Oldest} or newer is needed.");
                }

                return;
            }
            catch (DbException error) when ((error.SqlState is null || error.IsTransient) && Stopwatch.GetElapsedTime(begun) < Patience)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(500), ct);
            }
            catch (DbException error)
            {
                throw new StartupException($"The database cannot be reached: {error.Message}", error);
            }
        }
    }
}
