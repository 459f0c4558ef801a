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

        bool IsForbidden(string name) => full.TryField(name, out var field)
            && (view.Of(full)?[field] == FieldAccess.None || (field.Link is { } link && !(SeesNames(view, field.Target!) && SeesLinks(view, link.Entity))));
        bool IsOutOfReach(RecordRef cause) => !view.Seen.TryEntity(cause.Entity, out var by) || by.IsHidden || view.Condition(by, AccessOperation.Read, "r") is not null;
        return [.. entries
            .Select(e => e.Cause is { } cause && IsOutOfReach(cause) ? e with { Cause = null } : e)
            .Select(e => e.Changes.Any(c => IsForbidden(c.Field)) ? e with { Changes = e.Changes.RemoveAll(c => IsForbidden(c.Field)) } : e)
            .Where(e => e.Kind != ChangeKind.Update || !e.Changes.IsEmpty)];
    }

    /// <summary>Links are written there by what the other record is called, which is for those who see all of them and what they are called.</summary>
    private static bool SeesNames(AccessView view, string entity) =>
        view.Full.TryEntity(entity, out var far)
        && view.Condition(far, AccessOperation.Read, "r") is null
        && far.TitleFields.All(t => !far.TryField(t, out var title) || view.Of(far)?[title] != FieldAccess.None);

    /// <summary>What a link itself says is written there too. The records at its ends are asked for by themselves.</summary>
    private static bool SeesLinks(AccessView view, string entity) =>
        view.Full.TryEntity(entity, out var link)
        && view.ReachOf(link, AccessOperation.Read) == Reach.All
        && !view.HasRestrictions(link)
        && link.Fields.All(f => view.Of(link)?[f] != FieldAccess.None);
}
