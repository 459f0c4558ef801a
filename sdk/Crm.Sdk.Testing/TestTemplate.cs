using System.Collections.Concurrent;

namespace Crm.Sdk.Testing;

/// <summary>Databases on which a host was started once, to be copied: a copy takes a fraction of a first start.</summary>
internal static class TestTemplate
{
    private static readonly ConcurrentDictionary<string, Lazy<Task<string>>> Templates = new(StringComparer.Ordinal);
    private static readonly SemaphoreSlim Copying = new(1);

    /// <summary>A copy of the database that belongs to the modules asked for.</summary>
    public static async Task<TestDatabase> CopyAsync(TestCrmOptions options)
    {
        var template = await Templates.GetOrAdd(options.ModulesDirectory ?? "", _ => new(() => MakeAsync(options.ModulesDirectory))).Value;
        // The server refuses to copy a database while another copy of it is being made.
        await Copying.WaitAsync();
        try
        {
            return await TestDatabase.CreateAsync(template);
        }
        finally
        {
            Copying.Release();
        }
    }

    private static async Task<string> MakeAsync(string? modulesDirectory)
    {
        var database = await TestDatabase.CreateAsync();
        var directory = Directory.CreateTempSubdirectory("crm-test-data-");
        try
        {
            await using var app = await TestCrm.CreateAsync(new TestCrmOptions { ModulesDirectory = modulesDirectory }, database, directory.FullName, port: 0);
        }
        finally
        {
            directory.Delete(recursive: true);
        }

        await database.CloseAsync();
        return database.Name;
    }
}
