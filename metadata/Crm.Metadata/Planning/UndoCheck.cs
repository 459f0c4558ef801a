using System.Text.Json.Nodes;

namespace Crm.Metadata;

/// <summary>Whether a plan could be taken back once it is applied. Found out by planning just that: what an administrator is told before is what they would be told after.</summary>
internal static class UndoCheck
{
    /// <summary>Why it could not; null when it could.</summary>
    /// <param name="draft">A plan without errors, with the ids that what it makes would get.</param>
    /// <param name="changes">What it was made of.</param>
    public static string? Refusal(PlanDraft draft, IReadOnlyList<MetadataChange> changes)
    {
        var written = MetadataJson.Write(changes).ToJsonString();
        var rows = DefinitionRow.Read(LayerRows.Differences(draft.Start.Layers, draft.After, draft.EntityRenames).ToJsonString());
        var reason = RevertEdit.Refusal(written, rows) ?? Problems(draft, new MetadataChange.Revert(draft.Before.Version + 1) { Changes = written, Rows = rows });
        return reason is null ? null : MetadataTexts.Of("RevertWhole", reason);
    }

    private static string? Problems(PlanDraft draft, MetadataChange.Revert revert)
    {
        var edit = new LayerEdit(draft.After, draft.Snapshot);
        edit.Apply(revert);
        if (edit.Errors.Count == 0 && IsBack(draft.Before.Custom, edit.Layers.Custom))
        {
            return null;
        }

        var errors = ChangePlanner.Refusals(new MetadataState(draft.Snapshot, draft.After), [revert]);
        return errors.IsEmpty ? null : string.Join(" ", errors.Select(e => e.Message).Distinct(StringComparer.Ordinal));
    }

    /// <summary>Whether everything is as it was, but for what the plan made: that is hidden. As it was it worked, and what is hidden is in nobody's way, so nothing more need be looked at.</summary>
    private static bool IsBack(Layer before, Layer now) =>
        now.Entities.Count >= before.Entities.Count
        && before.Areas.SequenceEqual(now.Areas)
        && before.Settings == now.Settings
        && before.Entities.All(e => now.Entities.TryGetValue(e.Key, out var entity) && (ReferenceEquals(e.Value, entity) || IsBack(e.Value, entity)))
        && now.Entities.All(e => before.Entities.ContainsKey(e.Key) || e.Value.IsHidden == true);

    private static bool IsBack(EntityShape before, EntityShape now) =>
        JsonNode.DeepEquals(ShapeJson.Write(before), ShapeJson.Write(now with { Fields = [.. now.Fields.Where(f => f.IsHidden != true || before.Field(f.Name) is not null)] }));
}
