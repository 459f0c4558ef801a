using System.Text.Json;
using Crm.Sdk;

namespace Crm.Host.Api.OData;

/// <summary>Single links: <c>POST …/opportunities(id)/contacts/$ref</c> and <c>DELETE …/opportunities(id)/contacts/$ref?$id=contacts(id)</c>.</summary>
internal static class LinkReferences
{
    public static Task HandleAsync(HttpContext context, ODataModel model, ODataSet set, Guid id, string field) => set.Links.GetValueOrDefault(field) switch
    {
        null => throw new ApiException(ApiError.NotFound($"'{field}' of {set.Entity.SetName} holds no links.", field)),
        var links when HttpMethods.IsPost(context.Request.Method) => AddAsync(context, set, id, links),
        var links when HttpMethods.IsDelete(context.Request.Method) => RemoveAsync(context, model, set, id, links),
        _ => throw NotAllowed(context),
    };

    private static async Task AddAsync(HttpContext context, ODataSet set, Guid id, LinkNavigation links)
    {
        using var document = await RecordBody.ParseAsync(context.Request);
        var body = document.RootElement;
        if (body.ValueKind != JsonValueKind.Object || !(body.TryGetProperty("@odata.id", out var target) || body.TryGetProperty("@id", out target)))
        {
            throw new ApiException(ApiError.BadRequest($"The body must name a record: {{\"@odata.id\":\"{links.Target.Entity.SetName}(<id>)\"}}.", "@odata.id"));
        }

        await SaveAsync(context, set, id, links, "add", RecordBody.Linked(links, target));
    }

    private static Task RemoveAsync(HttpContext context, ODataModel model, ODataSet set, Guid id, LinkNavigation links)
    {
        _ = QueryOptions.Read(context.Request, model, set, "$id");
        return Urls.Reference(context.Request.Query["$id"].ToString()) is var (target, far) && target == links.Target.Entity.SetName
            ? SaveAsync(context, set, id, links, "remove", far)
            : throw new ApiException(ApiError.BadRequest($"Say which link: $id={links.Target.Entity.SetName}(<id>).", "$id"));
    }

    private static async Task SaveAsync(HttpContext context, ODataSet set, Guid id, LinkNavigation links, string what, Guid far)
    {
        var values = new Dictionary<string, object?> { [links.Field.Name] = new Dictionary<string, object?> { [what] = new object?[] { far } } };
        var tags = Preferences.Tags(context.Request.Headers.IfMatch);
        var result = await context.RequestServices.GetRequiredService<IRecordService>().SaveAsync(RecordChange.Update(set.Entity.Name, id, values, tags?.Expected), context.RequestAborted);
        if (!result.Succeeded)
        {
            throw new ApiException(Errors.From(result, tags is not null));
        }

        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private static ApiException NotAllowed(HttpContext context)
    {
        context.Response.Headers.Allow = "POST, DELETE";
        return new ApiException(new ApiError(StatusCodes.Status405MethodNotAllowed, ErrorCodes.BadRequest, "Links are added with POST and removed with DELETE; they are read with $expand."));
    }
}
