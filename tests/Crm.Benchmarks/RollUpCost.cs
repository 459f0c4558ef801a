using System.Diagnostics;
using Crm.Metadata;
using Crm.Sdk;
using Crm.Sdk.Testing;

namespace Crm.Benchmarks;

/// <summary>What the roll-ups of a company cost whoever saves one of its opportunities.</summary>
internal static class RollUpCost
{
    private const int Children = 100;

    private const int Turns = 4;

    /// <summary>Saves a second of a field the roll-ups read, and of one they do not, of a company with a hundred opportunities.</summary>
    public static async Task<(double Read, double Other)> SavesPerSecondAsync(TestCrm crm, int rollUps, int seconds)
    {
        await AddAsync(crm, rollUps);
        var company = RecordChange.Create("company", new Dictionary<string, object?> { ["name"] = $"Roll-ups {rollUps}" });
        var opportunities = Enumerable.Range(0, Children)
            .Select(i => RecordChange.Create("opportunity", new Dictionary<string, object?> { ["title"] = $"Opportunity {i}", ["company"] = company.Id, ["budget"] = i }))
            .ToList();
        await crm.Records.SaveManyAsync([company, .. opportunities], new SaveOptions());
        var (read, other) = (0d, 0d);
        for (var turn = 0; turn < Turns; turn++)
        {
            read += await SaveAsync(crm, opportunities, i => new() { ["budget"] = (turn * 1_000_000) + i + 1000 }, seconds / (double)Turns);
            other += await SaveAsync(crm, opportunities, i => new() { ["title"] = $"Opportunity {turn} {i}" }, seconds / (double)Turns);
        }

        return (read / Turns, other / Turns);
    }

    private static async Task AddAsync(TestCrm crm, int rollUps)
    {
        var known = crm.Metadata.Current.Entity("company").Fields.Count(f => f.RollUp is not null);
        if (rollUps == known)
        {
            return;
        }

        var editor = crm.Services.GetRequiredService<MetadataEditor>();
        var added = Enumerable.Range(known, rollUps - known).Select(i => (MetadataChange)new MetadataChange.AddField(
            "company", new FieldShape($"x_roll_up_{i}") { Type = Fields.Decimal, RollUp = new RollUpDefinition("opportunity", "company", RollUpFunction.Sum, $"budget * {i + 1}", "stage <> 'lost'") }));
        var plan = await editor.PlanAsync([.. added], Actor.System);
        var applied = plan.CanApply ? await editor.ApplyAsync(plan.Id, Actor.System) : throw new InvalidOperationException(plan.Errors[0].Message);
        if (!applied.Succeeded)
        {
            throw new InvalidOperationException(applied.Errors[0].Message);
        }
    }

    private static async Task<double> SaveAsync(TestCrm crm, List<RecordChange> opportunities, Func<int, Dictionary<string, object?>> values, double seconds)
    {
        var clock = Stopwatch.StartNew();
        var saves = 0;
        for (; clock.Elapsed < TimeSpan.FromSeconds(seconds); saves++)
        {
            var result = await crm.Records.SaveAsync(RecordChange.Update("opportunity", opportunities[saves % Children].Id, values(saves)));
            if (!result.Succeeded)
            {
                throw new InvalidOperationException(result.Errors[0].Message);
            }
        }

        return saves / clock.Elapsed.TotalSeconds;
    }
}
