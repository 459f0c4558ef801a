using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>What is wrong with the expressions of an entity: what cannot be read, with its place, and circles.</summary>
internal static class FormulaCheck
{
    public static void Problems(List<PlanMessage> problems, MetadataSnapshot snapshot, EntityDefinition entity)
    {
        foreach (var field in entity.Fields.Where(f => f.Formula is not null))
        {
            var target = entity.Name + "." + field.Name;
            if (!Formula.TryParse(snapshot, entity, field, out var formula, out var error))
            {
                // A hidden field keeps what it has; nobody sees it, so that nothing it needs has to stay.
                if (!field.IsHidden)
                {
                    SnapshotCheck.Add(problems, PlanCodes.Expression, target, "FormulaWrong", field.Label, error.Message);
                }
            }
            else if (Circle(snapshot, entity, formula) is { } circle)
            {
                SnapshotCheck.Add(problems, PlanCodes.Expression, target, "FormulaCircle", field.Label, string.Join(" → ", circle));
            }
        }
    }

    /// <summary>Names of the fields from a formula back to itself; null when it leads nowhere.</summary>
    private static List<string>? Circle(MetadataSnapshot snapshot, EntityDefinition entity, Formula start)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var way = new List<string> { start.Field.Name };
        return Leads(start) ? way : null;

        bool Leads(Formula formula)
        {
            foreach (var needed in formula.Expression.Paths.Where(p => !p.IsLookedUp).Select(p => p.Field).Where(f => f.Formula is not null))
            {
                way.Add(needed.Name);
                if (needed.Name == start.Field.Name || (seen.Add(needed.Name) && Formula.TryParse(snapshot, entity, needed, out var next, out _) && Leads(next)))
                {
                    return true;
                }

                way.RemoveAt(way.Count - 1);
            }

            return false;
        }
    }
}
