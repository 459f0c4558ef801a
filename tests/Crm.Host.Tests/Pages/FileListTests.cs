using System.Net;
using System.Net.Http.Headers;
using Crm.Host.Pages.Parts;
using Crm.Host.Tests.Api;
using Crm.Records.Bin;
using Crm.Records.Files;
using Crm.Sdk;
using Microsoft.Extensions.DependencyInjection;

namespace Crm.Host.Tests.Pages;

/// <summary>Files of a record as the page and the API show them.</summary>
public sealed class FileListTests(ApiCrm api) : IClassFixture<ApiCrm>
{
    [Fact]
    public async Task CON_45_Files_are_added_shown_newest_first_looked_at_downloaded_deleted_and_brought_back()
    {
        var firm = await api.CreateAsync("x_firms", """{"name":"Filed"}""");
        var store = api.Crm.Services.GetRequiredService<FileStore>();
        FileList List() => new(api.Crm.Records, api.Crm.Metadata, store, new RecordRef("x_firm", Guid.Parse(firm["id"]!.ToString())));
        var list = List();
        Assert.Null(await list.AddAsync(await UploadAsync("plan.txt", "text/plain", "Grüße\n<b>not bold</b>"u8.ToArray())));
        Assert.Null(await list.AddAsync(await UploadAsync("big.bin", "application/zip", new byte[2000])));
        Assert.StartsWith("File is no file that was uploaded", await list.AddAsync($$"""{"id":"{{Guid.CreateVersion7()}}","name":"a","content_type":"text/plain","size":1}"""), StringComparison.Ordinal);

        var read = List();
        await read.ReadAsync();
        Assert.Equal(["big.bin", "plan.txt"], read.Items.Select(r => r.Get<string>("name")));
        Assert.Equal("Administrator", read.Authors[(Guid)read.Items[0]["created_by"]!]);
        Assert.Equal([false, true], read.Items.Select(r => FileList.CanPreview(r.Get<FileValue>(FileList.Content)!)));
        var text = read.Items[1];
        Assert.Null(await read.AddAsync(await UploadAsync("offer.pdf", "application/pdf", "%PDF-1.7"u8.ToArray())));
        Assert.True(FileList.CanPreview(read.Items[0].Get<FileValue>(FileList.Content)!));
        Assert.True(await read.IsPdfAsync(read.Items[0].Id));
        Assert.Null(await read.DeleteAsync(read.Items[0]));
        Assert.Null(await read.AddAsync(await UploadAsync("fake.pdf", "application/pdf", "<svg>%PDF-1.7"u8.ToArray())));
        Assert.False(await read.IsPdfAsync(read.Items[0].Id));
        Assert.Null(await read.DeleteAsync(read.Items[0]));
        Assert.False(await read.IsPdfAsync(text.Id));
        Assert.Equal("Grüße\n<b>not bold</b>", await read.TextAsync(text.Id));
        Assert.Null(await read.TextAsync(read.Items[0].Id));
        Assert.Equal("Grüße\n<b>not bold</b>", (await api.GetAsync($"api/records/file/{text.Id}/files/content")).Text);
        Assert.Equal(["plan.txt"], (await api.GetAsync($"odata/v4/files?$filter=about_id eq {firm["id"]} and endswith(name,'.txt')")).Column("name"));

        Assert.Null(await read.DeleteAsync(text));
        Assert.Single(read.Items);
        Assert.Equal(HttpStatusCode.NotFound, (await api.GetAsync($"api/records/file/{text.Id}/files/content")).Status);
        await api.Crm.Services.GetRequiredService<RecycleBin>().RestoreAsync(api.Crm.Admin, [text.Id]);
        await read.ReturnAsync(text.Id);
        Assert.Equal(["big.bin", "plan.txt"], read.Items.Select(r => r.Get<string>("name")));
    }

    private async Task<string> UploadAsync(string name, string type, byte[] bytes)
    {
        using var content = new ByteArrayContent(bytes);
        content.Headers.ContentType = new MediaTypeHeaderValue(type);
        using var answer = await api.Admin.PostAsync(new Uri("api/files?name=" + name, UriKind.Relative), content);
        return await answer.Content.ReadAsStringAsync();
    }
}
