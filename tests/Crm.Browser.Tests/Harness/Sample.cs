using System.Globalization;
using Crm.Sdk;
using Crm.Sdk.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Crm.Browser.Tests.Harness;

/// <summary>Records to look at, always the same.</summary>
internal static class Sample
{
    public const int Companies = 12;
    public const int Opportunities = 130;

    private static readonly string[] Names =
        ["Acme Corporation", "Bergmann & Söhne", "Cancity", "Donquadtech", "Élan Hôtels", "Fasehatice", "Gekko & Co", "Hottechi", "Isdom", "Kan-code", "Lexiqvolax", "Müller Logistik"];

    private static readonly string[] Products = ["GTX Pro", "GTX Basic", "MG Special", "MG Advanced", "GTX Plus Basic"];
    private static readonly string[] Stages = ["prospect", "offer", "order", "lost"];
    private static readonly string[] Types = ["client", "partner", "supplier", "prospect"];

    /// <summary>Companies, people and opportunities.</summary>
    public static async Task AddAsync(TestCrm crm)
    {
        var records = crm.Services.GetRequiredService<IRecords>().As(Actor.System);
        var companies = Names.Select((name, i) => RecordChange.Create("company", Values(
            ("name", name),
            ("relationship_type", Types[i % 4]),
            ("city", i % 2 == 0 ? "Berlin" : "London"),
            ("country", i % 2 == 0 ? "Germany" : "United Kingdom"),
            ("phone", $"+49 30 9018{i:00}"),
            ("annual_revenue", 1_250_000m * (i + 1))))).ToList();
        await SaveAsync(records, companies);
        await SaveAsync(records, [.. companies.Select((company, i) => RecordChange.Create("contact", Values(
            ("first_name", new[] { "Anna", "Moses", "Zane", "Elease" }[i % 4]),
            ("last_name", new[] { "Keller", "Frase", "Levy", "Gluck", "Schlecht" }[i % 5]),
            ("company", company.Id),
            ("email", string.Create(CultureInfo.InvariantCulture, $"person{i}@example.com")))))]);
        await SaveAsync(records, [.. Enumerable.Range(0, Opportunities).Select(i => RecordChange.Create("opportunity", Values(
            ("title", string.Create(CultureInfo.InvariantCulture, $"{Products[i % 5]} no. {i + 1:000}")),
            ("company", i % 7 == 0 ? null : companies[i % Companies].Id),
            ("stage", Stages[i % 4]),
            ("budget", 500m + (i * 37)),
            ("engage_date", new DateOnly(2026, 1, 1).AddDays(i)))))]);
    }

    private static Dictionary<string, object?> Values(params ReadOnlySpan<(string Field, object? Value)> values)
    {
        var all = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (var (field, value) in values)
        {
            all[field] = value;
        }

        return all;
    }

    private static async Task SaveAsync(IRecordService records, IReadOnlyList<RecordChange> changes)
    {
        var results = await records.SaveManyAsync(changes, new SaveOptions());
        Assert.All(results, r => Assert.True(r.Succeeded, string.Join(' ', r.Errors.Select(e => e.Message))));
    }
}
