using System.Globalization;
using System.Text.Json;

namespace Crm.Sdk.Web.Forms;

/// <summary>Links somebody added, changed and removed, as the browser keeps them until they are saved.</summary>
internal static class LinkText
{
    public static string Write(LinkChanges links) => JsonSerializer.Serialize(new Dictionary<string, object>(StringComparer.Ordinal)
    {
        ["add"] = links.Links.Select(l => l.Values.Append(new KeyValuePair<string, object?>("id", l.Id)).ToDictionary(v => v.Key, v => Plain(v.Value), StringComparer.Ordinal)),
        ["remove"] = links.Removed,
    });

    /// <summary>Input for the field; a text that is not ours is left for the type to refuse.</summary>
    public static object Read(string text)
    {
        if (!text.StartsWith('{'))
        {
            return text;
        }

        try
        {
            using var json = JsonDocument.Parse(text);
            return Value(json.RootElement)!;
        }
        catch (JsonException)
        {
            return text;
        }
    }

    private static object? Plain(object? value) => value switch
    {
        DateOnly date => date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        _ => value,
    };

    private static object? Value(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Object => json.EnumerateObject().ToDictionary(p => p.Name, p => Value(p.Value), StringComparer.Ordinal),
        JsonValueKind.Array => json.EnumerateArray().Select(Value).ToList(),
        JsonValueKind.String => json.GetString(),
        JsonValueKind.Number => json.TryGetDecimal(out var number) ? number : json.GetRawText(),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => null,
    };
}
