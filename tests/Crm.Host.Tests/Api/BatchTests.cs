using System.Net;
using System.Text;

namespace Crm.Host.Tests.Api;

/// <summary>Several requests in one: what is refused, and what a refusal leaves.</summary>
public sealed class BatchTests(ApiCrm crm) : IClassFixture<ApiCrm>
{
    private const string Limit = "--b\r\nContent-Type: application/http\r\n\r\n";

    [Theory]
    [InlineData("""{"id":"1","method":"POST","url":"$batch","body":{"requests":[]}}""")]
    [InlineData("""{"id":"1","method":"POST","url":"$batch/","body":{"requests":[]}}""")]
    [InlineData("""{"id":"1","method":"POST","url":"%24batch?x=1","body":{"requests":[]}}""")]
    [InlineData("""{"id":"1","atomicityGroup":"a","method":"POST","url":"$batch","body":{"requests":[]}}""")]
    [InlineData("""{"id":"1","method":"GET","url":"http://elsewhere.example/odata/v4/x_firms"}""")]
    [InlineData("""{"id":"1","method":"GET","url":"//elsewhere.example/odata/v4/x_firms"}""")]
    [InlineData("""{"id":"1","method":"GET","url":"file:///etc/passwd"}""")]
    [InlineData("""{"id":"1","method":"GET","url":"/api/auth/me"}""")]
    [InlineData("""{"id":"1","method":"GET","url":"../../api/auth/me"}""")]
    [InlineData("""{"id":"1","atomicityGroup":"a","method":"PATCH","url":"http://elsewhere.example/odata/v4/x_firms(ID)","body":{"name":"Taken over"}}""")]
    [InlineData("""{"id":"1","atomicityGroup":"a","method":"DELETE","url":"/api/x_firms(ID)"}""")]
    [InlineData("""{"id":"1","atomicityGroup":"a","method":"GET","url":"x_firms"}""")]
    [InlineData("""{"id":"1","atomicityGroup":"a","method":"POST","url":"x_firms?$top=1","body":{"name":"Query"}}""")]
    [InlineData("""{"id":"1","method":"POST","url":"x_firms","body":{"name":"Once","name":"Twice"}}""")]
    [InlineData("""{"id":"1","atomicityGroup":"a","method":"POST","url":"x_firms","body":{"name":"Once","name":"Twice"}}""")]
    [InlineData("""{"id":"1","method":"POST","url":"x_firms","headers":{"Content-Type":"text/plain"},"body":"name=Text"}""")]
    [InlineData("""{"id":"1","atomicityGroup":"a","method":"POST","url":"x_firms","headers":{"Content-Type":"text/plain"},"body":{"name":"Text"}}""")]
    [InlineData("""{"id":"1","method":"BREW","url":"x_firms"}""")]
    [InlineData("""{"id":"1","method":"PATCH","url":"$7","body":{"name":"Nobody"}}""")]
    public async Task A_request_that_has_no_place_in_a_batch_is_refused_alone(string request)
    {
        var before = await FirmsAsync();
        var id = (await crm.CreateAsync("x_firms", $$"""{"name":"Firm {{Guid.CreateVersion7()}}"}"""))["id"]!.ToString();
        var after = await FirmsAsync();
        var answer = await crm.SendAsync("POST", "odata/v4/$batch", $$"""{"requests":[{{request.Replace("ID", id, StringComparison.Ordinal)}}]}""");
        Assert.True(answer.Status == HttpStatusCode.OK, answer.ToString());
        var refused = Assert.Single(answer.Json["responses"]!.AsArray())!;
        Assert.InRange((int)refused["status"]!, 400, 499);
        Assert.NotEmpty(refused["body"]!["error"]!["message"]!.ToString());
        Assert.NotEqual(before, after);
        Assert.Equal(after, await FirmsAsync());
    }

    [Theory]
    [InlineData("""{"requests":[{"method":"GET","url":"x_firms"}]}""", "id")]
    [InlineData("""{"requests":[{"id":"1","url":"x_firms"}]}""", "method")]
    [InlineData("""{"requests":[{"id":"1","method":"GET"}]}""", "url")]
    [InlineData("""{"requests":[{"id":{},"method":"GET","url":"x_firms"}]}""", "id")]
    [InlineData("""{"requests":["x_firms"]}""", "requests")]
    [InlineData("""{"requests":{}}""", "requests")]
    [InlineData("""{"requests":[{"id":"1","method":"GET","url":"x_firms"},{"id":"1","method":"GET","url":"x_firms"}]}""", "id")]
    [InlineData("""{"requests":[{"id":"\udc00","method":"GET","url":"x_firms"}]}""", "id")]
    [InlineData("""{"requests":[{"id":"1","method":"POST","url":"x_firms","body":{"name":"\ud800"}}]}""", "name")]
    [InlineData("""{"requests":[{"id":"1","atomicityGroup":"a","method":"POST","url":"x_firms","body":{"name":"A"}},{"id":"2","method":"GET","url":"x_firms"},{"id":"3","atomicityGroup":"a","method":"POST","url":"x_firms","body":{"name":"B"}}]}""", "atomicityGroup")]
    public async Task A_batch_that_makes_no_sense_is_refused_whole(string batch, string target)
    {
        var before = await FirmsAsync();
        var answer = await crm.SendAsync("POST", "odata/v4/$batch", batch);
        Assert.True(answer.Status == HttpStatusCode.BadRequest, answer.ToString());
        Assert.Equal(target, answer.Target);
        Assert.Equal(before, await FirmsAsync());
    }

