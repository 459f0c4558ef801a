using System.Collections.Immutable;
using Crm.Metadata;
using Crm.Sdk;

namespace Crm.Host.Pages.Designer;

/// <summary>A field as it stands in the designer: plain values that inputs can be bound to and the browser can keep.</summary>
public sealed class FieldDraft
{
    internal const string FormulaType = "formula";
    private const string RollUpType = "roll_up";

    private string label = "";

    /// <summary>Tells drafts apart before they have a name.</summary>
    public Guid Key { get; init; } = Guid.CreateVersion7();

    /// <summary>What a proposed name starts with: fields of entities of modules need the customer's prefix.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>Name of the field as it is stored; null for a new one.</summary>
    public string? Was { get; init; }

    /// <summary>The field exists. One of a module keeps its name and type.</summary>
    public bool IsExisting => Was is not null;

    /// <summary>Types to choose from for a field that exists: the one it has, and those its values can become.</summary>
    public IReadOnlyList<string> Types { get; init; } = [];

    /// <summary>Whether name and type can be changed: of a new field, and of one of the customer's.</summary>
    public bool CanRework { get; init; } = true;

    /// <summary>Somebody typed a name, so the label proposes none any more.</summary>
    public bool IsNameTyped { get; set; }

    public string Name { get; set; } = "";

    public string Label
    {
        get => label;
        set
        {
            label = value ?? "";
            if (!IsExisting && !IsNameTyped)
            {
                Name = ProposeName(Prefix, label, Names.MaxFieldLength);
            }
        }
    }

    public string Type { get; set; } = "text";

    public string? Help { get; set; }

    public bool Required { get; set; }

    public bool Unique { get; set; }

    public int? MaxLength { get; set; }

    public decimal? Minimum { get; set; }

    public decimal? Maximum { get; set; }

    public int? Scale { get; set; }

    public string? Currency { get; set; }

    /// <summary>Of a phone number: whose numbers have no calling code.</summary>
    public string? Country { get; set; }

    public string? Target { get; set; }

    /// <summary>Of a many-to-many field: how it is called at the other side.</summary>
    public string? InverseLabel { get; set; }

    /// <summary>Of a many-to-many field: what is said of each link.</summary>
    public IList<LinkFieldDraft> LinkFields { get; init; } = [];

    /// <summary>Of a many-to-many field that exists: the entity of its links.</summary>
    public string? LinkEntity { get; init; }

    /// <summary>Of a formula: what it is calculated by.</summary>
    public string? Formula { get; set; }

    /// <summary>Of a roll-up: the entity whose records are taken and their lookup, joined by a point.</summary>
    public string RollUpSource { get; set; } = "";

    public RollUpFunction RollUpFunction { get; set; }

    public string? RollUpValue { get; set; }

    public string? RollUpCondition { get; set; }

    public string? RollUpOrder { get; set; }

    /// <summary>Of a formula or a roll-up: the type of what it gives.</summary>
    public string Result { get; set; } = "decimal";

    /// <summary>Names of the entities an any-lookup may point to.</summary>
    public IList<string> Targets { get; init; } = [];

    /// <summary>Of a file: the media types and endings it takes, separated by commas; empty for all.</summary>
    public string? Accept { get; set; }

    /// <summary>Choices, or the kinds of several values.</summary>
    public IList<ChoiceDraft> Choices { get; init; } = [];

    /// <summary>Whether the choices are kinds; of the type that was chosen before.</summary>
    public bool WasKinds { get; set; }

    /// <summary>Stages of which a new one is made.</summary>
    public IList<SplitDraft> Splits { get; init; } = [];

    /// <summary>Choices, stages or tags that become others.</summary>
    public IList<MergeDraft> Merges { get; init; } = [];

    /// <summary>Whether the database is to keep an index of it.</summary>
    public bool Indexed { get; set; }

    public IList<StageDraft> Stages { get; init; } = [];

    public string NumberPrefix { get; set; } = "";

    public int NumberWidth { get; set; } = 5;

    public long NumberStart { get; set; } = 1;

