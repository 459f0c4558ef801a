using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Host.Security;

/// <summary>What a personal API key has to be, made by a page or by the API.</summary>
internal static class KeyRules
{
    /// <summary>The longest name.</summary>
    public const int MaxName = 100;

    /// <summary>The longest life in days.</summary>
    public const int MaxDays = 3650;

    /// <summary>Operations a key can be narrowed to.</summary>
    public static ImmutableArray<AccessOperation> Operations { get; } = [AccessOperation.Read, AccessOperation.Create, AccessOperation.Write, AccessOperation.Delete];

    /// <summary>What is wrong with a key.</summary>
    /// <param name="seen">The definitions as its user sees them.</param>
    /// <param name="name">What it is to be called.</param>
    /// <param name="days">How long it is to last; null for ever.</param>
    /// <param name="entities">What it is narrowed to; null for all that its user may.</param>
    public static ImmutableArray<ValidationError> Errors(MetadataSnapshot seen, string? name, int? days, IReadOnlyDictionary<string, EntityScope>? entities)
    {
        var errors = ImmutableArray.CreateBuilder<ValidationError>();
        if (string.IsNullOrWhiteSpace(name) || name.Length > MaxName || name.Contains('\0', StringComparison.Ordinal))
        {
            errors.Add(new("name", ErrorCodes.Required, SecurityTexts.Of("KeyName")));
        }

        if (days is < 1 or > MaxDays)
        {
            errors.Add(new("expires_in_days", ErrorCodes.Range, SecurityTexts.Of("KeyExpiry")));
        }

        if (entities is { Count: 0 })
        {
            errors.Add(new("entities", ErrorCodes.Required, SecurityTexts.Of("KeyEntities")));
        }

        foreach (var (entity, allowed) in entities ?? ImmutableDictionary<string, EntityScope>.Empty)
        {
            errors.AddRange(Errors(seen, entity, allowed));
        }

        return errors.DrainToImmutable();
    }

    private static IEnumerable<ValidationError> Errors(MetadataSnapshot seen, string name, EntityScope allowed)
    {
        var target = "entities." + name;
        if (!seen.TryEntity(name, out var entity) || entity.IsHidden)
        {
            return [new(target, ErrorCodes.Unknown, SecurityTexts.Of("KeyEntityUnknown", name))];
        }

        // Who may not see a record is told nothing of it, not even that it was changed.
        if (!allowed.Operations.Contains(AccessOperation.Read))
        {
            return [new(target, ErrorCodes.Required, SecurityTexts.Of("KeyRead", entity.PluralLabel))];
        }

        return allowed.Fields is { IsEmpty: true }
            ? [new(target, ErrorCodes.Required, SecurityTexts.Of("KeyFields", entity.PluralLabel))]
            : from field in allowed.Fields ?? []
              where !entity.TryField(field, out var known) || known.IsHidden
              select new ValidationError(target, ErrorCodes.Unknown, SecurityTexts.Of("KeyFieldUnknown", entity.Label, field));
    }
}
