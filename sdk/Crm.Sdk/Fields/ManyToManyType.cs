using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Crm.Sdk;

/// <summary>
/// Any number of records of another entity, or of the same one. The field has no column: each link is a record of a link entity, see
/// <see cref="EntityDefinition.Link"/>, that points to both sides, and the field is the view of it from one side (<see cref="FieldDefinition.Link"/>). Input is
/// the list of records to be linked, by id or as parts with <c>id</c> and values of the link's own fields, in place of those that are; or the parts
/// <c>add</c> and <c>remove</c> with such lists. What is stored is no value of the record: a query gives null, and links are read from the link entity.
/// </summary>
/// <param name="target">The entity, when given in code; <see cref="FieldDefinition.Target"/> otherwise.</param>
public sealed class ManyToManyType(string? target = null) : FieldType
{
    /// <summary>Most links one change may name.</summary>
    public const int MaxLinks = 1000;

    /// <summary>The entity given in code, moved into <see cref="FieldDefinition.Target"/> when the field is declared.</summary>
    public string? DeclaredTarget { get; } = target;

    /// <inheritdoc/>
    public override string Name => "many_to_many";

    /// <inheritdoc/>
    public override Type ValueType => typeof(LinkChanges);

    /// <inheritdoc/>
    public override ImmutableArray<FieldColumn> Columns => [];

    /// <inheritdoc/>
    public override ImmutableArray<FilterOperator> Operators => [];

    /// <inheritdoc/>
    public override bool CanSort => false;

    /// <inheritdoc/>
    public override bool TryNormalize(FieldDefinition field, object input, out object? value, [NotNullWhen(false)] out FieldError? error)
    {
        ArgumentNullException.ThrowIfNull(field);
        value = null;
        error = null;
        switch (input)
        {
            case LinkChanges changes:
                value = changes;
                return true;
            case IReadOnlyDictionary<string, object?> parts when parts.Count > 0 && parts.Keys.All(k => k is "add" or "remove"):
                if (TryLinks(field, parts.GetValueOrDefault("add"), out var added, out error) && TryLinks(field, parts.GetValueOrDefault("remove"), out var removed, out error))
                {
                    value = new LinkChanges(added, [.. removed.Select(l => l.Id)], IsComplete: false);
                }

                return error is null;
            default:
                if (TryLinks(field, input, out var links, out error))
                {
                    value = new LinkChanges(links, [], IsComplete: true);
                }

                return error is null;
        }
    }

    /// <inheritdoc/>
    public override void ToColumns(object? value, Span<object?> columns)
    {
        // Nothing of it is in the record's row.
    }

    /// <inheritdoc/>
    public override object? FromColumns(ReadOnlySpan<object?> columns) => null;

    /// <inheritdoc/>
    public override string? NavigationProperty(FieldDefinition field) => field?.Name;

    /// <summary>How many links a change adds and removes; text, as history has it, is left as it is.</summary>
    public override string Format(FieldDefinition field, object? value, CultureInfo culture) => value switch
    {
        LinkChanges changes => string.Create(culture, $"+{changes.Links.Length} −{changes.Removed.Length}"),
        _ => value as string ?? "",
    };

    /// <inheritdoc/>
    public override IEnumerable<string> Problems(FieldDefinition field) =>
        field?.Link is null || field.Target is null ? [Texts.Of("NoTarget", field?.Name)] : [];

    private static bool TryLinks(FieldDefinition field, object? input, out ImmutableArray<LinkedRecord> links, [NotNullWhen(false)] out FieldError? error)
    {
        links = [];
        error = null;
        IEnumerable<object?>? items = input switch
        {
            null => [],
            string text => text.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
            Guid id => [id],
            ImmutableArray<Guid> ids => ids.Cast<object?>(),
            IEnumerable<Guid> ids => ids.Cast<object?>(),
            IReadOnlyDictionary<string, object?> => null,
            IEnumerable<object?> list => list,
            _ => null,
        };
        if (items is null)
        {
            error = new FieldError(ErrorCodes.Type, Texts.Of("NotLinks", field.Label));
            return false;
        }

        var found = new Dictionary<Guid, LinkedRecord>();
        var place = 0;
        foreach (var item in items)
        {
            place++;
            var link = item switch
            {
                LinkedRecord given => given,
                IReadOnlyDictionary<string, object?> parts when Inputs.ToId(parts.GetValueOrDefault("id") ?? "") is { } id => new LinkedRecord(id, parts.Where(p => p.Key != "id").ToImmutableDictionary()),
                not (null or IReadOnlyDictionary<string, object?>) when Inputs.ToId(item) is { } id => new LinkedRecord(id, LinkedRecord.NoValues),
                _ => null,
            };
            if (link is null)
            {
                error = new FieldError(ErrorCodes.Type, Texts.Of("NotLink", field.Label, place));
                return false;
            }

            // Named twice is linked once; what is said last holds.
            found[link.Id] = link;
        }

        if (found.Count > MaxLinks)
        {
            error = new FieldError(ErrorCodes.Length, Texts.Of("TooManyLinks", field.Label, MaxLinks));
            return false;
        }

        links = [.. found.Values];
        return true;
    }
}

/// <summary>What a change says of a record's links.</summary>
/// <param name="Links">Records that are to be linked, each once.</param>
/// <param name="Removed">Records that are not to be linked any more.</param>
/// <param name="IsComplete">Whether all others are not to be linked any more.</param>
public sealed record LinkChanges(ImmutableArray<LinkedRecord> Links, ImmutableArray<Guid> Removed, bool IsComplete);

/// <summary>A record at the far side of a link.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Values">Input for fields of the link itself; those not named keep their value.</param>
public sealed record LinkedRecord(Guid Id, IReadOnlyDictionary<string, object?> Values)
{
    /// <summary>Nothing about the link itself.</summary>
    public static IReadOnlyDictionary<string, object?> NoValues { get; } = ImmutableDictionary<string, object?>.Empty;
}

/// <summary>A many-to-many field as a view of the entity whose records are its links.</summary>
/// <param name="Entity">The link entity.</param>
/// <param name="Near">Its lookup that points to records that have the field.</param>
/// <param name="Far">Its lookup that points to the records the field shows.</param>
public sealed record LinkView(string Entity, string Near, string Far);

/// <summary>The two lookups of a link entity: each pair of records is linked at most once, and a link goes when one of the two records does.</summary>
/// <param name="Left">Name of the one.</param>
/// <param name="Right">Name of the other.</param>
public sealed record LinkEnds(string Left, string Right);
