using System.Collections.Immutable;

namespace Crm.Sdk.Web.Forms;

/// <summary>Which fields a form shows, in which sections.</summary>
/// <param name="Sections">In reading order; none is empty.</param>
public sealed record FormLayout(ImmutableArray<FormLayoutSection> Sections)
{
    /// <summary>Fields in reading order.</summary>
    public IEnumerable<FieldDefinition> Fields => Sections.SelectMany(s => s.Fields);

    /// <summary>
    /// The declared form, or one made from the fields: required ones first, then in order of declaration. The first stage field is left to
    /// the stage bar. Fields added later by the customer or by another module to an entity with a declared form come in a last section.
    /// </summary>
    public static FormLayout Of(EntityDefinition entity)
    {
        ArgumentNullException.ThrowIfNull(entity);
        var stage = entity.StageField?.Name;
        var sections = ImmutableArray.CreateBuilder<FormLayoutSection>();
        var placed = new HashSet<string>(StringComparer.Ordinal);
        foreach (var section in entity.Form.Sections)
        {
            var fields = section.Fields
                .Select(name => entity.TryField(name, out var field) ? field : null)
                .OfType<FieldDefinition>()
                .Where(field => !field.IsHidden && field.Name != stage && placed.Add(field.Name))
                .ToImmutableArray();
            if (!fields.IsEmpty)
            {
                sections.Add(new FormLayoutSection(section.Label, fields));
            }
        }

        var rest = entity.Fields.Where(f => !f.IsHidden && !f.IsSystem && f.Name != stage && !placed.Contains(f.Name)).ToImmutableArray();
        if (!rest.IsEmpty)
        {
            sections.Add(sections.Count == 0
                ? new FormLayoutSection("", [.. rest.OrderByDescending(f => f.IsRequired)])
                : new FormLayoutSection(FormTexts.Text("MoreFields"), rest));
        }

        // Who a record belongs to is on every form, at the end unless the form says where.
        if (!placed.Contains("owner") && entity.TryField("owner", out var owner) && !owner.IsHidden)
        {
            if (sections.Count == 0)
            {
                sections.Add(new FormLayoutSection("", [owner]));
            }
            else
            {
                sections[0] = sections[0] with { Fields = sections[0].Fields.Add(owner) };
            }
        }

        return new FormLayout(sections.ToImmutable());
    }

    /// <summary>Whether a field takes the whole width.</summary>
    public static bool IsWide(FieldDefinition field)
    {
        ArgumentNullException.ThrowIfNull(field);
        return field.Type.Name is "long_text" or "rich_text" or "multi_choice" or "tags" or "phones" or "emails" or "urls" or "many_to_many" or "address" or "addresses" or "json" || field.MaxLength > 255;
    }
}

/// <summary>One group of fields.</summary>
/// <param name="Label">Heading; empty for none.</param>
/// <param name="Fields">In reading order; never hidden ones.</param>
public sealed record FormLayoutSection(string Label, ImmutableArray<FieldDefinition> Fields);
