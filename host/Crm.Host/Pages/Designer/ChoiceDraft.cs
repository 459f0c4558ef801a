using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Host.Pages.Designer;

/// <summary>A choice, stage or tag that becomes another one.</summary>
/// <param name="From">Name of the one that goes.</param>
/// <param name="Into">Name of the one that stays.</param>
public sealed record MergeDraft(string From, string Into);

/// <summary>A stage that becomes two.</summary>
/// <param name="Stage">Name of the one there is; it stays.</param>
/// <param name="Label">What the new one is called.</param>
/// <param name="Probability">Of the new one, in percent.</param>
/// <param name="Condition">Which records go to the new one.</param>
public sealed record SplitDraft(string Stage, string Label, int Probability, string Condition)
{
    /// <summary>The stored name of the new stage.</summary>
    public string Name => FieldDraft.ProposeName("", Label, Names.MaxFieldLength);
}

/// <summary>A choice in the designer.</summary>
public sealed class ChoiceDraft
{
    public Guid Key { get; init; } = Guid.CreateVersion7();

    public string Name { get; set; } = "";

    public string Label { get; set; } = "";

    public string? Colour { get; set; }

    public bool IsExisting { get; init; }

    /// <summary>The stored name: what it was, or made from the label.</summary>
    public string EffectiveName => IsExisting || Name.Length > 0 ? Name : Names.FromLabel(Label) is { Length: > 0 } name ? name[..Math.Min(name.Length, 64)] : Label.Trim();

    /// <summary>The choices as metadata takes them.</summary>
    public static ImmutableArray<ChoiceDefinition> ToChoices(IEnumerable<ChoiceDraft> choices) =>
        [.. Filled(choices).Select(c => new ChoiceDefinition(c.EffectiveName, c.Label.Trim(), string.IsNullOrWhiteSpace(c.Colour) ? null : c.Colour.Trim()))];

    public static IEnumerable<ChoiceDraft> Filled(IEnumerable<ChoiceDraft> choices) => choices.Where(c => c.IsExisting || !string.IsNullOrWhiteSpace(c.Label));
}

/// <summary>A stage in the designer.</summary>
public sealed class StageDraft
{
    public Guid Key { get; init; } = Guid.CreateVersion7();

    public string Name { get; set; } = "";

    public string Label { get; set; } = "";

    public StageKind Kind { get; set; }

    public int Probability { get; set; }

    public bool IsExisting { get; init; }

    /// <summary>The stored name: what it was, or made from the label.</summary>
    public string EffectiveName => IsExisting || Name.Length > 0 ? Name : FieldDraft.ProposeName("", Label, Names.MaxFieldLength);

    public static IEnumerable<StageDraft> Filled(IEnumerable<StageDraft> stages) => stages.Where(s => s.IsExisting || !string.IsNullOrWhiteSpace(s.Label));
}
