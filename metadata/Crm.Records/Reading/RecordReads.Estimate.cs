using System.Text.Json;
using Crm.Sdk;

namespace Crm.Records;

/// <content>How many records a query is expected to find.</content>
internal sealed partial class RecordReads
{
    private Task<long> EstimateAsync(ActorAccess access, RecordQuery query, CancellationToken ct)
    {
        var shape = QueryShape.Of(query, null);
        var compiled = QueryCompiler.Compile(access.View, query, shape, null);
        return RunAsync(
            access,
            [compiled.ToEstimate(access, shape.Values)],
            async reader =>
            {
                await reader.ReadAsync(ct);
                using var plan = JsonDocument.Parse(reader.GetString(0));
                // There are more than were counted, whatever the planner thinks.
                return Math.Max(plan.RootElement[0].GetProperty("Plan").GetProperty("Plan Rows").GetInt64(), RecordQuery.CountedExactly + 1);
            },
            ct,
            QueryShape.ModeOf(query) == SearchMode.Similar);
    }
}
