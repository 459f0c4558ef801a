using Crm.Sdk.Testing;

namespace Crm.Metadata.Tests;

/// <summary>A database of each test's own, with what the sample module Contacts declares.</summary>
public abstract class NodeTests : IAsyncLifetime
{
    private protected TestDatabase database = null!;
    private protected Node node = null!;

    public virtual async Task InitializeAsync()
    {
        database = await TestDatabase.CreateAsync();
        node = await Node.StartAsync(database.ConnectionString);
        Assert.Empty((await node.Editor.DeclareAsync(Samples.Contacts, Samples.ContactsShape())).Errors);
    }

    public async Task DisposeAsync()
    {
        await node.DisposeAsync();
        await database.DisposeAsync();
    }
}
