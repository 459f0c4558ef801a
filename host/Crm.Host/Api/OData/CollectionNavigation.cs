using System.Collections.Immutable;
using Crm.Sdk;
using Microsoft.OData.UriParser;

namespace Crm.Host.Api.OData;

/// <summary>The records that belong to a record: those that point to it, or those it is linked with.</summary>
/// <param name="Name">Name of the navigation property.</param>
/// <param name="Owner">Set of the record.</param>
/// <param name="Set">Set of those that belong to it.</param>
/// <param name="Asked">The entity that is read: theirs, or that of the links to them.</param>
/// <param name="By">Its field that leads to the record.</param>
/// <param name="Prefix">Path from what is read to them, ending in a dot; empty when they are read themselves.</param>
/// <param name="Only">What else what is read has to meet.</param>
internal sealed record CollectionNavigation(string Name, ODataSet Owner, ODataSet Set, EntityDefinition Asked, string By, string Prefix, Filter? Only)
{
    /// <summary>The collection of this name; null when there is none.</summary>
    public static CollectionNavigation? Of(ODataSet owner, string name)
    {
        if (owner.Related.TryGetValue(name, out var related))
        {
            // A pointer to records of several entities says of which one it is.
            var only = related.Lookup.Type is AnyLookupType any ? Filter.Equal(related.Lookup.Name + any.Columns[1].Suffix, owner.Entity.Name) : null;
            return new CollectionNavigation(name, owner, related.Set, related.Set.Entity, related.Lookup.Name, "", only);
        }

        return owner.Links.TryGetValue(name, out var links)
            ? new CollectionNavigation(name, owner, links.Target, links.Links.Entity, links.Field.Link!.Near, links.Field.Link.Far + ".", null)
            : null;
    }

    /// <summary>Whether links are read, and the records behind them.</summary>
    public bool IsLinked => Prefix.Length > 0;

    /// <summary>What a link says of itself.</summary>
    public Projection LinkItself => Projection.Of(
        Asked.Fields
            .Where(f => !f.IsHidden && f.Name != By && f.Name + "." != Prefix && (!f.IsSystem || f.Name is "id" or "version"))
            .SelectMany(f => f.Type.Columns.Select(c => new PropertyDefinition(f.Name + c.Suffix, f, c))),
        "");

    /// <summary>The conditions a client gives and those of the collection.</summary>
    public Filter? Where(FilterClause? filter, TimeProvider time, params ImmutableArray<Filter?> more)
    {
        ImmutableArray<Filter> all = [.. more.Append(Only).Append(filter is null ? null : new FilterTranslator(Set, time, prefix: Prefix).Translate(filter.Expression)).OfType<Filter>()];
        return all.Length == 0 ? null : Filter.AllOf(all);
    }
}
