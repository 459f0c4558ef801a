using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Crm.Records.Jobs;
using Crm.Sdk.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Crm.Host.Tests.Import;

/// <summary>Imports files as a program would: over the API.</summary>
internal sealed class ImportClient(TestCrm crm, HttpClient http)
{
    public HttpClient Http => http;

    public static async Task<JsonElement> BodyAsync(HttpResponseMessage answer) => await answer.Content.ReadFromJsonAsync<JsonElement>();

    public static async Task<ImportClient> OpenAsync(TestCrm crm) => new(crm, await crm.AdminClientAsync());

    /// <summary>Sends a file.</summary>
    public async Task<HttpResponseMessage> SendAsync(string entity, byte[] file, params (string Name, string Value)[] fields)
    {
        using var form = new MultipartFormDataContent();
        // Options after the file as well as before it: clients send parts in any order.
        foreach (var (name, value) in fields.Take(1))
        {
            form.Add(new StringContent(value), name);
        }

        form.Add(new ByteArrayContent(file), "file", "data.csv");
        foreach (var (name, value) in fields.Skip(1))
        {
            form.Add(new StringContent(value), name);
        }

        return await http.PostAsync(new Uri($"api/import/{entity}", UriKind.Relative), form);
    }

    /// <summary>Imports a file and waits for the end of the job.</summary>
    public async Task<JsonElement> ImportAsync(string entity, string file, params (string Name, string Value)[] fields)
    {
        using var answer = await SendAsync(entity, Encoding.UTF8.GetBytes(file), fields);
        var body = await answer.Content.ReadFromJsonAsync<JsonElement>();
        Assert.True(answer.StatusCode == System.Net.HttpStatusCode.Accepted, body.ToString());
        return await FinishedAsync(body.GetProperty("id").GetGuid());
    }

    /// <summary>The job once it has ended.</summary>
    public async Task<JsonElement> FinishedAsync(Guid job)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        await crm.Services.GetRequiredService<JobQueue>().WaitAsync(job, timeout.Token);
        return await GetAsync($"api/jobs/{job}");
    }

    public async Task<JsonElement> GetAsync(string path) => await http.GetFromJsonAsync<JsonElement>(new Uri(path, UriKind.Relative));

    /// <summary>Records that match.</summary>
    public async Task<List<JsonElement>> RecordsAsync(string set, string query = "")
    {
        var body = await GetAsync($"odata/v4/{set}?{query}");
        return [.. body.GetProperty("value").EnumerateArray()];
    }

    public async Task<long> CountAsync(string set, string filter = "") =>
        (await GetAsync($"odata/v4/{set}?$top=0&$count=true{(filter.Length > 0 ? "&$filter=" + Uri.EscapeDataString(filter) : "")}")).GetProperty("@odata.count").GetInt64();
}
