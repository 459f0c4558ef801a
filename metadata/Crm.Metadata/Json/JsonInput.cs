using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>
/// Reads one JSON object that a stranger wrote: every wrong type and every unknown property becomes an error that names its place, nothing throws.
/// Dispose it when all properties were asked for; what was not asked for is unknown.
/// </summary>
internal sealed class JsonInput : IDisposable
{
    private readonly Dictionary<string, JsonElement> properties;
    private readonly List<PlanMessage> errors;
    private readonly string path;
    private readonly HashSet<string> taken = new(StringComparer.Ordinal);

    public JsonInput(JsonElement element, string path, List<PlanMessage> errors)
    {
        this.path = path;
        this.errors = errors;
        properties = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        if (element.ValueKind != JsonValueKind.Object)
        {
            errors.Add(new PlanMessage(ErrorCodes.BadRequest, MetadataTexts.Of("JsonObject"), path));
            return;
        }

        foreach (var property in element.EnumerateObject())
        {
            if (!TryName(property, out var name))
            {
                errors.Add(new PlanMessage(ErrorCodes.BadRequest, MetadataTexts.Of("JsonName"), path));
            }
            else if (!properties.TryAdd(name, property.Value))
            {
                errors.Add(new PlanMessage(ErrorCodes.BadRequest, MetadataTexts.Of("JsonTwice", name), At(name)));
            }
        }
    }

    /// <summary>Names of properties whose value is null: what goes back to the layer below.</summary>
    public ImmutableArray<string> Nulls(params ReadOnlySpan<string> names)
    {
        var nulls = ImmutableArray.CreateBuilder<string>();
        foreach (var name in names)
        {
            if (properties.TryGetValue(name, out var value) && value.ValueKind == JsonValueKind.Null)
            {
                nulls.Add(name);
            }
        }

        return nulls.ToImmutable();
    }

    public string At(string name) => path.Length == 0 ? name : path + "." + name;

    public bool Has(string name) => properties.ContainsKey(name);

    public string RequiredText(string name) => Text(name) ?? Missing(name);

    public string? Text(string name)
    {
        if (!TryTake(name, out var value))
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.String && TryText(value, out var text) ? text : Wrong<string>(name, "JsonText");
    }

    public bool? Boolean(string name) => !TryTake(name, out var value) ? null : value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => WrongValue<bool>(name, "JsonBoolean"),
    };

    public int? Integer(string name) =>
        !TryTake(name, out var value) ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) ? number
        : WrongValue<int>(name, "JsonInteger");

    public long? Long(string name) =>
        !TryTake(name, out var value) ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number
        : WrongValue<long>(name, "JsonInteger");

    public decimal? Decimal(string name) =>
        !TryTake(name, out var value) ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetDecimal(out var number) ? number
        : WrongValue<decimal>(name, "JsonNumber");

    public ImmutableArray<string>? Texts(string name)
    {
        if (!TryTake(name, out var value))
        {
            return null;
        }

        var texts = ImmutableArray.CreateBuilder<string>();
        foreach (var item in value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : default)
        {
            if (item.ValueKind != JsonValueKind.String || !TryText(item, out var text))
            {
                return WrongValue<ImmutableArray<string>>(name, "JsonTexts");
            }

            texts.Add(text);
        }

        return value.ValueKind == JsonValueKind.Array ? texts.ToImmutable() : WrongValue<ImmutableArray<string>>(name, "JsonTexts");
    }

    /// <summary>Elements of a list with their paths; empty when there is none.</summary>
    public List<(JsonElement Element, string Path)> Items(string name)
    {
        var items = new List<(JsonElement, string)>();
        if (TryTake(name, out var value))
        {
            if (value.ValueKind != JsonValueKind.Array)
            {
                Wrong<object>(name, "JsonArray");
                return items;
            }

            foreach (var item in value.EnumerateArray())
            {
                items.Add((item, string.Create(CultureInfo.InvariantCulture, $"{At(name)}[{items.Count}]")));
            }
        }

        return items;
    }

    public JsonElement? Element(string name) => TryTake(name, out var value) ? value : null;

    public JsonElement? RequiredElement(string name)
    {
        if (TryTake(name, out var value))
        {
            return value;
        }

        Missing(name);
        return null;
    }

    /// <summary>Text, number, yes or no, or a list of them.</summary>
    public object? Value(string name)
    {
        if (!TryTake(name, out var value))
        {
            return null;
        }

        return TryValue(value, out var read) ? read : Wrong<object>(name, "JsonValue");
    }

    /// <summary>Gives up on the object: nothing more is said about its properties.</summary>
    public void TakeAll() => taken.UnionWith(properties.Keys);

    public void Error(string code, string name, string message) => errors.Add(new PlanMessage(code, message, At(name)));

    public void Dispose()
    {
        // Null means the same as not being there, so a null of an unknown name is unknown as well.
        foreach (var name in properties.Keys)
        {
            if (!taken.Contains(name))
            {
                errors.Add(new PlanMessage(ErrorCodes.BadRequest, MetadataTexts.Of("JsonUnknown", name.Length > 60 ? name[..60] : name), At(name.Length > 60 ? name[..60] : name)));
            }
        }
    }

    private static bool TryValue(JsonElement value, out object? read)
    {
        read = null;
        switch (value.ValueKind)
        {
            case JsonValueKind.String when TryText(value, out var text):
                read = text;
                return true;
            case JsonValueKind.True or JsonValueKind.False:
                read = value.GetBoolean();
                return true;
            case JsonValueKind.Number when value.TryGetInt64(out var whole):
                read = whole;
                return true;
            case JsonValueKind.Number when value.TryGetDecimal(out var number):
                read = number;
                return true;
            case JsonValueKind.Array:
                var items = new List<object?>();
                foreach (var item in value.EnumerateArray())
                {
                    object? one = null;
                    if (item.ValueKind == JsonValueKind.Array || (item.ValueKind != JsonValueKind.Null && !TryValue(item, out one)))
                    {
                        return false;
                    }

                    items.Add(one);
                }

                read = items.ToArray();
                return true;
            default:
                return false;
        }
    }

    // Half of a surrogate pair is valid JSON but no text; U+0000 cannot be stored.
    public static bool TryText(JsonElement value, out string text)
    {
        try
        {
            text = value.GetString()!;
            return !text.Contains('\0', StringComparison.Ordinal);
        }
        catch (InvalidOperationException)
        {
            text = "";
            return false;
        }
    }

    private static bool TryName(JsonProperty property, out string name)
    {
        try
        {
            name = property.Name;
            return true;
        }
        catch (InvalidOperationException)
        {
            name = "";
            return false;
        }
    }

    private bool TryTake(string name, out JsonElement value)
    {
        taken.Add(name);
        return properties.TryGetValue(name, out value) && value.ValueKind != JsonValueKind.Null;
    }

    private string Missing(string name)
    {
        if (!properties.TryGetValue(name, out var value) || value.ValueKind == JsonValueKind.Null)
        {
            errors.Add(new PlanMessage(ErrorCodes.BadRequest, MetadataTexts.Of("JsonMissing", name), At(name)));
        }

        return "";
    }

    private T? Wrong<T>(string name, string text)
        where T : class
    {
        errors.Add(new PlanMessage(ErrorCodes.BadRequest, MetadataTexts.Of(text, name), At(name)));
        return null;
    }

    private T? WrongValue<T>(string name, string text)
        where T : struct
    {
        errors.Add(new PlanMessage(ErrorCodes.BadRequest, MetadataTexts.Of(text, name), At(name)));
        return null;
    }
}
