using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Records.Importing;

/// <summary>Values of one field that nobody knows.</summary>
/// <param name="Field">Key of the field in the mapping.</param>
/// <param name="Values">The values, the commonest first.</param>
/// <param name="IsComplete">Whether these are all; a column of very many values is not looked through.</param>
public sealed record UnknownValues(string Field, ImmutableArray<ValueCount> Values, bool IsComplete);

/// <summary>Looks through a file for choices, stages and names of records nobody knows, so that they can be mapped before anything is imported.</summary>
public sealed class ImportValues(ImportService imports, RecordEngine engine)
{
    /// <summary>The unknown values of each field that has some.</summary>
    /// <param name="file">The file.</param>
    /// <param name="entity">The entity its rows go into.</param>
    /// <param name="mapping">What becomes what.</param>
    /// <param name="actor">For whom; a record they may not read is unknown.</param>
    /// <param name="ct">Cancels.</param>
    public async Task<ImmutableArray<UnknownValues>> UnknownAsync(FileInspection file, EntityDefinition entity, ImportMapping mapping, Actor actor, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(entity);
        ArgumentNullException.ThrowIfNull(mapping);
        var plans = new RowMapper(entity, file.Headers, mapping).Plans.Where(p => p.ColumnName is not null && (p.IsReference || IsListed(p.Field))).ToList();
        if (plans.Count == 0)
        {
            return [];
        }

        var titles = mapping.Fields.GetValueOrDefault(entity.TitleFields.Length == 1 ? entity.TitleFields[0] : "")?.Column;
        var values = await imports.ValuesAsync(file, [.. plans.Select(p => p.ColumnName!), .. titles is null ? Array.Empty<string>() : [titles]], ct);
        var namesInFile = titles is not null && values[titles] is { } names ? names.Select(n => n.Value).ToHashSet(StringComparer.OrdinalIgnoreCase) : [];
        var resolver = new LookupResolver(engine.As(actor), await engine.SnapshotOfAsync(actor, ct));
        var unknown = ImmutableArray.CreateBuilder<UnknownValues>();
        foreach (var plan in plans)
        {
            if (values[plan.ColumnName!] is not { } counts)
            {
                unknown.Add(new UnknownValues(plan.Key, [], IsComplete: false));
                continue;
            }

            ImmutableArray<ValueCount> missing = plan.IsReference
                ? await MissingAsync(plan, counts, resolver, plan.Target == entity.Name ? namesInFile : [], ct)
                : [.. counts.Where(c => plan.Replace(c.Value) is { Length: > 0 } text && !plan.Field.Type.TryNormalize(plan.Field, text, out _, out _))];
            if (!missing.IsEmpty)
            {
                unknown.Add(new UnknownValues(plan.Key, missing, IsComplete: true));
            }
        }

        return unknown.ToImmutable();
    }

    private static bool IsListed(FieldDefinition field) => !field.Choices.IsEmpty || field.Type is StageType;

    private static async Task<ImmutableArray<ValueCount>> MissingAsync(FieldPlan plan, ImmutableArray<ValueCount> counts, LookupResolver resolver, HashSet<string> namesInFile, CancellationToken ct)
    {
        if (plan.IsList)
        {
            counts = [.. counts.SelectMany(c => plan.Names(c.Value).Select(name => c with { Value = name })).GroupBy(c => c.Value, StringComparer.Ordinal).Select(g => g.First() with { Count = g.Sum(c => c.Count) })];
        }

        var found = await resolver.FindAsync(plan, [.. counts.Select(c => plan.Replace(c.Value)).Where(v => v.Length > 0)], ct);
        return [.. counts.Where(c => plan.Replace(c.Value) is { Length: > 0 } name && found.GetValueOrDefault(name)?.Id is null && !namesInFile.Contains(name) && !Guid.TryParse(name, out _))];
    }
}
