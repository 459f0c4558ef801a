using Crm.Metadata;
using Crm.Sdk;

namespace Crm.Host.Pages.Designer;

/// <summary>Everything an administrator wants changed about one entity and has not applied yet.</summary>
internal sealed class EntityChanges
{
    public string? Label { get; set; }

    public string? Plural { get; set; }

    public string? Icon { get; set; }

    public bool? IsHidden { get; set; }

    /// <summary>Entities whose records may be parts of its records, as notes are; null when nobody changed it.</summary>
    public List<string>? Parts { get; set; }

    /// <summary>Whether it is kept who looked at its records; null when nobody changed it.</summary>
    public bool? HasViewLog { get; set; }

    /// <summary>The name the entity gets; null for the one it has.</summary>
    public string? NewName { get; set; }

    public List<FieldDraft> Added { get; init; } = [];

    public List<FieldDraft> Changed { get; init; } = [];

    /// <summary>Fields to hide (true) or to show again (false).</summary>
    public Dictionary<string, bool> Hidden { get; init; } = new(StringComparer.Ordinal);

    /// <summary>Rules that are new or written anew.</summary>
    public List<RuleDraft> Rules { get; init; } = [];

    /// <summary>Names of rules to take away.</summary>
    public HashSet<string> RemovedRules { get; init; } = new(StringComparer.Ordinal);

    /// <summary>Hidden fields to remove for good.</summary>
    public HashSet<string> Purged { get; init; } = new(StringComparer.Ordinal);

    /// <summary>Lists that are new or laid out anew.</summary>
    public List<ViewDraft> Views { get; init; } = [];

    /// <summary>Names of lists to take away.</summary>
    public HashSet<string> RemovedViews { get; init; } = new(StringComparer.Ordinal);

    /// <summary>The form as it is laid out anew; null when nobody opened it.</summary>
    public FormLayoutDraft? Form { get; set; }

    /// <summary>Keys of properties that go back to the layer below.</summary>
    public HashSet<string> Resets { get; init; } = new(StringComparer.Ordinal);

    /// <summary>Whether the hidden entity is to be removed for good.</summary>
    public bool IsPurged { get; set; }

    /// <summary>The changes, each with its words for the list of what is pending.</summary>
    public List<(string Text, MetadataChange Change, Action Undo)> ToChanges(EntityDefinition entity, MetadataState state)
    {
        var changes = new List<(string, MetadataChange, Action)>();
        var (label, plural, icon) = (Differs(Label, entity.Label), Differs(Plural, entity.PluralLabel), Differs(Icon, entity.Icon));
        if (label is not null || plural is not null || icon is not null)
        {
            changes.Add((
                DesignerTexts.Of("PendingEntity", label ?? entity.Label),
                new MetadataChange.ChangeEntity(new EntityShape(entity.Name) { Label = label, PluralLabel = plural, Icon = icon }, []),
                () => (Label, Plural, Icon) = (null, null, null)));
        }

        if (Parts is { } parts && !parts.ToHashSet(StringComparer.Ordinal).SetEquals(entity.Parts))
        {
            changes.Add((
                DesignerTexts.Of("PendingParts", parts.Count == 0 ? DesignerTexts.Of("NoParts") : string.Join(", ", parts.Select(p => state.Snapshot.TryEntity(p, out var part) ? part.PluralLabel : p))),
                new MetadataChange.ChangeEntity(new EntityShape(entity.Name) { Parts = [.. parts] }, []),
                () => Parts = null));
        }

        if (HasViewLog is { } keeps && keeps != entity.HasViewLog)
        {
            changes.Add((
                DesignerTexts.Of(keeps ? "PendingViewLog" : "PendingNoViewLog", entity.PluralLabel),
                new MetadataChange.ChangeEntity(new EntityShape(entity.Name) { HasViewLog = keeps }, []),
                () => HasViewLog = null));
        }

        if (IsHidden is { } hide && hide != entity.IsHidden)
        {
            changes.Add((
                DesignerTexts.Of(hide ? "PendingHide" : "PendingShow", entity.Label),
                hide ? new MetadataChange.HideEntity(entity.Name) : new MetadataChange.ShowEntity(entity.Name),
                () => IsHidden = null));
        }

        foreach (var draft in Added)
        {
            changes.Add((DesignerTexts.Of("PendingAdd", draft.Label, DesignerTexts.Of("Type_" + draft.Type)), new MetadataChange.AddField(entity.Name, draft.ToShape()), () => Added.Remove(draft)));
        }

        foreach (var draft in Changed)
        {
            if (!entity.TryField(draft.Was ?? "", out var field))
            {
                continue;
            }

            if (draft.ToChangeType(entity.Name, field) is { } retype)
            {
                var (from, to) = (DesignerTexts.Of("Type_" + FieldDraft.TypeOf(field)), DesignerTexts.Of("Type_" + draft.Type));
                changes.Add((DesignerTexts.Of("PendingRetype", draft.Label, from, to), retype, () => Changed.Remove(draft)));
            }

            if (draft.ToChange(entity.Name, field) is { } change)
            {
                changes.Add((DesignerTexts.Of("PendingChange", draft.Label), change, () => Changed.Remove(draft)));
            }

            foreach (var merge in draft.Merges)
            {
                changes.Add((
                    DesignerTexts.Of("PendingMerge", draft.LabelOf(merge.From), draft.LabelOf(merge.Into), draft.Label),
                    new MetadataChange.MergeChoices(entity.Name, field.Name, merge.From, merge.Into),
                    () => draft.Merges.Remove(merge)));
            }

            foreach (var split in draft.Splits)
            {
                var kind = field.Stages?.Find(split.Stage)?.Kind ?? StageKind.Open;
                changes.Add((
                    DesignerTexts.Of("PendingSplit", draft.LabelOf(split.Stage), split.Label, draft.Label),
                    new MetadataChange.SplitStage(entity.Name, field.Name, split.Stage, new StageDefinition(split.Name, split.Label, kind, split.Probability), split.Condition),
                    () => draft.Splits.Remove(split)));
            }
        }

        foreach (var (each, hidden) in Hidden)
        {
            if (entity.TryField(each, out var field) && field.IsHidden != hidden)
            {
                changes.Add((
                    DesignerTexts.Of(hidden ? "PendingHide" : "PendingShow", field.Label),
                    hidden ? new MetadataChange.HideField(entity.Name, each) : new MetadataChange.ShowField(entity.Name, each),
                    () => Hidden.Remove(each)));
            }
        }

        foreach (var purged in Purged)
        {
            if (entity.TryField(purged, out var field))
            {
                changes.Add((DesignerTexts.Of("PendingPurge", field.Label), new MetadataChange.PurgeField(entity.Name, purged), () => Purged.Remove(purged)));
            }
        }

        if (IsPurged)
        {
            changes.Add((DesignerTexts.Of("PendingPurge", entity.PluralLabel), new MetadataChange.PurgeEntity(entity.Name), () => IsPurged = false));
        }

        AddRules(changes, entity);
        AddLayout(changes, entity, state);
        foreach (var key in Resets)
        {
            string[] path = key.Split('/');
            changes.Add((DesignerTexts.Of("PendingReset", OriginText.Name(entity, path)), new MetadataChange.ResetProperty(entity.Name, [.. path]), () => Resets.Remove(key)));
        }

        // Last, because everything above names the fields as they are.
        foreach (var draft in Changed)
        {
            if (draft.ToRename(entity.Name) is { } rename)
            {
                changes.Add((DesignerTexts.Of("PendingRename", rename.Field, rename.To), rename, () => draft.Name = rename.Field));
            }
        }

        if (Differs(NewName, entity.Name) is { } name)
        {
            changes.Add((DesignerTexts.Of("PendingRenameEntity", entity.Name, name), new MetadataChange.RenameEntity(entity.Name, name), () => NewName = null));
        }

        return changes;
    }

