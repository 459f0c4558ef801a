using Crm.Metadata;
using Crm.Sdk;

namespace Crm.Host.Pages.Designer;

/// <summary>A form as it stands in the designer.</summary>
public sealed class FormLayoutDraft
{
    public IList<FormSectionDraft> Sections { get; init; } = [];

    /// <summary>The form as it was laid out, with the fields it misses; the one made from the fields when nobody did.</summary>
    public static FormLayoutDraft Of(MetadataState state, EntityDefinition entity)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(entity);
        var form = state.Layers.Custom.Entity(entity.Name).Form ?? entity.Form;
        return new FormLayoutDraft { Sections = [.. form.Sections.Select(s => new FormSectionDraft { Label = s.Label, Fields = [.. s.Fields] })] };
    }

    public FormDefinition ToForm() =>
        new([.. Sections.Where(s => s.Fields.Count > 0 || !string.IsNullOrWhiteSpace(s.Label)).Select(s => new FormSectionDefinition(s.Label.Trim(), [.. s.Fields]))]);

    /// <summary>Moves a field by one place, over the border of its section where it is at an end.</summary>
    public void Move(string field, int by)
    {
        var at = Sections.IndexOf(Sections.First(s => s.Fields.Contains(field)));
        var (section, index) = (Sections[at], Sections[at].Fields.IndexOf(field));
        if (index + by >= 0 && index + by < section.Fields.Count)
        {
            section.Fields.RemoveAt(index);
            section.Fields.Insert(index + by, field);
        }
        else if (at + by >= 0 && at + by < Sections.Count)
        {
            section.Fields.RemoveAt(index);
            var next = Sections[at + by].Fields;
            next.Insert(by > 0 ? 0 : next.Count, field);
        }
    }

    public void MoveSection(FormSectionDraft section, int by)
    {
        var index = Sections.IndexOf(section);
        if (index + by >= 0 && index + by < Sections.Count)
        {
            Sections.RemoveAt(index);
            Sections.Insert(index + by, section);
        }
    }

    /// <summary>Takes a section away; its fields go to the one before, or after.</summary>
    public void Remove(FormSectionDraft section)
    {
        ArgumentNullException.ThrowIfNull(section);
        var index = Sections.IndexOf(section);
        Sections.RemoveAt(index);
        if (Sections.Count > 0)
        {
            var heir = Sections[Math.Max(0, index - 1)].Fields;
            foreach (var field in section.Fields)
            {
                heir.Add(field);
            }
        }
    }
}

/// <summary>A section of a form in the designer.</summary>
public sealed class FormSectionDraft
{
    public Guid Key { get; init; } = Guid.CreateVersion7();

    public string Label { get; set; } = "";

    public IList<string> Fields { get; init; } = [];
}
