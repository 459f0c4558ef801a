using System.Collections;
using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace Crm.Records;

/// <summary>Names of the values of many records: a record itself is then one array.</summary>
internal sealed class RecordShape
{
    private readonly FrozenDictionary<string, int> places;

    public RecordShape(ImmutableArray<string> names)
    {
        Names = names;
        places = names.Select((name, i) => KeyValuePair.Create(name, i)).ToFrozenDictionary(StringComparer.Ordinal);
    }

    public ImmutableArray<string> Names { get; }

    public bool TryPlace(string name, out int place) => places.TryGetValue(name, out place);
}

/// <summary>Values of one record by name.</summary>
internal sealed class RecordValues(RecordShape shape, object?[] values) : IReadOnlyDictionary<string, object?>
{
    public int Count => shape.Names.Length;

    public IEnumerable<string> Keys => shape.Names;

    public IEnumerable<object?> Values => values;

    public object? this[string key] =>
        shape.TryPlace(key, out var place) ? values[place] : throw new KeyNotFoundException($"'{key}' was not selected.");

    public bool ContainsKey(string key) => shape.TryPlace(key, out _);

    public bool TryGetValue(string key, [MaybeNullWhen(false)] out object? value)
    {
        var found = shape.TryPlace(key, out var place);
        value = found ? values[place] : null;
        return found;
    }

    public IEnumerator<KeyValuePair<string, object?>> GetEnumerator()
    {
        for (var i = 0; i < values.Length; i++)
        {
            yield return KeyValuePair.Create(shape.Names[i], values[i]);
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>The values themselves, for the engine: never changed once the record was given away.</summary>
    internal object?[] ToArray() => values;
}