    public static FieldDraft Of(FieldDefinition field) => new()
    {
        Was = field.Name,
        CanRework = field.Origin == Origins.Custom,
        Types = [TypeOf(field), .. field.Origin == Origins.Custom && !field.IsCalculated ? MetadataChange.ChangeType.Targets(field.Type).Select(t => t.Name) : []],
        Name = field.Name,
        label = field.Label,
        Type = TypeOf(field),
        Result = field.Type.Name,
        Formula = field.Formula,
        RollUpSource = field.RollUp is { } rolled ? rolled.Entity + "." + rolled.Lookup : "",
        RollUpFunction = field.RollUp?.Function ?? default,
        RollUpValue = field.RollUp?.Value,
        RollUpCondition = field.RollUp?.Condition,
        RollUpOrder = field.RollUp?.OrderBy,
        Help = field.Help,
        Required = field.IsRequired,
        Unique = field.IsUnique,
        Indexed = field.IsIndexed,
        MaxLength = field.MaxLength,
        Minimum = field.Minimum,
        Maximum = field.Maximum,
        Scale = field.Scale,
        Currency = field.Type is MoneyType ? field.Default as string : null,
        Country = field.IsCountryOfInstallation ? null : field.Country,
        Target = field.Target,
        LinkEntity = field.Link?.Entity,
        Targets = [.. field.Targets],
        Accept = field.Accept.IsEmpty ? null : string.Join(", ", field.Accept),
        Choices = [.. KindsOf(field).Select(c => new ChoiceDraft { Name = c.Name, Label = c.Label, Colour = c.Colour, IsExisting = true })],
        Stages = [.. field.Stages?.Stages.Select(s => new StageDraft { Name = s.Name, Label = s.Label, Kind = s.Kind, Probability = s.Probability, IsExisting = true }) ?? []],
        NumberPrefix = field.Number?.Prefix ?? "",
        NumberWidth = field.Number?.Width ?? 5,
        NumberStart = field.Number?.Start ?? 1,
    };

    /// <summary>A field's type as the designer offers it.</summary>
    public static string TypeOf(FieldDefinition field)
    {
        ArgumentNullException.ThrowIfNull(field);
        return field switch { { Formula: not null } => FormulaType, { RollUp: not null } => RollUpType, _ => field.Type.Name };
    }

    /// <summary>Gives what a type needs its first rows, so that nobody faces an empty list.</summary>
    public void Prepare()
    {
        if (HasKinds || WasKinds)
        {
            // Kinds of a phone number are none of a web address, and no choices.
            Choices.Clear();
            DefaultKinds().ToList().ForEach(k => Choices.Add(new ChoiceDraft { Name = k.Name, Label = k.Label }));
            WasKinds = HasKinds;
        }

        if (HasChoices && Choices.Count == 0)
        {
            Choices.Add(new ChoiceDraft());
            Choices.Add(new ChoiceDraft());
        }

        if (Type == "stage" && Stages.Count == 0)
        {
            Stages.Add(new StageDraft { Label = DesignerTexts.Of("StageFirst") });
            Stages.Add(new StageDraft { Label = DesignerTexts.Of("StageWon"), Kind = StageKind.Won, Probability = 100 });
            Stages.Add(new StageDraft { Label = DesignerTexts.Of("StageLost"), Kind = StageKind.Lost });
        }
    }

    public bool HasChoices => Type is "choice" or "multi_choice";

    /// <summary>Several values, each of a kind that can be chosen.</summary>
    public bool HasKinds => Fields.TryType(Type, out var type) && type is KindsType;

    public bool IsFormula => Type == FormulaType;

    public bool IsRollUp => Type == RollUpType;

    /// <summary>The type of the values.</summary>
    private string Holds => IsFormula || IsRollUp ? Result : Type;

    public bool HasStars => Type is "rating";

    public bool HasSize => Type is "file" or "image";

    public bool HasLength => Holds is "text" or "long_text" or "rich_text" or "email" or "phone" or "url";

    public bool HasRange => Type is "integer" or "decimal" or "percent" or "money" or "duration";

    public bool HasScale => Holds is "decimal" or "percent" or "money";

    public bool CanBeUnique => Fields.TryType(Type, out var type) && type.CanBeUnique && Type != "auto_number";

    public bool HasLinks => Type == Fields.ManyToMany.Name;

    /// <summary>Whether an index of it can be asked for; a unique field has one anyway, and so have lookups and stages.</summary>
    public bool CanBeIndexed => !Unique && Fields.TryType(Holds, out var type) && type is not (ReferenceType or StageType or AnyLookupType) && type.CanSort && Holds is not ("long_text" or "rich_text" or "auto_number" or "file" or "image");

    /// <summary>What can be merged, by name, with what users know it as; tags are typed.</summary>
    public IEnumerable<(string Name, string Label)> Mergeable =>
        HasChoices ? Choices.Where(c => c.IsExisting).Select(c => (c.Name, c.Label)) : Stages.Where(s => s.IsExisting).Select(s => (s.Name, s.Label));

    public bool CanMerge => IsExisting && (Type == "tags" || Mergeable.Skip(1).Any());

