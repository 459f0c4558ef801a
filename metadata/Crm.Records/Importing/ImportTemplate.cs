using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Records.Importing;

/// <summary>What becomes what in an import, kept under a name for the next file of its kind.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Entity">The entity it imports into.</param>
/// <param name="Name">For users.</param>
/// <param name="IsShared">Whether everybody who may import into the entity is offered it; otherwise only its owner is.</param>
/// <param name="Owner">Who made it.</param>
/// <param name="Mapping">What becomes what: as read for somebody, only fields that they may write.</param>
public sealed record ImportTemplate(Guid Id, string Entity, string Name, bool IsShared, Guid Owner, ImportMapping Mapping)
{
    /// <summary>Longest name, in characters.</summary>
    public const int MaxName = 100;

    /// <summary>What happens to rows whose record exists or does not.</summary>
    public ImportMode Mode { get; init; }

    /// <summary>Fields a row and its record have in common.</summary>
    public ImmutableArray<string> Match { get; init; } = [];

    /// <summary>Whether new records may be like some that are there.</summary>
    public bool AcceptsDuplicates { get; init; }

    /// <summary>What it names that is not there any more, each with the reason; left out of the mapping.</summary>
    public ImmutableArray<ValidationError> Missing { get; init; } = [];

    /// <summary>How many fields it gives values that whoever reads it may not write; left out of the mapping, and not named.</summary>
    public int Withheld { get; init; }

    /// <summary>Columns it reads.</summary>
    public IReadOnlyCollection<string> Columns =>
        Mapping.Fields.Values.SelectMany(f => f.Column is { } column ? [column] : f.Template is { } text ? TextTemplate.Parse(text).Columns : []).Distinct(StringComparer.OrdinalIgnoreCase).ToList();

    /// <summary>Columns it reads that a file does not have.</summary>
    public ImmutableArray<string> NotIn(IEnumerable<string> headers) => [.. Columns.Except(headers, StringComparer.OrdinalIgnoreCase)];

    /// <summary>Whether somebody may change or delete it.</summary>
    public bool MayChange(Actor actor)
    {
        ArgumentNullException.ThrowIfNull(actor);
        return IsShared ? actor.IsAdministrator : Owner == actor.UserId;
    }

    /// <summary>Templates by how well they fit a file: those that read most of its columns and miss fewest.</summary>
    public static IEnumerable<ImportTemplate> ByFit(IEnumerable<ImportTemplate> templates, IReadOnlyCollection<string> headers)
    {
        ArgumentNullException.ThrowIfNull(templates);
        return templates.OrderByDescending(t => t.Columns.Count - 2 * t.NotIn(headers).Length).ThenBy(t => t.Name, StringComparer.CurrentCultureIgnoreCase);
    }
}
