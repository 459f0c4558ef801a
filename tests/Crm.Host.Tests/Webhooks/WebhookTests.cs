using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Crm.Host.Tests.Api;
using Crm.Records.Webhooks;
using Crm.Sdk;
using Crm.Sdk.Testing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Crm.Host.Tests.Webhooks;

public sealed class WebhookTests : IAsyncLifetime
{
    private readonly ApiCrm api = new() { Options = new TestCrmOptions { Settings = ImmutableDictionary<string, string>.Empty.Add("Crm:WebhooksToPrivateAddresses", "true") } };

    public Task InitializeAsync() => api.InitializeAsync();

    public Task DisposeAsync() => api.DisposeAsync();

    [Fact]
    public async Task A_change_is_told_signed_with_the_record_and_what_changed()
    {
        await using var receiver = new Receiver();
        var (_, secret) = await MakeAsync(receiver.Url, """["x_firm"]""");
        var firm = await api.CreateAsync("x_firms", """{"name":"Acme","revenue":5}""");
        var created = await receiver.NextAsync();
        await api.SendAsync("PATCH", $"odata/v4/x_firms({firm["id"]})", """{"name":"Acme & Co"}""");
        var updated = await receiver.NextAsync();
        await api.SendAsync("DELETE", $"odata/v4/x_firms({firm["id"]})");
        var deleted = await receiver.NextAsync();

        Assert.Equal(("x_firm.created", "x_firm.updated", "x_firm.deleted"), (created.Type, updated.Type, deleted.Type));
        Assert.Equal(firm["id"]!.GetValue<string>(), created.Data["id"]!.GetValue<string>());
        Assert.Equal("Acme", created.Data["record"]!["name"]!.GetValue<string>());
        Assert.Equal(["name"], updated.Data["changed"]!.AsArray().Select(f => f!.GetValue<string>()));
        Assert.Equal((2, "Acme & Co"), (updated.Data["version"]!.GetValue<int>(), updated.Data["record"]!["name"]!.GetValue<string>()));
        Assert.Null(deleted.Data["record"]);
        foreach (var request in new[] { created, updated, deleted })
        {
            var signed = HMACSHA256.HashData(Convert.FromBase64String(secret["whsec_".Length..]), Encoding.UTF8.GetBytes($"{request.Id}.{request.Timestamp}.{request.Body}"));
            Assert.Equal("v1," + Convert.ToBase64String(signed), request.Signature);
            Assert.InRange(DateTimeOffset.FromUnixTimeSeconds(long.Parse(request.Timestamp, CultureInfo.InvariantCulture)), TimeProvider.System.GetUtcNow().AddMinutes(-5), TimeProvider.System.GetUtcNow().AddMinutes(5));
        }
    }

    [Fact]
    public async Task A_roll_up_that_changes_with_a_child_is_told_and_in_the_history_with_the_child()
    {
        await api.ApplyAsync("""{"changes":[{"change":"add_field","entity":"x_firm","field":{"name":"x_deals","type":"roll_up","label":"Deals","result":"integer","roll_up":{"entity":"x_deal","lookup":"firm","function":"count"}}}]}""");
        var firm = await api.CreateAsync("x_firms", """{"name":"Rolled up"}""");
        await using var receiver = new Receiver();
        await MakeAsync(receiver.Url, """["x_firm"]""", """["updated"]""");
        var deal = await api.CreateAsync("x_deals", $$"""{"title":"First","firm":"{{firm["id"]}}"}""");

        var told = await receiver.NextAsync();
        var entry = (await api.GetAsync($"api/records/x_firm/{firm["id"]}/history")).Value[0]!;

        Assert.Equal(("x_firm.updated", 1, 1), (told.Type, told.Data["version"]!.GetValue<int>(), told.Data["record"]!["x_deals"]!.GetValue<int>()));
        Assert.Equal(["x_deals"], told.Data["changed"]!.AsArray().Select(f => f!.GetValue<string>()));
        Assert.Equal(("calculated", 1, 0), (entry["source"]!.GetValue<string>(), entry["version"]!.GetValue<int>(), entry["changes"]![0]!["before"]!.GetValue<int>()));
        foreach (var cause in new[] { told.Data["cause"]!, entry["cause"]! })
        {
            Assert.Equal(("x_deal", deal["id"]!.GetValue<string>()), (cause["entity"]!.GetValue<string>(), cause["id"]!.GetValue<string>()));
        }
    }

