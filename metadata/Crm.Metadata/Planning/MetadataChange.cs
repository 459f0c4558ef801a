using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>A wanted change of definitions. What people change lands in the customer's layer; only <see cref="Declare"/> changes another one.</summary>
public abstract record MetadataChange
{
    private MetadataChange()
    {
    }

    /// <summary>A new entity with its fields, views, form and places.</summary>
    /// <param name="Entity">The entity.</param>
    public sealed record CreateEntity(EntityShape Entity) : MetadataChange;

    /// <summary>Other labels, icon, title, search fields or places; what is null stays.</summary>
    /// <param name="Entity">What changes.</param>
    /// <param name="Reset">Properties that go back to what lies below, by their names in JSON.</param>
    public sealed record ChangeEntity(EntityShape Entity, ImmutableArray<string> Reset) : MetadataChange;

    /// <summary>Hides an entity; its records are kept.</summary>
    /// <param name="Entity">Name of the entity.</param>
    public sealed record HideEntity(string Entity) : MetadataChange;

    /// <summary>Shows a hidden entity again.</summary>
    /// <param name="Entity">Name of the entity.</param>
    public sealed record ShowEntity(string Entity) : MetadataChange;

    /// <summary>Another name for an entity of the customer's; its records, and everything that names it, follow.</summary>
    /// <param name="Entity">The name it has.</param>
    /// <param name="To">The name it gets.</param>
    public sealed record RenameEntity(string Entity, string To) : MetadataChange;

    /// <summary>A new field.</summary>
    /// <param name="Entity">Name of the entity.</param>
    /// <param name="Field">The field.</param>
    public sealed record AddField(string Entity, FieldShape Field) : MetadataChange;

    /// <summary>Other properties of a field; what is null stays.</summary>
    /// <param name="Entity">Name of the entity.</param>
    /// <param name="Field">What changes.</param>
    /// <param name="Reset">Properties that go back to what lies below, by their names in JSON.</param>
    public sealed record ChangeField(string Entity, FieldShape Field, ImmutableArray<string> Reset) : MetadataChange;

    /// <summary>Hides a field; its data is kept.</summary>
    /// <param name="Entity">Name of the entity.</param>
    /// <param name="Field">Name of the field.</param>
    public sealed record HideField(string Entity, string Field) : MetadataChange;

    /// <summary>Shows a hidden field again.</summary>
    /// <param name="Entity">Name of the entity.</param>
    /// <param name="Field">Name of the field.</param>
    public sealed record ShowField(string Entity, string Field) : MetadataChange;

    /// <summary>Another name for a field of the customer's; its data, and its places in lists and forms, follow.</summary>
    /// <param name="Entity">Name of the entity.</param>
    /// <param name="Field">The name it has.</param>
    /// <param name="To">The name it gets.</param>
    public sealed record RenameField(string Entity, string Field, string To) : MetadataChange;

    /// <summary>Another type for a field of the customer's; its values are converted, and refused when one of them cannot be.</summary>
    /// <param name="Entity">Name of the entity.</param>
    /// <param name="Field">Name, new type and its options; label, help and whether it is required or unique stay when they are null.</param>
    public sealed record ChangeType(string Entity, FieldShape Field) : MetadataChange
    {
        /// <summary>Types whose values a type's values can become.</summary>
        public static ImmutableArray<FieldType> Targets(FieldType from) => TypeConversion.Targets(from);
    }

    /// <summary>Makes one of two choices, stages or tags: records that have the one get the other, and whoever still names the one means the other.</summary>
    /// <param name="Entity">Name of the entity.</param>
    /// <param name="Field">Name of the field.</param>
    /// <param name="From">The one that goes.</param>
    /// <param name="Into">The one that stays.</param>
    public sealed record MergeChoices(string Entity, string Field, string From, string Into) : MetadataChange;

    /// <summary>Makes two stages of one.</summary>
    /// <param name="Entity">Name of the entity.</param>
    /// <param name="Field">Name of the stage field.</param>
    /// <param name="Stage">The stage that is split; it stays.</param>
    /// <param name="To">The new stage, placed behind it.</param>
    /// <param name="Condition">An <see cref="Expression"/> over the record's own fields: records of the stage for which it holds go to the new one.</param>
    public sealed record SplitStage(string Entity, string Field, string Stage, StageDefinition To, string Condition) : MetadataChange;

    /// <summary>Removes a hidden field of the customer's with everything stored in it.</summary>
    /// <param name="Entity">Name of the entity.</param>
    /// <param name="Field">Name of the field.</param>
    public sealed record PurgeField(string Entity, string Field) : MetadataChange;

