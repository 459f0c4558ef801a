using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Records;

/// <summary>The links of many-to-many fields are entities of their own that nobody lists: what may be done with them follows from the fields that an allow-list lets be seen.</summary>
internal static class ScopeLinks
{
    /// <summary>What is not in the list.</summary>
    public static EntityScope Nothing { get; } = new([], []);

    /// <summary>What may be done with which entities, those of links included.</summary>
    public static ImmutableSortedDictionary<string, EntityScope> Of(MetadataSnapshot full, AccessScope scope)
    {
        var entities = scope.Entities;
        foreach (var (name, allowed) in scope.Entities.Where(e => e.Value.Allows(AccessOperation.Read)))
        {
            if (!full.TryEntity(name, out var entity))
            {
                continue;
            }

            // A link is made and taken away by whoever may change the records at its ends, which is asked for by itself.
            var link = allowed.Allows(AccessOperation.Write) ? new EntityScope([AccessOperation.Read, AccessOperation.Create, AccessOperation.Write, AccessOperation.Delete]) : new EntityScope([AccessOperation.Read]);
            foreach (var field in entity.Fields.Where(f => f.Link is not null && allowed.Allows(f.Name) && !scope.Entities.ContainsKey(f.Link.Entity)))
            {
                entities = entities.TryGetValue(field.Link!.Entity, out var known) && known.Allows(AccessOperation.Write) ? entities : entities.SetItem(field.Link.Entity, link);
            }
        }

        return entities;
    }
}
