using System.Xml.Linq;
using Crm.Metadata;
using Dapper;
using Microsoft.AspNetCore.DataProtection.Repositories;

namespace Crm.Host.Security;

/// <summary>Keeps the keys that seal cookies in the database: every host opens what another one sealed, and a restart signs nobody out.</summary>
internal sealed class DataProtectionKeys(CrmDatabase database) : IXmlRepository
{
    public IReadOnlyCollection<XElement> GetAllElements()
    {
        using var connection = database.Open();
        return [.. connection.Query<string>("SELECT xml FROM crm.data_protection_key ORDER BY id").Select(xml => XElement.Parse(xml))];
    }

    public void StoreElement(XElement element, string friendlyName)
    {
        using var connection = database.Open();
        connection.Execute("INSERT INTO crm.data_protection_key (name, xml) VALUES (@friendlyName, @xml)", new { friendlyName, xml = element.ToString(SaveOptions.DisableFormatting) });
    }
}
