using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>Which calculated field follows from which fields, over all entities.</summary>
internal sealed class CalculationGraph
{
    private readonly Dictionary<string, Node> nodes = new(StringComparer.Ordinal);

    public CalculationGraph(MetadataSnapshot snapshot)
    {
        foreach (var entity in snapshot.Entities.Values.OrderBy(e => e.Name, StringComparer.Ordinal))
        {
            foreach (var field in entity.Fields.Where(f => !f.IsHidden && (f.Formula ?? (object?)f.RollUp) is not null))
            {
                if (field.RollUp is not null && RollUp.TryParse(snapshot, entity, field, out var rollUp, out _))
                {
                    Add(new Node(entity, field, [.. rollUp.Reads.Append(rollUp.Lookup.Name).Select(name => rollUp.Child.Name + "." + name)], null, rollUp));
                }
                else if (field.Formula is not null && Formula.TryParse(snapshot, entity, field, out var formula, out _))
                {
                    Add(new Node(entity, field, [.. formula.Expression.Paths.SelectMany(p => p.Along(entity)).Select(a => a.Entity + "." + a.Field.Name)], formula, null));
                }
            }
        }
    }

    /// <summary>Calculated fields, each after those it follows from.</summary>
    public IEnumerable<Node> InOrder()
    {
        var ordered = new List<Node>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var node in nodes.Values)
        {
            Visit(node);
        }

        return ordered;

        void Visit(Node node)
        {
            if (seen.Add(node.Name))
            {
                foreach (var read in node.Reads.Where(nodes.ContainsKey))
                {
                    Visit(nodes[read]);
                }

                ordered.Add(node);
            }
        }
    }

    /// <summary>The way from a field back to itself; null when there is none.</summary>
    public ImmutableArray<string>? Circle(string start)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var way = new List<string> { start };
        return nodes.TryGetValue(start, out var first) && Leads(first) ? [.. way] : null;

        bool Leads(Node node)
        {
            foreach (var read in node.Reads)
            {
                way.Add(read);
                if (read == start || (nodes.TryGetValue(read, out var next) && seen.Add(read) && Leads(next)))
                {
                    return true;
                }

                way.RemoveAt(way.Count - 1);
            }

            return false;
        }
    }

    private void Add(Node node) => nodes.Add(node.Name, node);

    /// <param name="Entity">The field's entity.</param>
    /// <param name="Field">The calculated field.</param>
    /// <param name="Reads">What it follows from.</param>
    /// <param name="Formula">Its formula, or</param>
    /// <param name="RollUp">its roll-up.</param>
    public sealed record Node(EntityDefinition Entity, FieldDefinition Field, ImmutableArray<string> Reads, Formula? Formula, RollUp? RollUp)
    {
        public string Name => Entity.Name + "." + Field.Name;
    }
}
