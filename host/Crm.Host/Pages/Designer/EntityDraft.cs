using Crm.Metadata;
using Crm.Sdk;

namespace Crm.Host.Pages.Designer;

/// <summary>A new entity as it stands in the designer.</summary>
internal sealed class EntityDraft
{
    private string label = "";

    public string Label
    {
        get => label;
        set
        {
            label = value ?? "";
            Propose();
        }
    }

    public string Plural { get; set; } = "";

    public string Name { get; set; } = "";

    public string SetName { get; set; } = "";

    public string Icon { get; set; } = "category";

    /// <summary>Area and section, joined by a slash; empty for nowhere.</summary>
    public string Place { get; set; } = "";

    public bool IsPluralTyped { get; set; }

    public bool IsNameTyped { get; set; }

    public bool IsSetTyped { get; set; }

    public List<FieldDraft> Fields { get; init; } = [];

    /// <summary>A draft with the one field almost everything has.</summary>
    public static EntityDraft New(MetadataSnapshot metadata)
    {
        var draft = new EntityDraft { Place = Places(metadata).Select(p => p.Value).FirstOrDefault(p => p.EndsWith("/extensions", StringComparison.Ordinal)) ?? Places(metadata).Select(p => p.Value).FirstOrDefault() ?? "" };
        draft.Fields.Add(new FieldDraft { Label = DesignerTexts.Of("FirstField"), Required = true });
        return draft;
    }

    /// <summary>Places of the navigation an entity can be shown at.</summary>
    public static IEnumerable<(string Value, string Label)> Places(MetadataSnapshot metadata) =>
        metadata.Areas.SelectMany(a => a.Sections.Select(s => (a.Name + "/" + s.Name, a.Label + " › " + s.Label)));

    public MetadataChange.CreateEntity ToChange() => new(new EntityShape(Name.Trim())
    {
        Label = string.IsNullOrWhiteSpace(Label) ? null : Label.Trim(),
        PluralLabel = string.IsNullOrWhiteSpace(Plural) ? null : Plural.Trim(),
        SetName = string.IsNullOrWhiteSpace(SetName) ? null : SetName.Trim(),
        Icon = string.IsNullOrWhiteSpace(Icon) ? null : Icon.Trim(),
        Placements = Place.Split('/') is [var area, var section] ? [new Placement(area, section)] : null,
        Fields = [.. Fields.Where(f => f.Label.Length > 0 || f.Name.Length > 0).Select(f => f.ToShape())],
    });

    /// <summary>The entity as the expressions of its fields see it.</summary>
    public EntityDefinition ToDefinition() => FieldDraft.With(new EntityDefinition { Name = Name, Origin = Origins.Custom, Label = Label, PluralLabel = Plural, SetName = SetName }, Fields);

    private void Propose()
    {
        var plain = label.Trim();
        if (!IsPluralTyped)
        {
            Plural = plain.Length == 0 ? "" : Names.ToPlural(plain);
        }

        if (!IsNameTyped)
        {
            Name = FieldDraft.ProposeName(Names.CustomPrefix, plain, Names.MaxEntityLength);
        }

        if (!IsSetTyped)
        {
            SetName = Name.Length == 0 ? "" : Names.ToPlural(Name);
        }
    }
}
