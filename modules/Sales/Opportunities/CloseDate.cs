using Crm.Sdk;

namespace Crm.Modules.Sales.Opportunities;

/// <summary>A deal that ends without a date ended now; a deal that is opened again has not ended.</summary>
internal sealed class CloseDate : IRecordInterceptor
{
    public ValueTask BeforeAsync(ChangeContext change, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(change);
        if (change.Kind == ChangeKind.Delete || !change.Changes(OpportunityEntity.Stage) || OpportunityStage.Of(change) is not { } stage)
        {
            return ValueTask.CompletedTask;
        }

        if (stage.Kind != StageKind.Open)
        {
            change[OpportunityEntity.CloseDate] ??= DateOnly.FromDateTime(change.Now.UtcDateTime);
        }
        else if (OpportunityStage.Before(change) is { Kind: not StageKind.Open } && !change.Changes(OpportunityEntity.CloseDate))
        {
            change[OpportunityEntity.CloseDate] = null;
        }

        return ValueTask.CompletedTask;
    }
}
