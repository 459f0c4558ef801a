using System.Net;
using System.Net.Http.Json;
using Crm.Sdk;

namespace Crm.Host.Tests.Security;

public sealed class PasswordTests(SecurityCrm security) : IClassFixture<SecurityCrm>
{
    private const string New = "nine yellow umbrellas";

    [Fact]
    public async Task An_administrator_sets_the_password_of_a_new_user()
    {
        var made = await security.Crm.Records.SaveAsync(RecordChange.Create("user", new Dictionary<string, object?> { ["name"] = "Bea", ["user_name"] = "bea", ["can_sign_in"] = true }));
        using var admin = await security.Crm.AdminClientAsync();
        using var set = await admin.PostAsJsonAsync($"/api/users/{made.Record!.Id}/password", new { password = New });
        Assert.Equal(HttpStatusCode.NoContent, set.StatusCode);
        Assert.StartsWith("crm_", await security.Crm.TokenAsync("bea", New), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_user_changes_the_own_password_with_the_current_one_which_ends_the_other_sessions()
    {
        var (id, user) = await security.UserAsync();
        using var other = security.Crm.Client(await security.Crm.TokenAsync(user, SecurityCrm.Password));
        using var client = security.Crm.Client(await security.Crm.TokenAsync(user, SecurityCrm.Password));

        using var wrong = await client.PostAsJsonAsync($"/api/users/{id}/password", new { password = New, current_password = "not this one" });
        Assert.Equal(HttpStatusCode.UnprocessableEntity, wrong.StatusCode);
        using var missing = await client.PostAsJsonAsync($"/api/users/{id}/password", new { password = New });
        Assert.Equal(HttpStatusCode.UnprocessableEntity, missing.StatusCode);
        using var set = await client.PostAsJsonAsync($"/api/users/{id}/password", new { password = New, current_password = SecurityCrm.Password });
        Assert.Equal(HttpStatusCode.NoContent, set.StatusCode);

        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/api/auth/me")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await other.GetAsync("/api/auth/me")).StatusCode);
        Assert.StartsWith("crm_", await security.Crm.TokenAsync(user, New), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_but_an_administrator_sets_the_password_of_somebody_else()
    {
        var (_, user) = await security.UserAsync();
        var (victim, _) = await security.UserAsync();
        using var client = security.Crm.Client(await security.Crm.TokenAsync(user, SecurityCrm.Password));
        using var answer = await client.PostAsJsonAsync($"/api/users/{victim}/password", new { password = New, current_password = SecurityCrm.Password });
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
    }

    [Theory]
    [InlineData("short")]
    [InlineData("password1234")]
    [InlineData(null)]
    public async Task A_weak_password_is_refused_at_its_field(string? password)
    {
        var (id, _) = await security.UserAsync();
        using var admin = await security.Crm.AdminClientAsync();
        using var answer = await admin.PostAsJsonAsync($"/api/users/{id}/password", new { password });
        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        Assert.Contains("\"target\":\"password\"", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_products_own_user_gets_no_password()
    {
        using var admin = await security.Crm.AdminClientAsync();
        using var answer = await admin.PostAsJsonAsync($"/api/users/{Actor.System.UserId}/password", new { password = New });
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        using var nobody = await admin.PostAsJsonAsync($"/api/users/{Guid.CreateVersion7()}/password", new { password = New });
        Assert.Equal(HttpStatusCode.NotFound, nobody.StatusCode);
    }

    [Fact]
    public async Task A_user_who_is_no_administrator_cannot_make_one()
    {
        var (id, user) = await security.UserAsync();
        using var client = security.Crm.Client(await security.Crm.TokenAsync(user, SecurityCrm.Password));
        using var answer = await client.PatchAsJsonAsync($"/odata/v4/users({id})", new { is_administrator = true });
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.False((await security.Crm.Records.FindAsync("user", id))!.Get<bool>("is_administrator"));
    }
}
