using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Crm.Sdk;

/// <summary>
/// An allow-list of entities and fields that narrows whoever acts: they may do what both it and the rights of their user allow, and nothing else exists for them. Two are equal when they say
/// the same.
/// </summary>
public sealed class AccessScope : IEquatable<AccessScope>
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) } };

    private readonly string text;

    /// <summary>Makes one.</summary>
    /// <param name="id">What narrows, such as an API key.</param>
    /// <param name="name">What it is called where a refusal is explained.</param>
    /// <param name="entities">What may be done with which entities.</param>
    public AccessScope(Guid id, string name, IReadOnlyDictionary<string, EntityScope> entities)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(entities);
        (Id, Name, Entities) = (id, name, entities.ToImmutableSortedDictionary(StringComparer.Ordinal));
        text = JsonSerializer.Serialize(new Stored(Id, Name, Entities), Json);
    }

    /// <summary>What narrows, such as an API key.</summary>
    public Guid Id { get; }

    /// <summary>What it is called.</summary>
    public string Name { get; }

    /// <summary>What may be done with which entities; one that is not named does not exist.</summary>
    public ImmutableSortedDictionary<string, EntityScope> Entities { get; }

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    /// <exception cref="JsonException">The text is no such thing.</exception>
    public static AccessScope Parse(string text)
    {
        var stored = JsonSerializer.Deserialize<Stored>(text, Json) ?? throw new JsonException("Nothing is said.");
        return new(stored.Id, stored.Name, stored.Entities);
    }

    /// <inheritdoc/>
    public bool Equals([NotNullWhen(true)] AccessScope? other) => other is not null && text == other.text;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as AccessScope);

    /// <inheritdoc/>
    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(text);

    /// <summary>All it says, as JSON.</summary>
    public override string ToString() => text;

    private sealed record Stored(
        [property: JsonRequired] Guid Id,
        [property: JsonRequired] string Name,
        [property: JsonRequired] ImmutableSortedDictionary<string, EntityScope> Entities);
}

/// <summary>What may be done with one entity.</summary>
/// <param name="Operations">With its records: reading includes taking them out as a file, creating or writing them includes importing. Sharing is never part of it.</param>
/// <param name="Fields">With which of its fields; null for all. <c>id</c> and <c>version</c> are always among them.</param>
public sealed record EntityScope(
    [property: JsonRequired] ImmutableArray<AccessOperation> Operations,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ImmutableArray<string>? Fields = null)
{
    /// <summary>Whether it lets an operation be done, if the user may.</summary>
    public bool Allows(AccessOperation operation) => operation switch
    {
        AccessOperation.Share => false,
        AccessOperation.Export => Operations.Contains(AccessOperation.Read),
        AccessOperation.Import => Operations.Contains(AccessOperation.Create) || Operations.Contains(AccessOperation.Write),
        _ => Operations.Contains(operation),
    };

    /// <summary>Whether it lets a field be seen, if the user may.</summary>
    public bool Allows(string field) => field is "id" or "version" || Fields is not { } fields || fields.Contains(field);
}
