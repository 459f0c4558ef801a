using System.Diagnostics;

namespace Crm.Benchmarks;

/// <summary>Asks for pages over 16 connections for some seconds.</summary>
internal static class Load
{
    private const int Connections = 16;

    /// <returns>Requests a second.</returns>
    public static async Task<double> RunAsync(HttpClient client, Func<int, HttpRequestMessage> request, int seconds)
    {
        // The first requests compile code and prepare statements.
        for (var i = 0; i < 50; i++)
        {
            await SendAsync(client, request(i));
        }

        var done = 0;
        var watch = Stopwatch.StartNew();
        var limit = TimeSpan.FromSeconds(seconds);
        await Task.WhenAll(Enumerable.Range(0, Connections).Select(async _ =>
        {
            while (watch.Elapsed < limit)
            {
                await SendAsync(client, request(Interlocked.Increment(ref done)));
            }
        }));
        return done / watch.Elapsed.TotalSeconds;
    }

    private static async Task SendAsync(HttpClient client, HttpRequestMessage request)
    {
        using var sent = request;
        using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        answer.EnsureSuccessStatusCode();
        await using var body = await answer.Content.ReadAsStreamAsync();
        await body.CopyToAsync(Stream.Null);
    }
}
