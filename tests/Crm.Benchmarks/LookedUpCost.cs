using System.Diagnostics;
using System.Globalization;
using Crm.Metadata;
using Crm.Sdk;
using Crm.Sdk.Testing;

namespace Crm.Benchmarks;

/// <summary>What formulas over looked-up fields cost: whoever saves the record itself, and whoever saves the record that is looked up.</summary>
internal static class LookedUpCost
{
    private const int Turns = 300;

    public static async Task RunAsync(int dependants)
    {
        await using var crm = await TestCrm.StartAsync();
        var company = await CreateAsync(crm, dependants: 100);
        var big = await CreateAsync(crm, dependants);
        foreach (var formulas in new[] { 0, 1, 5 })
        {
            await AddAsync(crm, formulas);
            var quiet = await MeasureAsync(crm, "opportunity", company.Opportunities, (i, turn) => ("description", $"Opportunity {turn} {i}"));
            var own = await MeasureAsync(crm, "opportunity", company.Opportunities, (i, turn) => ("budget", (turn * 1000) + i));
            var looked = await MeasureAsync(crm, "company", [company.Id], (i, turn) => ("name", $"Company {turn} {i}"));
            var once = await OnceAsync(crm, big.Id, $"Renamed with {formulas}");
            Show($"{formulas} formulas: save what none of them reads", quiet);
            Show($"{formulas} formulas: save what they read of the record itself", own);
            Show($"{formulas} formulas: rename a company with 100 dependants", looked);
            Show($"{formulas} formulas: rename a company with {dependants} dependants", once);
        }
    }

    private static async Task<(Guid Id, Guid[] Opportunities)> CreateAsync(TestCrm crm, int dependants)
    {
        var company = RecordChange.Create("company", new Dictionary<string, object?> { ["name"] = $"Company of {dependants}" });
        var opportunities = Enumerable.Range(0, dependants)
            .Select(i => RecordChange.Create("opportunity", new Dictionary<string, object?> { ["title"] = $"Opportunity {i}", ["company"] = company.Id, ["budget"] = i }))
            .ToList();
        await crm.Records.SaveAsync(company);
        foreach (var batch in opportunities.Chunk(1000))
        {
            await crm.Records.SaveManyAsync(batch, new SaveOptions());
        }

        return (company.Id, [.. opportunities.Select(o => o.Id)]);
    }

    private static async Task AddAsync(TestCrm crm, int formulas)
    {
        var known = crm.Metadata.Current.Entity("opportunity").Fields.Count(f => f.Formula is not null);
        if (formulas == known)
        {
            return;
        }

        var editor = crm.Services.GetRequiredService<MetadataEditor>();
        var added = Enumerable.Range(known, formulas - known).Select(i => (MetadataChange)new MetadataChange.AddField(
            "opportunity", new FieldShape($"x_looked_up_{i}") { Type = Fields.Text, Formula = $"company.name & \" {i} \" & budget" }));
        var plan = await editor.PlanAsync([.. added], Actor.System);
        var applied = plan.CanApply ? await editor.ApplyAsync(plan.Id, Actor.System) : throw new InvalidOperationException(plan.Errors[0].Message);
        if (!applied.Succeeded)
        {
            throw new InvalidOperationException(applied.Errors[0].Message);
        }

        // A big table is filled afterwards.
        var steps = crm.Services.GetRequiredService<MetadataSteps>();
        while ((await steps.ListAsync()).Any(s => s.State is MetadataStepState.Waiting or MetadataStepState.Running))
        {
            await crm.Services.GetRequiredService<StepRunner>().RunPendingAsync();
        }
    }

    private static async Task<TimeSpan> MeasureAsync(TestCrm crm, string entity, Guid[] ids, Func<int, int, (string Name, object Value)> value)
    {
        var turn = Environment.TickCount;
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < Turns; i++)
        {
            var (name, to) = value(i, turn % 1000);
            await SaveAsync(crm, entity, ids[i % ids.Length], name, to);
        }

        return clock.Elapsed / Turns;
    }

    private static async Task<TimeSpan> OnceAsync(TestCrm crm, Guid company, string name)
    {
        var clock = Stopwatch.StartNew();
        await SaveAsync(crm, "company", company, "name", name);
        return clock.Elapsed;
    }

    private static async Task SaveAsync(TestCrm crm, string entity, Guid id, string name, object value)
    {
        var result = await crm.Records.SaveAsync(RecordChange.Update(entity, id, new Dictionary<string, object?> { [name] = value }));
        if (!result.Succeeded)
        {
            throw new InvalidOperationException(result.Errors[0].Message);
        }
    }

    private static void Show(string what, TimeSpan took) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what,-66}{took.TotalMilliseconds,10:N2} ms"));
}
