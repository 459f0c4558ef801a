using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Crm.Host.Modules;
using Crm.Sdk;
using Crm.Sdk.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Crm.Host.Tests.Modules;

/// <summary>Modules come and go while the host runs.</summary>
public sealed class ModuleSwitchTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private TestCrm crm = null!;
    private HttpClient admin = null!;

    private ModuleCatalogAccessor Catalog => crm.Services.GetRequiredService<ModuleCatalogAccessor>();

    private ModuleUpdates Updates => crm.Services.GetRequiredService<ModuleUpdates>();

    private IRecordService Records => crm.Services.GetRequiredService<IRecords>().As(Actor.System);

    public async Task InitializeAsync()
    {
        crm = await TestCrm.StartAsync(new TestCrmOptions { ModulesDirectory = Fixtures.Directory });
        admin = await crm.AdminClientAsync();
    }

    public async Task DisposeAsync() => await crm.DisposeAsync();

    [Fact]
    public async Task Pages_endpoints_and_rules_of_a_module_go_and_come_while_the_host_runs()
    {
        var saved = await Records.SaveAsync(Gadget("Drill", "d-1"));

        await SwitchAsync("disable", "off");
        Assert.Equal(HttpStatusCode.NotFound, (await admin.GetAsync("/api/m/good/count")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await admin.GetAsync("/_modules/good/good.css")).StatusCode);
        Assert.Null(Catalog.Current.FindPage("good", "overview"));

        await SwitchAsync("enable", "running");
        Assert.Equal("1", await admin.GetStringAsync("/api/m/good/count"));
        Assert.NotNull(Catalog.Current.FindPage("good", "overview"));
        var changed = await Records.SaveAsync(RecordChange.Update("gadget", saved.Record!.Id, new Dictionary<string, object?> { ["code"] = "d-2" }));
        Assert.Equal("D-2", changed.Record!["code"]);
    }

    [Fact]
    public async Task A_module_that_runs_may_refuse_files_before_they_are_stored()
    {
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "apple.txt has a worm in it."), await UploadAsync());
        await SwitchAsync("disable", "off");
        Assert.Equal((HttpStatusCode.Created, null), await UploadAsync());

        async Task<(HttpStatusCode, string?)> UploadAsync()
        {
            using var content = new StringContent("sweet ~~~@");
            using var answer = await admin.PostAsync(new Uri("api/files?name=apple.txt", UriKind.Relative), content);
            var body = await answer.Content.ReadFromJsonAsync<JsonElement>();
            return (answer.StatusCode, body.TryGetProperty("error", out var error) ? error.GetProperty("message").GetString() : null);
        }
    }

    [Fact]
    public async Task Records_of_a_module_that_is_off_can_be_read_but_not_written()
    {
        var saved = await Records.SaveAsync(Gadget("Hammer", "h-1"));

        await SwitchAsync("disable", "off");
        using var read = await admin.GetAsync($"/odata/v4/gadgets({saved.Record!.Id})");
        Assert.Equal(HttpStatusCode.OK, read.StatusCode);
        var refused = await Records.SaveAsync(RecordChange.Update("gadget", saved.Record.Id, new Dictionary<string, object?> { ["name"] = "Other" }));
        Assert.Equal(ErrorCodes.Module, Assert.Single(refused.Errors).Code);
        using var answer = await admin.PostAsJsonAsync("/odata/v4/gadgets", new { name = "New" });
        Assert.Equal(HttpStatusCode.Conflict, answer.StatusCode);
        Assert.Equal(ErrorCodes.Module, (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("error").GetProperty("code").GetString());
        Assert.Equal("Hammer", (await Records.FindAsync("gadget", saved.Record.Id))!["name"]);
    }

    [Fact]
    public async Task A_second_host_follows_within_a_second_and_a_third_starts_with_the_module_off()
    {
        await using var second = await crm.StartSecondHostAsync();
        var followed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var theirs = second.Services.GetRequiredService<ModuleCatalogAccessor>();
        theirs.Changed += next =>
        {
            if (next.Find("good")!.Status == ModuleStatus.Off)
            {
                followed.TrySetResult();
            }
        };

        await SwitchAsync("disable", "off");

        await followed.Task.WaitAsync(Patience);
        await using var third = await crm.StartSecondHostAsync();
        var off = third.Services.GetRequiredService<ModuleCatalogAccessor>().Current.Find("good")!;
        Assert.Equal(ModuleStatus.Off, off.Status);
        Assert.Equal("Good", off.Info.Name);
    }

    [Fact]
    public async Task Work_in_flight_ends_on_the_module_it_began_with()
    {
        var before = Catalog.Current.Find("good")!.Running!;
        var scope = before.TryEnter(Actor.System)!;

        await SwitchAsync("disable", "off");

        Assert.False(Updates.RetiredAsync().IsCompleted);
        Assert.Null(before.TryEnter(Actor.System));
        Assert.NotNull(scope.ServiceProvider.GetRequiredService<IRecordService>());
        await scope.DisposeAsync();
        await Updates.RetiredAsync().WaitAsync(Patience);
    }

    [Fact]
    public async Task A_module_that_was_switched_off_leaves_memory()
    {
        // It was in use before: a file, an endpoint with a service of its own, an interceptor.
        Assert.Equal(HttpStatusCode.OK, (await admin.GetAsync("/_modules/good/good.css")).StatusCode);
        Assert.Equal("0", await admin.GetStringAsync("/api/m/good/count"));
        Assert.NotNull((await Records.SaveAsync(Gadget("Pliers", "p-1"))).Record);

        await SwitchAsync("disable", "off");
        await Updates.RetiredAsync().WaitAsync(Patience);

        for (var attempt = 0; attempt < 50 && Updates.StillInMemory > 0; attempt++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.Equal(0, Updates.StillInMemory);
    }

    [Fact]
    public async Task Switching_a_module_that_failed_tries_again_and_keeps_the_reason()
    {
        using var answer = await admin.PostAsync("/api/modules/throws/enable", null);
        var module = await answer.Content.ReadFromJsonAsync<JsonElement>();

        Assert.Equal("failed", module.GetProperty("status").GetString());
        Assert.Equal("Configure failed: The price list is missing.", module.GetProperty("reason").GetString());
    }

    [Fact]
    public async Task What_needs_a_module_that_is_off_is_blocked()
    {
        using var answer = await admin.PostAsync("/api/modules/throws/disable", null);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var blocked = Catalog.Current.Find("needsthrows")!;
        Assert.Equal(ModuleStatus.Blocked, blocked.Status);
        Assert.Equal("It needs the module 'throws', which is switched off.", blocked.Reason);
    }

    private static RecordChange Gadget(string name, string code) =>
        RecordChange.Create("gadget", new Dictionary<string, object?> { ["name"] = name, ["code"] = code });

    private async Task SwitchAsync(string verb, string expected)
    {
        using var answer = await admin.PostAsync($"/api/modules/good/{verb}", null);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(expected, (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("status").GetString());
    }
}
