using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace Crm.Sdk;

/// <summary>Effective definition of an entity: declared by a module, changed by the customer.</summary>
public sealed record EntityDefinition
{
    private FrozenDictionary<string, FieldDefinition>? byName;
    private FrozenDictionary<string, PropertyDefinition>? byProperty;

    /// <summary>Stable snake_case name; also the name of its table.</summary>
    public required string Name { get; init; }

    /// <summary>Id of the owning module, <c>platform</c> or <c>custom</c>; see <see cref="Origins"/>.</summary>
    public required string Origin { get; init; }

    /// <summary>One of them, for users.</summary>
    public required string Label { get; init; }

    /// <summary>Several of them, for users.</summary>
    public required string PluralLabel { get; init; }

    /// <summary>Name of the entity set in the API.</summary>
    public required string SetName { get; init; }

    /// <summary>A Material Symbols name.</summary>
    public string Icon { get; init; } = "category";

    /// <summary>Fields whose values, joined by a space, are what a record is called.</summary>
    public ImmutableArray<string> TitleFields { get; init; } = [];

    /// <summary>All fields in order of declaration; the system fields come last.</summary>
    public ImmutableArray<FieldDefinition> Fields
    {
        get;
        init
        {
            // A copy made by "with" must not answer from the indexes of the original.
            field = value;
            byName = null;
            byProperty = null;
        }
    } = [];

    /// <summary>Fields quick search looks at.</summary>
    public ImmutableArray<string> SearchFields { get; init; } = [];

    /// <summary>Named lists; the first one is shown first.</summary>
    public ImmutableArray<ViewDefinition> Views { get; init; } = [];

    /// <summary>The form.</summary>
    public FormDefinition Form { get; init; } = FormDefinition.Empty;

    /// <summary>What its views and its form name and cannot show; pages leave it out and tell administrators.</summary>
    public ImmutableArray<LayoutHole> Holes { get; init; } = [];

    /// <summary>Rules of its records, those of modules first.</summary>
    public ImmutableArray<RuleDefinition> Rules { get; init; } = [];

    /// <summary>Who sees a record, as long as no role says more.</summary>
    public Visibility Visibility { get; init; }

    /// <summary>Whether it is kept who looked at its records.</summary>
    public bool HasViewLog { get; init; }

    /// <summary>What roles may do with its records.</summary>
    public ImmutableArray<GrantDefinition> Grants { get; init; } = [];

    /// <summary>What those these definitions are made for may do with none of its records; nothing for an administrator.</summary>
    public ImmutableArray<AccessOperation> Denied { get; init; } = [];

    /// <summary>Whether an operation may be done with any of its records at all; pages do not offer what may not.</summary>
    public bool Allows(AccessOperation operation) => !Denied.Contains(operation);

    /// <summary>Where the navigation shows the entity.</summary>
    public ImmutableArray<Placement> Placements { get; init; } = [];

    /// <summary>The records it links, when each of its records is a link of a many-to-many field; null for other entities.</summary>
    public LinkEnds? Link { get; init; }

    /// <summary>
    /// The any-lookup that leads to the record each of its records is a part of, as a note is of a company; null for other entities. Who may read that record may read
    /// its parts, who may change it may add, change and delete them; they are deleted and come back with it.
    /// </summary>
    public string? PartOf { get; init; }

    /// <summary>Entities whose records may be parts of its records.</summary>
    public ImmutableArray<string> Parts { get; init; } = [];

    /// <summary>Whether its records say who may do what: users, teams and who is in them. Only administrators write those.</summary>
    public bool IsOfAccess => Origin == Origins.Platform && PartOf is null;

    /// <summary>Hidden entities keep their records but are not shown and cannot be written.</summary>
    public bool IsHidden { get; init; }

    /// <summary>Finds a field by name.</summary>
    public bool TryField(string name, [NotNullWhen(true)] out FieldDefinition? field) =>
        (byName ??= Fields.ToFrozenDictionary(f => f.Name)).TryGetValue(name, out field);

    /// <summary>The field of this name; <see cref="KeyNotFoundException"/> when there is none.</summary>
    public FieldDefinition Field(string name) =>
        TryField(name, out var field) ? field : throw new KeyNotFoundException($"Entity '{Name}' has no field '{name}'.");

