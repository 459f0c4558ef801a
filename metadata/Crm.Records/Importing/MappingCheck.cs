using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Crm.Sdk;

namespace Crm.Records.Importing;

/// <summary>Finds everything wrong with a mapping before a row is read.</summary>
internal static class MappingCheck
{
    /// <summary>All problems; the field of each is the mapping's key at fault. Without headers columns are not looked for.</summary>
    public static ImmutableArray<ValidationError> Problems(MetadataSnapshot metadata, EntityDefinition entity, IEnumerable<string>? headers, ImportMapping mapping, ImportMode mode, ImmutableArray<string> match)
    {
        var columns = headers?.ToHashSet(StringComparer.OrdinalIgnoreCase);
        var problems = ImmutableArray.CreateBuilder<ValidationError>();
        void Add(string? field, string text) => problems.Add(new ValidationError(field, ImportCodes.Mapping, text));

        if (mapping.Fields.IsEmpty)
        {
            Add(null, Texts.Of("MappingEmpty", entity.Label));
        }

        foreach (var (key, field) in mapping.Fields)
        {
            foreach (var problem in FieldProblems(metadata, entity, columns, key, field))
            {
                Add(key, problem);
            }
        }

        if (mapping.Culture is { Length: > 0 } culture && !IsCulture(culture))
        {
            Add("culture", Texts.Of("UnknownCulture", culture));
        }

        if (mapping.TimeZone is { Length: > 0 } zone && !TimeZoneInfo.TryFindSystemTimeZoneById(zone, out _))
        {
            Add("time_zone", Texts.Of("UnknownTimeZone", zone));
        }

        foreach (var name in match.Where(m => !mapping.Fields.ContainsKey(m)))
        {
            Add(name, Texts.Of("MatchNotMapped", name));
        }

        foreach (var name in match.Where(m => Resolve(entity, m) is { } f && (f.Type.Columns.Length > 1 || !f.Type.Operators.Contains(FilterOperator.Equal))))
        {
            Add(name, Texts.Of("MatchNotPossible", name));
        }

        if (mode != ImportMode.Create && match.IsEmpty)
        {
            Add("match", Texts.Of("MatchNeeded"));
        }

        return problems.ToImmutable();
    }

    /// <summary>The field a key of a mapping means: a field's name or a property's.</summary>
    public static FieldDefinition? Resolve(EntityDefinition entity, string key) =>
        ImportTarget.Resolve(entity, key, out _);

    /// <summary>What is wrong with the mapping of one field; without columns only what is so for every file.</summary>
    public static IEnumerable<string> FieldProblems(MetadataSnapshot metadata, EntityDefinition entity, HashSet<string>? columns, string key, FieldMapping mapping)
    {
        if (Resolve(entity, key) is not { IsHidden: false } field)
        {
            yield return Texts.Of("UnknownField", entity.Label, key);
            yield break;
        }

        if (!ImportTarget.IsImportable(field) && field.Name != "id")
        {
            yield return Texts.Of("ReadOnlyField", field.Label);
        }

        var sources = (mapping.Column is null ? 0 : 1) + (mapping.Template is null ? 0 : 1) + (mapping.Value is null ? 0 : 1);
        if (sources != 1)
        {
            yield return Texts.Of("OneSource", key);
        }

        if (mapping.Column is { } column && columns?.Contains(column) == false)
        {
            yield return Texts.Of("UnknownColumn", column, string.Join(", ", columns));
        }

        foreach (var problem in TemplateProblems(mapping.Template, columns))
        {
            yield return problem;
        }

        if (mapping.Value is { ValueKind: JsonValueKind.Object or JsonValueKind.Array })
        {
            yield return Texts.Of("ConstantNotSimple", key);
        }

        var targets = FieldPlan.TargetsOf(field);
        if (targets.IsEmpty && (mapping.Unknown == UnknownValue.Create || mapping.By is not null || mapping.Create is not null))
        {
            yield return Texts.Of("NotALookup", key);
        }

        if (!targets.IsEmpty)
        {
            var target = metadata.Entity(targets[0]);
            if (mapping.By is { } by && !targets.Any(t => metadata.Entity(t).TryField(by, out var byField) && !byField.IsHidden))
            {
                yield return Texts.Of("UnknownField", target.Label, by);
            }

            if (mapping.Unknown == UnknownValue.Create && mapping.By is null && target.TitleFields.Length != 1)
            {
                yield return Texts.Of("CreateNeedsOneTitle", target.Label);
            }

            foreach (var (name, template) in mapping.Create ?? ImmutableSortedDictionary<string, string>.Empty)
            {
                if (Resolve(target, name) is null)
                {
                    yield return Texts.Of("UnknownField", target.Label, name);
                }

                foreach (var problem in TemplateProblems(template, columns is null ? null : [.. columns, "value"]))
                {
                    yield return problem;
                }
            }
        }
    }

    private static List<string> TemplateProblems(string? template, HashSet<string>? columns)
    {
        if (template is null)
        {
            return [];
        }

        try
        {
            var named = TextTemplate.Parse(template).Columns;
            var known = columns?.ToHashSet(StringComparer.OrdinalIgnoreCase);
            return known is null ? [] : [.. named.Where(c => !known.Contains(c)).Select(c => Texts.Of("UnknownColumn", c, string.Join(", ", known)))];
        }
        catch (FormatException e)
        {
            return [e.Message];
        }
    }

    private static bool IsCulture(string name)
    {
        try
        {
            _ = CultureInfo.GetCultureInfo(name, predefinedOnly: true);
            return true;
        }
        catch (CultureNotFoundException)
        {
            return false;
        }
    }
}
