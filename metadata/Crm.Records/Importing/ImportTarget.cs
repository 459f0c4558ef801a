using Crm.Sdk;

namespace Crm.Records.Importing;

/// <summary>What a column of a file can be imported into: a field, or one part of it.</summary>
/// <param name="Key">As a mapping names it: <c>phone</c>, <c>billing_city</c>.</param>
/// <param name="Field">The field.</param>
/// <param name="Part">Which part of it; null for the whole.</param>
/// <param name="Label">For users: <c>Billing address: City</c>.</param>
public sealed record ImportTarget(string Key, FieldDefinition Field, string? Part, string Label)
{
    /// <summary>The field a key of a mapping means; null when there is none.</summary>
    /// <param name="entity">The entity.</param>
    /// <param name="key">A field's name, a property's, a field that holds several values and a kind (<c>phones.work</c>), or one that holds addresses, a kind and a part (<c>addresses.invoice.city</c>).</param>
    /// <param name="kind">The kind, and the part of an address; null without one.</param>
    public static FieldDefinition? Resolve(EntityDefinition entity, string key, out string? kind)
    {
        ArgumentNullException.ThrowIfNull(entity);
        ArgumentNullException.ThrowIfNull(key);
        kind = null;
        if (key.IndexOf('.', StringComparison.Ordinal) is not (> 0 and var end))
        {
            return entity.TryField(key, out var named) ? named : entity.TryProperty(key, out var property) ? property.Field : null;
        }

        var given = kind = key[(end + 1)..];
        return entity.TryField(key[..end], out var field) && field.Type is KindsType && InKinds(field).Any(t => t.Part == given) ? field : null;
    }

    /// <summary>Everything rows can give an entity, in the order of its fields.</summary>
    public static IEnumerable<ImportTarget> Of(EntityDefinition entity)
    {
        ArgumentNullException.ThrowIfNull(entity);
        return entity.Fields.Where(IsImportable).SelectMany(InField);
    }

    /// <summary>Whether rows may give the field a value.</summary>
    public static bool IsImportable(FieldDefinition field)
    {
        ArgumentNullException.ThrowIfNull(field);
        return !field.IsHidden && !field.IsReadOnly && field.Type is not FileType && (!field.IsSystem || field.Name is "owner" or "is_active");
    }

    private static IEnumerable<ImportTarget> InField(FieldDefinition field)
    {
        var whole = new ImportTarget(field.Name, field, null, field.Label);
        return field.Type switch
        {
            // No one text is an address.
            AddressType => [.. Parts(field)],
            AddressesType => InKinds(field),
            SeveralType => [whole, .. InKinds(field)],
            GeolocationType or MoneyType => [whole, .. Parts(field).Where(p => p.Key != field.Name)],
            _ => [whole],
        };
    }

    private static IEnumerable<ImportTarget> InKinds(FieldDefinition field)
    {
        foreach (var kind in ((KindsType)field.Type).KindsOf(field))
        {
            var label = Texts.Of("PartOfField", field.Label, kind.Label);
            if (field.Type is not AddressesType)
            {
                yield return new ImportTarget($"{field.Name}.{kind.Name}", field, kind.Name, label);
                continue;
            }

            foreach (var part in AddressesType.Parts)
            {
                yield return new ImportTarget($"{field.Name}.{kind.Name}.{part.Part}", field, $"{kind.Name}.{part.Part}", Texts.Of("PartOfField", label, Texts.Of("Part_" + part.Part)));
            }
        }
    }

    private static IEnumerable<ImportTarget> Parts(FieldDefinition field) =>
        field.Type.Columns.Select(c => new ImportTarget(field.Name + c.Suffix, field, c.Part, Texts.Of("PartOfField", field.Label, Texts.Of("Part_" + c.Part))));
}