    /// <summary>Finds a property of the API, which is a column of the table: <c>budget_currency</c> is a property of field <c>budget</c>.</summary>
    public bool TryProperty(string name, [NotNullWhen(true)] out PropertyDefinition? property)
    {
        byProperty ??= Fields
            .SelectMany(f => f.Type.Columns.Select(c => new PropertyDefinition(f.Name + c.Suffix, f, c)))
            .ToFrozenDictionary(p => p.Name);
        return byProperty.TryGetValue(name, out property);
    }

    /// <summary>The field that holds the stage, if the entity has stages.</summary>
    public FieldDefinition? StageField => Fields.FirstOrDefault(f => f.Type is StageType && !f.IsHidden);

    /// <inheritdoc/>
    public bool Equals(EntityDefinition? other) => ReferenceEquals(this, other);

    /// <inheritdoc/>
    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(Name);
}

/// <summary>Effective definition of a field.</summary>
public sealed record FieldDefinition
{
    /// <summary>Stable snake_case name.</summary>
    public required string Name { get; init; }

    /// <summary>What the field may hold.</summary>
    public required FieldType Type { get; init; }

    /// <summary>Id of the declaring module, <c>platform</c> or <c>custom</c>.</summary>
    public required string Origin { get; init; }

    /// <summary>Shown to users.</summary>
    public required string Label { get; init; }

    /// <summary>Whether a value of the field is a pointer that may lead to a record of an entity.</summary>
    public bool LeadsTo(string entity) => Type switch
    {
        ReferenceType reference => reference.WaysOf(this).Any(w => w.Target == entity),
        // What stands for the addresses in a field is no entity: nothing can point there.
        AnyLookupType => Targets.IsEmpty ? Names.Problem(entity, Names.MaxEntityLength) is null : Targets.Contains(entity),
        _ => false,
    };

    /// <summary>The entity a step of a path leads to through this field, by the field's name or by a navigation property; null when the step is none of its own.</summary>
    public string? TargetBy(string step) => Type is not ReferenceType reference ? null
        : step == Name ? reference.TargetOf(this)
        : reference.WaysOf(this).FirstOrDefault(w => w.Navigation == step)?.Target;

    /// <summary>A sentence shown below the editor.</summary>
    public string? Help { get; init; }

    /// <summary>A value must be present.</summary>
    public bool IsRequired { get; init; }

    /// <summary>No two records share a value.</summary>
    public bool IsUnique { get; init; }

    /// <summary>Lists are often filtered or sorted by it, so that the database keeps an index of it.</summary>
    public bool IsIndexed { get; init; }

    /// <summary>Set by the product only.</summary>
    public bool IsReadOnly { get; init; }

    /// <summary>Every entity has it (<c>id</c>, <c>version</c>, <c>owner</c> …).</summary>
    public bool IsSystem { get; init; }

    /// <summary>Hidden fields keep their data but are not shown, read or written.</summary>
    public bool IsHidden { get; init; }

    /// <summary>Value of a new record that gives none, as input.</summary>
    public object? Default { get; init; }

    /// <summary>Longest text, in characters.</summary>
    public int? MaxLength { get; init; }

    /// <summary>Smallest number allowed.</summary>
    public decimal? Minimum { get; init; }

    /// <summary>Greatest number allowed.</summary>
    public decimal? Maximum { get; init; }

    /// <summary>Digits after the decimal point.</summary>
    public int? Scale { get; init; }

    /// <summary>ISO 4217 code of an amount given without one, for money fields.</summary>
    public string? Currency { get; init; }

    /// <summary>ISO 3166 code of the country a phone number without a calling code belongs to, for phone fields; the installation's where nothing is said about the field, <see cref="MatchKeys.NoPhoneCountry"/> for none.</summary>
    public string? Country { get; init; }

    /// <summary>Whether <see cref="Country"/> is the installation's, because nothing is said about the field.</summary>
    public bool IsCountryOfInstallation { get; init; }

    /// <summary>Records are called by it, so that it has a name key, see <see cref="MatchKeys.Name"/>.</summary>
    public bool IsTitle { get; init; }

    /// <summary>What a choice or multi-choice field may hold.</summary>
    public ImmutableArray<ChoiceDefinition> Choices { get; init; } = [];

