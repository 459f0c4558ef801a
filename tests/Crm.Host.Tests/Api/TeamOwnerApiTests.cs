using System.Collections.Immutable;
using System.Net;
using System.Xml;
using Crm.Host.Tests.Import;
using Crm.Metadata;
using Crm.Records.Jobs;
using Crm.Sdk;
using Crm.Sdk.Web;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OData.Edm;
using Microsoft.OData.Edm.Csdl;
using Microsoft.OData.Edm.Validation;

namespace Crm.Host.Tests.Api;

/// <summary>Records that belong to teams, as other programs see them.</summary>
public sealed class TeamOwnerApiTests(ApiCrm crm) : IClassFixture<ApiCrm>
{
    [Fact]
    public async Task PLT_37_A_record_is_given_to_a_team_and_found_by_it()
    {
        var team = (await crm.CreateAsync("teams", """{"name":"Api West"}"""))["id"]!.ToString();
        var admin = (await crm.GetAsync("odata/v4/users?$filter=user_name eq 'admin'")).Value[0]!["id"]!.ToString();
        var ours = (await crm.CreateAsync("x_deals", $$"""{"title":"Owned A","owner":"{{team}}"}"""))["id"]!.ToString();
        var bound = (await crm.CreateAsync("x_deals", $$"""{"title":"Owned B","owner_team@odata.bind":"teams({{team}})"}"""))["id"]!.ToString();
        var given = (await crm.CreateAsync("x_deals", """{"title":"Owned C"}"""))["id"]!.ToString();
        await crm.CreateAsync("x_deals", """{"title":"Owned D"}""");
        Assert.Equal(HttpStatusCode.OK, (await crm.SendAsync("PATCH", $"odata/v4/x_deals({given})", $$"""{"owner":"{{team}}"}""")).Status);
        const string Owned = "odata/v4/x_deals?$filter=startswith(title,'Owned') and ";

        var found = await crm.GetAsync($"odata/v4/x_deals?$filter=startswith(title,'Owned')&$select=title,owner&$expand=owner_user($select=user_name),owner_team($select=name)&$orderby=title");
        Assert.Equal([team, team, team, admin], found.Column("owner"));
        Assert.Equal(["Api West", "Api West", "Api West", "null"], found.Value.Select(r => r!["owner_team"]?["name"]?.ToString() ?? "null"));
        Assert.Equal(["null", "null", "null", "admin"], found.Value.Select(r => r!["owner_user"]?["user_name"]?.ToString() ?? "null"));
        Assert.Equal(["Owned A", "Owned B", "Owned C"], (await crm.GetAsync(Owned + "owner_team/name eq 'Api West'&$orderby=title")).Column("title"));
        Assert.Equal(["Owned A", "Owned B", "Owned C"], (await crm.GetAsync(Owned + $"owner eq {team}&$orderby=owner_team/name,title")).Column("title"));
        Assert.Equal(["Owned D"], (await crm.GetAsync(Owned + "owner_team eq null")).Column("title"));
        Assert.Equal(["Owned A", "Owned B", "Owned C"], (await crm.GetAsync(Owned + "owner_user eq null&$orderby=title")).Column("title"));
        Assert.Equal(["Owned D"], (await crm.GetAsync(Owned + "owner_user/user_name eq 'admin'")).Column("title"));
        Assert.Equal(["Owned D"], (await crm.GetAsync(Owned + "crm.mine(owner)")).Column("title"));
        var sums = await crm.GetAsync("odata/v4/x_deals?$apply=filter(startswith(title,'Owned'))/groupby((owner_team/name),aggregate($count as n))&$orderby=owner_team/name");
        Assert.True(sums.Status == HttpStatusCode.OK, sums.Text);
        Assert.Contains(sums.Value, r => r!["owner_team"]?["name"]?.ToString() == "Api West" && r["n"]!.GetValue<int>() == 3);

        var csv = await crm.GetAsync("api/export/x_deal?format=csv&$select=title,owner&$orderby=title&$filter=" + Uri.EscapeDataString("startswith(title,'Owned')"));
        Assert.Equal(["Owned A,Api West", "Owned B,Api West", "Owned C,Api West", "Owned D,Administrator"], csv.Text.Trim('\uFEFF', '\r', '\n').Split("\r\n").Skip(1));
        var refused = await crm.SendAsync("DELETE", $"odata/v4/teams({team})");
        Assert.Equal((HttpStatusCode.Conflict, "in_use"), (refused.Status, refused.Code));
        Assert.Contains("3 Deals", refused.Text, StringComparison.Ordinal);

        // All of them to somebody else, as a job.
        var started = await crm.SendAsync("POST", "api/bulk", $$$"""{"entity":"x_deal","records":{"filter":"owner_team/name eq 'Api West'"},"set":{"owner":"{{{admin}}}"}}""");
        Assert.True(started.Status == HttpStatusCode.Accepted, started.Text);
        using var timeout = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        await crm.Crm.Services.GetRequiredService<JobQueue>().WaitAsync(Guid.Parse(started.Json["id"]!.ToString()), timeout.Token);
        Assert.Equal(4, (await crm.GetAsync(Owned + "crm.mine(owner)")).Value.Count);
        Assert.Equal(HttpStatusCode.NoContent, (await crm.SendAsync("DELETE", $"odata/v4/teams({team})")).Status);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await crm.SendAsync("PATCH", $"odata/v4/x_deals({bound})", $$"""{"owner":"{{team}}"}""")).Status);
        Assert.NotEqual(ours, bound);
    }

    [Fact]
    public async Task PLT_37_A_list_by_owner_has_people_first_and_then_teams_by_name()
    {
        foreach (var (title, team) in new[] { ("Sorted 1", "Sort B"), ("Sorted 2", "Sort A") })
        {
            var id = (await crm.CreateAsync("teams", $$"""{"name":"{{team}}"}"""))["id"]!;
            await crm.CreateAsync("x_deals", $$"""{"title":"{{title}}","owner":"{{id}}"}""");
        }

        await crm.CreateAsync("x_deals", """{"title":"Sorted 3"}""");
        var services = crm.Crm.Services;
        var metadata = services.GetRequiredService<MetadataStore>().Current;
        var entity = metadata.Entity("x_deal");
        var loader = new GridLoader(services.GetRequiredService<IRecords>().As(Actor.System), metadata, entity)
        {
            Chosen = ImmutableDictionary<string, ImmutableArray<string>>.Empty.Add(entity.Views[0].Name, ["title", "owner"]),
        };
        async Task<IEnumerable<object?>> TitlesAsync(bool descending)
        {
            var sorted = new GridState { Sort = [new Sort("owner_user.name", descending)] };
            return (await loader.ReadAsync(sorted, new Filter.Compare("title", FilterOperator.StartsWith, "Sorted"), CancellationToken.None)).Page.Records.Select(r => r["title"]);
        }

        Assert.Equal(["Sorted 3", "Sorted 2", "Sorted 1"], await TitlesAsync(descending: false));
        Assert.Equal(["Sorted 3", "Sorted 1", "Sorted 2"], await TitlesAsync(descending: true));
    }

    [Fact]
    public async Task PLT_37_What_the_metadata_says_of_an_owner_is_true()
    {
        using var reader = XmlReader.Create(new StringReader((await crm.GetAsync("odata/v4/$metadata")).Text));
        Assert.True(CsdlReader.TryParse(reader, out var model, out var errors), string.Join("; ", errors));
        Assert.True(model.Validate(out errors), string.Join("; ", errors));
        var deal = Assert.IsType<IEdmEntityType>(model.FindDeclaredType("crm.x_deal"), exactMatch: false);
        IEdmNavigationProperty Navigation(string name) => Assert.IsType<IEdmNavigationProperty>(deal.FindProperty(name), exactMatch: false);
        Assert.Equal(("crm.user", "crm.team"), (Navigation("owner_user").ToEntityType().FullName(), Navigation("owner_team").ToEntityType().FullName()));
        // An owner has a record in one of the two sets; only of who made a record there is always a user.
        Assert.All(["owner_user", "owner_team"], name => Assert.Null(Navigation(name).ReferentialConstraint));
        Assert.Equal("created_by", Assert.Single(Navigation("created_by_user").ReferentialConstraint.PropertyPairs).DependentProperty.Name);
        Assert.Null(deal.FindProperty("created_by_team"));
    }

    [Fact]
    public async Task PLT_37_An_import_gives_records_to_teams_by_name_and_refuses_a_name_that_may_mean_a_user()
    {
        await crm.CreateAsync("teams", """{"name":"Import East"}""");
        await crm.CreateAsync("teams", """{"name":"Administrator"}""");
        var client = await ImportClient.OpenAsync(crm.Crm);
        var job = await client.ImportAsync("x_deal", "title,owner\nTaken 1,import east\nTaken 2,Administrator\nTaken 3,admin\nTaken 4,Nobody\n");
        Assert.Equal(["Import East", "null"], (await crm.GetAsync("odata/v4/x_deals?$filter=startswith(title,'Taken')&$orderby=title&$expand=owner_team")).Value.Select(r => r!["owner_team"]?["name"]?.ToString() ?? "null"));
        var verdicts = (await crm.GetAsync($"api/jobs/{job.GetProperty("id").GetGuid()}/verdicts?only=errors")).Value.Select(v => v!["issues"]![0]!).ToList();
        Assert.Equal(["ambiguous", "unknown"], verdicts.Select(i => i["code"]!.ToString()));
        Assert.Contains("User / Team", verdicts[0]["message"]!.ToString(), StringComparison.Ordinal);
        Assert.Contains("user name", verdicts[0]["message"]!.ToString(), StringComparison.Ordinal);
        Assert.Contains("User / Team", verdicts[1]["message"]!.ToString(), StringComparison.Ordinal);
    }
}
