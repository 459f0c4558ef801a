using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>What one layer (a module, the platform, the customer) says about an entity; null or empty where it says nothing.</summary>
/// <param name="Name">The entity's name.</param>
public sealed record EntityShape(string Name)
{
    /// <summary>What it is known by whatever it is called, see <see cref="StableIds"/>; only what the customer made has one.</summary>
    public Guid? Id { get; init; }

    /// <summary>Declares the entity; false adds to another layer's.</summary>
    public bool IsOwner { get; init; }

    /// <summary>One of them.</summary>
    public string? Label { get; init; }

    /// <summary>Several of them.</summary>
    public string? PluralLabel { get; init; }

    /// <summary>Name of the set in the API.</summary>
    public string? SetName { get; init; }

    /// <summary>A Material Symbols name.</summary>
    public string? Icon { get; init; }

    /// <summary>Whether the entity is hidden.</summary>
    public bool? IsHidden { get; init; }

    /// <summary>The lookups of an entity whose records are links.</summary>
    public LinkEnds? Link { get; init; }

    /// <summary>The any-lookup that leads to the record each record is a part of.</summary>
    public string? PartOf { get; init; }

    /// <summary>Entities whose records may be parts of its records.</summary>
    public ImmutableArray<string>? Parts { get; init; }

    /// <summary>Fields a record is called by.</summary>
    public ImmutableArray<string>? TitleFields { get; init; }

    /// <summary>Fields quick search looks at.</summary>
    public ImmutableArray<string>? SearchFields { get; init; }

    /// <summary>New fields (with a type) and changes to fields of layers below (without).</summary>
    public ImmutableArray<FieldShape> Fields { get; init; } = [];

    /// <summary>New views and replacements of views of the same name below.</summary>
    public ImmutableArray<ViewDefinition> Views { get; init; } = [];

    /// <summary>Names of views of layers below that are not shown.</summary>
    public ImmutableArray<string> RemovedViews { get; init; } = [];

    /// <summary>New rules and replacements of rules of the same name below.</summary>
    public ImmutableArray<RuleDefinition> Rules { get; init; } = [];

    /// <summary>Names of rules of layers below that do not hold.</summary>
    public ImmutableArray<string> RemovedRules { get; init; } = [];

    /// <summary>Who sees a record, as long as no role says more.</summary>
    public Visibility? Visibility { get; init; }

    /// <summary>Whether it is kept who looked at its records.</summary>
    public bool? HasViewLog { get; init; }

    /// <summary>New grants and replacements of grants of the same role below.</summary>
    public ImmutableArray<GrantDefinition> Grants { get; init; } = [];

    /// <summary>The form. A module that extends an entity adds its sections; the customer's replaces what lies below.</summary>
    public FormDefinition? Form { get; init; }

    /// <summary>Places in the navigation. A module adds its own; the customer's replace what lies below.</summary>
    public ImmutableArray<Placement>? Placements { get; init; }

    /// <summary>The shape of a field; null when this layer says nothing about it.</summary>
    public FieldShape? Field(string name) => Fields.FirstOrDefault(f => f.Name == name);

    /// <summary>With the field added, or changed in its place.</summary>
    public EntityShape With(FieldShape field) => this with { Fields = Replace(Fields, f => f.Name == field.Name, field) };

    /// <summary>With the view added, or changed in its place.</summary>
    public EntityShape With(ViewDefinition view) => this with { Views = Replace(Views, v => v.Name == view.Name, view) };

    /// <summary>With the rule added, or changed in its place.</summary>
    public EntityShape With(RuleDefinition rule) => this with { Rules = Replace(Rules, r => r.Name == rule.Name, rule) };

    /// <summary>With the grant added, or changed in its place.</summary>
    public EntityShape With(GrantDefinition grant) => this with { Grants = Replace(Grants, g => g.Role == grant.Role, grant) };

    private static ImmutableArray<T> Replace<T>(ImmutableArray<T> items, Func<T, bool> which, T item)
    {
        for (var index = 0; index < items.Length; index++)
        {
            if (which(items[index]))
            {
                return items.SetItem(index, item);
            }
        }

        return items.Add(item);
    }
}

/// <summary>What one layer says about a field; null where it says nothing.</summary>
/// <param name="Name">The field's name.</param>
public sealed record FieldShape(string Name)
{
    /// <summary>What it is known by whatever it is called, see <see cref="StableIds"/>; only what the customer made has one.</summary>
    public Guid? Id { get; init; }

