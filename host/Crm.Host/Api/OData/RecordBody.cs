using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Unicode;
using Crm.Sdk;
using Microsoft.Net.Http.Headers;

namespace Crm.Host.Api.OData;

/// <summary>What the body of a write says.</summary>
/// <param name="Values">Input by property or field name. Unknown names are kept: the record service reports them together with all other mistakes.</param>
/// <param name="Id">The id given by the client.</param>
/// <param name="Version">The version the client saw.</param>
internal sealed record RecordBody(IReadOnlyDictionary<string, object?> Values, Guid? Id, long? Version)
{
    /// <summary>Largest body, in bytes.</summary>
    public const long MaxBytes = 1024 * 1024;

    private const int MaxName = 128;

    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 32 };

    /// <summary>Reads the body of a request; an answer of 4xx when it is no JSON object.</summary>
    public static async Task<RecordBody> ReadAsync(HttpRequest request, ODataSet set, bool isUpdate)
    {
        using var document = await ParseAsync(request);
        return Read(document.RootElement, set, isUpdate);
    }

    /// <summary>Reads the JSON of a request; an answer of 4xx when it is none.</summary>
    public static async Task<JsonDocument> ParseAsync(HttpRequest request)
    {
        if (!IsJson(request.ContentType))
        {
            throw NoJson();
        }

        Limit(request);
        var document = await JsonDocument.ParseAsync(request.Body, Options, request.HttpContext.RequestAborted);
        return Checked(document);
    }

    /// <summary>Reads JSON that is in memory; an answer of 400 when it is none.</summary>
    public static JsonDocument Parse(ReadOnlyMemory<byte> json) => Checked(JsonDocument.Parse(json, Options));

    /// <summary>Bodies of more than <see cref="MaxBytes"/> are refused while they come.</summary>
    public static void Limit(HttpRequest request)
    {
        if (request.HttpContext.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = MaxBytes;
        }
    }

    /// <summary>Whether a content type is JSON in UTF-8.</summary>
    public static bool IsJson(string? contentType) =>
        MediaTypeHeaderValue.TryParse(contentType, out var type) && (type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase) || type.Suffix.Equals("json", StringComparison.OrdinalIgnoreCase))
        && (!type.Charset.HasValue || HeaderUtilities.RemoveQuotes(type.Charset).Equals("utf-8", StringComparison.OrdinalIgnoreCase));

    /// <summary>The refusal of a body that is no JSON.</summary>
    public static ApiException NoJson() =>
        new(new ApiError(StatusCodes.Status415UnsupportedMediaType, ErrorCodes.BadRequest, "Send JSON in UTF-8 with Content-Type: application/json.", "Content-Type"));

    // JSON can hold bytes that are no UTF-8 and escape half of a surrogate pair, which are no text; reading them is an exception, wherever that happens.
    private static JsonDocument Checked(JsonDocument document)
    {
        var json = JsonMarshal.GetRawUtf8Value(document.RootElement);
        if (!Utf8.IsValid(json) || json.IndexOf("\\u"u8) >= 0)
        {
            try
            {
                CheckTexts(document.RootElement, null);
            }
            catch (ApiException)
            {
                document.Dispose();
                throw;
            }
        }

        return document;
    }

    private static void CheckTexts(JsonElement value, string? name)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                Text(() => value.GetString()!, name);
                break;
            case JsonValueKind.Array:
                foreach (var item in value.EnumerateArray())
                {
                    CheckTexts(item, name);
                }

                break;
            case JsonValueKind.Object:
                foreach (var part in value.EnumerateObject())
                {
                    CheckTexts(part.Value, Text(() => part.Name, name));
                }

                break;
        }
    }

    private static string Text(Func<string> read, string? name = null)
    {
        try
        {
            return read();
        }
        catch (InvalidOperationException)
        {
            throw new ApiException(ApiError.BadRequest(name is null ? "A property name is no valid text." : $"'{name}' holds an invalid character.", name));
        }
    }

    public static RecordBody Read(JsonElement body, ODataSet set, bool isUpdate)
    {
        if (body.ValueKind != JsonValueKind.Object)
        {
            throw new ApiException(ApiError.BadRequest("The body must be one JSON object."));
        }

        var values = new Dictionary<string, object?>();
        Guid? id = null;
        long? version = null;
        foreach (var property in body.EnumerateObject())
        {
            var name = property.Name;
            if (name.Length > MaxName)
            {
                throw new ApiException(ApiError.BadRequest($"The property name '{name[..40]}…' is longer than {MaxName} characters."));
            }

            if (name.Contains('@', StringComparison.Ordinal))
            {
                if (Annotation(set, name, property.Value) is var (lookup, target))
                {
                    Add(values, lookup, target);
                }
            }
            else if (name == "id")
            {
                id = Given(id, name, property.Value.ValueKind == JsonValueKind.String && property.Value.TryGetGuid(out var key)
                    ? key : throw new ApiException(ApiError.BadRequest("id must be a UUID.", "id")));
            }
            else if (isUpdate && name == "version")
            {
                version = Given(version, name, property.Value.ValueKind == JsonValueKind.Number && property.Value.TryGetInt64(out var seen)
                    ? seen : throw new ApiException(ApiError.BadRequest("version must be a whole number.", "version")));
            }
            else if (set.Navigations.TryGetValue(name, out var navigation) && property.Value.ValueKind == JsonValueKind.Object)
            {
                Add(values, Column(navigation), Link(navigation, property.Value));
            }
            else
            {
                // Both names of a lookup mean the same property.
                var canonical = set.Entity.TryField(name, out var field) && field.Type is ReferenceType ? name + field.Type.Columns[0].Suffix : name;
                Add(values, canonical, Input(property.Value));
            }
        }

        return new RecordBody(values, id, version);
    }

    private static void Add(Dictionary<string, object?> values, string name, object? value)
    {
        if (!values.TryAdd(name, value))
        {
            throw new ApiException(ApiError.BadRequest($"The property '{name}' is given more than once.", name));
        }
    }

    private static T Given<T>(T? before, string name, T value)
        where T : struct =>
        before is null ? value : throw new ApiException(ApiError.BadRequest($"The property '{name}' is given more than once.", name));

    private static object? Input(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Null:
                return null;
            case JsonValueKind.True:
                return true;
            case JsonValueKind.False:
                return false;
            case JsonValueKind.String:
                return value.GetString()!;
            case JsonValueKind.Number:
                return value.TryGetInt64(out var whole) ? whole : value.TryGetDecimal(out var number) ? number : value.TryGetDouble(out var real) ? real : double.NaN;
            case JsonValueKind.Array:
                return value.EnumerateArray().Select(item => Input(item)).ToList();
            case JsonValueKind.Object:
                var parts = new Dictionary<string, object?>();
                foreach (var part in value.EnumerateObject())
                {
                    Add(parts, part.Name, Input(part.Value));
                }

                return parts;
            default:
                throw new InvalidOperationException($"JSON of kind {value.ValueKind}.");
        }
    }

    // Annotations a client sends back unchanged are no input; a type must be the one we gave out.
    private static (string Property, object? Value)? Annotation(ODataSet set, string name, JsonElement value)
    {
        var at = name.IndexOf('@', StringComparison.Ordinal);
        var annotation = name[(at + 1)..];
        annotation = annotation.StartsWith("odata.", StringComparison.Ordinal) ? annotation[6..] : annotation;
        switch (annotation)
        {
            case "bind" when at > 0 && set.Links.TryGetValue(name[..at], out var links):
                return (name[..at], new Dictionary<string, object?> { ["add"] = Bound(links, value) });
            case "bind" when at > 0:
                var navigation = set.Navigations.GetValueOrDefault(name[..at])
                    ?? throw new ApiException(new ApiError(400, ErrorCodes.UnknownField, $"'{name[..at]}' is no lookup of '{set.Entity.Name}'.", name[..at]));
                return (Column(navigation), value.ValueKind == JsonValueKind.Null ? null : Bound(navigation, value));
            case "context" or "etag" or "id" or "editLink" or "readLink" or "metadataEtag" when at == 0:
            case "navigationLink" or "associationLink" or "count" or "nextLink" when at > 0:
                return null;
            case "type" when value.ValueKind == JsonValueKind.String && IsOurType(set, at > 0, value.GetString()!):
                return null;
            default:
                throw new ApiException(ApiError.BadRequest($"The annotation '{name}' is not understood.", name));
        }
    }

    private static bool IsOurType(ODataSet set, bool ofProperty, string type) => ofProperty
        ? type.Length < 64 && type.StartsWith('#') && type.Skip(1).All(c => char.IsAsciiLetterOrDigit(c) || c is '(' or ')')
        : type.TrimStart('#') == $"{ODataModel.Namespace}.{set.Entity.Name}";

    private static string Column(Navigation navigation) => navigation.Field.Name + navigation.Field.Type.Columns[0].Suffix;

    private static Guid Link(Navigation navigation, JsonElement value)
    {
        if ((value.TryGetProperty("@odata.id", out var link) || value.TryGetProperty("@id", out link)) && value.EnumerateObject().Take(2).Count() == 1)
        {
            return Bound(navigation, link);
        }

        throw new ApiException(ApiError.BadRequest(
            $"'{navigation.Name}' cannot be written inside another record. Name it: \"{Column(navigation)}\": \"<id>\" or \"{navigation.Name}@odata.bind\": \"{navigation.Target.Entity.SetName}(<id>)\".", navigation.Name));
    }

    private static List<object?> Bound(LinkNavigation links, JsonElement value) => value.ValueKind == JsonValueKind.Array
        ? [.. value.EnumerateArray().Select(v => (object?)Linked(links, v))]
        : throw new ApiException(ApiError.BadRequest($"'{links.Field.Name}@odata.bind' must be a list of {links.Target.Entity.SetName}(<id>).", links.Field.Name));

    /// <summary>The id of a record to be linked, named by its address.</summary>
    public static Guid Linked(LinkNavigation links, JsonElement value) =>
        Urls.Reference(value.ValueKind == JsonValueKind.String ? value.GetString()! : "") is var (set, id) && set == links.Target.Entity.SetName
            ? id
            : throw new ApiException(ApiError.BadRequest($"A record to be linked must look like {links.Target.Entity.SetName}(<id>).", links.Field.Name));

    private static Guid Bound(Navigation navigation, JsonElement value)
    {
        var text = value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
        return Urls.Reference(text) is var (set, id) && set == navigation.Target.Entity.SetName
            ? id
            : throw new ApiException(ApiError.BadRequest($"'{navigation.Name}@odata.bind' must look like {navigation.Target.Entity.SetName}(<id>).", navigation.Name));
    }
}