    public bool CanBeRequired => !HasLinks && Type is not ("auto_number" or FormulaType or RollUpType);

    /// <summary>The type of its values; null when there is none of this name.</summary>
    internal FieldType? Holding => Fields.TryType(Holds, out var type) ? type : null;

    /// <summary>The entity with fields that are not applied yet, as expressions see it.</summary>
    internal static EntityDefinition With(EntityDefinition entity, IEnumerable<FieldDraft> added)
    {
        ImmutableArray<FieldDefinition> fields = [.. added.Where(d => !entity.TryField(d.Name, out _)).Select(d => d.ToDefinition()).OfType<FieldDefinition>().DistinctBy(f => f.Name, StringComparer.Ordinal)];
        return fields.IsEmpty ? entity : entity with { Fields = [.. entity.Fields, .. fields] };
    }

    /// <summary>The field as expressions see it; null while it has no name.</summary>
    internal FieldDefinition? ToDefinition() => Holding is not { } type || string.IsNullOrWhiteSpace(Name) ? null : new FieldDefinition
    {
        Name = Name.Trim(),
        Label = Label,
        Origin = Origins.Custom,
        Type = type,
        Target = Text(Target),
        Scale = HasScale ? Scale : null,
        MaxLength = HasLength ? MaxLength : null,
        Choices = ToShape().Choices ?? [],
        Stages = ToShape().Stages,
    };

