using System.Net;
using System.Text;
using Crm.Host.Security;
using Crm.Sdk;
using Crm.Sdk.Testing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Crm.Host.Tests.Import;

/// <summary>Whatever cannot be imported is answered with a reason and leaves nothing behind.</summary>
public sealed class BadImportTests : IAsyncLifetime
{
    private TestCrm crm = null!;
    private ImportClient client = null!;

    public async Task InitializeAsync()
    {
        crm = await TestCrm.StartAsync();
        client = await ImportClient.OpenAsync(crm);
    }

    public async Task DisposeAsync() => await crm.DisposeAsync();

    [Theory]
    [InlineData("", "format", "file")]
    [InlineData("name\n", "format", "file")]
    [InlineData("name,name\nA,B\n", "format", "name")]
    [InlineData("name,series\nA,\"B\nC,D\n", "format", "line 2")]
    [InlineData("name,series\nA,B\nC,\"D\"E\n", "format", "line 3")]
    [InlineData("name,series\nA,B,C\n", "format", "line 2")]
    [InlineData("name\nA\0B\n", "format", "line 2")]
    [InlineData("PK\u0003\u0004abc", "format", "file")]
    [InlineData("unrelated\nA\n", "mapping", null)]
    public async Task A_file_that_cannot_be_imported_is_refused(string file, string code, string? target)
    {
        using var answer = await client.SendAsync("product", Encoding.UTF8.GetBytes(file));

        await RefusedAsync(answer, HttpStatusCode.BadRequest, code, target);
    }

    [Theory]
    [InlineData("mode", "sideways", "bad_request", "mode")]
    [InlineData("dryRun", "perhaps", "bad_request", "dryRun")]
    [InlineData("mapping", "{", "mapping", "mapping")]
    [InlineData("mapping", """{"fields":{"select\"; drop table":{"column":"name"}}}""", "mapping", "select\"; drop table")]
    [InlineData("mode", "upsert", "mapping", "match")]
    [InlineData("encoding", "klingon", "encoding", "encoding")]
    [InlineData("delimiter", "§", "format", "delimiter")]
    public async Task Options_nobody_understands_are_refused(string name, string value, string code, string target)
    {
        using var answer = await client.SendAsync("product", "name\nA\n"u8.ToArray(), (name, value));

        await RefusedAsync(answer, HttpStatusCode.BadRequest, code, target);
    }

    [Fact]
    public async Task A_file_that_is_not_in_the_encoding_named_is_refused()
    {
        using var answer = await client.SendAsync("product", [.. "name\nM"u8, 0xFC, .. "ller\n"u8], ("encoding", "utf-8"));

        await RefusedAsync(answer, HttpStatusCode.BadRequest, "encoding", "encoding");
    }

    [Fact]
    public async Task An_unknown_entity_is_not_found()
    {
        using var answer = await client.SendAsync("spaceship", "name\nA\n"u8.ToArray());

        await RefusedAsync(answer, HttpStatusCode.NotFound, "unknown_entity", "spaceship");
    }

    [Fact]
    public async Task A_request_that_is_no_form_is_refused()
    {
        using var content = new StringContent("name\nA\n", Encoding.UTF8, "text/csv");
        using var answer = await client.Http.PostAsync(new Uri("api/import/product", UriKind.Relative), content);

        await RefusedAsync(answer, HttpStatusCode.UnsupportedMediaType, "bad_request", null);
    }

    [Fact]
    public async Task A_form_without_a_file_is_refused()
    {
        using var form = new MultipartFormDataContent { { new StringContent("create"), "mode" } };
        using var answer = await client.Http.PostAsync(new Uri("api/import/product", UriKind.Relative), form);

        await RefusedAsync(answer, HttpStatusCode.BadRequest, "bad_request", "file");
    }

    [Theory]
    [InlineData(200, "A product like any other,1\n", true)]
    [InlineData(200, "A product like any other,1\n", false)]
    [InlineData(1024, "one line that never ends,", true)]
    [InlineData(1024, "one line that never ends,", false)]
    public async Task A_file_of_hundreds_of_MB_is_refused_without_being_held_in_memory(int megabytes, string row, bool saysItsLength)
    {
        var before = GC.GetTotalMemory(forceFullCollection: true);
        using var form = new MultipartFormDataContent { { new StreamContent(new EndlessRows(megabytes * 1024L * 1024, row, saysItsLength)), "file", "huge.csv" } };
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("api/import/product", UriKind.Relative)) { Content = form };
        request.Headers.TransferEncodingChunked = saysItsLength ? null : true;

