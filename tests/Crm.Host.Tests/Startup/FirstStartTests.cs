using System.Net;
using System.Net.Http.Json;
using Crm.Host.Startup;
using Crm.Metadata;
using Crm.Sdk;
using Crm.Sdk.Testing;
using Dapper;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Crm.Host.Tests.Startup;

public sealed class FirstStartTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("crm-first-start-").FullName;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public async Task Hosts_started_at_once_on_an_empty_database_make_one_administrator()
    {
        await using var database = await TestDatabase.CreateAsync();
        var hosts = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => CreateAsync(database)));
        try
        {
            // Only the one that made the account tells its password.
            Assert.Single(hosts, host => host.Services.GetRequiredService<Readiness>().NewAdminPassword is not null);
            await using var connection = await hosts[0].Services.GetRequiredService<CrmDatabase>().OpenAsync();
            Assert.Equal(["admin", "system"], await connection.QueryAsync<string>("SELECT user_name FROM records.\"user\" ORDER BY user_name"));
            Assert.Equal(1, await connection.ExecuteScalarAsync<int>("SELECT count(*)::int FROM crm.credential"));
        }
        finally
        {
            foreach (var host in hosts)
            {
                await host.DisposeAsync();
            }
        }
    }

    [Fact]
    public async Task There_is_no_password_everybody_knows()
    {
        await using var crm = await TestCrm.StartAsync();
        foreach (var (user, password) in new[] { ("admin", "admin"), ("admin", "password"), ("system", ""), ("system", "system") })
        {
            using var answer = await crm.Client().PostAsJsonAsync("/api/auth/token", new { username = user, password });
            Assert.True(answer.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.BadRequest);
        }
    }

    [Fact]
    public async Task The_products_own_user_exists_and_cannot_sign_in()
    {
        await using var crm = await TestCrm.StartAsync();
        var system = await crm.Records.FindAsync("user", Actor.System.UserId);
        Assert.NotNull(system);
        Assert.False(system.Get<bool>("can_sign_in"));
    }

    [Fact]
    public async Task A_database_that_does_not_exist_is_named()
    {
        await using var database = await TestDatabase.CreateAsync();
        var elsewhere = new Npgsql.NpgsqlConnectionStringBuilder(database.ConnectionString) { Database = "there_is_none" }.ConnectionString;
        var error = await Assert.ThrowsAsync<StartupException>(() => CrmHost.CreateAsync([$"--ConnectionStrings:Crm={elsewhere}", $"--Crm:DataDirectory={directory}"]));
        Assert.Contains("there_is_none", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Proxies_that_are_no_addresses_are_named()
    {
        await using var database = await TestDatabase.CreateAsync();
        var error = await Assert.ThrowsAsync<StartupException>(() => CrmHost.CreateAsync([$"--ConnectionStrings:Crm={database.ConnectionString}", $"--Crm:DataDirectory={directory}", "--Crm:Proxies=somewhere"]));
        Assert.Contains("somewhere", error.Message, StringComparison.Ordinal);
    }

    private Task<WebApplication> CreateAsync(TestDatabase database) => CrmHost.CreateAsync(
        [$"--ConnectionStrings:Crm={database.ConnectionString}", $"--Crm:DataDirectory={directory}", "--urls=http://127.0.0.1:0"],
        builder => builder.Logging.SetMinimumLevel(LogLevel.Warning));
}
