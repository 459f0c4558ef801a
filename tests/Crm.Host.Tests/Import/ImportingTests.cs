using Crm.Sdk.Testing;

namespace Crm.Host.Tests.Import;

/// <summary>A CRM of its own for tests of imports, with some entities.</summary>
/// <param name="shape">Changes that define them, as JSON without the brackets of the list.</param>
public abstract class ImportingTests(string shape) : IAsyncLifetime
{
    private protected TestCrm Crm { get; private set; } = null!;

    private protected ImportClient Client { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Crm = await TestCrm.StartAsync();
        Client = await ImportClient.OpenAsync(Crm);
        await Crm.ChangeAsync(shape);
    }

    public async Task DisposeAsync() => await Crm.DisposeAsync();
}
