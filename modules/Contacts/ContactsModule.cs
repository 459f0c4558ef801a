using Crm.Modules.Contacts.Companies;
using Crm.Modules.Contacts.People;
using Crm.Sdk;

namespace Crm.Modules.Contacts;

/// <summary>People and the companies they work for; what nearly every other module points to.</summary>
public sealed class ContactsModule : IModule
{
    public ModuleInfo Info { get; } = new("contacts", "Contacts");

    public void Configure(IModuleBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        // Both kinds of customer are reached from selling and from marketing alike (PLT-08).
        builder.Metadata
            .Area("sales", "Sales", 10, "handshake")
            .Section("sales", "customers", "Customers", 20)
            .Area("marketing", "Marketing", 20, "campaign")
            .Section("marketing", "customers", "Customers", 20)
            .Entity("company", CompanyEntity.Define)
            .Entity("contact", ContactEntity.Define);
    }
}
