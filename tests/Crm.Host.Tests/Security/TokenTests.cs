using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Crm.Metadata;
using Crm.Sdk;
using Crm.Sdk.Testing;
using Dapper;
using Microsoft.Extensions.DependencyInjection;

namespace Crm.Host.Tests.Security;

public sealed class TokenTests(SecurityCrm security) : IClassFixture<SecurityCrm>
{
    private const string Anywhere = "/odata/v4/users?$top=1";

    [Fact]
    public async Task A_token_got_for_a_password_opens_the_API()
    {
        var (id, user) = await security.UserAsync();
        using var client = security.Crm.Client(await security.Crm.TokenAsync(user, SecurityCrm.Password));
        var me = await client.GetFromJsonAsync<JsonElement>("/api/auth/me");
        Assert.Equal(id, me.GetProperty("id").GetGuid());
        Assert.False(me.GetProperty("is_administrator").GetBoolean());
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(client, Anywhere));
    }

    [Fact]
    public async Task A_user_name_is_found_in_any_case()
    {
        var (_, user) = await security.UserAsync();
        Assert.StartsWith("crm_token_", await security.Crm.TokenAsync(user.ToUpperInvariant(), SecurityCrm.Password), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/odata/v4/users")]
    [InlineData("/odata/v4")]
    [InlineData("/odata/v4/$metadata")]
    [InlineData("/api/metadata")]
    [InlineData("/api/modules")]
    [InlineData("/api/auth/me")]
    [InlineData("/api/auth/keys")]
    [InlineData("/api/there/is/nothing/here")]
    [InlineData("/openapi/v1.json")]
    public async Task The_API_without_sign_in_answers_401_in_the_shape_of_its_errors(string address)
    {
        using var answer = await security.Crm.Client().GetAsync(address);
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Equal("Bearer", answer.Headers.WwwAuthenticate.Single().Scheme);
        var body = await answer.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal("unauthorized", body.GetProperty("error").GetProperty("code").GetString());
    }

    [Theory]
    [InlineData("Bearer nonsense")]
    [InlineData("Bearer")]
    [InlineData("Basic YWRtaW46YWRtaW4=")]
    [InlineData("Bearer crm_token_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public async Task A_wrong_token_opens_nothing(string header)
    {
        using var client = security.Crm.Client();
        client.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", header);
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(client, Anywhere));
    }

    [Fact]
    public async Task A_token_in_the_address_is_not_accepted()
    {
        var token = await security.Crm.TokenAsync("admin", TestCrm.AdminPassword);
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(security.Crm.Client(), $"{Anywhere}&access_token={token}"));
    }

    [Fact]
    public async Task The_database_holds_no_token_only_its_hash()
    {
        var token = await security.Crm.TokenAsync("admin", TestCrm.AdminPassword);
        await using var connection = await security.Crm.Services.GetRequiredService<CrmDatabase>().OpenAsync();
        var rows = await connection.QueryAsync<string>("SELECT s::text FROM crm.session s");
        Assert.All(rows, row => Assert.DoesNotContain(token, row, StringComparison.Ordinal));
        var hashes = await connection.QueryAsync<byte[]>("SELECT secret_hash FROM crm.session WHERE secret_hash IS NOT NULL");
        Assert.Contains(hashes, hash => hash.AsSpan().SequenceEqual(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(token))));
    }

    [Fact]
    public async Task A_wrong_password_and_an_unknown_account_get_the_same_answer()
    {
        var (_, user) = await security.UserAsync();
        using var wrong = await PostAsync(user, "not the password");
        using var unknown = await PostAsync("somebody.who.does.not.exist", "not the password");
        Assert.Equal(HttpStatusCode.Unauthorized, wrong.StatusCode);
        Assert.Equal(wrong.StatusCode, unknown.StatusCode);
        Assert.Equal(await wrong.Content.ReadAsStringAsync(), await unknown.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("{\"username\":\"admin\"}")]
    [InlineData("{\"username\":\"\",\"password\":\"\"}")]
    [InlineData("{\"username\":17,\"password\":true}")]
    [InlineData("[1]")]
    [InlineData("{")]
    [InlineData("")]
    [InlineData("null")]
    public async Task A_request_for_a_token_that_cannot_be_read_is_a_400(string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await security.Crm.Client().PostAsync("/api/auth/token", content);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.True((await answer.Content.ReadFromJsonAsync<JsonElement>()).TryGetProperty("error", out _));
    }

    [Fact]
    public async Task A_name_with_a_NUL_is_wrong_and_no_failure()
    {
        using var answer = await PostAsync("ad\0min\0", "not the password");
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Fact]
    public async Task An_expired_token_opens_nothing()
    {
        var (id, user) = await security.UserAsync();
        var token = await security.Crm.TokenAsync(user, SecurityCrm.Password);
        await security.ExecuteAsync("UPDATE crm.session SET expires_at = now() - interval '1 second' WHERE user_id = @id", new { id });
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(security.Crm.Client(token), Anywhere));
    }

    [Fact]
    public async Task A_token_ended_by_its_owner_opens_nothing_any_more()
    {
        var (_, user) = await security.UserAsync();
        using var client = security.Crm.Client(await security.Crm.TokenAsync(user, SecurityCrm.Password));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(client, Anywhere));
        using var ended = await client.DeleteAsync("/api/auth/token");
        Assert.Equal(HttpStatusCode.NoContent, ended.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(client, Anywhere));
    }

    [Theory]
    [InlineData("can_sign_in")]
    [InlineData("is_active")]
    public async Task Switching_a_user_off_ends_their_tokens_and_a_password_gives_none(string field)
    {
        var (id, user) = await security.UserAsync();
        using var client = security.Crm.Client(await security.Crm.TokenAsync(user, SecurityCrm.Password));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(client, Anywhere));
        var result = await security.Crm.Records.SaveAsync(RecordChange.Update("user", id, new Dictionary<string, object?> { [field] = false }));
        Assert.Empty(result.Errors);
        await Eventually.AsyncEqual(HttpStatusCode.Unauthorized, () => StatusAsync(client, Anywhere));
        using var again = await PostAsync(user, SecurityCrm.Password);
        Assert.Equal(HttpStatusCode.Unauthorized, again.StatusCode);
    }

    [Fact]
    public async Task A_personal_key_is_shown_once_works_like_a_token_and_ends_when_removed()
    {
        var (_, user) = await security.UserAsync();
        using var client = security.Crm.Client(await security.Crm.TokenAsync(user, SecurityCrm.Password));
        using var made = await client.PostAsJsonAsync("/api/auth/keys", new { name = "Reports", expires_in_days = 30 });
        Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        var key = await made.Content.ReadFromJsonAsync<JsonElement>();
        var secret = key.GetProperty("key").GetString()!;
        using var byKey = security.Crm.Client(secret);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(byKey, Anywhere));

        var listed = await client.GetStringAsync("/api/auth/keys");
        Assert.Contains("Reports", listed, StringComparison.Ordinal);
        Assert.DoesNotContain(secret, listed, StringComparison.Ordinal);

        using var removed = await client.DeleteAsync($"/api/auth/keys/{key.GetProperty("id").GetGuid()}");
        Assert.Equal(HttpStatusCode.NoContent, removed.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(byKey, Anywhere));
    }

    [Fact]
    public async Task A_key_cannot_make_another_key_or_set_a_password()
    {
        var (id, user) = await security.UserAsync();
        using var client = security.Crm.Client(await security.Crm.TokenAsync(user, SecurityCrm.Password));
        using var made = await client.PostAsJsonAsync("/api/auth/keys", new { name = "Reports" });
        using var byKey = security.Crm.Client((await made.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("key").GetString()!);
        using var second = await byKey.PostAsJsonAsync("/api/auth/keys", new { name = "More" });
        Assert.Equal(HttpStatusCode.Forbidden, second.StatusCode);
        using var password = await byKey.PostAsJsonAsync($"/api/users/{id}/password", new { password = "another long password", current_password = SecurityCrm.Password });
        Assert.Equal(HttpStatusCode.Forbidden, password.StatusCode);
    }

    [Fact]
    public async Task Nobody_removes_the_key_of_somebody_else()
    {
        var (_, owner) = await security.UserAsync();
        var (_, other) = await security.UserAsync();
        using var client = security.Crm.Client(await security.Crm.TokenAsync(owner, SecurityCrm.Password));
        using var made = await client.PostAsJsonAsync("/api/auth/keys", new { name = "Reports" });
        var key = await made.Content.ReadFromJsonAsync<JsonElement>();
        using var stranger = security.Crm.Client(await security.Crm.TokenAsync(other, SecurityCrm.Password));
        using var removed = await stranger.DeleteAsync($"/api/auth/keys/{key.GetProperty("id").GetGuid()}");
        Assert.Equal(HttpStatusCode.NotFound, removed.StatusCode);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(security.Crm.Client(key.GetProperty("key").GetString()!), Anywhere));
    }

    [Theory]
    [InlineData("{\"name\":\"\"}", HttpStatusCode.UnprocessableEntity)]
    [InlineData("{\"name\":\"x\",\"expires_in_days\":0}", HttpStatusCode.UnprocessableEntity)]
    [InlineData("{\"name\":\"x\",\"expires_in_days\":99999}", HttpStatusCode.UnprocessableEntity)]
    [InlineData("{\"name\":7}", HttpStatusCode.BadRequest)]
    public async Task A_key_with_a_bad_name_or_end_is_refused(string body, HttpStatusCode status)
    {
        using var client = await security.Crm.AdminClientAsync();
        using var content = new StringContent(body, Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
        using var answer = await client.PostAsync("/api/auth/keys", content);
        Assert.Equal(status, answer.StatusCode);
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, string address)
    {
        using var answer = await client.GetAsync(address);
        return answer.StatusCode;
    }

    private Task<HttpResponseMessage> PostAsync(string userName, string password) =>
        security.Crm.Client().PostAsJsonAsync("/api/auth/token", new { username = userName, password });
}
