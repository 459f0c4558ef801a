using System.Net;
using Crm.Sdk;

namespace Crm.Host.Tests.Api;

public sealed class ViewApiTests(ApiCrm crm) : IClassFixture<ApiCrm>
{
    [Fact]
    public async Task PLT_17_Views_are_saved_listed_changed_and_deleted_over_the_API()
    {
        var made = await crm.SendAsync("POST", "api/views", """{"entity":"x_deal","name":"My hot deals","select":["title","firm"],"filter":{"all":[{"mine":"owner"},{"path":"next_call","during":"next_days","days":7}]},"sort":["-budget"],"shared":true}""");
        Assert.True(made.Status == HttpStatusCode.Created, made.Text);
        var id = made.Json["id"]!.GetValue<Guid>();
        Assert.Equal($"/api/views/{id}", made.Headers["Location"]);
        var read = await crm.GetAsync($"api/views/{id}");
        Assert.True(read.Status == HttpStatusCode.OK, read.Text);
        Assert.Equal("next_days", read.Json["filter"]!["all"]![1]!["during"]!.GetValue<string>());

        var changed = await crm.SendAsync("PATCH", $"api/views/{id}", """{"name":"Hot deals","filter":null}""");
        Assert.Equal(HttpStatusCode.OK, changed.Status);
        Assert.Equal(["Hot deals"], (await crm.GetAsync("api/views?entity=x_deal")).Column("name"));
        Assert.Null(changed.Json["filter"]);
        Assert.Equal("-budget", changed.Json["sort"]![0]!.GetValue<string>());

        Assert.Equal(HttpStatusCode.NoContent, (await crm.SendAsync("PUT", "api/views/default", $$"""{"entity":"x_deal","view":"{{id}}"}""")).Status);
        Assert.Equal(id.ToString("N"), (await crm.GetAsync("api/views?entity=x_deal")).Json["default"]!.GetValue<string>());
        Assert.Equal(HttpStatusCode.NoContent, (await crm.SendAsync("PUT", "api/views/default", """{"entity":"x_deal","view":null}""")).Status);
        var used = Assert.Single((await crm.GetAsync("api/metadata/entities/x_deal/uses?field=firm")).Value, u => u!["kind"]!.GetValue<string>() == "saved_view");
        Assert.Equal($"x_deal.{id:N}", used!["target"]!.GetValue<string>());
        Assert.Contains((await crm.GetAsync("api/metadata/entities/x_deal/uses")).Value, u => u!["target"]!.GetValue<string>() == $"x_deal.{id:N}");

        Assert.Equal(HttpStatusCode.NoContent, (await crm.SendAsync("DELETE", $"api/views/{id}")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await crm.SendAsync("DELETE", $"api/views/{id}")).Status);
        Assert.Empty((await crm.GetAsync("api/views?entity=x_deal")).Value);
    }

    [Theory]
    [InlineData("POST", "api/views", """{"entity":"x_deal","name":"x","select":["nothing"]}""", HttpStatusCode.BadRequest, ErrorCodes.UnknownField)]
    [InlineData("POST", "api/views", """{"entity":"nothing","name":"x","select":["title"]}""", HttpStatusCode.NotFound, ErrorCodes.UnknownEntity)]
    [InlineData("POST", "api/views", """{"entity":"x_deal","name":"x","select":["title"],"filter":{"path":"close_date","during":"someday"}}""", HttpStatusCode.UnprocessableEntity, ErrorCodes.Unknown)]
    [InlineData("POST", "api/views", """{"entity":"x_deal","name":" ","select":["title"]}""", HttpStatusCode.UnprocessableEntity, ErrorCodes.Required)]
    [InlineData("POST", "api/views", """{"entity":"x_deal","name":"x","select":["title"],"owner":"me"}""", HttpStatusCode.BadRequest, ErrorCodes.BadRequest)]
    [InlineData("POST", "api/views", "[]", HttpStatusCode.BadRequest, ErrorCodes.BadRequest)]
    [InlineData("PUT", "api/views/default", """{"entity":"x_deal","view":"gone"}""", HttpStatusCode.NotFound, ErrorCodes.NotFound)]
    [InlineData("PUT", "api/views/default", """{"view":"all"}""", HttpStatusCode.BadRequest, ErrorCodes.BadRequest)]
    [InlineData("GET", "api/views?entity=nothing", null, HttpStatusCode.NotFound, ErrorCodes.UnknownEntity)]
    [InlineData("PATCH", "api/views/01990000-0000-7000-8000-000000000001", "{}", HttpStatusCode.NotFound, ErrorCodes.NotFound)]
    public async Task What_makes_no_view_is_refused(string method, string path, string? body, HttpStatusCode status, string code)
    {
        var answer = await crm.SendAsync(method, path, body);
        Assert.Equal((status, code), (answer.Status, answer.Code));
    }
}
