using Crm.Sdk;
using Crm.Sdk.Testing;
using Crm.Sdk.Web;
using Crm.Sdk.Web.Live;
using Microsoft.Extensions.DependencyInjection;

namespace Crm.Host.Tests.Live;

/// <summary>Lists open at two hosts, of an administrator and of a user who sees their own records only.</summary>
public sealed class LiveListTests(TwoHosts hosts) : IClassFixture<TwoHosts>
{
    private TestCrm First => hosts.First;

    private TestCrm Second => hosts.Second;

    [Fact]
    public async Task A_change_at_one_host_is_shown_at_the_other_to_those_who_may_see_it()
    {
        // The same list at both hosts: whichever of them dispatches, one of them is told by the other.
        await using var here = await OpenAsync(First, First.Admin);
        await using var there = await OpenAsync(Second, First.Admin);
        await using var bobs = await OpenAsync(Second, hosts.Bob);

        var secret = await TwoHosts.CreateAsync(First, ("title", "Alpha secret"));
        await here.ShowsAsync("Alpha secret");
        await there.ShowsAsync("Alpha secret");
        var open = await TwoHosts.CreateAsync(Second, ("title", "Beta of Bob"), ("owner", hosts.Bob.UserId));
        var seen = await bobs.ShowsAsync("Beta of Bob");
        Assert.DoesNotContain("Alpha", seen, StringComparison.Ordinal);
        Assert.Contains("data-count=\"1\"", seen, StringComparison.Ordinal);
        await here.UntilAsync(html => html.Contains("Beta of Bob", StringComparison.Ordinal) && html.Contains("Alpha secret", StringComparison.Ordinal));

        // Changed, out of the user's sight, and gone.
        await TwoHosts.UpdateAsync(Second, secret.Id, ("title", "Alpha changed"));
        await here.UntilAsync(html => html.Contains("Alpha changed", StringComparison.Ordinal) && !html.Contains("Alpha secret", StringComparison.Ordinal));
        await TwoHosts.UpdateAsync(First, open.Id, ("owner", First.Admin.UserId));
        await bobs.UntilAsync(html => !html.Contains("Beta of Bob", StringComparison.Ordinal));
        await First.Records.SaveAsync(RecordChange.Delete("x_offer", secret.Id));
        await there.UntilAsync(html => !html.Contains("Alpha", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_list_follows_the_records_it_looks_up_and_is_forgotten_when_it_closes()
    {
        var firm = await First.Records.SaveAsync(RecordChange.Create("company", new Dictionary<string, object?> { ["name"] = "Old name" }));
        await TwoHosts.CreateAsync(First, ("title", "With firm"), ("firm", firm.Record!.Id));
        var hub = Second.Services.GetRequiredService<LiveHub>();
        var list = await OpenAsync(Second, First.Admin);
        await list.ShowsAsync("Old name");
        Assert.Equal(1, hub.Count);
        await First.Records.SaveAsync(RecordChange.Update("company", firm.Record.Id, new Dictionary<string, object?> { ["name"] = "New name" }));
        await list.ShowsAsync("New name");

        await list.DisposeAsync();
        Assert.Equal(0, hub.Count);
    }

    private static Task<RenderedPage> OpenAsync(TestCrm host, Actor actor) =>
        RenderedPage.OpenAsync<RecordGrid>(host, actor, _ => Task.FromResult(new Dictionary<string, object?> { ["Entity"] = "x_offer" }));
}
