using System.Collections.Frozen;
using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Records.Importing;

/// <summary>Guesses from the headers of a file which column is which field: by name, by label, then by words that mean the same.</summary>
public static class MappingGuess
{
    // Words for the same thing, each after the field (without its underscores) it means; a file calls them what its system did.
    private static readonly FrozenDictionary<string, string[]> Synonyms = new Dictionary<string, string[]>(StringComparer.Ordinal)
    {
        ["name"] = ["companyname", "accountname", "fullname", "organisationname", "organizationname", "productname", "title"],
        ["company"] = ["account", "accountname", "organisation", "organization", "customer", "client", "companyname", "firm", "employer"],
        ["industry"] = ["sector", "branch", "vertical", "businesssector"],
        ["country"] = ["officelocation", "location", "countryregion", "land", "nation"],
        ["price"] = ["salesprice", "listprice", "unitprice", "retailprice"],
        ["foundedyear"] = ["yearestablished", "established", "founded", "yearfounded", "foundedin", "foundingyear"],
        ["annualrevenue"] = ["revenue", "turnover", "sales", "annualsales"],
        ["employees"] = ["numberofemployees", "employeecount", "headcount", "staff", "companysize"],
        ["parent"] = ["subsidiaryof", "parentcompany", "parentaccount", "belongsto", "holding"],
        ["owner"] = ["salesagent", "salesrep", "salesperson", "agent", "accountmanager", "assignedto", "responsible", "ownername"],
        ["stage"] = ["dealstage", "salesstage", "status", "pipelinestage", "phase"],
        ["budget"] = ["closevalue", "amount", "dealvalue", "value", "dealamount", "opportunityvalue"],
        ["engagedate"] = ["engagedon", "startdate", "opendate", "opened"],
        ["closedate"] = ["closedon", "closingdate", "enddate", "closed"],
        ["expectedclose"] = ["expectedclosedate", "expectedcloseon", "duedate"],
        ["sourcereference"] = ["opportunityid", "dealid", "reference", "externalid", "sourceid", "recordid"],
        ["region"] = ["regionaloffice", "office", "territory"],
        ["manager"] = ["supervisor", "boss", "reportsto", "teamlead"],
        ["username"] = ["login", "userid", "loginname"],
        ["email"] = ["mail", "emailaddress", "mailaddress"],
        ["phone"] = ["telephone", "tel", "phonenumber", "telephonenumber", "businessphone", "workphone"],
        ["mobile"] = ["cell", "cellphone", "mobilephone", "mobilenumber"],
        ["website"] = ["web", "url", "homepage", "webpage", "domain"],
        ["street"] = ["address", "streetaddress", "addressline1", "address1"],
        ["postalcode"] = ["zip", "zipcode", "postcode", "plz"],
        ["city"] = ["town", "place"],
        ["firstname"] = ["givenname", "forename"],
        ["lastname"] = ["surname", "familyname"],
        ["jobtitle"] = ["position", "role", "function", "occupation"],
        ["description"] = ["notes", "comment", "comments", "remarks", "note"],
        ["salutation"] = ["prefix", "courtesytitle"],
    }.ToFrozenDictionary();

    // What files call a record of an entity; such a column is the record's own name.
    private static readonly FrozenDictionary<string, string[]> EntityWords = new Dictionary<string, string[]>(StringComparer.Ordinal)
    {
        ["company"] = ["account", "organisation", "organization", "customer", "client", "firm"],
        ["user"] = ["salesagent", "agent", "salesrep", "salesperson", "employee", "owner"],
        ["product"] = ["item", "article"],
        ["opportunity"] = ["deal", "opportunityname", "dealname"],
        ["contact"] = ["person", "contactname"],
    }.ToFrozenDictionary();

    /// <summary>The guess; columns nothing fits are left out.</summary>
    /// <param name="entity">Where the rows go.</param>
    /// <param name="headers">Headers of the file.</param>
    public static ImportMapping Guess(EntityDefinition entity, IEnumerable<string> headers)
    {
        ArgumentNullException.ThrowIfNull(entity);
        ArgumentNullException.ThrowIfNull(headers);
        var fields = entity.Fields.Where(IsImportable).ToList();
        var titleField = entity.TitleFields.Length == 1 ? fields.Find(f => f.Name == entity.TitleFields[0]) : null;
        var guesses = headers
            .SelectMany(header => fields.Select(field => (Header: header, Field: field, Rank: Rank(entity, field, titleField, Normal(header)))))
            .Where(g => g.Rank > 0)
            .OrderBy(g => g.Rank)
            .ToList();
        var mapping = ImmutableSortedDictionary.CreateBuilder<string, FieldMapping>(StringComparer.Ordinal);
        var used = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (header, field, _) in guesses)
        {
            if (!mapping.ContainsKey(field.Name) && used.Add(header))
            {
                mapping.Add(field.Name, FieldMapping.Of(header));
            }
        }

        return new ImportMapping { Fields = mapping.ToImmutable() };
    }

    /// <summary>Whether rows may give the field a value.</summary>
    public static bool IsImportable(FieldDefinition field)
    {
        ArgumentNullException.ThrowIfNull(field);
        return !field.IsHidden && !field.IsReadOnly && field.Type is not FileType && (!field.IsSystem || field.Name is "owner" or "is_active");
    }

    /// <summary>1 for the field's name, 2 for its label, 3 and 4 for words that mean it, 0 for no likeness.</summary>
    private static int Rank(EntityDefinition entity, FieldDefinition field, FieldDefinition? titleField, string header)
    {
        if (header.Length == 0)
        {
            return 0;
        }

        var name = Normal(field.Name);
        if (header == name || header == name + "id" && field.Type is ReferenceType)
        {
            return 1;
        }

        if (header == Normal(field.Label))
        {
            return 2;
        }

        if (ReferenceEquals(field, titleField) && (header == Normal(entity.Name) || header == Normal(entity.Label) || EntityWords.GetValueOrDefault(entity.Name, []).Contains(header)))
        {
            return 3;
        }

        return Synonyms.GetValueOrDefault(name, []).Contains(header) ? 4 : 0;
    }

    /// <summary>Letters and digits only, in lower case and without accents; custom fields without their prefix.</summary>
    private static string Normal(string text) =>
        Names.FromLabel(text.StartsWith(Names.CustomPrefix, StringComparison.Ordinal) ? text[Names.CustomPrefix.Length..] : text).Replace("_", "", StringComparison.Ordinal);
}
