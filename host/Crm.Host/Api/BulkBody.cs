using System.Collections.Immutable;
using System.Text.Json;
using Crm.Host.Api.OData;
using Crm.Records.Bulk;
using Crm.Sdk;

namespace Crm.Host.Api;

/// <summary>Reads the body of a bulk change. What is not understood is refused: a selection read wrongly would change the wrong records.</summary>
internal static class BulkBody
{
    public static BulkRequest Read(JsonElement body, ODataModel model, TimeProvider time)
    {
        var given = Properties(body, null, "entity", "action", "records", "set", "add", "remove");
        var name = Text(given, "entity") ?? throw Missing("entity");
        var set = model.ByEntity.GetValueOrDefault(name) ?? model.Set(name);
        var request = new BulkRequest(set.Entity.Name, Action(Text(given, "action")))
        {
            Set = given.TryGetValue("set", out var values) ? Values(values, set) : ImmutableDictionary<string, object?>.Empty,
            Add = Lists(given, "add"),
            Remove = Lists(given, "remove"),
        };
        if (request.Action == BulkAction.Delete && (given.ContainsKey("set") || given.ContainsKey("add") || given.ContainsKey("remove")))
        {
            throw Wrong("set", "NothingWithDelete");
        }

        return Select(request, given.TryGetValue("records", out var records) ? records : throw Missing("records"), model, set, time);
    }

    private static BulkRequest Select(BulkRequest request, JsonElement records, ODataModel model, ODataSet set, TimeProvider time)
    {
        var given = Properties(records, "records", "ids", "filter", "search", "all");
        var ways = (given.ContainsKey("ids") ? 1 : 0) + (given.ContainsKey("filter") || given.ContainsKey("search") ? 1 : 0) + (given.ContainsKey("all") ? 1 : 0);
        if (ways != 1 || (given.TryGetValue("all", out var all) && all.ValueKind != JsonValueKind.True))
        {
            throw Wrong("records", "RecordsOneWay");
        }

        if (given.TryGetValue("ids", out var ids))
        {
            return request with
            {
                Ids = ids.ValueKind == JsonValueKind.Array && ids.GetArrayLength() > 0
                    ? [.. ids.EnumerateArray().Select(id => id.ValueKind == JsonValueKind.String && id.TryGetGuid(out var key) ? key : throw Wrong("records.ids", "Ids"))]
                    : throw Wrong("records.ids", "Ids"),
            };
        }

        return request with
        {
            Query = new RecordQuery
            {
                Entity = set.Entity.Name,
                Filter = Text(given, "filter", "records.") is { } filter ? QueryOptions.FilterOf(model, set, filter, time) : null,
                Search = ListRequest.Search(Text(given, "search", "records.")),
            },
        };
    }

    private static BulkAction Action(string? action) => action switch
    {
        null or "update" => BulkAction.Update,
        "delete" => BulkAction.Delete,
        _ => throw Wrong("action", "BulkAction"),
    };

    private static IReadOnlyDictionary<string, object?> Values(JsonElement values, ODataSet set)
    {
        var body = RecordBody.Read(values, set, isUpdate: true);
        return body is { Id: null, Version: null } ? body.Values : throw Wrong("set", "NoIdOrVersion");
    }

    private static Dictionary<string, ImmutableArray<string>> Lists(Dictionary<string, JsonElement> given, string name)
    {
        var lists = new Dictionary<string, ImmutableArray<string>>(StringComparer.Ordinal);
        foreach (var (field, list) in given.TryGetValue(name, out var found) ? Properties(found, name) : [])
        {
            lists.Add(field, list.ValueKind == JsonValueKind.Array && list.EnumerateArray().All(t => t.ValueKind == JsonValueKind.String) && TryTexts(list, out var texts) ? texts : throw Wrong($"{name}.{field}", "Texts"));
        }

        return lists;
    }

    // JSON can escape half of a surrogate pair, which is no text.
    private static bool TryTexts(JsonElement list, out ImmutableArray<string> texts)
    {
        try
        {
            texts = [.. list.EnumerateArray().Select(t => t.GetString()!)];
            return true;
        }
        catch (InvalidOperationException)
        {
            texts = [];
            return false;
        }
    }

    private static Dictionary<string, JsonElement> Properties(JsonElement element, string? at, params ReadOnlySpan<string> known)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            throw Wrong(at, "NoObject");
        }

        var properties = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        try
        {
            foreach (var property in element.EnumerateObject())
            {
                if ((known.Length > 0 && !known.Contains(property.Name)) || !properties.TryAdd(property.Name, property.Value))
                {
                    throw new ApiException(ApiError.BadRequest(BulkTexts.Of("NotUnderstood", property.Name.Length > 64 ? property.Name[..64] + "…" : property.Name), at));
                }
            }
        }
        catch (InvalidOperationException)
        {
            throw Wrong(at, "NoObject");
        }

        return properties;
    }

    private static string? Text(Dictionary<string, JsonElement> given, string name, string at = "")
    {
        if (!given.TryGetValue(name, out var value))
        {
            return null;
        }

        try
        {
            return value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 and <= QueryOptions.MaxLength } text ? text : throw Wrong(at + name, "NoText");
        }
        catch (InvalidOperationException)
        {
            throw Wrong(at + name, "NoText");
        }
    }

    private static ApiException Missing(string name) => Wrong(name, "Missing");

    private static ApiException Wrong(string? name, string text) => new(ApiError.BadRequest(BulkTexts.Of(text, name), name));
}
