using System.Net;
using System.Text.Json.Nodes;
using Crm.Host.Security;
using Crm.Sdk;
using Microsoft.Extensions.DependencyInjection;

namespace Crm.Host.Tests.Api;

public sealed class MetadataApiTests(ApiCrm crm) : IClassFixture<ApiCrm>
{
    [Fact]
    public async Task What_loses_data_is_applied_only_with_its_typed_name()
    {
        await crm.ApplyAsync("""{"changes":[{"change":"add_field","entity":"x_firm","field":{"name":"motto","type":"text"}}]}""");
        await crm.ApplyAsync("""{"changes":[{"change":"hide_field","entity":"x_firm","field":"motto"}]}""");
        var plan = await crm.SendAsync("POST", "api/metadata/plan", """{"changes":[{"change":"purge_field","entity":"x_firm","field":"motto"}]}""");
        Assert.Equal(HttpStatusCode.OK, plan.Status);
        Assert.Equal("motto", plan.Json["confirm"]![0]!.GetValue<string>());
        var drop = plan.Json["steps"]!.AsArray().Single(s => s!["destructive"]!.GetValue<bool>())!;
        Assert.False(drop["undo"]!.GetValue<bool>());
        Assert.Equal("brief", drop["lock"]!.GetValue<string>());
        Assert.NotNull(drop["seconds"]);

        var (id, wrong) = (plan.Json["id"], """ ["mottos"] """);
        var refused = await crm.SendAsync("POST", "api/metadata/apply", $$"""{"plan":"{{id}}","confirm":{{wrong}} }""");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.Status);
        Assert.Equal("confirm", refused.Json["error"]!["code"]!.GetValue<string>());
        Assert.Equal("motto", refused.Json["error"]!["target"]!.GetValue<string>());

        var right = """ ["motto"] """;
        var applied = await crm.SendAsync("POST", "api/metadata/apply", $$"""{"plan":"{{id}}","comment":"Nobody read it","confirm":{{right}} }""");
        Assert.Equal(HttpStatusCode.OK, applied.Status);
        var gone = await crm.SendAsync("GET", "api/metadata/entities/x_firm/uses?field=motto");
        Assert.Equal("unknown_field", gone.Json["error"]!["code"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("""{"plan":"01890a5d-ac96-774b-bcce-b302099a8057","confirm":"motto"}""", "confirm")]
    [InlineData("""{"plan":"01890a5d-ac96-774b-bcce-b302099a8057","confirm":[1]}""", "confirm")]
    [InlineData("""{"plan":"01890a5d-ac96-774b-bcce-b302099a8057","comment":7}""", "comment")]
    public async Task What_is_sent_along_must_make_sense(string body, string target)
    {
        var answer = await crm.SendAsync("POST", "api/metadata/apply", body);

        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.Equal(target, answer.Json["error"]!["target"]!.GetValue<string>());
    }

    [Fact]
    public async Task Where_a_field_and_an_entity_are_used_can_be_asked()
    {
        var entity = await crm.SendAsync("GET", "api/metadata/entities/x_firm/uses");
        Assert.Contains(entity.Json["value"]!.AsArray(), u => u!["kind"]!.GetValue<string>() == "lookup" && u["target"]!.GetValue<string>() == "x_deal.firm");

        var field = await crm.SendAsync("GET", "api/metadata/entities/x_deal/uses?field=title");
        Assert.Contains(field.Json["value"]!.AsArray().Select(u => (JsonObject)u!), u => u["kind"]!.GetValue<string>() == "search");
    }

    [Fact]
    public async Task A_version_is_listed_compared_and_reverted()
    {
        await crm.ApplyAsync("""{"changes":[{"change":"change_entity","entity":"x_firm","label":"Company"}]}""");
        var version = (await crm.SendAsync("GET", "api/metadata/history?top=1")).Json["value"]![0]!["version"]!.GetValue<long>();

        var compared = await crm.SendAsync("GET", $"api/metadata/history/compare?from={version - 1}&to={version}");
        var difference = compared.Json["value"]!.AsArray().Single()!;
        Assert.Equal(("label", "Firm", "Company"), (difference["path"]![0]!.GetValue<string>(), difference["before"]!.GetValue<string>(), difference["after"]!.GetValue<string>()));

        await crm.ApplyAsync($$"""{"changes":[{"change":"revert","version":{{version}}}]}""");
        Assert.Equal("Firm", (await crm.SendAsync("GET", "api/metadata/entities/x_firm")).Json["label"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("history?top=0", HttpStatusCode.BadRequest)]
    [InlineData("history?top=201", HttpStatusCode.BadRequest)]
    [InlineData("history?before=x", HttpStatusCode.BadRequest)]
    [InlineData("history/compare", HttpStatusCode.BadRequest)]
    [InlineData("history/compare?from=2&to=1", HttpStatusCode.BadRequest)]
    [InlineData("history/compare?from=1&to=99999", HttpStatusCode.NotFound)]
    [InlineData("history/compare?from=-9223372036854775808&to=9223372036854775807", HttpStatusCode.NotFound)]
    public async Task Strange_questions_about_history_are_refused(string question, HttpStatusCode status) =>
        Assert.Equal(status, (await crm.SendAsync("GET", "api/metadata/" + question)).Status);

    [Fact]
    public async Task Only_administrators_see_the_history()
    {
        var user = await crm.Crm.Records.SaveAsync(RecordChange.Create("user", new Dictionary<string, object?> { ["name"] = "Clerk", ["user_name"] = "clerk", ["can_sign_in"] = true }));
        await crm.Crm.Services.GetRequiredService<Passwords>().SetAsync(user.Record!.Id, "seven green bicycles", CancellationToken.None);
        using var clerk = crm.Crm.Client(await crm.Crm.TokenAsync("clerk", "seven green bicycles"));

        Assert.Equal(HttpStatusCode.Forbidden, (await clerk.GetAsync(new Uri("api/metadata/history", UriKind.Relative))).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await clerk.GetAsync(new Uri("api/metadata/history/compare?from=1&to=2", UriKind.Relative))).StatusCode);
    }
}
