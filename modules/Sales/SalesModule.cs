using Crm.Modules.Sales.Opportunities;
using Crm.Modules.Sales.Pipeline;
using Crm.Modules.Sales.Products;
using Crm.Sdk;

namespace Crm.Modules.Sales;

/// <summary>What is sold, to whom, and how far each deal is.</summary>
public sealed class SalesModule : IModule
{
    public ModuleInfo Info { get; } = new("sales", "Sales", "contacts");

    public void Configure(IModuleBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Metadata
            .Area("sales", "Sales", 10, "handshake")
            .Section("sales", "work", "My work", 10)
            .Section("sales", "customers", "Customers", 20)
            .Section("sales", "collateral", "Collateral", 30)
            .Entity("product", ProductEntity.Define)
            .Entity("opportunity", OpportunityEntity.Define);

        builder.Services
            .AddInterceptor<StageProbability>("opportunity")
            .AddInterceptor<CloseDate>("opportunity");

        builder.AddPipeline();
    }
}
