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
        ["region"] = ["regionaloffice", "office", "territory", "state", "province", "county"],
        ["manager"] = ["supervisor", "boss", "reportsto", "teamlead"],
        ["username"] = ["login", "userid", "loginname"],
        ["email"] = ["mail", "emailaddress", "mailaddress"],
        ["phone"] = ["telephone", "tel", "phonenumber", "telephonenumber", "businessphone", "workphone"],
        ["invoice"] = ["billing", "bill", "billto"],
        ["delivery"] = ["shipping", "ship", "shipto"],
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
        var targets = ImportTarget.Of(entity).ToList();
        var titleField = entity.TitleFields.Length == 1 ? targets.Find(t => t.Key == entity.TitleFields[0])?.Field : null;
        var guesses = headers
            .SelectMany(header => targets.Select(target => (Header: header, Target: target, Rank: Rank(entity, target, titleField, Normal(header)))))
            .Where(g => g.Rank > 0)
            .OrderBy(g => g.Rank)
            .ToList();
        var mapping = ImmutableSortedDictionary.CreateBuilder<string, FieldMapping>(StringComparer.Ordinal);
        var used = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (header, target, _) in guesses)
        {
            if (!mapping.ContainsKey(target.Key) && used.Add(header))
            {
                mapping.Add(target.Key, FieldMapping.Of(header));
            }
        }

        return new ImportMapping { Fields = mapping.ToImmutable() };
    }

    /// <summary>1 for the field's name, 2 for its label, 3 and 4 for words that mean it, 5 and 6 for a part or a kind whose field the header does not name, 0 for no likeness.</summary>
    private static int Rank(EntityDefinition entity, ImportTarget target, FieldDefinition? titleField, string header)
    {
        if (header.Length == 0)
        {
            return 0;
        }

        var field = target.Field;
        if (target.Part is { } part)
        {
            return field.Type switch
            {
                AddressesType addresses => AddressRank(addresses, field, part.Split('.'), header),
                SeveralType several => KindRank(several, field, part, header),
                _ => PartRank(field, part, header),
            };
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

        if (field.Type is SeveralType { Single.Name: var single } && (header == Normal(single) || Synonyms.GetValueOrDefault(Normal(single), []).Contains(header)))
        {
            return 6;
        }

        return Synonyms.GetValueOrDefault(name, []).Contains(header) ? 4 : 0;
    }

    /// <summary>Work Phone, Phone (work), Phones: Work, or just Mobile.</summary>
    private static int KindRank(SeveralType type, FieldDefinition field, string kind, string header)
    {
        string[] kinds = [Normal(kind), Normal(type.LabelOf(field, kind)), .. Synonyms.GetValueOrDefault(Normal(kind), [])];
        var single = Normal(type.Single.Name);
        string[] words = [single, .. Synonyms.GetValueOrDefault(single, [])];
        bool Names(params IEnumerable<string> owners) => kinds.Any(k => owners.Any(o => header == o + k || header == k + o));
        // A field of one value that means the same comes first: a work phone is the phone.
        return Names(Normal(field.Name), Normal(field.Label)) ? 2 : Names(words) ? 5 : kinds.Contains(header) && kind != "other" ? 6 : 0;
    }

    /// <summary>Billing City, Billing address - Town, or just City.</summary>
    private static int PartRank(FieldDefinition field, string part, string header)
    {
        var name = Normal(part);
        string[] words = [name, Normal(Texts.Of("Part_" + part)), .. Synonyms.GetValueOrDefault(name, [])];
        string[] fields = [Normal(field.Name), Normal(field.Label)];
        // "Billing Address" alone is what other programs call the street.
        string[] owners = [.. fields, .. fields.Select(f => f.Replace("address", "", StringComparison.Ordinal))];
        return words.Any(w => owners.Any(o => o.Length > 0 && header == o + w)) || (name == "street" && fields.Contains(header)) ? 2 : words.Contains(header) ? 5 : 0;
    }

    /// <summary>Invoice City, Billing ZIP, Addresses (delivery) Street; City alone is that of the first kind.</summary>
    private static int AddressRank(AddressesType type, FieldDefinition field, string[] place, string header)
    {
        var (kind, part) = (place[0], Normal(place[1]));
        string[] kinds = [Normal(kind), Normal(type.LabelOf(field, kind)), .. Synonyms.GetValueOrDefault(Normal(kind), [])];
        string[] parts = [part, Normal(Texts.Of("Part_" + place[1])), .. Synonyms.GetValueOrDefault(part, [])];
        string[] fields = [Normal(field.Name), Normal(field.Label), "address"];
        bool Names(IEnumerable<string> owners) => owners.Any(o => parts.Any(p => header == o + p || header == p + o));
        return Names(fields.SelectMany(f => kinds.SelectMany(k => new[] { f + k, k + f }))) ? 2
            : Names(kinds) ? 3
            : type.KindsOf(field)[0].Name == kind && (Names(fields) || parts.Contains(header)) ? 6 : 0;
    }

    /// <summary>Letters and digits only, in lower case and without accents; custom fields without their prefix.</summary>
    private static string Normal(string text) =>
        Names.FromLabel(text.StartsWith(Names.CustomPrefix, StringComparison.Ordinal) ? text[Names.CustomPrefix.Length..] : text).Replace("_", "", StringComparison.Ordinal);
}
