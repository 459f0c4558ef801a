using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Crm.Sdk;

/// <summary>
/// A JSON document, for what another program left with a record. The value is its text; input may also be an object or a list. It is stored so that the
/// database can look into it, and compared by meaning: neither white space nor the order of names makes a difference.
/// </summary>
internal sealed class JsonType : FieldType
{
    private const int DefaultMaxLength = 100_000;

    private const int MaxDepth = 32;

    private static readonly ImmutableArray<FieldColumn> Column = [new("value", "", StorageKind.Json)];

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = MaxDepth, AllowDuplicateProperties = false };

    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public override string Name => "json";

    public override Type ValueType => typeof(string);

    public override ImmutableArray<FieldColumn> Columns => Column;

    // What stands in a document is nothing one filter operator could ask for.
    public override ImmutableArray<FilterOperator> Operators => [];

    public override bool CanSort => false;

    public override bool TryNormalize(FieldDefinition field, object input, out object? value, [NotNullWhen(false)] out FieldError? error)
    {
        value = null;
        try
        {
            var text = input as string ?? ToNode(input, 0)?.ToJsonString() ?? "null";
            if (text.Length > DefaultMaxLength)
            {
                error = new FieldError(ErrorCodes.Length, Texts.Of("TooLong", field.Label, text.Length, DefaultMaxLength));
                return false;
            }

            using var document = JsonDocument.Parse(text, Strict);
            // "null" is no value at all.
            value = document.RootElement.ValueKind == JsonValueKind.Null ? null : Write(document.RootElement);
            error = null;
            return true;
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException or FormatException)
        {
            error = new FieldError(ErrorCodes.Type, Texts.Of("NotJson", field.Label, MaxDepth));
            return false;
        }
    }

    public override bool AreEqual(object? left, object? right)
    {
        if (left is not string one || right is not string other)
        {
            return left is null && right is null;
        }

        if (one == other)
        {
            return true;
        }

        using var first = JsonDocument.Parse(one);
        using var second = JsonDocument.Parse(other);
        return JsonElement.DeepEquals(first.RootElement, second.RootElement);
    }

    private static string Write(JsonElement element)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Plain))
        {
            Write(json, element);
        }

        return System.Text.Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    // Written anew so that only what the database can hold is left: whole characters, no U+0000, numbers of a size.
    private static void Write(Utf8JsonWriter json, JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                json.WriteStartObject();
                foreach (var property in element.EnumerateObject())
                {
                    json.WritePropertyName(Whole(property.Name));
                    Write(json, property.Value);
                }

                json.WriteEndObject();
                break;
            case JsonValueKind.Array:
                json.WriteStartArray();
                foreach (var item in element.EnumerateArray())
                {
                    Write(json, item);
                }

                json.WriteEndArray();
                break;
            case JsonValueKind.String:
                json.WriteStringValue(Whole(element.GetString()!));
                break;
            case JsonValueKind.Number when !element.TryGetDouble(out var number) || !double.IsFinite(number):
                throw new FormatException();
            default:
                element.WriteTo(json);
                break;
        }
    }

    private static string Whole(string text) => text.Contains('\0', StringComparison.Ordinal) || !SingleTextType.IsUnicode(text) ? throw new FormatException() : text;

    private static JsonNode? ToNode(object? input, int depth) => input switch
    {
        _ when depth > MaxDepth => throw new FormatException(),
        null => null,
        JsonNode node => node.DeepClone(),
        JsonElement element => JsonSerializer.SerializeToNode(element),
        string text => text,
        bool flag => flag,
        long number => number,
        int number => number,
        decimal number => number,
        double number when double.IsFinite(number) => number,
        IReadOnlyDictionary<string, object?> parts => new JsonObject(parts.Select(p => KeyValuePair.Create(p.Key, ToNode(p.Value, depth + 1)))),
        IEnumerable<object?> list => new JsonArray([.. list.Select(item => ToNode(item, depth + 1))]),
        _ => throw new FormatException(),
    };
}
