using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Records;

/// <summary>History without what somebody may not see.</summary>
internal static class HistoryAccess
{
    public static ImmutableArray<HistoryEntry> Seen(AccessView view, EntityDefinition entity, ImmutableArray<HistoryEntry> entries)
    {
        if (!view.IsLimited || !view.Full.TryEntity(entity.Name, out var full))
        {
            return entries;
        }

        // Links are written there by what the other record is called, which is for those who see all of them.
        bool IsForbidden(string name) => full.TryField(name, out var field)
            && (view.Of(full)?[field] == FieldAccess.None
                || (field.Link is not null && (!view.Full.TryEntity(field.Target!, out var far) || view.Condition(far, AccessOperation.Read, "r") is not null)));
        bool IsOutOfReach(RecordRef cause) => !view.Seen.TryEntity(cause.Entity, out var by) || by.IsHidden || view.Condition(by, AccessOperation.Read, "r") is not null;
        return [.. entries
            .Select(e => e.Cause is { } cause && IsOutOfReach(cause) ? e with { Cause = null } : e)
            .Select(e => e.Changes.Any(c => IsForbidden(c.Field)) ? e with { Changes = e.Changes.RemoveAll(c => IsForbidden(c.Field)) } : e)
            .Where(e => e.Kind != ChangeKind.Update || !e.Changes.IsEmpty)];
    }
}
