using Crm.Sdk;
using Crm.Sdk.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.DependencyInjection;

namespace Crm.Modules.Sales.Pipeline;

/// <summary>The page and the endpoint that show how much is in each stage.</summary>
internal static class PipelineSetup
{
    public static void AddPipeline(this IModuleBuilder builder)
    {
        builder.Services.AddScoped<PipelineReader>();
        builder.AddPage<PipelinePage>("pipeline", "Pipeline", new Placement("sales", "work", 10), "monitoring");
        builder.AddEndpoints(routes => routes.MapGet(
            "pipeline",
            ([FromServices] PipelineReader pipeline, CancellationToken ct) => pipeline.ReadAsync(ct)));
    }
}
