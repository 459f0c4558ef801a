using Crm.Host.Demo;
using Crm.Sdk;
using Crm.Sdk.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Crm.Host.Tests.Import;

public sealed class DemoTests
{
    private static readonly DateOnly Today = new(2026, 11, 21);

    [Fact]
    public void The_same_seed_and_day_give_the_same_data()
    {
        var (one, two) = (new DemoData(Today), new DemoData(Today));

        Assert.Equal(one.Opportunities.AsEnumerable(), two.Opportunities);
        Assert.Equal(one.Companies.AsEnumerable(), two.Companies);
        Assert.NotEqual(one.Companies.AsEnumerable(), new DemoData(Today, seed: 7).Companies);
    }

    [Fact]
    public void The_files_have_the_faults_of_real_ones()
    {
        var data = new DemoData(Today);

        Assert.Contains(data.Opportunities, o => o.Company is null);
        Assert.Contains(data.Opportunities, o => o.Engaged is null);
        Assert.Contains(data.Companies, c => c.Parent is { } parent && data.Companies.IndexOf(data.Companies.First(p => p.Id == parent)) > data.Companies.IndexOf(c));
        Assert.Contains(DemoFiles.MisspelledSector, System.Text.Encoding.Latin1.GetString(DemoFiles.Companies(data)), StringComparison.Ordinal);
        Assert.Contains(DemoFiles.MisspelledProduct, System.Text.Encoding.Unicode.GetString(DemoFiles.Pipeline(data)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sample_data_is_added_once_and_its_users_cannot_sign_in()
    {
        await using var crm = await TestCrm.StartAsync();
        var said = new List<string>();

        await ActivatorUtilities.CreateInstance<DemoSeed>(crm.Services).RunAsync(said.Add, CancellationToken.None);
        var first = said.Count;
        await ActivatorUtilities.CreateInstance<DemoSeed>(crm.Services).RunAsync(said.Add, CancellationToken.None);

        Assert.Equal((5, 5), (first, said.Count));
        var client = await ImportClient.OpenAsync(crm);
        Assert.Equal(600, await client.CountAsync("opportunities"));
        Assert.Equal(80, await client.CountAsync("companies"));
        Assert.Equal(1, await client.CountAsync("users", "can_sign_in eq true"));
        var page = await crm.Records.QueryAsync(new RecordQuery { Entity = "opportunity", Filter = Filter.Equal("stage", "order"), Select = ["company.name", "close_date", "probability"], Top = 1 });
        Assert.Equal(100m, page.Records[0]["probability"]);
    }
}