    /// <summary>Removes a hidden entity of the customer's with all its records.</summary>
    /// <param name="Entity">Name of the entity.</param>
    public sealed record PurgeEntity(string Entity) : MetadataChange;

    /// <summary>A new view, or another definition of one.</summary>
    /// <param name="Entity">Name of the entity.</param>
    /// <param name="View">The view.</param>
    public sealed record SetView(string Entity, ViewDefinition View) : MetadataChange;

    /// <summary>Takes away a view; one that was declared comes back with <see cref="SetView"/>.</summary>
    /// <param name="Entity">Name of the entity.</param>
    /// <param name="View">Name of the view.</param>
    public sealed record RemoveView(string Entity, string View) : MetadataChange;

    /// <summary>A new rule, or another definition of one.</summary>
    /// <param name="Entity">Name of the entity.</param>
    /// <param name="Rule">The rule.</param>
    public sealed record SetRule(string Entity, RuleDefinition Rule) : MetadataChange;

    /// <summary>Takes away a rule; one that was declared comes back with <see cref="SetRule"/>.</summary>
    /// <param name="Entity">Name of the entity.</param>
    /// <param name="Rule">Name of the rule.</param>
    public sealed record RemoveRule(string Entity, string Rule) : MetadataChange;

    /// <summary>What a role may do with an entity's records, in place of what it could.</summary>
    /// <param name="Entity">Name of the entity.</param>
    /// <param name="Grant">The grant.</param>
    public sealed record SetGrant(string Entity, GrantDefinition Grant) : MetadataChange;

    /// <summary>Takes back what the customer's layer grants a role; what a module grants it holds again.</summary>
    /// <param name="Entity">Name of the entity.</param>
    /// <param name="Role">Name of the role.</param>
    public sealed record RemoveGrant(string Entity, string Role) : MetadataChange;

    /// <summary>Another form.</summary>
    /// <param name="Entity">Name of the entity.</param>
    /// <param name="Form">The form; null for the one that lies below.</param>
    public sealed record SetForm(string Entity, FormDefinition? Form) : MetadataChange;

    /// <summary>Other settings of the whole installation; what is null stays.</summary>
    /// <param name="Settings">What changes.</param>
    /// <param name="Reset">Settings that are not said any more, by their names in JSON.</param>
    public sealed record ChangeSettings(InstallationSettings Settings, ImmutableArray<string> Reset) : MetadataChange
    {
        /// <summary>Makes settings exactly these.</summary>
        public static ChangeSettings To(InstallationSettings settings)
        {
            ArgumentNullException.ThrowIfNull(settings);
            return new ChangeSettings(settings, SettingsJson.Unsaid(settings));
        }
    }

    /// <summary>Takes back what the customer's layer says about one property, so that what lies below holds again.</summary>
    /// <param name="Entity">Name of the entity.</param>
    /// <param name="Path">As in <see cref="PropertyOrigin.Path"/>; the beginning of a path for everything below it, empty for everything about the entity.</param>
    public sealed record ResetProperty(string Entity, ImmutableArray<string> Path) : MetadataChange;

    /// <summary>Customisations of a package, see <see cref="MetadataPackage"/>.</summary>
    /// <param name="Shape">What the package says, as the customer's layer would.</param>
    /// <param name="Needs">Ids of modules it builds on.</param>
    /// <param name="IsComplete">Whether what the package does not say goes back to the layers below; false leaves it alone.</param>
    public sealed record Import(DeclaredShape Shape, ImmutableArray<string> Needs, bool IsComplete) : MetadataChange;

    /// <summary>Takes back what one version changed.</summary>
    /// <param name="Version">The version.</param>
    public sealed record Revert(long Version) : MetadataChange
    {
        /// <summary>The changes of that version, as JSON; null when history does not know it.</summary>
        internal string? Changes { get; init; }

        /// <summary>The definitions it changed; null when they were not kept.</summary>
        internal ImmutableArray<DefinitionRow>? Rows { get; init; }
    }

    /// <summary>What a module declares today, in place of what it declared before. Not part of the API.</summary>
    /// <param name="Module">The module.</param>
    /// <param name="Shape">Everything it declares.</param>
    internal sealed record Declare(ModuleInfo Module, DeclaredShape Shape) : MetadataChange
    {
        /// <summary>Version of the module's assembly; null when it is not known.</summary>
        public string? Version { get; init; }
    }
}
