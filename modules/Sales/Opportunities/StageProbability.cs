using Crm.Sdk;

namespace Crm.Modules.Sales.Opportunities;

/// <summary>Choosing a stage sets the chance of winning (SAL-02). A chance given in the same change stands while the deal is open; an ended deal has no chance left to estimate.</summary>
internal sealed class StageProbability : IRecordInterceptor
{
    public ValueTask BeforeAsync(ChangeContext change, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(change);
        if (change.Kind == ChangeKind.Delete || OpportunityStage.Of(change) is not { } stage)
        {
            return ValueTask.CompletedTask;
        }

        var isEnded = stage.Kind != StageKind.Open;
        if (isEnded || (change.Changes(OpportunityEntity.Stage) && !change.Changes(OpportunityEntity.Probability)))
        {
            change[OpportunityEntity.Probability] = (decimal)stage.Probability;
        }

        return ValueTask.CompletedTask;
    }
}