        using var answer = await client.Http.SendAsync(request);

        await RefusedAsync(answer, HttpStatusCode.RequestEntityTooLarge, "too_large", "file");
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 60L * 1024 * 1024);
    }

    [Fact]
    public async Task Without_signing_in_nothing_is_imported_and_no_job_is_shown()
    {
        using var stranger = crm.Client();
        using var form = new MultipartFormDataContent { { new ByteArrayContent("name\nA\n"u8.ToArray()), "file", "a.csv" } };

        using var import = await stranger.PostAsync(new Uri("api/import/product", UriKind.Relative), form);
        using var job = await stranger.GetAsync(new Uri($"api/jobs/{Guid.Empty}", UriKind.Relative));

        Assert.Equal(HttpStatusCode.Unauthorized, import.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, job.StatusCode);
        Assert.Equal(0, await client.CountAsync("products"));
    }

    [Theory]
    [InlineData("api/jobs/nonsense")]
    [InlineData("api/jobs/00000000-0000-0000-0000-000000000000")]
    public async Task A_job_that_is_not_there_is_not_found(string path)
    {
        using var answer = await client.Http.GetAsync(new Uri(path, UriKind.Relative));

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Fact]
    public async Task Jobs_of_others_are_shown_to_administrators_only_and_only_they_import_users()
    {
        const string password = "seven green bicycles";
        var made = await crm.Records.SaveAsync(RecordChange.Create("user", new Dictionary<string, object?> { ["name"] = "Bea", ["user_name"] = "bea", ["can_sign_in"] = true }));
        await crm.Services.GetRequiredService<Passwords>().SetAsync(made.Record!.Id, password, CancellationToken.None);
        var bea = new ImportClient(crm, crm.Client(await crm.TokenAsync("bea", password)));
        var ours = await client.ImportAsync("product", "name\nOurs\n");
        var hers = await bea.ImportAsync("company", "name\nHers\n");

        using var hidden = await bea.Http.GetAsync(new Uri($"api/jobs/{ours.GetProperty("id").GetGuid()}/verdicts", UriKind.Relative));
        using var users = await bea.SendAsync("user", "name,user_name\nEve,eve\n"u8.ToArray());

        Assert.Equal(HttpStatusCode.NotFound, hidden.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, users.StatusCode);
        Assert.Equal("Bea", (await client.GetAsync($"api/jobs/{hers.GetProperty("id").GetGuid()}")).GetProperty("created_by_name").GetString());
    }

    private async Task RefusedAsync(HttpResponseMessage answer, HttpStatusCode status, string code, string? target)
    {
        var body = await ImportClient.BodyAsync(answer);
        Assert.True(answer.StatusCode == status, body.ToString());
        var error = body.GetProperty("error");
        Assert.Equal(code, error.GetProperty("code").GetString());
        Assert.Equal(target, error.TryGetProperty("target", out var named) ? named.GetString() : null);
        Assert.NotEqual("", error.GetProperty("message").GetString());
        Assert.Equal(0, await client.CountAsync("products"));
        await using var connection = new NpgsqlConnection(crm.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("SELECT (SELECT count(*) FROM crm.job) + (SELECT count(*) FROM crm.job_file)", connection);
        Assert.Equal(0L, await command.ExecuteScalarAsync());
    }

    /// <summary>Rows without end, made while they are read.</summary>
    private sealed class EndlessRows(long length, string row, bool saysItsLength) : Stream
    {
        private readonly byte[] bytes = System.Text.Encoding.UTF8.GetBytes(row);

        private long position;

        public override bool CanRead => true;

        public override bool CanSeek => saysItsLength;

        public override bool CanWrite => false;

        public override long Length => length;

        public override long Position
        {
            get => position;
            set => position = value;
        }

        public override int Read(byte[] buffer, int offset, int count)
        {
            var end = (int)Math.Min(count, length - position);
            for (var i = 0; i < end; i++)
            {
                buffer[offset + i] = bytes[(position + i) % bytes.Length];
            }

            position += end;
            return end;
        }

        public override long Seek(long offset, SeekOrigin origin) => position = offset;

        public override void Flush()
        {
            // Nothing is written.
        }

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
