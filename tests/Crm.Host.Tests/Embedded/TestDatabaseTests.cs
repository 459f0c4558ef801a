using Crm.Metadata;
using Crm.Sdk.Testing;
using Dapper;

namespace Crm.Host.Tests.Embedded;

public sealed class TestDatabaseTests
{
    [Fact]
    public async Task Databases_of_one_test_process_are_apart()
    {
        await using var first = await TestDatabase.CreateAsync();
        await using var second = await TestDatabase.CreateAsync();
        await using var one = new CrmDatabase(first.ConnectionString);
        await using var two = new CrmDatabase(second.ConnectionString);
        await using var connection = await one.OpenAsync();
        await connection.ExecuteAsync("CREATE TABLE here (id int)");
        await using var other = await two.OpenAsync();
        Assert.Equal(0, await other.ExecuteScalarAsync<int>("SELECT count(*)::int FROM pg_tables WHERE tablename = 'here'"));
    }
}
