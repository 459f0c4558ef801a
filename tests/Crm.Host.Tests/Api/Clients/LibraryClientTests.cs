using System.Globalization;
using Microsoft.OData;

namespace Crm.Host.Tests.Api.Clients;

/// <summary>The OData library of .NET against the running host, in both versions of the protocol.</summary>
public sealed class LibraryClientTests(ApiCrm crm) : IClassFixture<ApiCrm>
{
    [Theory]
    [InlineData(ODataVersion.V4)]
    [InlineData(ODataVersion.V401)]
    public async Task A_client_that_knows_only_the_metadata_reads_every_set(ODataVersion version)
    {
        var client = await LibraryClient.OpenAsync(crm.Admin, version);
        await crm.CreateAsync("contacts", $$"""{"first_name":"Ada","last_name":"{{version}}"}""");
        await crm.CreateAsync("companies", $$"""{"name":"Engines {{version}}"}""");
        var sets = await client.SetsAsync();
        Assert.Contains("x_deals", sets);
        Assert.Equal(client.Model.EntityContainer.Elements.Select(e => e.Name).Order(StringComparer.Ordinal), sets.Order(StringComparer.Ordinal));
        foreach (var set in sets)
        {
            var (rows, count, _) = await client.PageAsync(set, client.Address(set + "?$count=true&$top=2"));
            Assert.Equal(Math.Min(2, count!.Value), rows.Count);
            Assert.All(rows, row => Assert.Equal($"W/\"{row["version"]}\"", row["@etag"]));
        }
    }

    [Theory]
    [InlineData(ODataVersion.V4)]
    [InlineData(ODataVersion.V401)]
    public async Task A_client_creates_lists_changes_and_deletes(ODataVersion version)
    {
        var client = await LibraryClient.OpenAsync(crm.Admin, version);
        var firm = await client.CreateAsync("x_firms", Resource(("name", $"Client {version}"), ("revenue", 12.5m)));
        var address = client.Address($"x_firms({firm["id"]})");
        for (var i = 1; i <= 5; i++)
        {
            var made = await client.CreateAsync("x_deals", Resource(("title", $"Deal {i}"), ("seats", (long)i), ("urgent", i > 2), ("next_call", new DateTimeOffset(2026, 11, i, 9, 0, 0, TimeSpan.FromHours(2)))), ("firm", address));
            Assert.Equal(firm["id"], made["firm_id"]);
            Assert.Equal(new DateTimeOffset(2026, 11, i, 7, 0, 0, TimeSpan.Zero), made["next_call"]);
        }

        // Page by page, over the address each page gives.
        var query = $"x_deals?$filter=firm_id eq {firm["id"]} and seats gt 1&$orderby=seats desc&$select=id,title,seats&$expand=firm($select=name)&$count=true";
        var all = new List<Dictionary<string, object?>>();
        var pages = 0;
        for (Uri? next = client.Address(query); next is not null; pages++)
        {
            var page = await client.PageAsync("x_deals", next, ("Prefer", "odata.maxpagesize=2"));
            Assert.Equal(pages == 0 ? 4 : page.Count, page.Count);
            all.AddRange(page.Rows);
            next = page.Next;
        }

        Assert.Equal(2, pages);
        Assert.Equal([5L, 4L, 3L, 2L], all.Select(r => r["seats"]));
        Assert.All(all, r => Assert.Equal(firm["name"], Assert.IsType<Dictionary<string, object?>>(r["firm"])["name"]));
        Assert.All(all, r => Assert.False(r.ContainsKey("budget")));

        var deal = client.Address($"x_deals({all[0]["id"]})");
        var tag = all[0]["@etag"]!.ToString()!;
        var changed = await client.UpdateAsync("x_deals", deal, Resource(("seats", 50L)), tag);
        Assert.Equal((50L, "Deal 5"), (changed!["seats"], changed["title"]));
        Assert.Null(await client.UpdateAsync("x_deals", deal, Resource(("seats", 60L)), tag));
        Assert.Equal(412, await client.DeleteAsync(deal, tag));
        Assert.Equal(204, await client.DeleteAsync(deal, changed["@etag"]!.ToString()!));
        Assert.Equal(4, (await client.PageAsync("x_deals", client.Address($"x_deals?$filter=firm_id eq {firm["id"]}"))).Rows.Count);
    }

