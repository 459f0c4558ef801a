using Crm.Sdk;
using Microsoft.OData.UriParser;

namespace Crm.Host.Api.OData;

/// <summary>A property and how a query reaches it.</summary>
/// <param name="Path">As <see cref="RecordQuery"/> takes it.</param>
/// <param name="Property">The property at its end.</param>
internal sealed record PropertyPath(string Path, PropertyDefinition Property);

/// <summary>Turns what the OData parser found into paths of a query.</summary>
internal static class Paths
{
    /// <summary>The property an expression names; an answer of 400 when it is anything else.</summary>
    public static PropertyPath Of(ODataSet root, QueryNode node) =>
        TryOf(root, node) ?? throw Unsupported.Expression("A property is needed here");

    /// <summary>The property an expression names; null when it is anything else.</summary>
    /// <param name="root">The set the query, or the condition on linked records, is about.</param>
    /// <param name="node">The expression.</param>
    /// <param name="start">Path to the linked records, ending in a dot.</param>
    /// <param name="variable">What a linked record is called; null for the query's own records.</param>
    public static PropertyPath? TryOf(ODataSet root, QueryNode node, string start = "", RangeVariable? variable = null)
    {
        switch (Plain(node))
        {
            case SingleValuePropertyAccessNode access when Source(root, access.Source, start, variable) is var (set, prefix):
                return Find(set, prefix, access.Property.Name);
            case CollectionComplexNode access when Source(root, access.Source, start, variable) is var (set, prefix):
                return Find(set, prefix, access.Property.Name);
            case CollectionPropertyAccessNode access when Source(root, access.Source, start, variable) is var (set, prefix):
                return Find(set, prefix, access.Property.Name);
            case SingleNavigationNode navigation when Source(root, navigation.Source, start, variable) is var (set, prefix):
                // A lookup itself, as in "company eq null".
                var lookup = set.Navigations[navigation.NavigationProperty.Name];
                return lookup.IsOnly ? Find(set, prefix, lookup.Field.Name + lookup.Field.Type.Columns[0].Suffix) : Find(lookup.Target, prefix + lookup.Step + ".", "id");
            default:
                return null;
        }
    }

    /// <summary>Looks through what changes the type of a value only.</summary>
    public static QueryNode Plain(QueryNode node)
    {
        while (node is ConvertNode convert)
        {
            node = convert.Source;
        }

        return node;
    }

    /// <summary>Looks through functions that change the case of a text only.</summary>
    public static QueryNode AnyCase(QueryNode node)
    {
        node = Plain(node);
        while (node is SingleValueFunctionCallNode { Name: "tolower" or "toupper" } call)
        {
            node = Plain(call.Parameters.First());
        }

        return node;
    }

    /// <summary>The many-to-many field an expression names, and its path; null when it is none.</summary>
    public static (LinkNavigation Links, string Path)? LinkOf(ODataSet root, CollectionNavigationNode node, string start, RangeVariable? variable) =>
        Source(root, node.Source, start, variable) is var (set, prefix) && set.Links.TryGetValue(node.NavigationProperty.Name, out var links)
            ? (links, prefix + links.Field.Name)
            : null;

    /// <summary>The records that point to the record asked about, when an expression names them; null when it does not.</summary>
    public static RelatedNavigation? RelatedOf(ODataSet root, CollectionNavigationNode node, string start, RangeVariable? variable) =>
        start.Length == 0 && node.Source is ResourceRangeVariableReferenceNode reference && (variable is null || reference.Name == variable.Name) ? root.Related.GetValueOrDefault(node.NavigationProperty.Name) : null;

    private static (ODataSet Set, string Prefix)? Source(ODataSet root, QueryNode node, string start, RangeVariable? variable)
    {
        switch (node)
        {
            case ResourceRangeVariableReferenceNode reference when variable is null || reference.Name == variable.Name:
                return (root, start);
            case SingleNavigationNode navigation when Source(root, navigation.Source, start, variable) is var (set, prefix):
                var step = set.Navigations[navigation.NavigationProperty.Name];
                return (step.Target, prefix + step.Step + ".");
            default:
                return null;
        }
    }

    private static PropertyPath Find(ODataSet set, string prefix, string name) =>
        set.Entity.TryProperty(name, out var property)
            ? new PropertyPath(prefix + name, property)
            : throw new InvalidOperationException($"The entity model and entity '{set.Entity.Name}' differ in '{name}'.");
}

/// <summary>Answers to requests that are right OData but go beyond what this service offers.</summary>
internal static class Unsupported
{
    public static ApiException Expression(string message, string? target = null) =>
        new(ApiError.BadRequest(message + ". docs/api.md lists what this service understands.", target));
}