    [Fact]
    public async Task Only_what_was_chosen_is_told_and_only_while_it_is_on()
    {
        await using var receiver = new Receiver();
        var (id, _) = await MakeAsync(receiver.Url, """["x_firm"]""", """["updated"]""");
        var firm = await api.CreateAsync("x_firms", """{"name":"Unheard"}""");
        await api.CreateAsync("x_deals", """{"title":"Unheard too"}""");
        Assert.Equal(HttpStatusCode.NoContent, (await api.SendAsync("PATCH", $"api/webhooks/{id}", """{"active":false}""")).Status);
        await api.SendAsync("PATCH", $"odata/v4/x_firms({firm["id"]})", """{"name":"While off"}""");
        // The change made while it was off must have left the outbox before it is on again.
        await DrainedAsync();
        await api.SendAsync("PATCH", $"api/webhooks/{id}", """{"active":true}""");
        await api.SendAsync("PATCH", $"odata/v4/x_firms({firm["id"]})", """{"name":"Heard"}""");
        Assert.Equal("Heard", (await receiver.NextAsync()).Data["record"]!["name"]!.GetValue<string>());
        Assert.Single(await LogAsync(id));
    }

    [Fact]
    public async Task A_receiver_that_fails_is_told_again_the_same_until_it_takes_it_and_later_changes_wait()
    {
        await using var receiver = new Receiver { Answer = _ => 500 };
        var (id, _) = await MakeAsync(receiver.Url, """["x_firm"]""");
        var firm = await api.CreateAsync("x_firms", """{"name":"First"}""");
        var first = await receiver.NextAsync();
        await SettledAsync(id, 500);
        await api.SendAsync("PATCH", $"odata/v4/x_firms({firm["id"]})", """{"name":"Second"}""");
        await DrainedAsync();
        receiver.Answer = _ => 200;
        await HurryAsync();

        var again = await receiver.NextAsync();
        Assert.Equal((first.Id, first.Body), (again.Id, again.Body));
        Assert.Equal("x_firm.updated", (await receiver.NextAsync()).Type);
        await Eventually(async () => (await LogAsync(id)).All(d => d!["state"]!.GetValue<string>() == "delivered"));
        Assert.Equal([1, 2], (await LogAsync(id)).Select(d => d!["attempts"]!.GetValue<int>()));
    }

    [Fact]
    public async Task What_failed_for_good_is_kept_with_its_answer_and_can_be_sent_again()
    {
        await using var receiver = new Receiver { Answer = _ => 410 };
        var (id, _) = await MakeAsync(receiver.Url, """["x_firm"]""");
        await api.CreateAsync("x_firms", """{"name":"Lost"}""");
        var first = await receiver.NextAsync();
        await SettledAsync(id, 410);
        await ExecuteAsync($"UPDATE crm.webhook_delivery SET attempts = {DeliveryQueue.Pauses.Length}");
        await HurryAsync();
        await receiver.NextAsync();
        await Eventually(async () => (await LogAsync(id))[0]!["state"]!.GetValue<string>() == "failed");
        var failed = Assert.Single((await api.GetAsync("api/webhooks")).Json["value"]!.AsArray(), w => w!["id"]!.GetValue<string>() == id);
        Assert.Equal(1, failed!["failed"]!.GetValue<int>());

        receiver.Answer = _ => 200;
        var delivery = (await LogAsync(id))[0]!["id"]!.GetValue<string>();
        Assert.Equal(first.Body, (await api.GetAsync($"api/webhooks/{id}/deliveries/{delivery}")).Text);
        Assert.Equal(HttpStatusCode.Accepted, (await api.SendAsync("POST", $"api/webhooks/{id}/deliveries/{delivery}/replay")).Status);
        Assert.Equal((first.Id, first.Body), (await receiver.NextAsync()) is var last ? (last.Id, last.Body) : default);
        await Eventually(async () => (await LogAsync(id))[0]!["state"]!.GetValue<string>() == "delivered");
    }

    [Fact]
    public async Task What_a_host_took_and_never_settled_is_sent_by_another_one()
    {
        await using var receiver = new Receiver { Answer = _ => 500 };
        var (id, _) = await MakeAsync(receiver.Url, """["x_firm"]""");
        await api.CreateAsync("x_firms", """{"name":"Taken"}""");
        var first = await receiver.NextAsync();
        await SettledAsync(id, 500);
        receiver.Answer = _ => 200;
        // As a host that dies right after it took the work: the lease is all that is left of it.
        await ExecuteAsync("UPDATE crm.webhook_delivery SET next_at = clock_timestamp()");
        var queue = api.Crm.Services.GetRequiredService<DeliveryQueue>();
        Assert.Single(await queue.LeaseAsync(Guid.Parse(id), 16, TimeSpan.FromMinutes(2)));
        Assert.Empty(await queue.LeaseAsync(Guid.Parse(id), 16, TimeSpan.FromMinutes(2)));
        await ExecuteAsync("UPDATE crm.webhook_delivery SET leased_until = clock_timestamp()");
        await ExecuteAsync("SELECT pg_notify('crm_webhooks', '')");
        Assert.Equal(first.Id, (await receiver.NextAsync()).Id);
    }

