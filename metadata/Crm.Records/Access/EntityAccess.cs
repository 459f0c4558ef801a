using System.Collections.Immutable;
using Crm.Metadata;
using Crm.Sdk;

namespace Crm.Records;

/// <summary>What a set of roles may do with one entity, narrowed by an allow-list if there is one.</summary>
internal sealed class EntityAccess
{
    /// <summary>Decides in place of a role where an administrator is narrowed; no role has this name.</summary>
    public const string Administrators = "*";

    private readonly EntityDefinition entity;
    private readonly ImmutableArray<GrantDefinition> grants;
    private readonly bool isAdministrator;
    private readonly EntityScope? scope;
    private readonly Reach[] reaches;

    /// <summary>Works it out.</summary>
    /// <param name="entity">The entity.</param>
    /// <param name="roles">Names of roles.</param>
    /// <param name="isAdministrator">Whether whoever is narrowed is an administrator.</param>
    /// <param name="scope">What an allow-list lets be done; null without one.</param>
    public EntityAccess(EntityDefinition entity, ImmutableArray<string> roles, bool isAdministrator, EntityScope? scope)
    {
        (this.entity, this.isAdministrator, this.scope) = (entity, isAdministrator, scope);
        grants = [.. entity.Grants.Where(g => g.Role == GrantDefinition.Everyone || roles.Contains(g.Role))];
        reaches = [.. Enum.GetValues<AccessOperation>().Select(o => IsNarrowed(o) ? Reach.None : Deciding(o).Reach)];
    }

    /// <summary>How far an operation goes: as far as any of the roles says.</summary>
    public Reach this[AccessOperation operation] => reaches[(int)operation];

    /// <summary>What may be done with a field: the most that any of the roles says that name it.</summary>
    public FieldAccess this[FieldDefinition field] => IsNarrowed(field) ? FieldAccess.None : Deciding(field)?.Access ?? FieldAccess.Write;

    /// <summary>Whether the allow-list keeps an operation away, whatever the roles say.</summary>
    public bool IsNarrowed(AccessOperation operation) => scope?.Allows(operation) == false;

    /// <summary>Whether the allow-list keeps a field away, whatever the roles say.</summary>
    public bool IsNarrowed(FieldDefinition field) => scope?.Allows(field.Name) == false;

    /// <summary>The role that decides an operation; null when it follows from the entity's visibility, or from its being the platform's own.</summary>
    public (Reach Reach, string? Role) Deciding(AccessOperation operation)
    {
        // Whoever may write users, teams or who is in them could give themselves any right. A part is seen with its record, by nobody else.
        if ((entity.IsOfAccess && operation != AccessOperation.Read) || (entity.PartOf is not null && operation == AccessOperation.Share))
        {
            return (Reach.None, null);
        }

        if (isAdministrator)
        {
            return (Reach.All, Administrators);
        }

        (Reach Reach, string? Role) best = (DefaultReach.Of(entity.Visibility, operation), null);
        foreach (var grant in grants)
        {
            if (grant.ReachOf(operation) is { } reach && ((grant.Role == GrantDefinition.Everyone && best.Role is null) || reach > best.Reach))
            {
                best = (reach, grant.Role);
            }
        }

        return best;
    }

    /// <summary>The role that decides about a field; null when none of them names it.</summary>
    public (FieldAccess Access, string Role)? Deciding(FieldDefinition field)
    {
        (FieldAccess Access, string Role)? best = null;
        foreach (var grant in grants)
        {
            if (grant.Fields.TryGetValue(field.Name, out var access) && (best is null || access > best.Value.Access))
            {
                best = (access, grant.Role);
            }
        }

        return isAdministrator || (entity.IsOfAccess && field.Name is "id" or "version") ? null : best;
    }
}
