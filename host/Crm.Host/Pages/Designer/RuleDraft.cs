using Crm.Metadata;
using Crm.Sdk;

namespace Crm.Host.Pages.Designer;

/// <summary>A rule as it stands in the designer.</summary>
public sealed class RuleDraft
{
    private const int MaxLine = 80;

    private string label = "";

    public Guid Key { get; init; } = Guid.CreateVersion7();

    /// <summary>The rule exists: its name stays.</summary>
    public bool IsExisting { get; init; }

    public string Name { get; set; } = "";

    public string Label
    {
        get => label;
        set
        {
            label = value ?? "";
            if (!IsExisting)
            {
                Name = FieldDraft.ProposeName("", label, Names.MaxFieldLength);
            }
        }
    }

    public RuleKind Kind { get; set; }

    public string Condition { get; set; } = "";

    public string? Message { get; set; }

    /// <summary>Of a script: its text.</summary>
    public string Script { get; set; } = "";

    public ScriptMoment When { get; set; }

    public ScriptFailing OnFailure { get; set; }

    public int Budget { get; set; } = ScriptDefinition.DefaultBudget;

    /// <summary>Of a rule about duplicates: how alike, in percent.</summary>
    public int Similarity { get; set; } = 100;

    /// <summary>Of a rule about duplicates: whether they are refused.</summary>
    public bool IsRefused { get; set; }

    public ISet<string> Fields { get; init; } = new HashSet<string>(StringComparer.Ordinal);

    public ISet<string> Options { get; init; } = new HashSet<string>(StringComparer.Ordinal);

    public static RuleDraft Of(RuleDefinition rule) => new()
    {
        IsExisting = true,
        Name = rule.Name,
        label = rule.Label ?? Names.ToLabel(rule.Name),
        Kind = rule.Kind,
        Condition = rule.Condition,
        Message = rule.Message,
        Script = rule.Script?.Text ?? "",
        When = rule.Script?.When ?? ScriptMoment.Change,
        Similarity = rule.Duplicate?.Similarity ?? 100,
        IsRefused = rule.Duplicate?.IsRefused == true,
        OnFailure = rule.Script?.OnFailure ?? ScriptFailing.Refuse,
        Budget = rule.Script?.Budget ?? ScriptDefinition.DefaultBudget,
        Fields = rule.Fields.ToHashSet(StringComparer.Ordinal),
        Options = rule.Options.ToHashSet(StringComparer.Ordinal),
    };

    /// <summary>The rule as metadata takes it; fields and choices in the order of the entity.</summary>
    public RuleDefinition ToRule(EntityDefinition entity)
    {
        var fields = entity.Fields.Where(f => Fields.Contains(f.Name)).ToList();
        var options = Kind == RuleKind.Options ? Choices(fields).Where(c => Options.Contains(c.Name)).Select(c => c.Name) : [];
        var isScript = Kind == RuleKind.Script;
        return new RuleDefinition(Name, Kind, isScript || Kind == RuleKind.Duplicate ? "" : Condition.Trim(), [.. fields.Select(f => f.Name)])
        {
            Duplicate = Kind == RuleKind.Duplicate ? new DuplicateDefinition(IsRefused) { Similarity = Similarity } : null,
            Script = isScript ? new ScriptDefinition(Script, When) { OnFailure = OnFailure, Budget = Budget } : null,
            Label = string.IsNullOrWhiteSpace(Label) ? null : Label.Trim(),
            Message = isScript || string.IsNullOrWhiteSpace(Message) ? null : Message.Trim(),
            Options = [.. options],
        };
    }

    /// <summary>How a script begins, for lists.</summary>
    public static string FirstLine(string script)
    {
        var line = script.Split('\n').Select(l => l.Trim()).FirstOrDefault(l => l.Length > 0) ?? "";
        return line.Length > MaxLine ? line[..MaxLine] + "…" : line;
    }

    /// <summary>What the chosen fields may hold.</summary>
    public static IEnumerable<(string Name, string Label)> Choices(IEnumerable<FieldDefinition> fields) => fields
        .SelectMany(f => f.Stages?.Stages.Select(s => (s.Name, s.Label)) ?? f.Choices.Select(c => (c.Name, c.Label)))
        .DistinctBy(c => c.Name);

    /// <summary>Fields a rule of this kind can be about.</summary>
    public IEnumerable<FieldDefinition> Candidates(EntityDefinition entity) => entity.Fields.Where(f => Kind == RuleKind.Duplicate ? DuplicateFields.CanCompare(f) :
        !f.IsHidden && (!f.IsSystem || f.Name == "owner") && (Kind is RuleKind.Valid or RuleKind.Script || !f.IsReadOnly) && (Kind != RuleKind.Options || f.Stages is not null || !f.Choices.IsEmpty || f.Type is ReferenceType));
}
