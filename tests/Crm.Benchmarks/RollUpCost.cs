using System.Diagnostics;
using Crm.Metadata;
using Crm.Sdk;
using Crm.Sdk.Testing;

namespace Crm.Benchmarks;

/// <summary>What the roll-ups of a company cost whoever saves one of its opportunities.</summary>
internal static class RollUpCost
{
    private const int Children = 100;

    /// <summary>Saves a second with this many roll-ups, each of a company with a hundred opportunities.</summary>
    public static async Task<double> SavesPerSecondAsync(TestCrm crm, int rollUps, int seconds)
    {
        if (rollUps > 0)
        {
            var editor = crm.Services.GetRequiredService<MetadataEditor>();
            var known = crm.Metadata.Current.Entity("company").Fields.Count(f => f.RollUp is not null);
            var added = Enumerable.Range(known, rollUps - known).Select(i => (MetadataChange)new MetadataChange.AddField(
                "company", new FieldShape($"x_roll_up_{i}") { Type = Fields.Decimal, RollUp = new RollUpDefinition("opportunity", "company", RollUpFunction.Sum, $"budget * {i + 1}", "stage <> 'lost'") }));
            var plan = await editor.PlanAsync([.. added], Actor.System);
            var applied = plan.CanApply ? await editor.ApplyAsync(plan.Id, Actor.System) : throw new InvalidOperationException(plan.Errors[0].Message);
            if (!applied.Succeeded)
            {
                throw new InvalidOperationException(applied.Errors[0].Message);
            }
        }

        var company = RecordChange.Create("company", new Dictionary<string, object?> { ["name"] = $"Roll-ups {rollUps}" });
        var opportunities = Enumerable.Range(0, Children)
            .Select(i => RecordChange.Create("opportunity", new Dictionary<string, object?> { ["title"] = $"Opportunity {i}", ["company"] = company.Id, ["budget"] = i }))
            .ToList();
        await crm.Records.SaveManyAsync([company, .. opportunities], new SaveOptions());
        var clock = Stopwatch.StartNew();
        var saves = 0;
        for (; clock.Elapsed < TimeSpan.FromSeconds(seconds); saves++)
        {
            var change = RecordChange.Update("opportunity", opportunities[saves % Children].Id, new Dictionary<string, object?> { ["budget"] = saves });
            var result = await crm.Records.SaveAsync(change);
            if (!result.Succeeded)
            {
                throw new InvalidOperationException(result.Errors[0].Message);
            }
        }

        return saves / clock.Elapsed.TotalSeconds;
    }
}
