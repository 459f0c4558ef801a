using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>Layers and changes in, a plan out: all errors at once, every statement, and the questions only the records can answer. Pure.</summary>
internal static class ChangePlanner
{
    public static PlanDraft Plan(MetadataLayers layers, IReadOnlyList<MetadataChange> changes, DatabaseFeatures features) => Plan(MetadataState.Of(layers), changes, features);

    public static PlanDraft Plan(MetadataState state, IReadOnlyList<MetadataChange> changes, DatabaseFeatures features)
    {
        var (before, layers) = state;
        var (edit, after, errors) = Try(state, changes);
        if (!errors.IsEmpty)
        {
            return new PlanDraft(layers, edit.Layers, after, errors, [.. edit.Warnings.Distinct()], [], []) { Start = edit.Start };
        }

        var start = edit.Start.Snapshot;
        ImmutableArray<PlanStep> steps = Differ(layers, edit.Layers) ? [.. edit.Steps, .. Statements(before, start, after, edit, features)] : [];
        ImmutableArray<(string Entity, string? Field)> touched = [.. changes.Select(Touched).OfType<(string, string?)>().Distinct()];
        var isDeclared = changes.Any(c => c is MetadataChange.Declare);
        return new PlanDraft(
            layers, edit.Layers, after, [], [.. edit.Warnings.Distinct()], steps,
            [.. Columns(start, steps).Concat(Questions(start, after, edit.Renames, isDeclared)).Concat(Lost(start, edit.Purges)).Concat(Moved(start, after, edit.Renames)).Select(q => Asked(q, before, edit.EntityRenames))])
        {
            // What an administrator should look at before.
            Uses = [.. touched.SelectMany(t => Used(before.TryEntity(t.Entity, out _) ? state : edit.Start, t.Entity, t.Field)).Distinct()],
            Touched = touched,
            Renames = [.. edit.Renames],
            EntityRenames = [.. edit.EntityRenames],
            Start = edit.Start,
            MergedLists = [.. edit.MergedLists],
            Confirm = [.. edit.Purges.Select(p => p.Field ?? p.Entity).Concat(changes.OfType<MetadataChange.MergeChoices>().Select(m => m.From)).Distinct(StringComparer.Ordinal)],
        };
    }

    /// <summary>Why changes cannot be made, as far as the definitions tell; empty when they can.</summary>
    public static ImmutableArray<PlanMessage> Refusals(MetadataState state, IReadOnlyList<MetadataChange> changes) => Try(state, changes).Errors;

    private static (LayerEdit Edit, MetadataSnapshot After, ImmutableArray<PlanMessage> Errors) Try(MetadataState state, IReadOnlyList<MetadataChange> changes)
    {
        var (before, layers) = state;
        var edit = new LayerEdit(layers, before);
        foreach (var change in changes)
        {
            edit.Apply(change);
        }

        var after = SnapshotBuilder.Build(edit.Layers);
        var problems = SnapshotCheck.Problems(edit.Layers, after);
        if (!problems.IsEmpty)
        {
            // What was wrong before stands in nobody's way.
            var (start, known) = edit.EntityRenames.Count == 0 ? edit.Start : MetadataState.Of(edit.EntityRenames.Aggregate(edit.Start.Layers, (all, r) => EntityRenames.WithSet(all, r.To, before.Entity(r.From).SetName)));
            problems = [.. problems.Except(SnapshotCheck.Problems(known, start))];
        }

        return (edit, after, [.. edit.Errors.Concat(problems).Distinct()]);
    }

    /// <summary>What the database has to do: the tables first, then values that change, then those that are calculated from them.</summary>
    private static IEnumerable<PlanStep> Statements(MetadataSnapshot before, MetadataSnapshot start, MetadataSnapshot after, LayerEdit edit, DatabaseFeatures features)
    {
        var values = ValueSteps.Of(start, after, edit.Renames, edit.Splits).ToList();
        return
        [
            .. EntityRenameSteps.Of(before, edit.EntityRenames, features),
            .. PhysicalDiff.Steps(start, after, edit.Renames, edit.Purges, features).Select(s => s.Conversion is { } c ? s with { Conversion = c with { Table = EntityRenames.Former(edit.EntityRenames, c.Table) } } : s),
            .. values.Select(v => v.Step),
            .. CalculationSteps.Of(start, after, edit.Renames, [.. values.Select(v => v.Field)]),
        ];
    }

    /// <summary>A question to the table by the name it has as long as nothing is applied.</summary>
    private static DataQuestion Asked(DataQuestion question, MetadataSnapshot before, List<EntityRename> renames) =>
        renames.Find(r => r.To == question.Entity.Name) is { } rename ? question with { Entity = before.Entity(rename.From) } : question;

    private static ImmutableArray<PlanUse> Used(MetadataState state, string entity, string? field) =>
        field is null ? WhereUsed.OfEntity(state, entity) : WhereUsed.OfField(state, entity, field);

    private static IEnumerable<DataQuestion> Columns(MetadataSnapshot before, ImmutableArray<PlanStep> steps) =>
        from step in steps
        where step.Columns > 0
        group step.Columns by step.Entity into added
        where before.TryEntity(added.Key, out _)
        let entity = before.Entity(added.Key)
        select new DataQuestion(QuestionKind.Columns, entity, entity.Fields[0], null) { Added = added.Sum(), IsError = true };

