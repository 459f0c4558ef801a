using Crm.Host.Tests.Api;
using Crm.Host.Tests.Live;
using Crm.Sdk;
using Crm.Sdk.Web;
using Microsoft.AspNetCore.Components;

namespace Crm.Host.Tests.Lists;

/// <summary>Clicks on the heads of columns that come faster than the address of the list can follow.</summary>
public sealed class SortClickTests(ApiCrm api) : IClassFixture<ApiCrm>
{
    [Fact]
    public async Task PLT_24_A_click_that_comes_before_the_list_follows_the_one_before_goes_on_from_that()
    {
        await api.CreateAsync("x_firms", """{"name":"Sorted"}""");
        var asked = new List<GridState>();
        await using var list = await RenderedPage.OpenAsync<RecordGrid>(api.Crm, api.Crm.Admin, _ => Task.FromResult(new Dictionary<string, object?>
        {
            ["Entity"] = "x_firm",
            ["State"] = new GridState { Sort = [new Sort("created_at")] },
            ["StateChanged"] = EventCallback.Factory.Create<GridState>(this, asked.Add),
        }));
        await list.ShowsAsync("Sorted");

        await list.ClickAsync("data-sort", "name", shift: true);
        await list.ClickAsync("data-sort", "name", shift: true);

        Assert.Equal<Sort>([new Sort("created_at"), new Sort("name")], asked[0].Sort);
        Assert.Equal<Sort>([new Sort("created_at"), new Sort("name", Descending: true)], asked[1].Sort);
    }
}
