using Crm.Host.Security;
using Crm.Metadata;
using Crm.Sdk;
using Crm.Sdk.Testing;
using Dapper;
using Microsoft.Extensions.DependencyInjection;

namespace Crm.Host.Tests.Security;

/// <summary>One CRM for the tests of a class, with users of its own.</summary>
public sealed class SecurityCrm : IAsyncLifetime
{
    public const string Password = "seven green bicycles";

    private int users;

    public TestCrm Crm { get; private set; } = null!;

    public async Task InitializeAsync() => Crm = await TestCrm.StartAsync();

    public async Task DisposeAsync() => await Crm.DisposeAsync();

    /// <summary>A user nobody else in the class uses.</summary>
    public async Task<(Guid Id, string UserName)> UserAsync(bool isAdministrator = false)
    {
        var name = $"user.{Interlocked.Increment(ref users)}";
        var result = await Crm.Records.SaveAsync(RecordChange.Create("user", new Dictionary<string, object?>
        {
            ["name"] = "User " + name,
            ["user_name"] = name,
            ["can_sign_in"] = true,
            ["is_administrator"] = isAdministrator,
        }));
        Assert.Empty(result.Errors);
        await Crm.Services.GetRequiredService<Passwords>().SetAsync(result.Record!.Id, Password, CancellationToken.None);
        return (result.Record.Id, name);
    }

    public async Task ExecuteAsync(string sql, object? parameters = null)
    {
        await using var connection = await Crm.Services.GetRequiredService<CrmDatabase>().OpenAsync();
        await connection.ExecuteAsync(sql, parameters);
    }

    /// <summary>What the tests of throttling leave behind must not slow down the others, which all come from the same address.</summary>
    public Task ForgetAttemptsAsync() => ExecuteAsync("DELETE FROM crm.sign_in_attempt");
}