    [Theory]
    [InlineData(ODataVersion.V4)]
    [InlineData(ODataVersion.V401)]
    public async Task A_client_reads_records_with_what_belongs_to_them_and_follows_its_pages(ODataVersion version)
    {
        var client = await LibraryClient.OpenAsync(crm.Admin, version);
        var (firm, other) = (await client.CreateAsync("x_firms", Resource(("name", $"Many {version}"))), await client.CreateAsync("x_firms", Resource(("name", $"None {version}"))));
        for (var i = 1; i <= 4; i++)
        {
            await client.CreateAsync("x_deals", Resource(("title", $"Deal {i}"), ("seats", (long)i)), ("firm", client.Address($"x_firms({firm["id"]})")));
        }

        var page = await client.PageAsync("x_firms", client.Address($"x_firms?$filter=id in ({firm["id"]},{other["id"]})&$orderby=name&$select=name&$expand=x_deals($select=title,seats;$filter=seats gt 1;$orderby=seats desc;$count=true;$expand=firm($select=name;$expand=x_deals($select=title)))"));
        var deals = Assert.IsType<List<Dictionary<string, object?>>>(page.Rows[0]["x_deals"]);
        Assert.Equal(["Deal 4", "Deal 3", "Deal 2"], deals.Select(d => d["title"]));
        Assert.Equal((3L, 0L), (page.Rows[0]["x_deals@count"], page.Rows[1]["x_deals@count"]));
        Assert.All(deals, d => Assert.Equal("W/\"1\"", d["@etag"]));
        Assert.Equal(4, Assert.IsType<List<Dictionary<string, object?>>>(Assert.IsType<Dictionary<string, object?>>(deals[0]["firm"])["x_deals"]).Count);
        Assert.Empty(Assert.IsType<List<Dictionary<string, object?>>>(page.Rows[1]["x_deals"]));

        // What a client asks for that loads a collection later.
        var titles = new List<object?>();
        for (Uri? next = client.Address($"x_firms({firm["id"]})/x_deals?$orderby=seats&$select=title"); next is not null;)
        {
            var (rows, _, following) = await client.PageAsync("x_deals", next, ("Prefer", "odata.maxpagesize=3"));
            titles.AddRange(rows.Select(r => r["title"]));
            next = following;
        }

        Assert.Equal(["Deal 1", "Deal 2", "Deal 3", "Deal 4"], titles);
    }

    [Theory]
    [InlineData(ODataVersion.V4, false)]
    [InlineData(ODataVersion.V4, true)]
    [InlineData(ODataVersion.V401, false)]
    [InlineData(ODataVersion.V401, true)]
    public async Task A_client_sends_a_batch_with_a_change_set_that_is_saved_whole_or_not_at_all(ODataVersion version, bool asJson)
    {
        var client = await LibraryClient.OpenAsync(crm.Admin, version);
        var name = string.Create(CultureInfo.InvariantCulture, $"Batch {version} {asJson}");
        var done = await client.BatchAsync(asJson, batch => Set(batch, name, "Good"));
        Assert.Equal([("1", 201), ("2", 201)], done.Take(2).Select(a => (a.Id, a.Status)));
        Assert.Equal(200, done[2].Status);
        Assert.Contains("\"@odata.count\":1", done[2].Text, StringComparison.Ordinal);
        Assert.StartsWith(client.Address("x_firms(").ToString(), done[0].Location, StringComparison.Ordinal);

        // The second deal has no title: the first request of the set is not saved either, and the batch ends.
        if (asJson)
        {
            // Its reader of JSON takes every object that begins with "error" for the failure of the whole message.
            await Assert.ThrowsAsync<ODataErrorException>(() => client.BatchAsync(asJson, batch => Set(batch, name + " never", "")));
        }
        else
        {
            var refused = Assert.Single(await client.BatchAsync(asJson, batch => Set(batch, name + " never", "")));
            Assert.Equal(422, refused.Status);
            Assert.Contains("\"required\"", refused.Text, StringComparison.Ordinal);
        }

        Assert.Empty((await crm.GetAsync($"odata/v4/x_firms?$filter=name eq '{name} never'")).Value);

        void Set(ODataBatchWriter batch, string firm, string title)
        {
            batch.WriteStartChangeset();
            client.Write(batch.CreateOperationRequestMessage("POST", client.Address("x_firms"), "1"), "x_firms", Resource(("name", firm)));
            client.Write(batch.CreateOperationRequestMessage("POST", client.Address("x_deals"), "2"), "x_deals", Resource(("title", title)), ("firm", new Uri("$1", UriKind.Relative)));
            batch.WriteEndChangeset();
            batch.CreateOperationRequestMessage("GET", client.Address($"x_deals?$filter=firm/name eq '{firm}'&$count=true"), "3");
        }
    }

    private static ODataResource Resource(params (string Name, object Value)[] values) =>
        new() { Properties = [.. values.Select(v => new ODataProperty { Name = v.Name, Value = v.Value })] };
}