    private static IEnumerable<DataQuestion> Moved(MetadataSnapshot before, MetadataSnapshot after, List<FieldRename> renames) =>
        from moved in ValueSteps.Merged(before, after, renames)
        let entity = before.Entity(moved.Entity.Name)
        where entity.TryField(moved.Field.Name, out _)
        select new DataQuestion(QuestionKind.Merged, entity, moved.Field, moved.Field.Name) { Values = [moved.Merged.Name] };

    /// <summary>What goes away or becomes something else: a field, or an entity as a whole.</summary>
    internal static (string Entity, string? Field)? Touched(MetadataChange change) => change switch
    {
        MetadataChange.HideField hide => (hide.Entity, hide.Field),
        MetadataChange.RenameField rename => (rename.Entity, rename.Field),
        MetadataChange.ChangeType type => (type.Entity, type.Field.Name),
        MetadataChange.MergeChoices merge => (merge.Entity, merge.Field),
        MetadataChange.SplitStage split => (split.Entity, split.Field),
        MetadataChange.PurgeField purge => (purge.Entity, purge.Field),
        MetadataChange.ChangeField { Field: { Choices: not null } or { Stages: not null } } field => (field.Entity, field.Field.Name),
        MetadataChange.HideEntity hide => (hide.Entity, null),
        MetadataChange.RenameEntity rename => (rename.Entity, null),
        MetadataChange.PurgeEntity purge => (purge.Entity, null),
        _ => null,
    };

    private static IEnumerable<DataQuestion> Lost(MetadataSnapshot before, List<(string Entity, string? Field)> purges)
    {
        foreach (var (name, fieldName) in purges)
        {
            if (fieldName is not null && before.TryEntity(name, out var entity) && entity.TryField(fieldName, out var field) && !field.Type.Columns.IsEmpty)
            {
                yield return new DataQuestion(QuestionKind.Purged, entity, field, field.Name + field.Type.Columns[0].Suffix);
            }
        }
    }

    /// <summary>Whether anything would be stored.</summary>
    public static bool Differ(MetadataLayers before, MetadataLayers after) =>
        !LayerRows.Of(before, after).OrderBy(r => r.Key).SequenceEqual(LayerRows.Of(after, before).OrderBy(r => r.Key));

    private static IEnumerable<DataQuestion> Questions(MetadataSnapshot before, MetadataSnapshot after, List<FieldRename> renames, bool isDeclared)
    {
        foreach (var entity in after.Entities.Values.OrderBy(e => e.Name, StringComparer.Ordinal))
        {
            if (!before.TryEntity(entity.Name, out var known))
            {
                continue;
            }

            foreach (var field in entity.Fields.Where(f => !f.IsSystem))
            {
                var former = renames.Find(r => r.Entity == entity.Name && r.To == field.Name)?.From ?? field.Name;
                known.TryField(former, out var old);
                foreach (var question in Questions(known, old, field, isDeclared))
                {
                    yield return question;
                }
            }
        }
    }

    private static IEnumerable<DataQuestion> Questions(EntityDefinition entity, FieldDefinition? old, FieldDefinition field, bool isDeclared)
    {
        if (field.Type.Columns.IsEmpty)
        {
            yield break;
        }

        var column = old is null ? null : old.Name + old.Type.Columns[0].Suffix;
        DataQuestion Ask(QuestionKind kind) => new(kind, entity, field, column);
        if (field.IsRequired && old is not { IsRequired: true })
        {
            yield return Ask(QuestionKind.Missing);
        }

        if (old is null)
        {
            yield break;
        }

        if (field.IsUnique && !old.IsUnique)
        {
            // Records from before the keys have none yet; the index finds their doubles.
            var key = field.Type.Keys(field).FirstOrDefault(k => k.IsIdentity);
            yield return Ask(QuestionKind.Doubles) with { IsError = true, Column = key is null ? column : old.Name + key.Suffix };
        }

        if (old.Type != field.Type)
        {
            if (TypeConversion.Of(old, field) is { Fits: not null })
            {
                yield return Ask(QuestionKind.Unconvertible) with { IsError = true };
            }

            yield break;
        }

        ImmutableArray<string> gone = [.. Words(old).Except(Words(field), StringComparer.Ordinal).Where(w => field.FindMerged(w) is null)];
        if (!gone.IsEmpty)
        {
            yield return Ask(QuestionKind.RemovedChoice) with { Values = gone, IsError = !isDeclared };
        }

        if (field.Type is SingleTextType text && (field.MaxLength ?? text.DefaultMaxLength) < (old.MaxLength ?? text.DefaultMaxLength))
        {
            yield return Ask(QuestionKind.TooLong);
        }

        if ((field.Minimum, field.Maximum) != (old.Minimum, old.Maximum))
        {
            yield return Ask(QuestionKind.OutOfRange);
        }
    }

    private static IEnumerable<string> Words(FieldDefinition field) =>
        field.Type is KindsType several ? several.KindsOf(field).Select(k => k.Name) : field.Type is StageType ? field.Stages?.Stages.Select(s => s.Name) ?? [] : field.Choices.Select(c => c.Name);
}
