namespace Crm.Host.Security;

/// <summary>Tells what programs call from what people open.</summary>
internal static class ApiPath
{
    /// <summary>Whether an address is called by programs: refusals are then statuses with a JSON body, never redirects.</summary>
    public static bool Is(PathString path) =>
        path.StartsWithSegments("/odata", StringComparison.OrdinalIgnoreCase)
        || path.StartsWithSegments("/openapi", StringComparison.OrdinalIgnoreCase)
        || path.StartsWithSegments("/elsa/api", StringComparison.OrdinalIgnoreCase)
        || path.StartsWithSegments("/_blazor", StringComparison.OrdinalIgnoreCase)
        || (path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase, out var rest) && rest.HasValue && rest != "/");
}
