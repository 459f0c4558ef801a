using Crm.Sdk;

namespace Crm.Modules.Sales.Opportunities;

/// <summary>The stage a change leads to and the one it comes from, as the current definition describes them: a customer may have changed stages.</summary>
internal static class OpportunityStage
{
    public static StageDefinition? Of(ChangeContext change) => Find(change, change[OpportunityEntity.Stage]);

    public static StageDefinition? Before(ChangeContext change) => Find(change, change.Before?[OpportunityEntity.Stage]);

    private static StageDefinition? Find(ChangeContext change, object? stage) =>
        stage is string name ? change.Entity.Field(OpportunityEntity.Stage).Stages?.Find(name) : null;
}
