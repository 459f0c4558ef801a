using System.Collections.Immutable;
using Crm.Host.Pages.Access;
using Crm.Host.Security;
using Crm.Sdk;

namespace Crm.Host.Pages.Keys;

/// <summary>A key that somebody is about to make.</summary>
internal sealed class KeyDraft
{
    private readonly Dictionary<string, ImmutableArray<AccessOperation>> operations = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ImmutableHashSet<string>> fields = new(StringComparer.Ordinal);

    public string Name { get; set; } = "";

    /// <summary>How long it lasts; null for ever.</summary>
    public int? Days { get; set; } = 365;

    /// <summary>Whether it may only do what is chosen.</summary>
    public bool IsNarrowed { get; set; }

    /// <summary>What it may do; null for all that its user may.</summary>
    public IReadOnlyDictionary<string, EntityScope>? Entities => IsNarrowed
        ? operations.ToDictionary(e => e.Key, e => new EntityScope(e.Value, fields.TryGetValue(e.Key, out var named) ? [.. named.Order(StringComparer.Ordinal)] : null), StringComparer.Ordinal)
        : null;

    /// <summary>Entities a key can be narrowed to: links go with the fields that show them.</summary>
    public static ImmutableArray<EntityDefinition> Offered(MetadataSnapshot seen) => [.. RolesDraft.Entities(seen).Where(e => e.Link is null)];

    /// <summary>Whether the user may do an operation at all, so that a key can.</summary>
    public static bool IsOpen(EntityDefinition entity, AccessOperation operation) => entity.Allows(operation) && RolesDraft.IsOpen(entity, operation);

    public bool Has(EntityDefinition entity, AccessOperation operation) => operations.TryGetValue(entity.Name, out var chosen) && chosen.Contains(operation);

    public bool Has(EntityDefinition entity, FieldDefinition field) => !fields.TryGetValue(entity.Name, out var named) || named.Contains(field.Name);

    /// <summary>How many fields are chosen; null for all.</summary>
    public int? Named(EntityDefinition entity) => fields.TryGetValue(entity.Name, out var named) ? named.Count : null;

    /// <summary>Chooses an operation or takes it back. All others need reading: they bring it, and go with it.</summary>
    public void Set(EntityDefinition entity, AccessOperation operation, bool isChosen)
    {
        var before = operations.GetValueOrDefault(entity.Name, []);
        ImmutableArray<AccessOperation> after = isChosen
            ? [.. KeyRules.Operations.Where(o => o is AccessOperation.Read || o == operation || before.Contains(o))]
            : operation == AccessOperation.Read ? [] : before.Remove(operation);
        if (after.IsEmpty)
        {
            operations.Remove(entity.Name);
            fields.Remove(entity.Name);
        }
        else
        {
            operations[entity.Name] = after;
        }
    }

    /// <summary>Chooses a field or takes it back. As long as all are chosen, new ones will be too.</summary>
    public void Set(EntityDefinition entity, FieldDefinition field, bool isChosen)
    {
        var all = RolesDraft.Fields(entity).Select(f => f.Name).ToImmutableHashSet(StringComparer.Ordinal);
        var named = fields.GetValueOrDefault(entity.Name, all);
        named = isChosen ? named.Add(field.Name) : named.Remove(field.Name);
        fields[entity.Name] = named;
        if (all.IsSubsetOf(named))
        {
            fields.Remove(entity.Name);
        }
    }

    /// <summary>Chooses all fields or none, to begin with.</summary>
    public void SetAll(EntityDefinition entity, bool isChosen)
    {
        fields.Remove(entity.Name);
        if (!isChosen)
        {
            fields[entity.Name] = [];
        }
    }
}