    private void AddLayout(List<(string Text, MetadataChange Change, Action Undo)> changes, EntityDefinition entity, MetadataState state)
    {
        foreach (var draft in Views)
        {
            var known = ViewDraft.Laid(entity, draft.Was);
            var view = draft.ToView(state.Snapshot, entity, known);
            if (known is null || !IsSame(view, ViewDraft.Of(known).ToView(state.Snapshot, entity, known)))
            {
                changes.Add((DesignerTexts.Of("PendingView", draft.Label), new MetadataChange.SetView(entity.Name, view), () => Views.Remove(draft)));
            }
        }

        foreach (var view in entity.Views.Where(v => RemovedViews.Contains(v.Name)))
        {
            changes.Add((DesignerTexts.Of("PendingRemoveView", view.Label), new MetadataChange.RemoveView(entity.Name, view.Name), () => RemovedViews.Remove(view.Name)));
        }

        if (Form?.ToForm() is { } form && !IsSame(form, FormLayoutDraft.Of(state, entity).ToForm()))
        {
            changes.Add((DesignerTexts.Of("PendingForm"), new MetadataChange.SetForm(entity.Name, form), () => Form = null));
        }
    }

    private static bool IsSame(ViewDefinition one, ViewDefinition other) =>
        one.Label == other.Label && one.Columns.SequenceEqual(other.Columns) && one.Sort.SequenceEqual(other.Sort) && MetadataJson.IsSame(one.Filter, other.Filter);

    private static bool IsSame(FormDefinition one, FormDefinition other) =>
        one.Sections.Select(s => s.Label).SequenceEqual(other.Sections.Select(s => s.Label)) && one.Sections.Zip(other.Sections).All(s => s.First.Fields.SequenceEqual(s.Second.Fields));

    private void AddRules(List<(string Text, MetadataChange Change, Action Undo)> changes, EntityDefinition entity)
    {
        foreach (var draft in Rules)
        {
            changes.Add((DesignerTexts.Of("PendingRule", draft.Label), new MetadataChange.SetRule(entity.Name, draft.ToRule(entity)), () => Rules.Remove(draft)));
        }

        foreach (var rule in entity.Rules.Where(r => RemovedRules.Contains(r.Name)))
        {
            changes.Add((DesignerTexts.Of("PendingRemoveRule", rule.Label ?? rule.Name), new MetadataChange.RemoveRule(entity.Name, rule.Name), () => RemovedRules.Remove(rule.Name)));
        }
    }

    /// <summary>Hides a shown field or shows a hidden one; asked twice it stays as it is.</summary>
    public void ToggleHidden(FieldDefinition field)
    {
        if (!Hidden.Remove(field.Name))
        {
            Hidden[field.Name] = !field.IsHidden;
        }
    }

    /// <summary>Whether records of another entity may be parts of its records.</summary>
    public void SetPart(EntityDefinition entity, string part, bool has) =>
        Parts = [.. (Parts ?? [.. entity.Parts]).Where(p => p != part), .. has ? new[] { part } : []];

    private static string? Differs(string? wanted, string now) => string.IsNullOrWhiteSpace(wanted) || wanted.Trim() == now ? null : wanted.Trim();
}
