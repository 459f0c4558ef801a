using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>Makes one choice, stage or tag of two, or two stages of one, with the records that have them.</summary>
internal sealed class ChoiceEdit(LayerEdit edit)
{
    public void Merge(MetadataChange.MergeChoices change)
    {
        if (edit.FindField(change.Entity, change.Field) is not var (entity, field))
        {
            return;
        }

        var target = entity.Name + "." + field.Name;
        if (field.Type is not (StageType or TagsType) && !TypeConversion.HasChoices(field.Type))
        {
            edit.Error(ErrorCodes.Type, target, "MergeType", field.Label);
            return;
        }

        var known = Known(field, change);
        if (known.Select(k => k.Name).Distinct(StringComparer.Ordinal).Count() != 2)
        {
            edit.Error(ErrorCodes.Unknown, target, "MergeUnknown", field.Label, LayerEdit.Short(change.From), LayerEdit.Short(change.Into));
            return;
        }

        var (from, into) = (known[0], known[1]);
        var shape = edit.Custom(entity.Name);
        var own = shape.Field(field.Name) ?? new FieldShape(field.Name);
        edit.Put(shape.With(own with
        {
            Choices = field.Choices.IsEmpty ? null : field.Choices.RemoveAll(c => c.Name == from.Name),
            Stages = Without(field.Stages, from.Name, into.Name),
            Default = Instead(field.Default, from.Name, into.Name) ?? own.Default,
            Merged =
            [
                .. field.Merged.Where(m => m.Name != from.Name).Select(m => m.Into == from.Name ? m with { Into = into.Name } : m),
                new MergedChoice(from.Name, from.Label, into.Name),
            ],
        }));
        edit.Step(entity.Name, "StepMergeChoices", from.Label, into.Label, field.Label, entity.Label);
    }

    public void Split(MetadataChange.SplitStage change)
    {
        if (edit.FindField(change.Entity, change.Field) is not var (entity, field))
        {
            return;
        }

        var target = entity.Name + "." + field.Name;
        if (field.Stages is not { } stages)
        {
            edit.Error(ErrorCodes.Type, target, "SplitType", field.Label);
            return;
        }

        if (stages.Find(change.Stage) is not { } stage)
        {
            edit.Error(ErrorCodes.Unknown, target, "SplitUnknown", field.Label, LayerEdit.Short(change.Stage));
            return;
        }

        if (stages.Find(change.To.Name) is not null || field.FindMerged(change.To.Name) is not null)
        {
            edit.Error(PlanCodes.Exists, target, "SplitExists", field.Label, LayerEdit.Short(change.To.Name));
            return;
        }

        var scope = new ExpressionScope(MetadataState.Of(edit.Layers).Snapshot, entity) { AllowsNow = false, MaxLookups = 0 };
        if (!Expression.TryParse(change.Condition, scope, out var condition, out var error) || condition.Type != ExpressionType.YesNo)
        {
            edit.Errors.Add(new PlanMessage(PlanCodes.Expression, error?.Message ?? MetadataTexts.Of("SplitCondition"), target));
            return;
        }

        var shape = edit.Custom(entity.Name);
        edit.Put(shape.With((shape.Field(field.Name) ?? new FieldShape(field.Name)) with
        {
            Stages = new StagesDefinition(
                stages.Stages.Insert(stages.Stages.IndexOf(stage) + 1, change.To),
                // From the new stage records go where they went from the old one, between the two in both directions.
                stages.Moves.IsEmpty ? [] :
                [
                    .. stages.Moves,
                    .. stages.Moves.Where(m => m.From == stage.Name).Select(m => m with { From = change.To.Name }),
                    .. stages.Moves.Where(m => m.To == stage.Name).Select(m => m with { To = change.To.Name }),
                    new StageMove(stage.Name, change.To.Name),
                    new StageMove(change.To.Name, stage.Name),
                ]),
        }));
        edit.Splits.Add(new StageSplit(entity.Name, field.Name, stage.Name, change.To, condition));
        edit.Step(entity.Name, "StepSplitStage", stage.Label, change.To.Label, entity.Label);
    }

    /// <summary>The two, as the field has them; anything goes for tags, which nobody has listed.</summary>
    private static ImmutableArray<(string Name, string Label)> Known(FieldDefinition field, MetadataChange.MergeChoices change)
    {
        var known = field.Stages?.Stages.Select(s => (s.Name, s.Label)) ?? field.Choices.Select(c => (c.Name, c.Label));
        if (field.Type is TagsType)
        {
            var given = new[] { change.From, change.Into };
            var plain = field with { Merged = [] };
            known = given.Where(g => field.Type.TryNormalize(plain, g, out var value, out _) && value is ImmutableArray<string> tags && tags is [var tag] && tag == g).Select(g => (g, g));
            // Two spellings are one tag.
            known = known.DistinctBy(k => k.Item1, StringComparer.OrdinalIgnoreCase);
        }

        return [.. new[] { change.From, change.Into }.SelectMany(name => known.Where(k => k.Item1 == name)).Select(k => (k.Item1, k.Item2))];
    }

    private static StagesDefinition? Without(StagesDefinition? stages, string from, string into) => stages is null ? null : new StagesDefinition(
        stages.Stages.RemoveAll(s => s.Name == from),
        [.. stages.Moves.Select(m => new StageMove(m.From == from ? into : m.From, m.To == from ? into : m.To)).Where(m => m.From != m.To).Distinct()]);

    private static object? Instead(object? value, string from, string into) => value switch
    {
        string text when text == from => into,
        object?[] list when list.Contains(from) => list.Select(v => v is string text && text == from ? into : v).Distinct().ToArray(),
        _ => null,
    };
}

/// <summary>Records of a stage that go to a new one.</summary>
internal sealed record StageSplit(string Entity, string Field, string From, StageDefinition To, Expression Condition);
