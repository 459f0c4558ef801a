using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Crm.Host.Tests.Security;
using Crm.Sdk.Testing;

namespace Crm.Host.Tests.Api;

public sealed class PackageApiTests(SecurityCrm security) : IClassFixture<SecurityCrm>
{
    private const string Changes = """
        {"change":"create_entity","name":"x_venue","label":"Venue","plural":"Venues","set":"x_venues","fields":[{"name":"name","type":"text","required":true}]},
        {"change":"change_entity","entity":"company","label":"Customer","plural":"Customers"},
        {"change":"add_field","entity":"company","field":{"name":"x_venue","type":"lookup","target":"x_venue"}}
        """;

    [Fact]
    public async Task Customisations_of_one_installation_are_planned_and_applied_in_another_and_only_once()
    {
        await using var one = await TestCrm.StartAsync();
        using var source = await one.AdminClientAsync();
        await one.ChangeAsync(Changes);
        var package = await ExportAsync(source);
        await using var other = await TestCrm.StartAsync();
        using var target = await other.AdminClientAsync();

        var (_, planned) = await ImportAsync(target, package, "?plan=true");
        using var before = await target.GetAsync(new Uri("odata/v4/x_venues", UriKind.Relative));
        var (status, applied) = await ImportAsync(target, package, "");
        var (_, again) = await ImportAsync(target, package, "?complete=true");
        using var after = await target.GetAsync(new Uri("odata/v4/x_venues", UriKind.Relative));

        Assert.False(planned["applied"]!.GetValue<bool>());
        Assert.NotEmpty(planned["steps"]!.AsArray());
        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.OK, HttpStatusCode.OK), (before.StatusCode, status, after.StatusCode));
        Assert.True(applied["applied"]!.GetValue<bool>());
        Assert.Equal(planned["version"]!.GetValue<long>() + 1, applied["version"]!.GetValue<long>());
        Assert.Empty(again["steps"]!.AsArray());
        Assert.Equal(applied["version"]!.GetValue<long>(), again["version"]!.GetValue<long>());
        Assert.Equal(package, await ExportAsync(target));
    }

    [Fact]
    public async Task Packages_are_for_administrators_and_bad_ones_are_refused_with_the_place()
    {
        using var admin = await security.Crm.AdminClientAsync();
        using var user = security.Crm.Client(await security.Crm.TokenAsync((await security.UserAsync()).UserName, SecurityCrm.Password));

        using var export = await user.GetAsync(new Uri("api/metadata/export", UriKind.Relative));
        var (forbidden, _) = await ImportAsync(user, Zip(("crm.yaml", "format: 1")), "");
        var (escaping, path) = await ImportAsync(admin, Zip(("crm.yaml", "format: 1"), ("../etc/cron.yaml", "a: 1")), "");
        var (misspelt, line) = await ImportAsync(admin, Zip(("crm.yaml", "format: 1"), ("entities/company/entity.yaml", "icon: store\nlable: Customer")), "?plan=true");
        var (noZip, _) = await ImportAsync(admin, [1, 2, 3], "");
        var (unknown, plan) = await ImportAsync(admin, Zip(("crm.yaml", "format: 1"), ("entities/nobody/entity.yaml", "label: Nobody")), "");
        var (tooLarge, _) = await ImportAsync(admin, new byte[26 * 1024 * 1024], "");

        Assert.Equal((HttpStatusCode.Forbidden, HttpStatusCode.Forbidden), (export.StatusCode, forbidden));
        Assert.Equal((HttpStatusCode.BadRequest, "../etc/cron.yaml"), (escaping, path["error"]!["target"]!.ToString()));
        Assert.Equal((HttpStatusCode.BadRequest, "entities/company/entity.yaml:2"), (misspelt, line["error"]!["target"]!.ToString()));
        Assert.Equal((HttpStatusCode.BadRequest, HttpStatusCode.RequestEntityTooLarge), (noZip, tooLarge));
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "nobody"), (unknown, plan["error"]!["target"]!.ToString()));
        Assert.Empty(plan["steps"]!.AsArray());
    }

    private static async Task<byte[]> ExportAsync(HttpClient client)
    {
        using var answer = await client.GetAsync(new Uri("api/metadata/export", UriKind.Relative));
        Assert.Equal(("application/zip", HttpStatusCode.OK), (answer.Content.Headers.ContentType?.MediaType, answer.StatusCode));
        return await answer.Content.ReadAsByteArrayAsync();
    }

    private static async Task<(HttpStatusCode Status, JsonObject Answer)> ImportAsync(HttpClient client, byte[] package, string query)
    {
        using var body = new ByteArrayContent(package);
        body.Headers.ContentType = new MediaTypeHeaderValue("application/zip");
        using var answer = await client.PostAsync(new Uri("api/metadata/import" + query, UriKind.Relative), body);
        return (answer.StatusCode, JsonNode.Parse(await answer.Content.ReadAsStringAsync())!.AsObject());
    }

    private static byte[] Zip(params (string Path, string Text)[] files)
    {
        using var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (path, text) in files)
            {
                using var content = zip.CreateEntry(path).Open();
                content.Write(Encoding.UTF8.GetBytes(text));
            }
        }

        return stream.ToArray();
    }
}
