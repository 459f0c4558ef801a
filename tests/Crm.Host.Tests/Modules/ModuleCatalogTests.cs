using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Crm.Host.Modules;
using Crm.Sdk;
using Crm.Sdk.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Crm.Host.Tests.Modules;

/// <summary>A CRM with every fixture: one that works, and one for each way to go wrong.</summary>
public sealed class FixturesCrm : IAsyncLifetime
{
    public TestCrm Crm { get; private set; } = null!;

    public HttpClient Admin { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Crm = await TestCrm.StartAsync(new TestCrmOptions { ModulesDirectory = Fixtures.Directory });
        Admin = await Crm.AdminClientAsync();
    }

    public async Task DisposeAsync() => await Crm.DisposeAsync();
}

public sealed class ModuleCatalogTests(FixturesCrm fixture) : IClassFixture<FixturesCrm>
{
    private readonly TestCrm crm = fixture.Crm;
    private readonly HttpClient admin = fixture.Admin;

    [Theory]
    [InlineData("good", "running", null)]
    [InlineData("carriesownsdk", "running", null)]
    [InlineData("throws", "failed", "Configure failed: The price list is missing.")]
    [InlineData("ctorthrows", "failed", "Its constructor failed: No licence was found.")]
    [InlineData("missingdependency", "blocked", "It needs the module 'nowhere', which is not installed.")]
    [InlineData("needsthrows", "blocked", "It needs the module 'throws', which failed.")]
    [InlineData("circlea", "blocked", "It and the modules it needs wait for each other: circlea, circleb.")]
    [InlineData("circleb", "blocked", "It and the modules it needs wait for each other: circlea, circleb.")]
    public async Task Each_module_is_named_with_its_state_and_reason(string id, string status, string? reason)
    {
        var listed = (await admin.GetFromJsonAsync<JsonElement>("/api/modules")).GetProperty("value").EnumerateArray().Single(m => m.GetProperty("id").GetString() == id);
        var ready = (await crm.Client().GetFromJsonAsync<JsonElement>("/health/ready")).GetProperty("modules").EnumerateArray().Single(m => m.GetProperty("id").GetString() == id);

        foreach (var shown in new[] { listed, ready })
        {
            Assert.Equal(status, shown.GetProperty("status").GetString());
            Assert.Equal(reason, shown.GetProperty("reason").GetString());
        }
    }

    [Fact]
    public void A_shape_that_cannot_be_fails_its_module_with_all_errors()
    {
        var module = crm.Services.GetRequiredService<ModuleCatalogAccessor>().Current.Find("wrongshape")!;

        Assert.Equal(ModuleStatus.Failed, module.Status);
        Assert.Contains("Wrong Name", module.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_failing_module_declared_is_not_kept()
    {
        var metadata = crm.Metadata.Current;

        Assert.False(metadata.TryEntity("left_over", out _));
        Assert.True(metadata.TryEntity("gadget", out var gadget));
        Assert.Equal("good", gadget.Origin);
        Assert.True(metadata.TryEntity("own_thing", out _));
    }

    [Fact]
    public async Task A_module_takes_part_in_writes()
    {
        var records = crm.Services.GetRequiredService<IRecords>().As(Actor.System);

        var saved = await records.SaveAsync(RecordChange.Create("gadget", new Dictionary<string, object?> { ["name"] = "Saw", ["code"] = "s-1" }));
        var refused = await records.SaveAsync(RecordChange.Create("gadget", new Dictionary<string, object?> { ["name"] = "Test piece", ["code"] = "X-1" }));

        Assert.Equal("S-1", saved.Record!["code"]);
        Assert.Equal(new ValidationError("code", ErrorCodes.Rule, "Codes that start with X are kept for the factory."), Assert.Single(refused.Errors));
    }

    [Fact]
    public async Task Endpoints_of_a_module_answer_signed_in_callers_only()
    {
        Assert.Equal(HttpStatusCode.OK, (await admin.GetAsync("/api/m/good/count")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await crm.Client().GetAsync("/api/m/good/count")).StatusCode);
    }

    [Fact]
    public async Task Embedded_files_are_served_with_a_safe_type()
    {
        using var answer = await admin.GetAsync("/_modules/good/good.css");

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("text/css", answer.Content.Headers.ContentType!.MediaType);
        Assert.Equal("nosniff", Assert.Single(answer.Headers.GetValues("X-Content-Type-Options")));
        Assert.Equal(HttpStatusCode.NotFound, (await admin.GetAsync("/_modules/good/%2e%2e/GoodModule.cs")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await admin.GetAsync("/_modules/throws/good.css")).StatusCode);
    }

    [Fact]
    public async Task Only_an_administrator_sees_and_switches_modules()
    {
        Assert.Equal(HttpStatusCode.Unauthorized, (await crm.Client().GetAsync("/api/modules")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await crm.Client().PostAsync("/api/modules/good/disable", null)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await admin.PostAsync("/api/modules/nothing/disable", null)).StatusCode);

        var user = await crm.Records.SaveAsync(RecordChange.Create("user", new Dictionary<string, object?> { ["name"] = "Nora", ["user_name"] = "nora", ["can_sign_in"] = true }));
        using var set = await admin.PostAsJsonAsync($"/api/users/{user.Record!.Id}/password", new { password = "a meadow behind the mill" });
        Assert.True(set.IsSuccessStatusCode);
        var nora = crm.Client(await crm.TokenAsync("nora", "a meadow behind the mill"));
        Assert.Equal(HttpStatusCode.Forbidden, (await nora.GetAsync("/api/modules")).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await nora.PostAsync("/api/modules/good/disable", null)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await nora.GetAsync("/api/m/good/count")).StatusCode);
    }

    [Fact]
    public void Pages_and_panels_are_found_by_their_address()
    {
        var catalog = crm.Services.GetRequiredService<ModuleCatalogAccessor>().Current;

        Assert.Equal("/m/good/overview", catalog.FindPage("good", "overview")!.Url);
        Assert.NotNull(catalog.FindPage("good", "overview/"));
        Assert.Null(catalog.FindPage("good", "other"));
        Assert.Null(catalog.FindPage("throws", ""));
        Assert.Empty(catalog.Panels("gadget"));
    }
}
