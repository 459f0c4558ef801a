using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>Changes of grants in the customer's layer.</summary>
internal static class GrantEdit
{
    public static void Set(LayerEdit edit, string entityName, GrantDefinition grant)
    {
        if (edit.Find(entityName) is { } entity)
        {
            edit.Put(edit.Custom(entityName).With(grant with { Origin = Origins.Custom }));
            edit.Step(entityName, "StepSetGrant", grant.Role, entity.PluralLabel);
        }
    }

    /// <summary>What a module grants comes back; to take that away, set a grant of nothing.</summary>
    public static void Remove(LayerEdit edit, string entityName, string role)
    {
        if (edit.Find(entityName) is not { } entity)
        {
            return;
        }

        var shape = edit.Custom(entityName);
        if (shape.Grants.All(g => g.Role != role))
        {
            edit.Error(ErrorCodes.Unknown, entityName, "UnknownGrant", entity.PluralLabel, LayerEdit.Short(role));
            return;
        }

        edit.Put(shape with { Grants = shape.Grants.RemoveAll(g => g.Role == role) });
        edit.Step(entityName, "StepRemoveGrant", role, entity.PluralLabel);
    }
}
