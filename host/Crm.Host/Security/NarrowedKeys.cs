using Crm.Host.Api;
using Crm.Sdk;

namespace Crm.Host.Security;

/// <summary>
/// An API key that is narrowed opens the doors to records and no other: administration, saved views, pages and what modules serve know users, not what a key may see. A door is closed to such
/// keys until it says that all it shows and does goes through the rights of whoever acts.
/// </summary>
internal sealed class NarrowedKeys(RequestDelegate next)
{
    public async Task InvokeAsync(HttpContext context)
    {
        if (context.GetEndpoint() is { } endpoint && endpoint.Metadata.GetMetadata<NarrowedKeyDoor>() is null && Session.From(context.User)?.Scope is { } scope)
        {
            await Errors.WriteAsync(context, new ApiError(StatusCodes.Status403Forbidden, ErrorCodes.Access, SecurityTexts.Of("KeyNarrowed", scope.Name)));
            return;
        }

        await next(context);
    }
}

/// <summary>A door that is open to narrowed keys.</summary>
internal sealed record NarrowedKeyDoor;

/// <summary>Opens doors to narrowed keys.</summary>
internal static class NarrowedKeyDoors
{
    /// <summary>Lets narrowed keys in: all that is shown and done behind it goes through the rights of whoever acts.</summary>
    public static TBuilder OpenToNarrowedKeys<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new NarrowedKeyDoor());
}