    /// <summary>Choices, stages or tags that became others: who still names one of them means the other.</summary>
    public ImmutableArray<MergedChoice> Merged { get; init; } = [];

    /// <summary>Entity a lookup points to, or a many-to-many field shows.</summary>
    public string? Target { get; init; }

    /// <summary>Entities an any-lookup may point to; empty for all.</summary>
    public ImmutableArray<string> Targets { get; init; } = [];

    /// <summary>Files a file field takes: media types (<c>application/pdf</c>, <c>video/*</c>) and endings (<c>.docx</c>); empty for all.</summary>
    public ImmutableArray<string> Accept { get; init; } = [];

    /// <summary>Where the links of a many-to-many field are.</summary>
    public LinkView? Link { get; init; }

    /// <summary>Stages of a stage field.</summary>
    public StagesDefinition? Stages { get; init; }

    /// <summary>How an auto-number is written.</summary>
    public NumberFormat? Number { get; init; }

    /// <summary>What the value is calculated by, see <see cref="Expression"/>; null when it is not. Such a field is read only.</summary>
    public string? Formula { get; init; }

    /// <summary>Which records of another entity the value is calculated from; null when it is not. Such a field is read only.</summary>
    public RollUpDefinition? RollUp { get; init; }

    /// <summary>Whether the value follows from others, so that nobody gives it one.</summary>
    public bool IsCalculated => Formula is not null || RollUp is not null;

    /// <summary>Name in an earlier version; its data is kept.</summary>
    public string? RenamedFrom { get; init; }

    /// <summary>The choice, stage or tag a name stands for: the one it was merged into, or itself.</summary>
    /// <param name="choice">Name of a choice or stage, or a tag.</param>
    public string NameNow(string choice) => FindMerged(choice)?.Into ?? choice;

    /// <summary>What is known of a choice, stage or tag that became another one; null when it did not.</summary>
    /// <param name="choice">Its name.</param>
    public MergedChoice? FindMerged(string choice)
    {
        // Nearly all fields have none.
        return Merged.IsEmpty ? null : Merged.FirstOrDefault(m => string.Equals(m.Name, choice, Type is TagsType ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal));
    }
}

/// <summary>One column of a field, as the API and the table know it.</summary>
/// <param name="Name">Name of the property and of the column.</param>
/// <param name="Field">The field it belongs to.</param>
/// <param name="Column">Which part of the field it is.</param>
public sealed record PropertyDefinition(string Name, FieldDefinition Field, FieldColumn Column);

/// <summary>One value a choice field may hold.</summary>
/// <param name="Name">Stable name, as stored.</param>
/// <param name="Label">Shown to users.</param>
/// <param name="Colour">CSS colour of its badge; null for the neutral one.</param>
public sealed record ChoiceDefinition(string Name, string Label, string? Colour = null);

/// <summary>A choice, stage or tag that became another one.</summary>
/// <param name="Name">The name it had, as history has it.</param>
/// <param name="Label">What users knew it as.</param>
/// <param name="Into">Name of the other one.</param>
public sealed record MergedChoice(string Name, string Label, string Into);

/// <summary>How auto-numbers are written: <c>INV</c>, 7 and 1 give <c>INV0000001</c>.</summary>
/// <param name="Prefix">Text before the digits.</param>
/// <param name="Width">Least number of digits.</param>
/// <param name="Start">First number.</param>
public sealed record NumberFormat(string Prefix, int Width, long Start = 1);

/// <summary>A named list.</summary>
/// <param name="Name">Stable name within the entity.</param>
/// <param name="Label">Shown in the list's drop-down.</param>
/// <param name="Columns">Fields, or paths through lookups.</param>
/// <param name="Filter">Which records are listed; null for all.</param>
/// <param name="Sort">Their order; empty for the order of creation, newest first.</param>
/// <param name="Origin">Id of the declaring module, <c>platform</c> or <c>custom</c>.</param>
public sealed record ViewDefinition(
    string Name,
    string Label,
    ImmutableArray<string> Columns,
    Filter? Filter = null,
    ImmutableArray<Sort> Sort = default,
    string Origin = Origins.Custom);

