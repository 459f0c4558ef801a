using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics;
using System.Runtime;

namespace Crm.Benchmarks;

/// <summary>Asks for pages over many connections for some seconds.</summary>
internal static class Load
{
    private static readonly TimeSpan Round = TimeSpan.FromSeconds(2);
    private const int WarmUpRounds = 30;

    /// <returns>How many requests were answered, in which time and with how much work of this process.</returns>
    public static async Task<Rate> RunAsync(HttpClient client, Func<int, HttpRequestMessage> request, int seconds, int connections = 16)
    {
        // The first requests prepare statements and run code that is compiled again, and better, after some thirty calls: that goes on beside the requests until there is nothing left to compile.
        long compiled;
        var round = 0;
        do
        {
            compiled = JitInfo.GetCompiledMethodCount();
            await ForAsync(client, request, Round, connections);
        }
        while (JitInfo.GetCompiledMethodCount() - compiled > 20 && ++round < WarmUpRounds);
        return await ForAsync(client, request, TimeSpan.FromSeconds(seconds), connections);
    }

    private static async Task<Rate> ForAsync(HttpClient client, Func<int, HttpRequestMessage> request, TimeSpan limit, int connections)
    {
        var done = 0;
        var times = new ConcurrentBag<double>();
        var work = Environment.CpuUsage.TotalTime;
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, connections).Select(async _ =>
        {
            while (watch.Elapsed < limit)
            {
                var start = Stopwatch.GetTimestamp();
                await SendAsync(client, request(Interlocked.Increment(ref done)));
                times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }
        }));
        return new Rate(done, watch.Elapsed, Environment.CpuUsage.TotalTime - work, [.. times.Order()]);
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
/// <param name="Milliseconds">How long each took, shortest first.</param>
[System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
internal readonly record struct Rate(int Requests, TimeSpan Time, TimeSpan Cpu, ImmutableArray<double> Milliseconds)
{
    public double PerSecond => Requests / Time.TotalSeconds;

    public double CpuMilliseconds => Cpu.TotalMilliseconds / Requests;

    /// <summary>How long all but a part of them took at most.</summary>
    public double Percentile(double part) => Milliseconds[(int)((Milliseconds.Length - 1) * part)];

    public static Rate operator +(Rate left, Rate right) =>
        new(left.Requests + right.Requests, left.Time + right.Time, left.Cpu + right.Cpu, [.. (left.Milliseconds.IsDefault ? [] : left.Milliseconds).Concat(right.Milliseconds).Order()]);
}