    /// <summary>The field as metadata takes it.</summary>
    public FieldShape ToShape() => new(Name.Trim())
    {
        Type = Fields.TryType(Holds, out var type) ? type : null,
        Label = Text(Label),
        Help = Text(Help),
        IsRequired = CanBeRequired && Required,
        IsUnique = CanBeUnique && Unique,
        IsIndexed = CanBeIndexed && Indexed ? true : null,
        MaxLength = HasLength ? MaxLength : null,
        Minimum = HasRange ? Minimum : null,
        Maximum = HasRange || HasStars || HasSize ? Maximum : null,
        Scale = HasScale ? Scale : null,
        Currency = Type == "money" ? Text(Currency)?.ToUpperInvariant() : null,
        Country = Type is "phone" or "phones" ? Text(Country)?.ToUpperInvariant() : null,
        Target = Type == "lookup" || HasLinks ? Text(Target) : null,
        NewLink = HasLinks && !IsExisting ? LinkFieldDraft.ToLink(LinkFields, Text(InverseLabel)) : null,
        Targets = Type == "any_lookup" && Targets.Count > 0 ? [.. Targets] : null,
        Accept = Type == "file" && Text(Accept) is { } kinds ? [.. kinds.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries)] : null,
        Choices = HasChoices || (HasKinds && !IsDefault(ChoiceDraft.ToChoices(Choices))) ? ChoiceDraft.ToChoices(Choices) : null,
        Stages = Type == "stage" ? new StagesDefinition([.. StageDraft.Filled(Stages).Select(s => new StageDefinition(s.EffectiveName, s.Label.Trim(), s.Kind, s.Probability))], []) : null,
        Formula = IsFormula ? Formula?.Trim() ?? "" : null,
        RollUp = IsRollUp ? ToRollUp() : null,
        Number = Type == "auto_number" ? new NumberFormat(NumberPrefix.Trim(), NumberWidth, NumberStart) : null,
    };

    /// <summary>Another type for the field, with its options; null when it keeps the one it has.</summary>
    public MetadataChange.ChangeType? ToChangeType(string entity, FieldDefinition field) =>
        Type == TypeOf(field) ? null : new MetadataChange.ChangeType(entity, ToShape() with { Name = field.Name });

    /// <summary>Another name for the field; null when it keeps the one it has.</summary>
    public MetadataChange.RenameField? ToRename(string entity) =>
        Was is null || Text(Name) is not { } name || name == Was ? null : new MetadataChange.RenameField(entity, Was, name);

    /// <summary>What differs from the field as it is; null when nothing does.</summary>
    public MetadataChange.ChangeField? ToChange(string entity, FieldDefinition field)
    {
        var before = Of(field).ToShape();
        var after = ToShape();
        if (ToChangeType(entity, field) is not null)
        {
            // The new type comes with all its options; what is left is a help text that was emptied.
            return before.Help is not null && after.Help is null ? new MetadataChange.ChangeField(entity, new FieldShape(field.Name), ["help"]) : null;
        }

        var reset = ImmutableArray.CreateBuilder<string>();
        // Null means "as it was", so what was emptied is reset by name.
        void Emptied(object? old, object? now, string name)
        {
            if (old is not null && now is null)
            {
                reset.Add(name);
            }
        }

        Emptied(before.Help, after.Help, "help");
        Emptied(before.MaxLength, after.MaxLength, "max_length");
        Emptied(before.Minimum, after.Minimum, "minimum");
        Emptied(before.Maximum, after.Maximum, "maximum");
        Emptied(before.Scale, after.Scale, "scale");
        Emptied(before.Currency, after.Currency, "currency");
        Emptied(before.Country, after.Country, "country");
        Emptied(before.Targets, after.Targets, "targets");
        Emptied(before.Accept, after.Accept, "accept");
        Emptied(before.Choices, after.Choices, "choices");
        Emptied(before.Label, after.Label, "label");
        var stagesChanged = after.Stages is not null && !after.Stages.Stages.SequenceEqual(before.Stages?.Stages ?? []);
        var changes = new FieldShape(field.Name)
        {
            Label = Differs(before.Label, after.Label),
            Help = Differs(before.Help, after.Help),
            IsRequired = before.IsRequired == after.IsRequired ? null : after.IsRequired,
            IsUnique = before.IsUnique == after.IsUnique ? null : after.IsUnique,
            IsIndexed = before.IsIndexed == after.IsIndexed ? null : after.IsIndexed ?? false,
            MaxLength = before.MaxLength == after.MaxLength ? null : after.MaxLength,
            Minimum = before.Minimum == after.Minimum ? null : after.Minimum,
            Maximum = before.Maximum == after.Maximum ? null : after.Maximum,
            Scale = before.Scale == after.Scale ? null : after.Scale,
            Currency = Differs(before.Currency, after.Currency),
            Country = Differs(before.Country, after.Country),
            Targets = after.Targets is { } targets && !targets.SequenceEqual(before.Targets ?? []) ? targets : null,
            Accept = after.Accept is { } kinds && !kinds.SequenceEqual(before.Accept ?? []) ? kinds : null,
            Choices = after.Choices is { } choices && !choices.SequenceEqual(before.Choices ?? []) ? choices : null,
            Stages = stagesChanged ? after.Stages! with { Moves = [.. field.Stages!.Moves.Where(m => after.Stages.Find(m.From) is not null && after.Stages.Find(m.To) is not null)] } : null,
            Number = before.Number == after.Number ? null : after.Number,
            Formula = Differs(before.Formula, after.Formula),
            RollUp = before.RollUp == after.RollUp ? null : after.RollUp,
        };
        return changes == new FieldShape(field.Name) && reset.Count == 0 ? null : new MetadataChange.ChangeField(entity, changes, reset.ToImmutable());
    }

    /// <summary>What users know a choice or stage as; a tag is its own name.</summary>
    public string LabelOf(string name) => Mergeable.FirstOrDefault(c => c.Name == name).Label ?? name;

    /// <summary>A name made from a label.</summary>
    public static string ProposeName(string prefix, string label, int longest)
    {
        var name = Names.FromLabel(label);
        if (name.Length == 0)
        {
            return "";
        }

        name = prefix.Length > 0 && name.StartsWith(prefix, StringComparison.Ordinal) ? name : prefix + name;
        return name[..Math.Min(name.Length, longest)].TrimEnd('_');
    }

    private static ImmutableArray<ChoiceDefinition> KindsOf(FieldDefinition field) => field.Type is KindsType several ? several.KindsOf(field) : field.Choices;

    private ImmutableArray<ChoiceDefinition> DefaultKinds() =>
        Fields.TryType(Type, out var type) && type is KindsType several ? several.KindsOf(new FieldDefinition { Name = "kinds", Label = "", Origin = Origins.Custom, Type = type }) : [];

    // Without kinds of its own a field follows those of its type, in the language of whoever looks.
    private bool IsDefault(ImmutableArray<ChoiceDefinition> kinds) => kinds.IsEmpty || kinds.SequenceEqual(DefaultKinds());

    private RollUpDefinition ToRollUp()
    {
        var (entity, lookup) = RollUpSource.Split('.') is [var first, var second] ? (first, second) : ("", "");
        var isOrdered = RollUpFunction is RollUpFunction.First or RollUpFunction.Last;
        return new RollUpDefinition(entity, lookup, RollUpFunction, RollUpFunction == RollUpFunction.Count ? null : Text(RollUpValue), Text(RollUpCondition), isOrdered ? Text(RollUpOrder) : null);
    }

    private static string? Text(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();

    private static string? Differs(string? before, string? after) => before == after ? null : after;
}
