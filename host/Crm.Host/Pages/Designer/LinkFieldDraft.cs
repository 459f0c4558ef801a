using System.Collections.Immutable;
using Crm.Metadata;
using Crm.Sdk;

namespace Crm.Host.Pages.Designer;

/// <summary>A field of the links of a new many-to-many field, in the designer.</summary>
public sealed class LinkFieldDraft
{
    /// <summary>Types to choose from; others are added to the link entity itself.</summary>
    public static ImmutableArray<FieldType> Types { get; } = [Fields.Text, Fields.Choice, Fields.Integer, Fields.Decimal, Fields.Percent, Fields.Date, Fields.YesNo];

    public Guid Key { get; init; } = Guid.CreateVersion7();

    public string Label { get; set; } = "";

    public string Type { get; set; } = Fields.Text.Name;

    /// <summary>Of a choice: its choices, with commas between them.</summary>
    public string Choices { get; set; } = "";

    public bool HasChoices => Type == Fields.Choice.Name;

    /// <summary>How the links are made; null when nothing is said about them.</summary>
    public static NewLink? ToLink(IEnumerable<LinkFieldDraft> fields, string? inverse)
    {
        ImmutableArray<FieldShape> shapes = [.. fields.Where(f => !string.IsNullOrWhiteSpace(f.Label)).Select(f => f.ToShape())];
        return shapes.IsEmpty && inverse is null ? null : new NewLink(shapes.IsEmpty ? null : new EntityShape("") { Fields = shapes }, null, inverse);
    }

    private FieldShape ToShape() => new(FieldDraft.ProposeName("", Label, Names.MaxFieldLength))
    {
        Type = Fields.All[Type],
        Label = Label.Trim(),
        Choices = HasChoices ? [.. Choices.Split([',', ';'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(c => new ChoiceDefinition(new ChoiceDraft { Label = c }.EffectiveName, c))] : null,
    };
}
