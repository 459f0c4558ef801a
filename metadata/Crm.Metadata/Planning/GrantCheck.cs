using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>What is wrong with the grants of an entity.</summary>
internal static class GrantCheck
{
    /// <summary>Most roles with grants of one entity.</summary>
    public const int MaxGrants = 100;

    public static void Problems(List<PlanMessage> problems, MetadataSnapshot snapshot, EntityDefinition entity)
    {
        if (entity.Grants.Length > MaxGrants)
        {
            SnapshotCheck.Add(problems, PlanCodes.Limit, entity.Name, "TooManyGrants", entity.Label, MaxGrants);
        }

        foreach (var grant in entity.Grants)
        {
            var target = entity.Name + "." + LayerEdit.Short(grant.Role);
            if (grant.Role != GrantDefinition.Everyone && !RoleNames.Of(snapshot).ContainsKey(grant.Role))
            {
                SnapshotCheck.Add(problems, ErrorCodes.Unknown, target, "UnknownRole", LayerEdit.Short(grant.Role));
            }

            foreach (var name in grant.Fields.Keys.Where(name => !entity.TryField(name, out _)))
            {
                SnapshotCheck.Add(problems, ErrorCodes.UnknownField, target, "GrantField", LayerEdit.Short(grant.Role), LayerEdit.Short(name), entity.Label);
            }

            // Nothing works without the id and the version of a record.
            foreach (var name in grant.Fields.Keys.Where(name => name is "id" or "version"))
            {
                SnapshotCheck.Add(problems, PlanCodes.Option, target, "GrantSystemField", LayerEdit.Short(grant.Role), name);
            }
        }
    }
}
