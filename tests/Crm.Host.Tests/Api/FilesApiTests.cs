using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Crm.Records.Files;
using Crm.Sdk;
using Microsoft.Extensions.DependencyInjection;

namespace Crm.Host.Tests.Api;

public sealed class FilesApiTests(FilesApiTests.Crm crm) : IClassFixture<FilesApiTests.Crm>
{
    private static readonly byte[] Png = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 1, 2, 3];

    [Fact]
    public async Task CON_45_A_file_is_uploaded_kept_with_its_record_and_fetched_again()
    {
        var upload = await UploadAsync("Übersicht \"2026\".html", "text/html", "<script>alert(1)</script>"u8.ToArray());
        var record = await crm.Api.CreateAsync("x_docs", new JsonObject { ["name"] = "Filed", ["paper"] = upload.DeepClone() }.ToJsonString());
        Assert.Equal(upload["id"]!.GetValue<string>(), record["paper_id"]!.GetValue<string>());
        Assert.Equal("Übersicht \"2026\".html", record["paper_name"]!.GetValue<string>());
        Assert.Equal(25, record["paper_size"]!.GetValue<int>());

        using var answer = await crm.Api.Admin.GetAsync(new Uri($"api/records/x_doc/{record["id"]}/files/paper", UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("<script>alert(1)</script>", await answer.Content.ReadAsStringAsync());
        // What somebody uploaded never runs in a browser.
        Assert.Equal("application/octet-stream", answer.Content.Headers.ContentType!.MediaType);
        Assert.StartsWith("attachment", answer.Content.Headers.GetValues("Content-Disposition").Single(), StringComparison.Ordinal);
        Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.Contains("sandbox", answer.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);

        var found = await crm.Api.GetAsync("odata/v4/x_docs?$filter=endswith(paper_name,'.html') and paper_size lt 100");
        Assert.Equal(["Filed"], found.Column("name"));
    }

    [Fact]
    public async Task A_PDF_is_shown_within_a_page_of_this_host()
    {
        using var answer = await ShowAsync("offer.pdf", "application/pdf", "%PDF-1.7\n%%EOF"u8.ToArray());
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("application/pdf", answer.Content.Headers.ContentType!.ToString());
        Assert.StartsWith("inline", answer.Content.Headers.GetValues("Content-Disposition").Single(), StringComparison.Ordinal);
        Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.Equal("SAMEORIGIN", answer.Headers.GetValues("X-Frame-Options").Single());
        var policy = answer.Headers.GetValues("Content-Security-Policy").Single();
        Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'self'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("script-src", policy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("offer.pdf", "application/pdf", "<html><script>alert(1)</script>")]
    [InlineData("offer.pdf", "application/pdf", "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>")]
    [InlineData("offer.pdf", "application/pdf", "<!-- %PDF-1.7 --><script>alert(1)</script>")]
    [InlineData("offer.pdf", "application/pdf", "GIF89a%PDF-1.7")]
    [InlineData("offer.pdf", "application/pdf", " %PDF-1.7")]
    [InlineData("offer.pdf", "application/pdf", "%PDF")]
    [InlineData("offer.pdf", "application/pdf", "")]
    [InlineData("offer.pdf", "text/html", "%PDF-1.7\n<script>alert(1)</script>")]
    [InlineData("offer.pdf", "image/svg+xml", "%PDF-1.7")]
    [InlineData("offer.pdf", "application/octet-stream", "%PDF-1.7")]
    public async Task What_only_calls_itself_a_PDF_is_not_shown(string name, string type, string content)
    {
        using var answer = await ShowAsync(name, type, Encoding.UTF8.GetBytes(content));
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, answer.StatusCode);
        Assert.Equal("application/json", answer.Content.Headers.ContentType!.MediaType);
        Assert.DoesNotContain("alert", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_image_is_what_its_content_says()
    {
        var image = await UploadAsync("photo.png", "text/plain", Png);
        Assert.Equal("image/png", image["content_type"]!.GetValue<string>());
        var record = await crm.Api.CreateAsync("x_docs", new JsonObject { ["name"] = "Seen", ["photo"] = image.DeepClone() }.ToJsonString());
        using var answer = await crm.Api.Admin.GetAsync(new Uri($"api/records/x_docs/{record["id"]}/files/photo", UriKind.Relative));
        Assert.Equal("image/png", answer.Content.Headers.ContentType!.MediaType);
        Assert.StartsWith("inline", answer.Content.Headers.GetValues("Content-Disposition").Single(), StringComparison.Ordinal);

        var fake = await UploadAsync("photo.png", "image/png", "<svg onload=alert(1)>"u8.ToArray());
        Assert.Equal("application/octet-stream", fake["content_type"]!.GetValue<string>());
        var refused = await crm.Api.SendAsync("POST", "odata/v4/x_docs", new JsonObject { ["name"] = "Fake", ["photo"] = fake.DeepClone() }.ToJsonString());
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.Status);
        Assert.Equal("photo", refused.Target);
    }

    [Fact]
    public async Task A_record_takes_only_what_was_uploaded_as_it_was_uploaded()
    {
        var upload = await UploadAsync("../../etc/passwd", "text/plain", "x"u8.ToArray());
        Assert.Equal("passwd", upload["name"]!.GetValue<string>());
        foreach (var (part, value) in new (string, JsonNode)[] { ("id", Guid.CreateVersion7().ToString()), ("name", "other.txt"), ("content_type", "image/png"), ("size", 2) })
        {
            var changed = upload.DeepClone();
            changed[part] = value;
            var refused = await crm.Api.SendAsync("POST", "odata/v4/x_docs", new JsonObject { ["name"] = "Forged", ["paper"] = changed }.ToJsonString());
            Assert.True(refused.Status == HttpStatusCode.UnprocessableEntity, refused.Text);
            Assert.Equal("unknown", refused.Code);
            Assert.Equal("paper", refused.Target);
        }
    }

    private async Task<HttpResponseMessage> ShowAsync(string name, string type, byte[] content)
    {
        var record = await crm.Api.CreateAsync("x_docs", new JsonObject { ["name"] = "Shown", ["paper"] = (await UploadAsync(name, type, content)).DeepClone() }.ToJsonString());
        return await crm.Api.Admin.GetAsync(new Uri($"api/records/x_doc/{record["id"]}/files/paper/pdf", UriKind.Relative));
    }

    [Fact]
    public async Task A_file_larger_than_its_field_allows_is_refused()
    {
        var upload = await UploadAsync("big.bin", null, new byte[(1024 * 1024) + 1]);
        var refused = await crm.Api.SendAsync("POST", "odata/v4/x_docs", new JsonObject { ["name"] = "Big", ["small"] = upload.DeepClone() }.ToJsonString());
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.Status);
        Assert.Equal("length", refused.Code);
    }

    [Theory]
    [InlineData("Offer.DOCX", "application/octet-stream", true)]
    [InlineData("offer", "application/pdf", true)]
    [InlineData("offer.png", "image/png", true)]
    [InlineData("docx", "text/plain", false)]
    [InlineData("offer.docx.exe", "application/octet-stream", false)]
    [InlineData("offer.pdf", "application/pdfx", false)]
    public async Task A_field_takes_only_the_kinds_of_files_it_names(string name, string type, bool isTaken)
    {
        var upload = await UploadAsync(name, type, type == "image/png" ? Png : "content"u8.ToArray());
        var answer = await crm.Api.SendAsync("POST", "odata/v4/x_docs", new JsonObject { ["name"] = "Offered", ["offer"] = upload }.ToJsonString());
        Assert.Equal(isTaken ? HttpStatusCode.Created : HttpStatusCode.UnprocessableEntity, answer.Status);
        if (!isTaken)
        {
            Assert.Equal("offer", answer.Target);
            Assert.Contains("Offer takes only .docx, application/pdf, image/*.", answer.Text, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(".")]
    [InlineData("pdf")]
    [InlineData("*/*")]
    [InlineData("image/")]
    [InlineData("a/b/c")]
    [InlineData("<script>/x")]
    public async Task A_kind_of_file_that_means_nothing_is_refused(string kind)
    {
        var change = """{"changes":[{"change":"add_field","entity":"x_doc","field":{"name":"odd","type":"file","accept":["KIND"]}}]}""".Replace("KIND", kind, StringComparison.Ordinal);
        var plan = await crm.Api.SendAsync("POST", "api/metadata/plan", change);
        Assert.Contains("is no kind of file", plan.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_somebody_uploaded_is_theirs_until_a_record_holds_it()
    {
        var other = new Actor(Guid.CreateVersion7(), "Somebody else", IsAdministrator: false);
        var file = await crm.Api.Crm.Services.GetRequiredService<FileStore>().StoreAsync("secret.txt", "text/plain", "secret"u8.ToArray(), other);
        var value = new JsonObject { ["id"] = file.Id, ["name"] = file.Name, ["content_type"] = file.ContentType, ["size"] = file.Size };
        var refused = await crm.Api.SendAsync("POST", "odata/v4/x_docs", new JsonObject { ["name"] = "Taken", ["paper"] = value }.ToJsonString());
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.Status);
        Assert.Equal("paper", refused.Target);
    }

    [Fact]
    public async Task A_file_is_replaced_and_taken_away()
    {
        var record = await crm.Api.CreateAsync("x_docs", new JsonObject { ["name"] = "Changing", ["paper"] = await UploadAsync("one.txt", "text/plain", "one"u8.ToArray()) }.ToJsonString());
        var path = $"odata/v4/x_docs({record["id"]})";
        var second = await UploadAsync("two.txt", "text/plain", "two"u8.ToArray());
        var replaced = await crm.Api.SendAsync("PATCH", path, new JsonObject { ["paper"] = second }.ToJsonString());
        Assert.True((int)replaced.Status is 200 or 204, replaced.Text);
        Assert.Equal("two", (await crm.Api.GetAsync($"api/records/x_doc/{record["id"]}/files/paper")).Text);

        var emptied = await crm.Api.SendAsync("PATCH", path, """{"paper":null}""");
        Assert.True((int)emptied.Status is 200 or 204, emptied.Text);
        Assert.Equal(HttpStatusCode.NotFound, (await crm.Api.GetAsync($"api/records/x_doc/{record["id"]}/files/paper")).Status);
    }

    [Theory]
    [InlineData("api/records/x_doc/nothing/files/paper")]
    [InlineData("api/records/x_doc/018f0000-0000-7000-8000-000000000009/files/paper")]
    [InlineData("api/records/x_none/018f0000-0000-7000-8000-000000000009/files/paper")]
    [InlineData("api/records/user/00000000-0000-7000-8000-000000000001/files/name")]
    public async Task What_is_no_file_is_not_found(string path) => Assert.Equal(HttpStatusCode.NotFound, (await crm.Api.GetAsync(path)).Status);

    [Fact]
    public async Task Strangers_neither_upload_nor_fetch()
    {
        using var stranger = new HttpClient { BaseAddress = crm.Api.Admin.BaseAddress };
        using var content = new ByteArrayContent(Png);
        using var upload = await stranger.PostAsync(new Uri("api/files?name=x.png", UriKind.Relative), content);
        Assert.Equal(HttpStatusCode.Unauthorized, upload.StatusCode);
        using var fetched = await stranger.GetAsync(new Uri($"api/records/x_doc/{Guid.CreateVersion7()}/files/paper", UriKind.Relative));
        Assert.Equal(HttpStatusCode.Unauthorized, fetched.StatusCode);
    }

    private async Task<JsonNode> UploadAsync(string name, string? type, byte[] bytes)
    {
        using var content = new ByteArrayContent(bytes);
        content.Headers.ContentType = type is null ? null : MediaTypeHeaderValue.Parse(type);
        using var answer = await crm.Api.Admin.PostAsync(new Uri("api/files?name=" + Uri.EscapeDataString(name), UriKind.Relative), content);
        var text = Encoding.UTF8.GetString(await answer.Content.ReadAsByteArrayAsync());
        Assert.True(answer.StatusCode == HttpStatusCode.Created, text);
        return JsonNode.Parse(text)!;
    }

    public sealed class Crm : IAsyncLifetime
    {
        public ApiCrm Api { get; } = new();

        public async Task InitializeAsync()
        {
            await Api.InitializeAsync();
            await Api.ApplyAsync("""
                {"changes":[{"change":"create_entity","name":"x_doc","label":"Doc","plural":"Docs","set":"x_docs","fields":[
                  {"name":"name","type":"text","label":"Name","required":true},{"name":"paper","type":"file","label":"Paper"},
                  {"name":"small","type":"file","label":"Small","maximum":1},{"name":"photo","type":"image","label":"Photo"},
                  {"name":"offer","type":"file","label":"Offer","accept":[".docx","application/pdf","image/*"]}]}]}
                """);
        }

        public Task DisposeAsync() => Api.DisposeAsync();
    }
}
