using Crm.Host.Api.OData;
using Crm.Metadata;
using Crm.Sdk;
using Microsoft.AspNetCore.Http.Extensions;

namespace Crm.Host.Api;

/// <summary>
/// Leads addresses that name an entity, or its set, by an earlier name to those of today, for whoever may see the entity; until the name is taken again. The answer says so for
/// now and not for ever, because by then it would be wrong.
/// </summary>
internal sealed class FormerAddresses(RequestDelegate next)
{
    // Behind these an address names an entity.
    private static readonly string[] Before = ["/e/", "/import/", "/merge/", "/duplicates/", "/admin/designer/", "/api/records/", "/api/metadata/entities/", Urls.Path + "/"];

    public async Task InvokeAsync(HttpContext context, MetadataStore metadata, MetadataHistory history)
    {
        if (NameIn(context.Request.Path.Value ?? "") is not var (start, name) || metadata.Current.TryEntity(name, out _) || metadata.Current.TrySet(name, out _)
            || context.User.Identity is not { IsAuthenticated: true }
            || await history.EntityNowAsync(name, context.RequestAborted) is not var (entity, formerSet)
            || !context.RequestServices.GetRequiredService<IMetadata>().Current.TryEntity(entity, out var now) || now.IsHidden)
        {
            await next(context);
            return;
        }

        var path = context.Request.Path.Value!;
        var address = UriHelper.BuildRelative(context.Request.PathBase, path[..start] + (name == formerSet ? now.SetName : now.Name) + path[(start + name.Length)..], context.Request.QueryString);
        // At the last moment: errors say nothing of where to go.
        context.Response.OnStarting(() =>
        {
            context.Response.Headers.Location = address;
            return Task.CompletedTask;
        });
        if (path.StartsWith("/api/", StringComparison.Ordinal) || path.StartsWith(Urls.Path, StringComparison.Ordinal))
        {
            await Errors.WriteAsync(context, new ApiError(StatusCodes.Status307TemporaryRedirect, "renamed", $"'{name}' is called '{now.Name}' now: {address}", name));
        }
        else
        {
            context.Response.StatusCode = StatusCodes.Status307TemporaryRedirect;
        }
    }

    /// <summary>Where an address names an entity: behind the first part, up to the next one or to a key in brackets.</summary>
    private static (int Start, string Name)? NameIn(string path)
    {
        if (Before.FirstOrDefault(b => path.StartsWith(b, StringComparison.Ordinal)) is not { } before)
        {
            return null;
        }

        var end = path.AsSpan(before.Length).IndexOfAny('/', '(');
        var name = end < 0 ? path[before.Length..] : path.Substring(before.Length, end);
        // Only the customer's own entities get other names.
        return name.StartsWith(Names.CustomPrefix, StringComparison.Ordinal) && name.Length <= Names.MaxLabelLength ? (before.Length, name) : null;
    }
}