/// <summary>A form.</summary>
/// <param name="Sections">In reading order.</param>
public sealed record FormDefinition(ImmutableArray<FormSectionDefinition> Sections)
{
    /// <summary>A form without sections.</summary>
    public static FormDefinition Empty { get; } = new(ImmutableArray<FormSectionDefinition>.Empty);
}

/// <summary>One group of fields on a form.</summary>
/// <param name="Label">Heading; empty for none.</param>
/// <param name="Fields">In reading order.</param>
public sealed record FormSectionDefinition(string Label, ImmutableArray<string> Fields);

/// <summary>A field that a view or the form names and that is hidden or no longer there.</summary>
/// <param name="Path">The field, or the path through lookups, as it was laid out.</param>
/// <param name="Entity">Name of the entity the field is missed at; another one when a lookup leads there.</param>
/// <param name="View">The view as it was laid out; null for the form.</param>
/// <param name="IsViewLeftOut">Whether the view is not shown at all, because it filters by the field and would list other records than it says.</param>
public sealed record LayoutHole(string Path, string Entity, ViewDefinition? View = null, bool IsViewLeftOut = false);

/// <summary>Where the navigation shows an entity.</summary>
/// <param name="Area">Name of the area.</param>
/// <param name="Section">Name of the section in it.</param>
/// <param name="Order">Items are shown in this order.</param>
public sealed record Placement(string Area, string Section, int Order = 100);

/// <summary>A work area of the navigation.</summary>
/// <param name="Name">Stable name.</param>
/// <param name="Label">Shown in the area menu.</param>
/// <param name="Order">Areas are shown in this order.</param>
/// <param name="Icon">A Material Symbols name.</param>
/// <param name="Sections">Its sections in order.</param>
/// <param name="Origin">Id of the module that declared it first.</param>
public sealed record AreaDefinition(string Name, string Label, int Order, string? Icon, ImmutableArray<SectionDefinition> Sections, string Origin);

/// <summary>A section of an area.</summary>
/// <param name="Name">Stable name within the area.</param>
/// <param name="Label">Shown as the heading.</param>
/// <param name="Order">Sections are shown in this order.</param>
public sealed record SectionDefinition(string Name, string Label, int Order);

/// <summary>Where a definition comes from when it is not a module.</summary>
public static class Origins
{
    /// <summary>Part of the product itself.</summary>
    public const string Platform = "platform";

    /// <summary>Made by the customer.</summary>
    public const string Custom = "custom";
}

/// <summary>All definitions at one version. Immutable; replaced as a whole.</summary>
/// <param name="Version">Grows by one with every applied change.</param>
/// <param name="Entities">Entities by name, hidden ones included.</param>
/// <param name="Areas">Navigation, in order.</param>
public sealed record MetadataSnapshot(long Version, FrozenDictionary<string, EntityDefinition> Entities, ImmutableArray<AreaDefinition> Areas)
{
    private FrozenDictionary<string, EntityDefinition>? bySet;

    /// <summary>Entities by name, hidden ones included.</summary>
    public FrozenDictionary<string, EntityDefinition> Entities
    {
        get;
        init
        {
            // As for EntityDefinition.Fields.
            field = value;
            bySet = null;
        }
    } = Entities;

    /// <summary>Finds an entity by name.</summary>
    public bool TryEntity(string name, [NotNullWhen(true)] out EntityDefinition? entity) => Entities.TryGetValue(name, out entity);

    /// <summary>The entity of this name; <see cref="KeyNotFoundException"/> when there is none.</summary>
    public EntityDefinition Entity(string name) =>
        Entities.TryGetValue(name, out var entity) ? entity : throw new KeyNotFoundException($"There is no entity '{name}'.");

    /// <summary>Finds an entity by the name of its set in the API.</summary>
    public bool TrySet(string setName, [NotNullWhen(true)] out EntityDefinition? entity) =>
        (bySet ??= Entities.Values.ToFrozenDictionary(e => e.SetName)).TryGetValue(setName, out entity);
}

/// <summary>Gives the current metadata.</summary>
public interface IMetadata
{
    /// <summary>Read once per operation and keep: it may be replaced at any moment.</summary>
    MetadataSnapshot Current { get; }

    /// <summary>Raised after <see cref="Current"/> was replaced, on an arbitrary thread.</summary>
    event Action<MetadataSnapshot>? Changed;
}
