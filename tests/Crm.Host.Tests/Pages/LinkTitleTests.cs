using Crm.Host.Tests.Api;
using Crm.Sdk;
using Crm.Sdk.Web;

namespace Crm.Host.Tests.Pages;

public sealed class LinkTitleTests(ApiCrm api) : IClassFixture<ApiCrm>
{
    [Fact]
    public async Task A_list_shows_where_a_pointer_to_any_record_leads_by_its_title()
    {
        await api.ApplyAsync("""{"changes":[{"change":"create_entity","name":"x_note","label":"Note","plural":"Notes","set":"x_notes","fields":[{"name":"name","type":"text"},{"name":"about","type":"any_lookup"}]}]}""");
        var firm = await api.CreateAsync("x_firms", """{"name":"Acme"}""");
        var deal = await api.CreateAsync("x_deals", """{"title":"Bridge"}""");
        var gone = await api.CreateAsync("x_deals", """{"title":"Gone"}""");
        foreach (var (name, about) in new[] { ("a", "x_firm:" + firm["id"]), ("b", "x_deal:" + deal["id"]), ("c", ""), ("d", "x_deal:" + gone["id"]) })
        {
            await api.CreateAsync("x_notes", about.Length == 0 ? $$"""{"name":"{{name}}"}""" : $$"""{"name":"{{name}}","about":"{{about}}"}""");
        }

        await api.SendAsync("DELETE", $"odata/v4/x_deals({gone["id"]})");
        var (records, metadata) = (api.Crm.Records, api.Crm.Metadata.Current);
        var page = await records.QueryAsync(new RecordQuery { Entity = "x_note", Select = ["name", "about"], Sort = [new Sort("name")] });

        var shown = await LinkTitles.AddAsync(records, metadata, [metadata.Entity("x_note").Field("about")], page.Records);

        Assert.Equal(["Acme", "Bridge", null, null], shown.Select(r => (r["about"] as LinkTitles)?.First.Single().Title));
        Assert.Equal("x_deal", ((LinkTitles)shown[1]["about"]!).First.Single().Entity);
        Assert.IsType<RecordRef>(shown[3]["about"]);
    }
}
