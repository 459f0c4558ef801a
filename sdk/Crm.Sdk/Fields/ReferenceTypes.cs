using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace Crm.Sdk;

/// <summary>A field that points to a record.</summary>
public abstract class ReferenceType : FieldType
{
    /// <inheritdoc/>
    public override Type ValueType => typeof(Guid);

    /// <inheritdoc/>
    public override bool TryNormalize(FieldDefinition field, object input, out object? value, [NotNullWhen(false)] out FieldError? error)
    {
        ArgumentNullException.ThrowIfNull(field);
        value = Inputs.ToId(input);
        error = value is null ? new FieldError(ErrorCodes.Type, Texts.Of("NotRecordId", field.Label)) : null;
        return error is null;
    }

    /// <summary>Name of the entity a field of this type points to; of several the one its own name leads to in a path.</summary>
    public abstract string? TargetOf(FieldDefinition field);

    /// <summary>Every entity a field of this type may point to, with the property that leads there; empty for one that points nowhere yet.</summary>
    public virtual ImmutableArray<ReferenceWay> WaysOf(FieldDefinition field)
    {
        ArgumentNullException.ThrowIfNull(field);
        return TargetOf(field) is { } target ? [new ReferenceWay(NavigationProperty(field) ?? field.Name, target)] : [];
    }
}

/// <summary>One of the entities a reference may point to.</summary>
/// <param name="Navigation">The property that leads to the record; empty where the reference points to one of another entity.</param>
/// <param name="Target">Name of the entity.</param>
public sealed record ReferenceWay(string Navigation, string Target);

/// <summary>A pointer to a record of another entity. Column and property are the field's name with <c>_id</c>; the field's own name leads to the record.</summary>
/// <param name="target">The entity, when given in code; <see cref="FieldDefinition.Target"/> otherwise.</param>
public sealed class LookupType(string? target = null) : ReferenceType
{
    private static readonly ImmutableArray<FieldColumn> Column = [new("id", "_id", StorageKind.Reference)];

    /// <summary>The entity given in code, moved into <see cref="FieldDefinition.Target"/> when the field is declared.</summary>
    public string? DeclaredTarget { get; } = target;

    /// <inheritdoc/>
    public override string Name => "lookup";

    /// <inheritdoc/>
    public override ImmutableArray<FieldColumn> Columns => Column;

    /// <inheritdoc/>
    public override string? NavigationProperty(FieldDefinition field) => field?.Name;

    /// <inheritdoc/>
    public override string? TargetOf(FieldDefinition field) => field?.Target ?? DeclaredTarget;

    /// <inheritdoc/>
    public override IEnumerable<string> Problems(FieldDefinition field) =>
        TargetOf(field) is null ? [Texts.Of("NoTarget", field?.Name)] : [];
}

/// <summary>A pointer to a team. Column and property are the field's name with <c>_id</c>; the field's own name leads to the team.</summary>
public sealed class TeamType : ReferenceType
{
    private static readonly ImmutableArray<FieldColumn> Column = [new("id", "_id", StorageKind.Reference)];

    /// <inheritdoc/>
    public override string Name => "team";

    /// <inheritdoc/>
    public override ImmutableArray<FieldColumn> Columns => Column;

    /// <inheritdoc/>
    public override string? NavigationProperty(FieldDefinition field) => field?.Name;

    /// <inheritdoc/>
    public override string? TargetOf(FieldDefinition field) => "team";
}

/// <summary>
/// A pointer to the record above, of the same entity. No record may stand above itself, at whatever distance: a save that would close such a circle is
/// refused with <see cref="ErrorCodes.Cycle"/>.
/// </summary>
public sealed class HierarchyType : ReferenceType
{
    private static readonly ImmutableArray<FieldColumn> Column = [new("id", "_id", StorageKind.Reference)];

    /// <inheritdoc/>
    public override string Name => "hierarchy";

    /// <inheritdoc/>
    public override ImmutableArray<FieldColumn> Columns => Column;

    /// <inheritdoc/>
    public override string? NavigationProperty(FieldDefinition field) => field?.Name;

    /// <summary>The entity the field belongs to; known once the field is part of one.</summary>
    public override string? TargetOf(FieldDefinition field) => field?.Target;
}

/// <summary>
/// A pointer to a user, or to a user or a team. The property is the field's name itself; <c>{name}_user</c> leads to the user and <c>{name}_team</c> to the team,
/// and whichever of them it is not is empty.
/// </summary>
/// <param name="name">Name of the type.</param>
/// <param name="takesTeams">Whether it may be a team.</param>
public sealed class OwnerType(string name, bool takesTeams) : ReferenceType
{
    private static readonly ImmutableArray<FieldColumn> Column = [new("id", "", StorageKind.Reference)];

    /// <inheritdoc/>
    public override string Name => name;

    /// <summary>Whether it may be a team.</summary>
    public bool TakesTeams => takesTeams;

    /// <inheritdoc/>
    public override ImmutableArray<FieldColumn> Columns => Column;

    /// <inheritdoc/>
    public override string? NavigationProperty(FieldDefinition field) => field?.Name + "_user";

    /// <inheritdoc/>
    public override string? TargetOf(FieldDefinition field) => "user";

    /// <inheritdoc/>
    public override ImmutableArray<ReferenceWay> WaysOf(FieldDefinition field) =>
        takesTeams ? [.. base.WaysOf(field), new ReferenceWay(field.Name + "_team", "team")] : base.WaysOf(field);
}
