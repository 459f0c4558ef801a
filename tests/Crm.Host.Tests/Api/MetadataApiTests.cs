using System.Net;
using System.Text.Json.Nodes;

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
}
