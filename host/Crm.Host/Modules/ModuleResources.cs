using System.Collections.Frozen;
using System.Security.Cryptography;
using Microsoft.Net.Http.Headers;

namespace Crm.Host.Modules;

/// <summary>Serves what a running module embeds from its <c>wwwroot</c> under <c>/_modules/{id}/…</c>; the build's own manifest of static files does not know modules.</summary>
internal static class ModuleResources
{
    // What a page can ask for and a browser cannot mistake for a document of ours.
    private static readonly FrozenDictionary<string, string> ContentTypes = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
    {
        [".css"] = "text/css; charset=utf-8",
        [".js"] = "text/javascript; charset=utf-8",
        [".json"] = "application/json; charset=utf-8",
        [".txt"] = "text/plain; charset=utf-8",
        [".svg"] = "image/svg+xml",
        [".png"] = "image/png",
        [".jpg"] = "image/jpeg",
        [".webp"] = "image/webp",
        [".woff2"] = "font/woff2",
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/_modules/{module}/{**path}", Serve).RequireAuthorization().ExcludeFromDescription();

    private static IResult Serve(string module, string? path, HttpContext context, ModuleCatalogAccessor catalog)
    {
        if (path is null
            || catalog.Current.Find(module)?.Running is not { } running
            || !ContentTypes.TryGetValue(Path.GetExtension(path), out var contentType)
            || running.Assembly.GetManifestResourceStream("wwwroot/" + path) is not { } stream)
        {
            return Results.NotFound();
        }

        using var content = new MemoryStream();
        using (stream)
        {
            stream.CopyTo(content);
        }

        var bytes = content.ToArray();
        var tag = Convert.ToHexString(SHA256.HashData(bytes).AsSpan(0, 16));
        var headers = context.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers.CacheControl = "private, no-cache";
        // A picture opened by itself must not run what is written in it.
        headers.ContentSecurityPolicy = "default-src 'none'; style-src 'unsafe-inline'; sandbox";
        return Results.Bytes(bytes, contentType, entityTag: new EntityTagHeaderValue($"\"{tag}\""));
    }
}
