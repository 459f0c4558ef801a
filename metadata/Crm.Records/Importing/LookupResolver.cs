using System.Collections.Immutable;
using Crm.Metadata;
using Crm.Sdk;

namespace Crm.Records.Importing;

/// <summary>What a name means.</summary>
/// <param name="Id">The record; null when there is none or several.</param>
/// <param name="Count">How many records have the name.</param>
/// <param name="IsMixed">Whether records of several entities have it.</param>
internal sealed record Named(Guid? Id, int Count, bool IsMixed = false);

/// <summary>
/// Finds records by the names a file calls them: in any case, many names with one query. What was found is remembered for the rest of the
/// run; what was not is asked for again, because it may have been made in the meantime. What may not be read is not there.
/// </summary>
/// <param name="records">Reads for whoever imports.</param>
/// <param name="metadata">The definitions as they see them.</param>
internal sealed class LookupResolver(RecordService records, MetadataSnapshot metadata)
{
    // Names repeat within a file; past this many they evidently do not.
    private const int MaxRemembered = 200_000;

    private static readonly string[] FurtherNamesOfUsers = ["user_name", "email"];

    private readonly Dictionary<string, Dictionary<string, Named>> known = new(StringComparer.Ordinal);

    /// <summary>Finds the names of one field.</summary>
    public async Task<IReadOnlyDictionary<string, Named>> FindAsync(FieldPlan plan, IReadOnlyCollection<string> names, CancellationToken ct)
    {
        if (!known.TryGetValue(plan.Key, out var remembered) || remembered.Count > MaxRemembered)
        {
            known[plan.Key] = remembered = new Dictionary<string, Named>(StringComparer.Ordinal);
        }

        var asked = names.Where(n => !remembered.ContainsKey(n)).Distinct(StringComparer.Ordinal).ToArray();
        foreach (var target in plan.Targets.Select(metadata.Entity).Where(t => !t.IsHidden || t.Name == plan.Target))
        {
            foreach (var (name, found) in await FindAsync(target, plan.Mapping.By, asked, ct))
            {
                remembered[name] = remembered.TryGetValue(name, out var other) ? new Named(null, other.Count + found.Count, IsMixed: true) : found;
            }
        }

        return remembered;
    }

    private async Task<Dictionary<string, Named>> FindAsync(EntityDefinition target, string? by, string[] asked, CancellationToken ct)
    {
        var found = new Dictionary<string, Named>(StringComparer.Ordinal);
        foreach (var expression in Expressions(target, by))
        {
            var missing = asked.Where(n => !found.ContainsKey(n)).ToArray();
            if (missing.Length == 0)
            {
                break;
            }

            foreach (var (name, named) in await QueryAsync(target, expression, missing, ct))
            {
                found[name] = named;
            }
        }

        return found;
    }

    /// <summary>Remembers a record that was made for a name.</summary>
    public void Remember(FieldPlan plan, string name, Guid id) => known[plan.Key][name] = new Named(id, 1);

    /// <summary>What records may be called: the field asked for, or the title; users also by user name and e-mail.</summary>
    private static IEnumerable<string> Expressions(EntityDefinition target, string? by)
    {
        if (by is not null)
        {
            // Of several entities not all need to have the field.
            if (target.TryField(by, out var asked) && !asked.IsHidden)
            {
                yield return Column(target, by);
            }

            yield break;
        }

        var titles = target.TitleFields.Select(f => Column(target, f)).ToList();
        if (titles.Count == 0)
        {
            yield break;
        }

        yield return titles.Count == 1 ? titles[0] : $"concat_ws(' ', {string.Join(", ", titles)})";
        if (target.Name == "user")
        {
            foreach (var name in FurtherNamesOfUsers.Where(f => target.TryField(f, out var field) && !field.IsHidden))
            {
                yield return Column(target, name);
            }
        }
    }

    private static string Column(EntityDefinition entity, string field)
    {
        var definition = entity.Field(field);
        var column = "r." + Sql.Quote(definition.Name + definition.Type.Columns[0].Suffix);
        return definition.Type.Columns[0].Storage == StorageKind.Text ? column : column + "::text";
    }

    private async Task<Dictionary<string, Named>> QueryAsync(EntityDefinition target, string expression, string[] names, CancellationToken ct)
    {
        var found = new Dictionary<string, List<(Guid Id, bool IsExact)>>(StringComparer.Ordinal);
        foreach (var (name, id, isExact) in await records.NamedAsync(target, expression, names, ct))
        {
            if (!found.TryGetValue(name, out var same))
            {
                found[name] = same = [];
            }

            same.Add((id, isExact));
        }

        return found.ToDictionary(f => f.Key, f => Choose(f.Value), StringComparer.Ordinal);
    }

    /// <summary>One record, or the only one that is spelled the same.</summary>
    private static Named Choose(List<(Guid Id, bool IsExact)> records)
    {
        if (records.Count == 1)
        {
            return new Named(records[0].Id, 1);
        }

        ImmutableArray<(Guid Id, bool IsExact)> exact = [.. records.Where(r => r.IsExact)];
        return exact.Length == 1 ? new Named(exact[0].Id, 1) : new Named(null, records.Count);
    }
}
