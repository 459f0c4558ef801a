using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;

namespace Crm.Sdk;

/// <summary>One of several addresses of a field, and what it is for.</summary>
/// <param name="Kind">Name of the kind: <c>invoice</c>; see <see cref="KindsType.KindsOf"/>.</param>
/// <param name="Address">The address.</param>
public readonly record struct KindAddress(string Kind, Address Address);

/// <summary>
/// Several postal addresses in the order the user gave them; the first is the one to use. Input is a list of addresses in parts with a <c>kind</c>, or addresses by kind
/// (<c>invoice</c> to its parts), whose parts go into the first address of their kind and leave everything else.
/// </summary>
public sealed class AddressesType : KindsType
{
    private const string KindPart = "kind";

    private static readonly ConditionalWeakTable<FieldDefinition, EntityDefinition> Rows = [];

    internal AddressesType(params ImmutableArray<string> kinds)
        : base("addresses", kinds)
    {
    }

    /// <inheritdoc/>
    public override Type ValueType => typeof(ImmutableArray<KindAddress>);

    /// <summary>The parts of one address, without its kind.</summary>
    public static ImmutableArray<FieldColumn> Parts => Fields.Address.Columns;

    /// <summary>The addresses of a record as conditions name them: an entity whose fields are the kind and the parts, each a text.</summary>
    public static EntityDefinition RowsOf(FieldDefinition field)
    {
        ArgumentNullException.ThrowIfNull(field);
        return Rows.GetValue(field, MakeRows);
    }

    /// <inheritdoc/>
    public override bool TryNormalize(FieldDefinition field, object input, out object? value, [NotNullWhen(false)] out FieldError? error)
    {
        ArgumentNullException.ThrowIfNull(field);
        value = null;
        error = null;
        var known = KindsOf(field);
        var single = field with { Type = Fields.Address, Choices = [] };
        var addresses = new List<KindAddress>();
        var row = 0;
        foreach (var item in Items(input))
        {
            if (!TryRow(item, known[0].Name, out var kind, out var parts))
            {
                error = new FieldError(ErrorCodes.Type, Texts.Of("NotAddresses", field.Label)) { At = At(row) };
                return false;
            }

            if (!Fields.Address.TryNormalize(single, parts, out var one, out var problem))
            {
                error = problem with { Message = Texts.Of("InRow", row + 1, problem.Message), At = At(row) };
                return false;
            }

            if (one is Address address)
            {
                if (Find(known, kind) is not { } choice)
                {
                    error = UnknownKind(field, known, kind, row);
                    return false;
                }

                if (!addresses.Contains(new KindAddress(choice.Name, address)))
                {
                    addresses.Add(new KindAddress(choice.Name, address));
                }
            }

            row++;
        }

        error = TooMany(field, addresses.Count);
        value = error is not null || addresses.Count == 0 ? null : addresses.ToImmutableArray();
        return error is null;
    }

    /// <inheritdoc/>
    public override object Complete(object input, object stored)
    {
        if (!IsByKind(input, out var byKind) || stored is not ImmutableArray<KindAddress> addresses)
        {
            return input;
        }

        var rows = addresses.Select(a => (a.Kind, Value: (object?)a.Address)).ToList();
        foreach (var (kind, value) in byKind)
        {
            var place = rows.FindIndex(r => r.Kind == kind);
            if (place < 0)
            {
                rows.Add((kind, value));
            }
            else
            {
                rows[place] = (kind, value is null or "" ? null : Fields.Address.Complete(value, rows[place].Value!));
            }
        }

        return rows.Where(r => r.Value is not (null or "")).Select(r => Row(r.Kind, r.Value)).ToList();
    }

    /// <inheritdoc/>
    public override void ToColumns(object? value, Span<object?> columns)
    {
        columns[0] = null;
        if (value is ImmutableArray<KindAddress> addresses)
        {
            using var buffer = new MemoryStream();
            using (var json = new Utf8JsonWriter(buffer))
            {
                Write(json, addresses);
            }

            columns[0] = Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
        }
    }

    /// <inheritdoc/>
    public override object? FromColumns(ReadOnlySpan<object?> columns)
    {
        if (columns[0] is not string text)
        {
            return null;
        }

        using var document = JsonDocument.Parse(text);
        return document.RootElement.EnumerateArray().Select(Read).ToImmutableArray();
    }

