using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>How the links of a new many-to-many field are made. It is taken apart when the field is added, and never stored.</summary>
/// <param name="Entity">What is said of the link entity: its name, its labels, fields of its own; null, or without a name, for one made from the names of the field and its entity.</param>
/// <param name="Inverse">Name of the field at the far side; made from the entity's name when null.</param>
/// <param name="InverseLabel">Its label; the entity's plural when null.</param>
public sealed record NewLink(EntityShape? Entity = null, string? Inverse = null, string? InverseLabel = null);

/// <summary>What a new many-to-many field is made of: an entity whose records are the links, and a field at each side that is a view of it.</summary>
/// <param name="Entity">The link entity.</param>
/// <param name="Field">The field.</param>
/// <param name="Inverse">The field at the far side.</param>
internal sealed record LinkParts(EntityShape Entity, FieldShape Field, FieldShape Inverse)
{
    /// <param name="label">Label of the field's entity.</param>
    /// <param name="plural">Its plural.</param>
    /// <param name="entity">Name of the field's entity.</param>
    /// <param name="field">The field, with its target.</param>
    /// <param name="prefix">What names of the layer start with.</param>
    /// <param name="isEntityTaken">Whether a name of an entity is taken.</param>
    /// <param name="isFieldTaken">Whether a name of a field of the target is taken.</param>
    public static LinkParts Of(string label, string plural, string entity, FieldShape field, string prefix, Predicate<string> isEntityTaken, Predicate<string> isFieldTaken)
    {
        var target = field.Target!;
        var asked = field.NewLink ?? new NewLink();
        var fieldLabel = field.Label ?? Names.ToLabel(field.Name);
        var link = asked.Entity ?? new EntityShape("");
        link = link.Name.Length > 0 ? link : link with { Name = Free($"{prefix}{Stem(entity)}_{Stem(field.Name)}", Names.MaxEntityLength, isEntityTaken) };
        var inverse = asked.Inverse ?? Free(prefix + Names.ToPlural(Stem(entity)), Names.MaxFieldLength, name => isFieldTaken(name) || (entity == target && name == field.Name));
        var (near, far) = (entity, target == entity ? "other_" + entity : target);
        FieldShape End(string name, string to) => new(name) { Type = Fields.LookupType, Target = to, IsRequired = true };
        return new LinkParts(
            link with
            {
                Label = link.Label ?? $"{label}: {fieldLabel}",
                PluralLabel = link.PluralLabel ?? link.Label ?? $"{label}: {fieldLabel}",
                Icon = link.Icon ?? "link",
                Link = new LinkEnds(near, far),
                Fields = [End(near, entity), End(far, target), .. link.Fields],
            },
            field with { Type = Fields.ManyToMany, Link = new LinkView(link.Name, near, far), NewLink = null },
            new FieldShape(inverse) { Type = Fields.ManyToMany, Target = entity, Label = asked.InverseLabel ?? plural, Link = new LinkView(link.Name, far, near) });
    }

    private static string Stem(string name) => name.StartsWith(Names.CustomPrefix, StringComparison.Ordinal) ? name[Names.CustomPrefix.Length..] : name;

    private static string Free(string wanted, int length, Predicate<string> isTaken)
    {
        for (var number = 1; ; number++)
        {
            var end = number == 1 ? "" : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"_{number}");
            var name = wanted[..Math.Min(wanted.Length, length - end.Length)].TrimEnd('_') + end;
            if (!isTaken(name))
            {
                return name;
            }
        }
    }
}
