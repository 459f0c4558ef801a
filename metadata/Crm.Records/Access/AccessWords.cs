using Crm.Metadata;
using Crm.Sdk;

namespace Crm.Records;

/// <summary>The rule that decides, in words.</summary>
internal static class AccessWords
{
    /// <summary>Why an operation is refused.</summary>
    public static string Denied(AccessView view, EntityDefinition entity, AccessOperation operation, string name)
    {
        if (view.Of(entity) is not { } access)
        {
            return Texts.Of("AccessDenied", name, entity.PluralLabel);
        }

        return access.IsNarrowed(operation) ? Narrowed(view, entity, operation)
            : entity.IsOfAccess && operation != AccessOperation.Read ? Texts.Of("AccessAdministrators", entity.PluralLabel)
            : entity.PartOf is not null && (operation == AccessOperation.Share || access[operation] == Reach.All) ? Texts.Of("AccessPartRefused", name, Texts.Of("Access" + operation), entity.PluralLabel)
            : Texts.Of("AccessRefused", name, Texts.Of("Access" + operation), entity.PluralLabel, Extent(access[operation]), Rule(view, entity, access.Deciding(operation).Role));
    }

    /// <summary>How far an operation goes, and what says so.</summary>
    public static string Says(AccessView view, EntityDefinition entity, AccessOperation operation)
    {
        var access = view.Of(entity)!;
        return access.IsNarrowed(operation) ? Narrowed(view, entity, operation)
            : entity.IsOfAccess && operation != AccessOperation.Read ? Texts.Of("AccessAdministrators", entity.PluralLabel)
            : entity.PartOf is not null && (operation == AccessOperation.Share || access[operation] == Reach.All) ? Texts.Of("AccessPart", entity.PluralLabel)
            : Texts.Of("AccessSays", Rule(view, entity, access.Deciding(operation).Role), Texts.Of("Access" + operation), entity.PluralLabel, Extent(access[operation]));
    }

    /// <summary>Why a field may not be changed.</summary>
    public static string DeniedField(AccessView view, EntityDefinition entity, FieldDefinition field, string name) =>
        Texts.Of("AccessField", name, field.Label, entity.PluralLabel, Rule(view, entity, view.Of(entity)?.Deciding(field)?.Role));

    /// <summary>How far something goes.</summary>
    public static string Extent(Reach reach) => Texts.Of("Reach" + reach);

    /// <summary>What says so: a role, or the entity itself.</summary>
    public static string Rule(AccessView view, EntityDefinition entity, string? role) =>
        role is EntityAccess.Administrators ? Texts.Of("RuleAdministrators")
        : role is null ? Texts.Of("RuleVisibility", entity.PluralLabel, Texts.Of("Visibility" + entity.Visibility))
        : Texts.Of("RuleRole", RoleNames.Label(view.Full, role));

    private static string Narrowed(AccessView view, EntityDefinition entity, AccessOperation operation) => Texts.Of("AccessNarrowed", view.Scope!.Name, Texts.Of("Access" + operation), entity.PluralLabel);
}
