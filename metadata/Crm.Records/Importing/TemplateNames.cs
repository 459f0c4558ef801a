using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Records.Importing;

/// <summary>Lets a template mean the same fields by the names they have now.</summary>
/// <param name="snapshot">The definitions as they are.</param>
/// <param name="renames">Fields that got another name since the template was saved, in order; those of one version at once.</param>
internal sealed class TemplateNames(MetadataSnapshot snapshot, IReadOnlyList<TemplateNames.Rename> renames)
{
    /// <summary>The template with the names of today.</summary>
    public ImportTemplate Follow(ImportTemplate template, EntityDefinition entity)
    {
        if (renames.Count == 0)
        {
            return template;
        }

        var fields = ImmutableSortedDictionary.CreateBuilder<string, FieldMapping>(StringComparer.Ordinal);
        foreach (var (key, mapping) in template.Mapping.Fields)
        {
            var now = Key(entity, key);
            fields[now] = MappingCheck.Resolve(entity, now) is { } field && FieldPlan.TargetsOf(field) is [var target, ..] && snapshot.TryEntity(target, out var pointed) ? Follow(mapping, pointed) : mapping;
        }

        return template with { Mapping = template.Mapping with { Fields = fields.ToImmutable() }, Match = [.. template.Match.Select(m => Key(entity, m))] };
    }

    private FieldMapping Follow(FieldMapping mapping, EntityDefinition target) => mapping with
    {
        By = mapping.By is { } by ? Key(target, by) : null,
        Create = mapping.Create?.ToImmutableSortedDictionary(c => Key(target, c.Key), c => c.Value),
    };

    /// <summary>A field's name, or one with a part behind it: <c>x_billing_city</c>, <c>phones.work</c>.</summary>
    private string Key(EntityDefinition entity, string key)
    {
        for (var end = key.Length; end > 0; end = key.LastIndexOfAny(['.', '_'], end - 1))
        {
            var (name, part) = (key[..end], key[end..]);
            var now = Name(entity.Name, name);
            // With a part only where the field of the new name has it: x_total_net may be a field of its own beside x_total.
            if (now != name && (part.Length == 0 || MappingCheck.Resolve(entity, now + part)?.Name == now))
            {
                return now + part;
            }
        }

        return key;
    }

    private string Name(string entity, string name) =>
        renames.Where(r => r.Entity == entity).GroupBy(r => r.Version).Aggregate(name, (now, version) => version.FirstOrDefault(r => r.From == now)?.To ?? now);

    /// <summary>A field that got another name.</summary>
    /// <param name="Version">Version of the definitions in which it did.</param>
    /// <param name="Entity">Its entity.</param>
    /// <param name="From">Its name before.</param>
    /// <param name="To">Its name after.</param>
    public sealed record Rename(long Version, string Entity, string From, string To);
}