    [Fact]
    public async Task A_batch_holds_200_requests_and_not_one_more()
    {
        var item = """{"id":"N","method":"GET","url":"x_firms/$count"}""";
        var fits = await crm.SendAsync("POST", "odata/v4/$batch", Requests(200));
        Assert.Equal(200, fits.Json["responses"]!.AsArray().Count);
        var answer = await crm.SendAsync("POST", "odata/v4/$batch", Requests(201));
        Assert.Equal((HttpStatusCode.BadRequest, "requests"), (answer.Status, answer.Target));
        var parts = await MultipartAsync(string.Concat(Enumerable.Repeat(Limit + "GET x_firms/$count HTTP/1.1\r\n\r\n\r\n", 201)) + "--b--\r\n");
        Assert.Equal(HttpStatusCode.BadRequest, parts.Status);
        Assert.Contains("200", parts.Text, StringComparison.Ordinal);

        string Requests(int count) => $$"""{"requests":[{{string.Join(',', Enumerable.Range(0, count).Select(i => item.Replace("N", i.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal)))}}]}""";
    }

    [Fact]
    public async Task What_fails_in_the_middle_leaves_what_stood_before_and_nothing_of_its_own_group()
    {
        var name = Guid.CreateVersion7().ToString();
        var batch = """
            {"requests":[
              {"id":"1","method":"POST","url":"x_firms","body":{"name":"NAME first"}},
              {"id":"2","atomicityGroup":"a","method":"POST","url":"x_firms","body":{"name":"NAME second"}},
              {"id":"3","atomicityGroup":"a","method":"PATCH","url":"$1","body":{"name":"NAME changed"}},
              {"id":"4","atomicityGroup":"a","method":"DELETE","url":"x_firms(01890a5d-ac96-774b-bcce-b302099a8057)"},
              {"id":"5","method":"POST","url":"x_firms","body":{"name":"NAME last"}}]}
            """.Replace("NAME", name, StringComparison.Ordinal);
        var stopped = await crm.SendAsync("POST", "odata/v4/$batch", batch);
        Assert.Equal([201, 424, 424, 404], stopped.Json["responses"]!.AsArray().Select(a => (int)a!["status"]!));
        Assert.Equal([$"{name} first"], await NamesAsync());

        var onwards = await crm.SendAsync("POST", "odata/v4/$batch", batch.Replace("first", "third", StringComparison.Ordinal), ("Prefer", "continue-on-error"));
        Assert.Equal([201, 424, 424, 404, 201], onwards.Json["responses"]!.AsArray().Select(a => (int)a!["status"]!));
        Assert.Equal([$"{name} first", $"{name} last", $"{name} third"], await NamesAsync());

        async Task<IEnumerable<string>> NamesAsync() => (await crm.GetAsync($"odata/v4/x_firms?$filter=startswith(name,'{name}')&$orderby=name")).Column("name");
    }

    [Theory]
    [InlineData("")]
    [InlineData("--b\r\n")]
    [InlineData("--b\r\n\r\nGET x_firms HTTP/1.1\r\n\r\n\r\n--b--\r\n")]
    [InlineData("--b\r\nContent-Type: text/html\r\n\r\nGET x_firms HTTP/1.1\r\n\r\n\r\n--b--\r\n")]
    [InlineData("--b\r\nContent-Type: multipart/mixed\r\n\r\n--b--\r\n")]
    [InlineData(Limit + "--b--\r\n")]
    [InlineData(Limit + "GET x_firms\r\n\r\n\r\n--b--\r\n")]
    [InlineData(Limit + "GET x_firms HTTP/1.1\r\n: nothing\r\n\r\n\r\n--b--\r\n")]
    [InlineData(Limit + "POST x_firms HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{\"name\":\"Cut off\"}")]
    [InlineData("--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\nContent-Type: multipart/mixed; boundary=d\r\n\r\n--d\r\n\r\n--d--\r\n--c--\r\n--b--\r\n")]
    public async Task Parts_that_cannot_be_read_are_refused_and_nothing_is_saved(string body)
    {
        var before = await FirmsAsync();
        var answer = await MultipartAsync(body);
        Assert.True(answer.Status == HttpStatusCode.BadRequest, answer.ToString());
        Assert.Equal("bad_request", answer.Code);
        Assert.Equal(before, await FirmsAsync());
    }

    [Fact]
    public async Task A_body_of_a_part_that_is_no_JSON_is_the_fault_of_that_part()
    {
        var answer = await MultipartAsync(Limit + "POST x_firms HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{\"name\"\r\n" + Limit + "GET x_firms HTTP/1.1\r\n\r\n\r\n--b--\r\n");
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Contains("HTTP/1.1 400 Bad Request", answer.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("HTTP/1.1 200", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_batch_of_many_megabytes_in_parts_is_refused()
    {
        var answer = await MultipartAsync(Limit + "POST x_firms HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{\"name\":\"" + new string('x', 4 * 1024 * 1024) + "\"}\r\n--b--\r\n");
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.Status);
    }

    private async Task<Answer> MultipartAsync(string body)
    {
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        content.Headers.TryAddWithoutValidation("Content-Type", "multipart/mixed; boundary=b");
        using var answer = await crm.Admin.PostAsync(new Uri("odata/v4/$batch", UriKind.Relative), content);
        return new Answer(answer.StatusCode, await answer.Content.ReadAsStringAsync(), new Dictionary<string, string>());
    }

    private async Task<string> FirmsAsync() => (await crm.GetAsync("odata/v4/x_firms?$orderby=id&$count=true")).Text;
}
