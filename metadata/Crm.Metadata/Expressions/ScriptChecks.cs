using System.Collections.Immutable;
using Crm.Rules;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>Whether scripts can be read and name what is there. Asked of a worker process, because reading a script can end the process that does.</summary>
internal static class ScriptChecks
{
    /// <summary>What is wrong with the scripts of rules that are new, or whose entity has other fields than before.</summary>
    public static async Task<ImmutableArray<PlanMessage>> ProblemsAsync(ScriptWorkers workers, MetadataSnapshot before, MetadataSnapshot after, CancellationToken ct)
    {
        var problems = ImmutableArray.CreateBuilder<PlanMessage>();
        foreach (var entity in after.Entities.Values.Where(e => e.Rules.Any(r => r.Script is not null)).OrderBy(e => e.Name, StringComparer.Ordinal))
        {
            var names = NamesOf(entity);
            before.TryEntity(entity.Name, out var known);
            var isSame = known is not null && NamesOf(known).SetEquals(names);
            foreach (var rule in entity.Rules.Where(r => r.Script is not null && !(isSame && known!.Rules.Any(k => k.Name == r.Name && k.Script == r.Script))))
            {
                problems.AddRange(await ProblemsAsync(workers, entity, rule, names, ct));
            }
        }

        return problems.ToImmutable();
    }

    /// <summary>What is wrong with the scripts a module declares.</summary>
    public static async Task<ImmutableArray<PlanMessage>> ProblemsAsync(ScriptWorkers workers, DeclaredShape shape, CancellationToken ct)
    {
        var problems = ImmutableArray.CreateBuilder<PlanMessage>();
        foreach (var (entity, rule) in shape.Entities.SelectMany(e => e.Rules.Where(r => r.Script is not null).Select(r => (e, r))))
        {
            if ((await workers.CheckAsync(Text(rule), ct)).Failure is { } failure)
            {
                problems.Add(Wrong(entity.Name, rule, failure));
            }
        }

        return problems.ToImmutable();
    }

    private static async Task<IEnumerable<PlanMessage>> ProblemsAsync(ScriptWorkers workers, EntityDefinition entity, RuleDefinition rule, HashSet<string> names, CancellationToken ct)
    {
        if (Text(rule).Length > ScriptWorkers.MaxLength)
        {
            // Said by the check of the rule.
            return [];
        }

        var check = await workers.CheckAsync(Text(rule), ct);
        return check.Failure is { } failure
            ? [Wrong(entity.Name, rule, failure)]
            : check.Fields.Where(f => !names.Contains(f.Name)).Select(f => new PlanMessage(
                ErrorCodes.UnknownField,
                MetadataTexts.Of("ScriptUnknownField", Label(rule), f.Line, f.Column, entity.Label, LayerEdit.Short(f.Name)),
                entity.Name + "." + rule.Name));
    }

    private static PlanMessage Wrong(string entity, RuleDefinition rule, ScriptFailure failure) =>
        new(PlanCodes.Expression, MetadataTexts.Of("ScriptWrong", Label(rule), ScriptTexts.Say(failure)), entity + "." + LayerEdit.Short(rule.Name));

    private static HashSet<string> NamesOf(EntityDefinition entity) => [.. entity.Fields.Where(f => !f.IsHidden).SelectMany(ScriptNames.Of)];

    private static string Text(RuleDefinition rule) => rule.Script!.Text;

    private static string Label(RuleDefinition rule) => rule.Label ?? Names.ToLabel(rule.Name);
}
