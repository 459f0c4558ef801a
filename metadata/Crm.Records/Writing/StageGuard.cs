using Crm.Sdk;

namespace Crm.Records;

/// <summary>Lets records move between stages only as the moves allow. A new record may start in any stage: imported ones have their history behind them.</summary>
internal static class StageGuard
{
    public static void Check(ChangeRun run)
    {
        foreach (var field in run.Table.Fields.Where(f => f.Type is StageType))
        {
            foreach (var change in run.Going.Where(c => c.Kind == ChangeKind.Update))
            {
                if (field.Definition.Stages is { } stages
                    && change.Stored![field.Index] is string stored
                    && field.Definition.NameNow(stored) is var from
                    && change.Values[field.Index] is string to
                    && !stages.Allows(from, to))
                {
                    change.Refuse(field.Name, ErrorCodes.Stage, Message(stages, from, to));
                }
            }
        }
    }

    private static string Message(StagesDefinition stages, string from, string to)
    {
        string Label(string stage) => stages.Find(stage)?.Label ?? stage;
        var allowed = stages.Moves.Where(m => m.From == from).Select(m => Label(m.To)).ToList();
        return allowed.Count == 0
            ? Texts.Of("StageIsFinal", Label(from), Label(to))
            : Texts.Of("StageMove", Label(from), Label(to), string.Join(", ", allowed));
    }
}
