using System.Text.Json;
using Crm.Sdk.Testing;

namespace Crm.Host.Tests.Import;

public sealed class ImportTests : IAsyncLifetime
{
    private TestCrm crm = null!;
    private ImportClient client = null!;

    public async Task InitializeAsync()
    {
        crm = await TestCrm.StartAsync();
        client = await ImportClient.OpenAsync(crm);
    }

    public async Task DisposeAsync() => await crm.DisposeAsync();

    [Fact]
    public async Task Companies_are_imported_with_guessed_columns_and_parents_that_come_later()
    {
        var job = await client.ImportAsync("company", "account,sector,year_established,revenue,employees,office_location,subsidiary_of\nDaughter,Technology,1996,1100.04,2822,Kenya,Mother\nMother,medical,1999,251.41,495,Norway,\n");

        Assert.Equal("succeeded", job.GetProperty("state").GetString());
        Assert.Equal((2, 2, 0, 0), Figures(job));
        var daughter = Assert.Single(await client.RecordsAsync("companies", "$filter=name eq 'Daughter'&$expand=parent($select=name)"));
        Assert.Equal("Mother", daughter.GetProperty("parent").GetProperty("name").GetString());
        Assert.Equal("technology", daughter.GetProperty("industry").GetString());
        Assert.Equal(1100.04m, daughter.GetProperty("annual_revenue").GetDecimal());
    }

    private static (long Read, long Created, long Updated, long Skipped) Figures(JsonElement job)
    {
        var report = job.GetProperty("report");
        var (read, created, updated, unchanged, skipped) = (Number("read"), Number("created"), Number("updated"), Number("unchanged"), Number("skipped"));
        Assert.Equal(read, created + updated + unchanged + skipped);
        return (read, created, updated, skipped);

        long Number(string name) => report.GetProperty(name).GetInt64();
    }
}
