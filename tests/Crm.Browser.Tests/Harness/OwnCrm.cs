using Crm.Sdk.Testing;

namespace Crm.Browser.Tests.Harness;

/// <summary>Each journey has a CRM of its own, because it changes what others would see or restarts it.</summary>
public abstract class OwnCrm : IAsyncLifetime
{
    private TestCrm? crm;

    protected TestCrm Crm => crm ?? throw new InvalidOperationException("The CRM is not running.");

    public async Task InitializeAsync() => crm = await TestCrm.StartAsync();

    public async Task DisposeAsync()
    {
        if (crm is not null)
        {
            await crm.DisposeAsync();
        }
    }
}