    /// <inheritdoc/>
    public override bool AreEqual(object? left, object? right) =>
        left is ImmutableArray<KindAddress> one && right is ImmutableArray<KindAddress> other ? one.SequenceEqual(other) : left is null && right is null;

    /// <inheritdoc/>
    public override string Format(FieldDefinition field, object? value, CultureInfo culture) =>
        value is ImmutableArray<KindAddress> addresses ? string.Join("; ", addresses.Select(a => $"{a.Address} ({LabelOf(field, a.Kind)})")) : "";

    /// <summary>Writes addresses as the API and the table have them: a list of objects of kind and parts, missing ones null.</summary>
    public static void Write(Utf8JsonWriter json, ImmutableArray<KindAddress> addresses)
    {
        ArgumentNullException.ThrowIfNull(json);
        json.WriteStartArray();
        foreach (var (kind, address) in addresses)
        {
            json.WriteStartObject();
            json.WriteString(KindPart, kind);
            foreach (var (part, value) in AddressType.ToParts(address))
            {
                json.WriteString(part, (string?)value);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static KindAddress Read(JsonElement row)
    {
        string? Part(string name) => row.TryGetProperty(name, out var part) ? part.GetString() : null;
        return new KindAddress(Part(KindPart) ?? "", new Address(Part("street"), Part("postal_code"), Part("city"), Part("region"), Part("country")));
    }

    private static EntityDefinition MakeRows(FieldDefinition field)
    {
        FieldDefinition Of(string name, FieldType type, ImmutableArray<ChoiceDefinition> choices) =>
            new() { Name = name, Label = Texts.Of("Address_" + name), Origin = field.Origin, Type = type, Choices = choices };
        return new EntityDefinition
        {
            // No entity is called so.
            Name = field.Name + "[]",
            Origin = field.Origin,
            Label = field.Label,
            PluralLabel = field.Label,
            SetName = field.Name,
            Fields = [Of(KindPart, Fields.Choice, ((KindsType)field.Type).KindsOf(field)), .. Parts.Select(p => Of(p.Part, Fields.Text, []))],
        };
    }

    private static IEnumerable<object?> Items(object input) => input switch
    {
        ImmutableArray<KindAddress> addresses => addresses.Select(a => (object?)a),
        _ when IsByKind(input, out var byKind) => byKind.Where(k => k.Value is not (null or "")).Select(k => (object?)Row(k.Key, k.Value)),
        IReadOnlyDictionary<string, object?> => [input],
        IEnumerable<object?> list => list,
        _ => [input],
    };

    // Addresses by kind: what stands under a name is an address itself, or nothing.
    private static bool IsByKind(object? input, [NotNullWhen(true)] out IReadOnlyDictionary<string, object?>? byKind)
    {
        byKind = input as IReadOnlyDictionary<string, object?>;
        return byKind is { Count: > 0 } && byKind.All(k => k.Value is IReadOnlyDictionary<string, object?> or Address || (k.Value is null or "" && k.Key != KindPart && !Parts.Any(p => p.Part == k.Key)));
    }

    private static bool TryRow(object? item, string usual, [NotNullWhen(true)] out string? kind, out Dictionary<string, object?> parts)
    {
        (kind, parts) = (usual, new(StringComparer.Ordinal));
        switch (item)
        {
            case null:
                return true;
            case KindAddress { Address: { } address } given:
                (kind, parts) = (given.Kind, AddressType.ToParts(address));
                return true;
            case IReadOnlyDictionary<string, object?> given:
                kind = given.GetValueOrDefault(KindPart) switch { null or "" => usual, var name => Inputs.ToText(name) };
                parts = given.Where(p => p.Key != KindPart).ToDictionary(StringComparer.Ordinal);
                return kind is not null;
            default:
                return false;
        }
    }

    private static Dictionary<string, object?> Row(string kind, object? value)
    {
        var row = value switch
        {
            Address address => AddressType.ToParts(address),
            IReadOnlyDictionary<string, object?> parts => parts.ToDictionary(StringComparer.Ordinal),
            // What is no address is refused as a part that no address has.
            _ => new Dictionary<string, object?>(StringComparer.Ordinal) { [""] = value },
        };
        row[KindPart] = kind;
        return row;
    }
}