    [Fact]
    public async Task Two_hosts_tell_each_change_once()
    {
        await using var second = await api.Crm.StartSecondHostAsync();
        await using var receiver = new Receiver();
        await MakeAsync(receiver.Url, """["x_firm"]""");
        var records = api.Crm.Services.GetRequiredService<IRecords>().As(api.Crm.Admin);
        await records.SaveManyAsync([.. Enumerable.Range(0, 200).Select(i => RecordChange.Create("x_firm", new Dictionary<string, object?> { ["name"] = "Firm " + i }))], new SaveOptions());
        var ids = new HashSet<string>();
        for (var i = 0; i < 200; i++)
        {
            Assert.True(ids.Add((await receiver.NextAsync()).Id));
        }

        await Eventually(async () => await ScalarAsync("SELECT count(*) FROM crm.webhook_delivery WHERE state = 'delivered' AND attempts = 1") == 200);
    }

    [Fact]
    public async Task A_redirect_is_not_followed()
    {
        await using var inside = new Receiver();
        await using var receiver = new Receiver { Answer = _ => 307, Location = inside.Url };
        var (id, _) = await MakeAsync(receiver.Url, """["x_firm"]""");
        await api.CreateAsync("x_firms", """{"name":"Redirected"}""");
        await receiver.NextAsync();
        await SettledAsync(id, 307);
        Assert.Equal("waiting", (await LogAsync(id))[0]!["state"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_secret_is_shown_once_and_is_not_in_the_database_as_it_is()
    {
        var (id, secret) = await MakeAsync(new Uri("https://example.com/"), """["x_firm"]""");
        Assert.StartsWith("whsec_", secret, StringComparison.Ordinal);
        Assert.DoesNotContain(secret, (await api.GetAsync("api/webhooks")).Text, StringComparison.Ordinal);
        Assert.Equal(0, await ScalarAsync($"SELECT count(*) FROM crm.webhook WHERE secret LIKE '%{secret["whsec_".Length..]}%'"));
        var other = (await api.SendAsync("POST", $"api/webhooks/{id}/secret")).Json["secret"]!.GetValue<string>();
        Assert.NotEqual(secret, other);
    }

    [Fact]
    public async Task A_webhook_is_removed_with_what_was_sent_to_it()
    {
        await using var receiver = new Receiver();
        var (id, _) = await MakeAsync(receiver.Url, """["x_firm"]""");
        await api.CreateAsync("x_firms", """{"name":"Removed"}""");
        await receiver.NextAsync();
        Assert.Equal(HttpStatusCode.NoContent, (await api.SendAsync("DELETE", $"api/webhooks/{id}")).Status);
        Assert.Equal(0, await ScalarAsync("SELECT count(*) FROM crm.webhook_delivery"));
        Assert.Equal(HttpStatusCode.NotFound, (await api.SendAsync("DELETE", $"api/webhooks/{id}")).Status);
    }

    private async Task<(string Id, string Secret)> MakeAsync(Uri url, string entities, string events = """["created","updated","deleted"]""")
    {
        var made = await api.SendAsync("POST", "api/webhooks", $$"""{"name":"Test","url":"{{url}}","entities":{{entities}},"events":{{events}}}""");
        Assert.True(made.Status == HttpStatusCode.Created, made.Text);
        return (made.Json["id"]!.GetValue<string>(), made.Json["secret"]!.GetValue<string>());
    }

    private async Task<JsonArray> LogAsync(string id) => (await api.GetAsync($"api/webhooks/{id}/deliveries")).Json["value"]!.AsArray();

    private Task SettledAsync(string id, int status) => Eventually(async () => (await LogAsync(id))[0]!["status"]?.GetValue<int>() == status);

    private Task DrainedAsync() => Eventually(async () => await ScalarAsync("SELECT count(*) FROM crm.outbox") == 0);

    /// <summary>As if the pause after a failure were over.</summary>
    private async Task HurryAsync()
    {
        await ExecuteAsync("UPDATE crm.webhook_delivery SET next_at = clock_timestamp() WHERE state = 'waiting'");
        await ExecuteAsync("SELECT pg_notify('crm_webhooks', '')");
    }

    private static Task Eventually(Func<Task<bool>> condition) => Security.Eventually.AsyncEqual(true, condition);

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(api.Crm.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private async Task<long> ScalarAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(api.Crm.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
