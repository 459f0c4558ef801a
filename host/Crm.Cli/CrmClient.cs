using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace Crm.Cli;

/// <summary>Speaks to a CRM as any program may: the documented HTTP API, nothing else.</summary>
internal sealed class CrmClient(HttpClient http)
{
    /// <summary>Signs in; later calls carry the token.</summary>
    public async Task SignInAsync(string user, string password, CancellationToken ct)
    {
        using var answer = await SendAsync(() => http.PostAsJsonAsync(new Uri("api/auth/token", UriKind.Relative), new { username = user, password }, ct));
        if (answer.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.BadRequest)
        {
            throw new CliException(Texts.Of("SignInFailed", user));
        }

        var body = await ReadAsync(answer, ct);
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", body.GetProperty("access_token").GetString());
    }

    /// <summary>Uploads a file and starts its import.</summary>
    /// <returns>The job.</returns>
    public async Task<JsonElement> ImportAsync(PlannedFile file, string path, bool dryRun, CancellationToken ct)
    {
        await using var stream = File.OpenRead(path);
        using var form = new MultipartFormDataContent();
        foreach (var (name, value) in file.Options)
        {
            form.Add(new StringContent(value), name);
        }

        if (file.Mapping is not null)
        {
            form.Add(new StringContent(file.Mapping.ToJsonString()), "mapping");
        }

        if (dryRun)
        {
            form.Add(new StringContent("true"), "dryRun");
        }

        form.Add(new StreamContent(stream), "file", file.File);
        using var answer = await SendAsync(() => http.PostAsync(new Uri($"api/import/{Uri.EscapeDataString(file.Entity)}", UriKind.Relative), form, ct));
        return await ReadAsync(answer, ct);
    }

    /// <summary>A job as it is now.</summary>
    public Task<JsonElement> JobAsync(Guid id, CancellationToken ct) => GetAsync($"api/jobs/{id}", ct);

    /// <summary>Asks to stop a job.</summary>
    public async Task CancelAsync(Guid id, CancellationToken ct)
    {
        using var answer = await SendAsync(() => http.PostAsync(new Uri($"api/jobs/{id}/cancel", UriKind.Relative), null, ct));
        _ = await ReadAsync(answer, ct);
    }

    /// <summary>Saves what a job did with each row.</summary>
    public async Task DownloadReportAsync(Guid id, string path, CancellationToken ct)
    {
        using var answer = await SendAsync(() => http.GetAsync(new Uri($"api/jobs/{id}/verdicts?format=csv", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, ct));
        if (!answer.IsSuccessStatusCode)
        {
            _ = await ReadAsync(answer, ct);
        }

        try
        {
            await using var file = File.Create(path);
            await answer.Content.CopyToAsync(file, ct);
        }
        catch (Exception problem) when (problem is HttpRequestException or IOException or UnauthorizedAccessException)
        {
            throw new CliException(Texts.Of("ReportNotSaved", path, problem.Message));
        }
    }

    /// <summary>Reads a figure over OData.</summary>
    public async Task<decimal> FigureAsync(Figure figure, CancellationToken ct)
    {
        var set = "odata/v4/" + Uri.EscapeDataString(figure.Set);
        if (figure.Sum is null)
        {
            var page = await GetAsync($"{set}?$top=0&$count=true{(figure.Filter is null ? "" : "&$filter=" + Uri.EscapeDataString(figure.Filter))}", ct);
            return page.GetProperty("@odata.count").GetDecimal();
        }

        var filter = figure.Filter is null ? "" : $"filter({figure.Filter})/";
        var result = await GetAsync($"{set}?$apply={Uri.EscapeDataString($"{filter}aggregate({figure.Sum} with sum as total)")}", ct);
        var total = result.GetProperty("value").EnumerateArray().Select(row => row.GetProperty("total")).FirstOrDefault();
        return total.ValueKind switch
        {
            JsonValueKind.Number => total.GetDecimal(),
            JsonValueKind.String => decimal.Parse(total.GetString()!, CultureInfo.InvariantCulture),
            _ => 0,
        };
    }

    /// <summary>The customisations as a zip.</summary>
    public async Task<byte[]> ExportMetadataAsync(CancellationToken ct)
    {
        using var answer = await SendAsync(() => http.GetAsync(new Uri("api/metadata/export", UriKind.Relative), ct));
        if (!answer.IsSuccessStatusCode)
        {
            _ = await ReadAsync(answer, ct);
        }

        return await answer.Content.ReadAsByteArrayAsync(ct);
    }

    /// <summary>Plans or applies the customisations of a zip.</summary>
    /// <returns>The plan.</returns>
    public async Task<JsonElement> ImportMetadataAsync(byte[] zip, bool isComplete, bool isPlan, CancellationToken ct)
    {
        using var content = new ByteArrayContent(zip);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/zip");
        var path = $"api/metadata/import?plan={(isPlan ? "true" : "false")}&complete={(isComplete ? "true" : "false")}";
        using var answer = await SendAsync(() => http.PostAsync(new Uri(path, UriKind.Relative), content, ct));
        return await ReadAsync(answer, ct);
    }

    private async Task<JsonElement> GetAsync(string path, CancellationToken ct)
    {
        using var answer = await SendAsync(() => http.GetAsync(new Uri(path, UriKind.Relative), ct));
        return await ReadAsync(answer, ct);
    }

    private async Task<HttpResponseMessage> SendAsync(Func<Task<HttpResponseMessage>> send)
    {
        try
        {
            return await send();
        }
        catch (HttpRequestException problem)
        {
            throw new CliException(Texts.Of("NoAnswer", http.BaseAddress, problem.Message));
        }
    }

    private static async Task<JsonElement> ReadAsync(HttpResponseMessage answer, CancellationToken ct)
    {
        var text = await answer.Content.ReadAsStringAsync(ct);
        JsonElement body;
        try
        {
            body = JsonSerializer.Deserialize<JsonElement>(text);
        }
        catch (JsonException)
        {
            throw new CliException(Texts.Of("Refused", (int)answer.StatusCode, text.Length > 200 ? text[..200] : text));
        }

        return answer.IsSuccessStatusCode ? body : throw new CliException(Texts.Of("Refused", (int)answer.StatusCode, Message(body)));
    }

    private static string Message(JsonElement body)
    {
        if (body.ValueKind != JsonValueKind.Object || !body.TryGetProperty("error", out var error))
        {
            return body.ToString();
        }

        var details = error.TryGetProperty("details", out var list) && list.ValueKind == JsonValueKind.Array
            ? list.EnumerateArray().Select(d => $"\n  {(d.TryGetProperty("target", out var target) ? target.ToString() : "")}: {d.GetProperty("message")}")
            : [];
        return error.GetProperty("message") + string.Concat(details);
    }
}
