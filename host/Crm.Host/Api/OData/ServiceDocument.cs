using System.Text;
using System.Text.Json;
using System.Xml;
using Crm.Sdk;
using Microsoft.OData.Edm.Csdl;
using Microsoft.OData.Edm.Validation;

namespace Crm.Host.Api.OData;

/// <summary>The list of entity sets.</summary>
internal static class ServiceDocument
{
    public static async Task WriteAsync(HttpContext context, ODataModel model)
    {
        ODataResponse.CheckFormat(context.Request);
        context.Response.ContentType = ODataResponse.ContentType;
        await using (var json = new Utf8JsonWriter(context.Response.BodyWriter, Errors.Unescaped))
        {
            json.WriteStartObject();
            json.WriteString("@odata.context", Urls.Root(context.Request) + "/$metadata");
            json.WriteStartArray("value");
            foreach (var set in model.Sets.Values.OrderBy(s => s.Entity.SetName, StringComparer.Ordinal))
            {
                json.WriteStartObject();
                json.WriteString("name", set.Entity.SetName);
                json.WriteString("title", set.Entity.PluralLabel);
                json.WriteString("kind", "EntitySet");
                json.WriteString("url", set.Entity.SetName);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }
}

/// <summary>The entity model as CSDL, in XML or JSON.</summary>
internal static class MetadataDocument
{
    public static async Task WriteAsync(HttpContext context, ODataModel model)
    {
        var json = WantsJson(context.Request);
        context.Response.ContentType = json ? "application/json;charset=utf-8" : "application/xml;charset=utf-8";
        await context.Response.Body.WriteAsync(json ? Json(model) : Xml(model), context.RequestAborted);
    }

    private static bool WantsJson(HttpRequest request)
    {
        if (request.Query.TryGetValue("$format", out var format))
        {
            return format.ToString() switch
            {
                "json" or "application/json" => true,
                "xml" or "application/xml" => false,
                _ => throw new ApiException(new ApiError(StatusCodes.Status406NotAcceptable, ErrorCodes.BadRequest, "$format can be xml or json here.", "$format")),
            };
        }

        // The order clients name types in is their wish; the first one known decides.
        foreach (var type in request.Headers.Accept.SelectMany(a => (a ?? "").Split(',')))
        {
            if (type.Contains("json", StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }

            if (type.Contains("xml", StringComparison.OrdinalIgnoreCase))
            {
                return false;
            }
        }

        return false;
    }

    private static byte[] Xml(ODataModel model)
    {
        using var stream = new MemoryStream();
        using (var writer = XmlWriter.Create(stream, new XmlWriterSettings { Encoding = new UTF8Encoding(false) }))
        {
            Check(CsdlWriter.TryWriteCsdl(model.Edm, writer, CsdlTarget.OData, out var errors), errors);
        }

        return stream.ToArray();
    }

    private static byte[] Json(ODataModel model)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            Check(CsdlWriter.TryWriteCsdl(model.Edm, writer, out var errors), errors);
        }

        return stream.ToArray();
    }

    private static void Check(bool written, IEnumerable<EdmError> errors)
    {
        if (!written)
        {
            throw new InvalidOperationException("The entity model cannot be written: " + string.Join("; ", errors.Select(e => e.ErrorMessage)));
        }
    }
}
