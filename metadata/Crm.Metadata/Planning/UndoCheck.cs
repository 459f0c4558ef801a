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
        var rows = DefinitionRow.Read(LayerRows.Differences(draft.Before, draft.After).ToJsonString());
        var reason = RevertEdit.Refusal(written, rows) ?? Problems(draft, new MetadataChange.Revert(draft.Before.Version + 1) { Changes = written, Rows = rows });
        return reason is null ? null : MetadataTexts.Of("RevertWhole", reason);
    }

    private static string? Problems(PlanDraft draft, MetadataChange.Revert revert)
    {
        var errors = ChangePlanner.Refusals(new MetadataState(draft.Snapshot, draft.After), [revert]);
        return errors.IsEmpty ? null : string.Join(" ", errors.Select(e => e.Message).Distinct(StringComparer.Ordinal));
    }
}
