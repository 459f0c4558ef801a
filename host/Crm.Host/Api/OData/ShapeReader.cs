using System.Collections.Immutable;
using System.Text.Json;
using Crm.Sdk;
using Microsoft.OData.UriParser;

namespace Crm.Host.Api.OData;

/// <summary>Reads <c>$select</c> and <c>$expand</c>: what is written of a record, of those it leads to and of those that belong to it.</summary>
internal sealed class ShapeReader(TimeProvider time)
{
    private static readonly JsonEncodedText LinkItself = JsonEncodedText.Encode("@crm.link");

    /// <summary>What is written of records, and in <paramref name="parts"/> what the context names of it.</summary>
    /// <param name="set">Their set.</param>
    /// <param name="clause">What the client asks for; null for all properties.</param>
    /// <param name="texts">The entries of <c>$expand</c>.</param>
    /// <param name="prefix">Path from what is read to the records, ending in a dot; empty for their own.</param>
    /// <param name="parts">Names for the context.</param>
    public Projection Read(ODataSet set, SelectExpandClause? clause, IReadOnlyDictionary<string, ExpandText> texts, string prefix, List<string> parts)
    {
        if (clause is null)
        {
            return All(set, prefix);
        }

        var own = Selected(set, clause, prefix, parts) ?? All(set, prefix);
        var expansions = ImmutableArray.CreateBuilder<Projection.Expansion>();
        var collections = ImmutableArray.CreateBuilder<CollectionExpansion>();
        foreach (var selected in clause.SelectedItems)
        {
            if (selected is not ExpandedNavigationSelectItem item)
            {
                _ = selected is PathSelectItem or WildcardSelectItem ? 0 : throw Unsupported.Expression("$expand with $ref or $count in its path cannot be used", "$expand");
                continue;
            }

            var name = item.PathToNavigationProperty is { Count: 1, FirstSegment: NavigationPropertySegment segment }
                ? segment.NavigationProperty.Name
                : throw Unsupported.Expression("$expand takes navigation properties only", "$expand");
            var text = texts.GetValueOrDefault(name);
            if (CollectionNavigation.Of(set, name) is not { } navigation)
            {
                expansions.Add(Lookup(set.Navigations[name], item, text, prefix, parts));
            }
            else if (text is not null || navigation.IsLinked)
            {
                // "Everything" is every lookup and every link; records that point here are asked for by themselves.
                collections.Add(Collection(navigation, item, text, prefix, parts));
            }
        }

        return own.With(expansions.DrainToImmutable(), collections.DrainToImmutable());
    }

    /// <summary>What is written of the records of a collection.</summary>
    public Projection Items(CollectionNavigation navigation, SelectExpandClause? clause, IReadOnlyDictionary<string, ExpandText> texts, List<string> parts)
    {
        var items = Read(navigation.Set, clause, texts, navigation.Prefix, parts);
        return navigation.IsLinked ? items.With([.. items.Expansions, new Projection.Expansion(LinkItself, "id", navigation.LinkItself)], items.Collections) : items;
    }

    private static Projection All(ODataSet set, string prefix) => prefix.Length == 0 ? set.All : Projection.Of(set.Entity, prefix);

    private static Projection? Selected(ODataSet set, SelectExpandClause clause, string path, List<string> parts)
    {
        if (clause.AllSelected)
        {
            return null;
        }

        var properties = new List<PropertyDefinition>();
        foreach (var item in clause.SelectedItems)
        {
            switch (item)
            {
                case PathSelectItem { HasOptions: false } select when select.SelectedPath.FirstSegment is PropertySegment segment && select.SelectedPath.Count == 1:
                    if (set.Entity.TryProperty(segment.Property.Name, out var property) && !properties.Contains(property))
                    {
                        properties.Add(property);
                        parts.Add(property.Name);
                    }

                    break;
                case PathSelectItem { HasOptions: false } select when select.SelectedPath.FirstSegment is NavigationPropertySegment:
                    // Selecting a navigation property asks for its link only, which minimal metadata leaves out.
                    break;
                case ExpandedReferenceSelectItem:
                    break;
                case WildcardSelectItem:
                    return null;
                default:
                    throw Unsupported.Expression("$select can name properties only", "$select");
            }
        }

        return properties.Count == 0 ? null : Projection.Of(properties, path);
    }

    private Projection.Expansion Lookup(Navigation navigation, ExpandedNavigationSelectItem item, ExpandText? text, string prefix, List<string> parts)
    {
        if (item.FilterOption is not null || item.OrderByOption is not null || item.TopOption is not null || item.SkipOption is not null || item.CountOption is not null)
        {
            throw Unsupported.Expression($"$expand of one record, such as {navigation.Name}, takes $select and $expand only", "$expand");
        }

        RefuseOthers(item);
        var path = prefix + navigation.Step + ".";
        var inner = new List<string>();
        var content = Read(navigation.Target, item.SelectAndExpand, text?.Inner ?? ExpandText.Read(null), path, inner);
        parts.Add($"{navigation.Name}({string.Join(',', inner)})");
        return new Projection.Expansion(JsonEncodedText.Encode(navigation.Name), path + "id", content);
    }

    private CollectionExpansion Collection(CollectionNavigation navigation, ExpandedNavigationSelectItem item, ExpandText? text, string prefix, List<string> parts)
    {
        RefuseOthers(item);
        var inner = new List<string>();
        var items = Items(navigation, item.SelectAndExpand, text?.Inner ?? ExpandText.Read(null), inner);
        parts.Add($"{navigation.Name}({string.Join(',', inner)})");
        var query = new RecordQuery
        {
            Entity = navigation.Asked.Name,
            Select = [.. items.Paths.Append("id").Distinct()],
            Filter = navigation.Where(item.FilterOption, time),
            Sort = ListRequest.Order(navigation.Set, item.OrderByOption, navigation.Prefix),
            Skip = (int)Math.Min(item.SkipOption ?? 0, int.MaxValue),
            Count = item.CountOption == true,
        };
        return new CollectionExpansion(navigation, query, items, prefix.Length == 0 ? null : prefix + "id", item.TopOption is { } top ? (int)Math.Min(top, int.MaxValue) : null, text);
    }

    private static void RefuseOthers(ExpandedNavigationSelectItem item)
    {
        if (item.SearchOption is not null || item.LevelsOption is not null || item.ApplyOption is not null || item.ComputeOption is not null)
        {
            throw Unsupported.Expression("$expand takes $select, $expand, and for collections $filter, $orderby, $top, $skip and $count", "$expand");
        }
    }
}
