using Crm.Sdk.Testing;

namespace Crm.Browser.Tests.Harness;

/// <summary>A CRM for each journey of the class that derives from it, because they change what the others would see.</summary>
public abstract class OwnCrm : IAsyncLifetime
{
    private TestCrm? crm;

    public TestCrm Crm => crm ?? throw new InvalidOperationException("The CRM is not running.");

    public virtual async Task InitializeAsync() => crm = await TestCrm.StartAsync();

    public async Task DisposeAsync()
    {
        if (crm is not null)
        {
            await crm.DisposeAsync();
        }
    }
}

/// <summary>A CRM without records, shared by the journeys of a class.</summary>
public sealed class EmptyCrm : OwnCrm;

/// <summary>A CRM with sample records, shared by the journeys of a class.</summary>
public sealed class SampleCrm : OwnCrm
{
    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        await Sample.AddAsync(Crm);
    }
}

/// <summary>One CRM for all journeys of the class that derives from it: starting one and signing in takes seconds. Each journey uses names of its own.</summary>
public abstract class OneCrm(EmptyCrm shared) : IClassFixture<EmptyCrm>
{
    protected TestCrm Crm => shared.Crm;
}