    /// <summary>The type of a new field; null changes a field of a layer below.</summary>
    public FieldType? Type { get; init; }

    /// <summary>Shown to users.</summary>
    public string? Label { get; init; }

    /// <summary>A sentence shown below the editor.</summary>
    public string? Help { get; init; }

    /// <summary>A value must be present.</summary>
    public bool? IsRequired { get; init; }

    /// <summary>No two records share a value.</summary>
    public bool? IsUnique { get; init; }

    /// <summary>The database keeps an index of it.</summary>
    public bool? IsIndexed { get; init; }

    /// <summary>Set by the product only.</summary>
    public bool? IsReadOnly { get; init; }

    /// <summary>Hidden fields keep their data.</summary>
    public bool? IsHidden { get; init; }

    /// <summary>Value of a new record that gives none: text, number, yes or no, or a list of texts.</summary>
    public object? Default { get; init; }

    /// <summary>Longest text, in characters.</summary>
    public int? MaxLength { get; init; }

    /// <summary>Smallest number.</summary>
    public decimal? Minimum { get; init; }

    /// <summary>Greatest number.</summary>
    public decimal? Maximum { get; init; }

    /// <summary>Digits after the point.</summary>
    public int? Scale { get; init; }

    /// <summary>Currency of an amount that names none.</summary>
    public string? Currency { get; init; }

    /// <summary>Country of a phone number without a calling code.</summary>
    public string? Country { get; init; }

    /// <summary>Choices of a choice or multi-choice field.</summary>
    public ImmutableArray<ChoiceDefinition>? Choices { get; init; }

    /// <summary>Choices, stages or tags that became others.</summary>
    public ImmutableArray<MergedChoice>? Merged { get; init; }

    /// <summary>Entity a lookup points to, or a many-to-many field shows.</summary>
    public string? Target { get; init; }

    /// <summary>Where the links of a many-to-many field are; null on a new one, which makes its own.</summary>
    public LinkView? Link { get; init; }

    /// <summary>How a new many-to-many field makes its links.</summary>
    public NewLink? NewLink { get; init; }

    /// <summary>Entities an any-lookup may point to.</summary>
    public ImmutableArray<string>? Targets { get; init; }

    /// <summary>Media types and endings a file field takes.</summary>
    public ImmutableArray<string>? Accept { get; init; }

    /// <summary>Stages of a stage field.</summary>
    public StagesDefinition? Stages { get; init; }

    /// <summary>How an auto-number is written.</summary>
    public NumberFormat? Number { get; init; }

    /// <summary>What the value is calculated by.</summary>
    public string? Formula { get; init; }

    /// <summary>Which records the value is calculated from.</summary>
    public RollUpDefinition? RollUp { get; init; }

    /// <summary>Name in an earlier version.</summary>
    public string? RenamedFrom { get; init; }

    /// <summary>This shape with what the other one says on top.</summary>
    public FieldShape Overlay(FieldShape top) => new(Name)
    {
        Id = top.Id ?? Id,
        Type = top.Type ?? Type,
        Label = top.Label ?? Label,
        Help = top.Help ?? Help,
        IsRequired = top.IsRequired ?? IsRequired,
        IsUnique = top.IsUnique ?? IsUnique,
        IsIndexed = top.IsIndexed ?? IsIndexed,
        IsReadOnly = top.IsReadOnly ?? IsReadOnly,
        IsHidden = top.IsHidden ?? IsHidden,
        Default = top.Default ?? Default,
        MaxLength = top.MaxLength ?? MaxLength,
        Minimum = top.Minimum ?? Minimum,
        Maximum = top.Maximum ?? Maximum,
        Scale = top.Scale ?? Scale,
        Currency = top.Currency ?? Currency,
        Country = top.Country ?? Country,
        Choices = top.Choices ?? Choices,
        Merged = top.Merged ?? Merged,
        Target = top.Target ?? Target,
        Link = top.Link ?? Link,
        NewLink = top.NewLink ?? NewLink,
        Targets = top.Targets ?? Targets,
        Accept = top.Accept ?? Accept,
        Stages = top.Stages ?? Stages,
        Number = top.Number ?? Number,
        Formula = top.Formula ?? Formula,
        RollUp = top.RollUp ?? RollUp,
        RenamedFrom = top.RenamedFrom ?? RenamedFrom,
    };
}
