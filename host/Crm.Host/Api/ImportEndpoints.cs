using System.Collections.Immutable;
using Crm.Host.Security;
using Crm.Records.Importing;
using Crm.Sdk;

namespace Crm.Host.Api;

/// <summary>Starts imports.</summary>
internal static class ImportEndpoints
{
    public static void MapImports(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/api/import/{entity}", (Delegate)StartAsync).RequireAuthorization().OpenToNarrowedKeys()
            .WithTags("import").WithSummary("Import a CSV file or an Excel workbook as a background job")
            .WithDescription("multipart/form-data with file, and optionally mapping (JSON), mode=create|update|upsert, match (field names), duplicates=skip|accept, dryRun, encoding, delimiter, sheet, template (id or name). Answers with the job.");
    }

    private static async Task StartAsync(HttpContext context, string entity, ImportFiles files, ImportService imports, ImportTemplates templates, CurrentActor actor, IMetadata metadata)
    {
        var ct = context.RequestAborted;
        try
        {
            // Before a body of megabytes is read.
            _ = ImportService.Entity(metadata.Current, entity);
            var upload = await ImportUpload.ReadAsync(context, files, actor.Value, ct);
            try
            {
                var template = upload["template"] is { Length: > 0 } named ? await templates.UseAsync(entity, named, actor.Value, ct) : null;
                var job = await imports.StartAsync(Options(entity, upload, template), actor.Value, ct);
                context.Response.StatusCode = StatusCodes.Status202Accepted;
                context.Response.Headers.Location = $"/api/jobs/{job.Id}";
                await context.Response.WriteAsJsonAsync(JobView.Of(job), JobView.Json, ct);
            }
            catch
            {
                await upload.DiscardAsync(files);
                throw;
            }
        }
        catch (ImportFileException problem)
        {
            throw new ApiException(ToError(problem));
        }
    }

    private static ImportOptions Options(string entity, ImportUpload upload, ImportTemplate? template) => new(entity, upload.File?.Id ?? throw new ApiException(ApiError.BadRequest(ImportTexts.Of("NoFile"), "file")))
    {
        Mapping = upload["mapping"] is { Length: > 0 } mapping ? ImportMapping.Parse(mapping) : template?.Mapping,
        // What the request says goes before what the template says.
        Mode = upload["mode"] switch
        {
            null or "" => template?.Mode ?? ImportMode.Create,
            "create" => ImportMode.Create,
            "update" => ImportMode.Update,
            "upsert" => ImportMode.Upsert,
            var other => throw new ApiException(ApiError.BadRequest(ImportTexts.Of("UnknownMode", other), "mode")),
        },
        Match = upload["match"] is { Length: > 0 } match ? [.. match.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)] : template?.Match ?? [],
        AcceptsDuplicates = upload["duplicates"] switch
        {
            null or "" => template?.AcceptsDuplicates ?? false,
            "skip" => false,
            "accept" => true,
            var other => throw new ApiException(ApiError.BadRequest(ImportTexts.Of("UnknownDuplicates", other), "duplicates")),
        },
        DryRun = upload["dryRun"] switch
        {
            null or "" or "false" => false,
            "true" => true,
            var other => throw new ApiException(ApiError.BadRequest(ImportTexts.Of("NotYesNo", "dryRun", other), "dryRun")),
        },
        Encoding = upload["encoding"],
        Delimiter = upload["delimiter"],
        Sheet = upload["sheet"],
    };

    /// <summary>What is answered to an import, or a template of one, that cannot be.</summary>
    public static ApiError ToError(ImportFileException problem)
    {
        var status = problem.Code switch
        {
            ImportCodes.TooLarge => StatusCodes.Status413PayloadTooLarge,
            ErrorCodes.UnknownEntity or ErrorCodes.NotFound => StatusCodes.Status404NotFound,
            ErrorCodes.Access => StatusCodes.Status403Forbidden,
            ErrorCodes.Unique => StatusCodes.Status409Conflict,
            _ => StatusCodes.Status400BadRequest,
        };
        // Each candidate is a detail: the encoding to name, and how the file would read in it.
        ImmutableArray<ValidationError> candidates = [.. problem.Candidates.Select(c => new ValidationError(c.Name, ImportCodes.Encoding, c.Sample))];
        return new ApiError(status, problem.Code, problem.Message, problem.Target) { Details = candidates.IsEmpty ? problem.Details : candidates };
    }
}
