using System.Diagnostics;

namespace Crm.Benchmarks;

/// <summary>Asks for pages over 16 connections for some seconds.</summary>
internal static class Load
{
    private const int Connections = 16;

    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(3);

    /// <returns>How many requests were answered, in which time and with how much work of this process.</returns>
    public static async Task<Rate> RunAsync(HttpClient client, Func<int, HttpRequestMessage> request, int seconds)
    {
        // The first requests prepare statements and run code that is compiled again, and better, after some thirty calls.
        await ForAsync(client, request, WarmUp);
        return await ForAsync(client, request, TimeSpan.FromSeconds(seconds));
    }

    private static async Task<Rate> ForAsync(HttpClient client, Func<int, HttpRequestMessage> request, TimeSpan limit)
    {
        var done = 0;
        var work = Environment.CpuUsage.TotalTime;
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, Connections).Select(async _ =>
        {
            while (watch.Elapsed < limit)
            {
                await SendAsync(client, request(Interlocked.Increment(ref done)));
            }
        }));
        return new Rate(done, watch.Elapsed, Environment.CpuUsage.TotalTime - work);
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

/// <summary>How fast something was.</summary>
/// <param name="Requests">How many were answered.</param>
/// <param name="Time">In which time.</param>
/// <param name="Cpu">Time this process spent on the processors.</param>
[System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
internal readonly record struct Rate(int Requests, TimeSpan Time, TimeSpan Cpu)
{
    public double PerSecond => Requests / Time.TotalSeconds;

    public double CpuMilliseconds => Cpu.TotalMilliseconds / Requests;

    public static Rate operator +(Rate left, Rate right) => new(left.Requests + right.Requests, left.Time + right.Time, left.Cpu + right.Cpu);
}
