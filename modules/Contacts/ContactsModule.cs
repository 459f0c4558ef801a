using Crm.Sdk;

namespace Crm.Modules.Contacts;

public sealed class ContactsModule : IModule
{
    public ModuleInfo Info { get; } = new("contacts", "Contacts");

    public void Configure(IModuleBuilder builder)
    {
    }
}
