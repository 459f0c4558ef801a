using Crm.Sdk;

namespace Crm.Modules.Sales;

public sealed class SalesModule : IModule
{
    public ModuleInfo Info { get; } = new("sales", "Sales", "contacts");

    public void Configure(IModuleBuilder builder)
    {
    }
}
