using Crm.Host.Api.OData;
using Crm.Host.Api.OpenApi;
using Crm.Host.Security;
using Crm.Records.Bulk;
using Crm.Records.Jobs;
using Crm.Sdk;
using Microsoft.AspNetCore.Mvc;

namespace Crm.Host.Api;

/// <summary>Changes many records as a job, shows beforehand what that would do, and takes it back.</summary>
internal static class BulkEndpoints
{
    private const string Example = """
        {"entity":"company","action":"update","records":{"filter":"country eq 'Germany' and industry eq null"},"set":{"industry":"services"}}
        """;

    public static void MapBulk(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/bulk").RequireAuthorization().OpenToNarrowedKeys().WithTags("bulk");
        group.MapPost("", (Delegate)StartAsync).WithSummary("Change or delete many records as a background job").WithMetadata(new ExampleBody(Example))
            .WithDescription("records is {ids}, {filter, search} or {all: true}; set gives fields values, add and remove texts of fields that hold several. Answers with the job.");
        group.MapPost("/preview", (Delegate)PreviewAsync).WithSummary("How many records a bulk change is about, and the verdict on the first of them").WithMetadata(new ExampleBody(Example));
        group.MapPost("/{id}/undo", (Delegate)UndoAsync).WithSummary("Take back a bulk change; records changed since are left alone and reported");
    }

    private static async Task PreviewAsync(HttpContext context, [FromServices] BulkService bulk, [FromServices] ODataModels models, [FromServices] CurrentActor actor, [FromServices] TimeProvider time)
    {
        var preview = await GuardAsync(async () => await bulk.PreviewAsync(await ReadAsync(context, models, time), actor.Value, context.RequestAborted));
        await context.Response.WriteAsJsonAsync(new { count = preview.Count, sample = preview.Sample }, JobView.Json, context.RequestAborted);
    }

    private static async Task StartAsync(HttpContext context, [FromServices] BulkService bulk, [FromServices] ODataModels models, [FromServices] CurrentActor actor, [FromServices] TimeProvider time) =>
        await AcceptedAsync(context, await GuardAsync(async () => await bulk.StartAsync(await ReadAsync(context, models, time), actor.Value, context.RequestAborted)));

    /// <summary>Takes back an import or a bulk change.</summary>
    public static async Task UndoAsync(HttpContext context, string id, [FromServices] BulkService bulk, [FromServices] JobQueue jobs, [FromServices] CurrentActor actor)
    {
        var job = await JobEndpoints.FindAsync(id, jobs, actor, context.RequestAborted);
        if (job.Kind is not (JobView.Bulk or JobView.Importing))
        {
            throw new ApiException(ApiError.NotFound(BulkTexts.Of("NoBulk", id), "id"));
        }

        await AcceptedAsync(context, await GuardAsync(() => bulk.UndoAsync(job, actor.Value, context.RequestAborted)));
    }

    private static async Task<BulkRequest> ReadAsync(HttpContext context, ODataModels models, TimeProvider time)
    {
        using var body = await RecordBody.ParseAsync(context.Request);
        return BulkBody.Read(body.RootElement, models.Current, time);
    }

    private static async Task<T> GuardAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (BulkRefusedException refused)
        {
            throw new ApiException(Errors.From(SaveResult.Refused(refused.Errors)));
        }
    }

    private static Task AcceptedAsync(HttpContext context, Job job)
    {
        context.Response.StatusCode = StatusCodes.Status202Accepted;
        context.Response.Headers.Location = $"/api/jobs/{job.Id}";
        return context.Response.WriteAsJsonAsync(JobView.Of(job), JobView.Json, context.RequestAborted);
    }
}
