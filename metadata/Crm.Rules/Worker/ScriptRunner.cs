using System.Diagnostics;
using System.Text.Json;

namespace Crm.Rules.Worker;

/// <summary>Answers messages: one answer for each record, in their order.</summary>
internal sealed class ScriptRunner
{
    private const int MaxScripts = 64;
    private const int MaxUses = 10_000;
    private const int MaxBudgets = 10;
    private const int MaxLate = 3;
    private const int MaxRefusals = 100;
    private const int MaxMessage = 500;

    private readonly Dictionary<(string Script, int Budget), ScriptEngine> engines = [];

    public void Answer(byte[] message, Action<ReadOnlyMemory<byte>> answer)
    {
        using var json = JsonDocument.Parse(message);
        var root = json.RootElement;
        if (root.TryGetProperty("check", out var check))
        {
            answer(Check(check.GetString()!));
            return;
        }

        var key = (root.GetProperty("script").GetString()!, root.GetProperty("budget").GetInt32());
        // The records of a write are locked while it runs: one that hangs in every record must not do so a thousand times.
        var most = TimeSpan.FromMilliseconds(key.Item2) * MaxBudgets;
        var started = Stopwatch.GetTimestamp();
        var late = 0;
        foreach (var record in root.GetProperty("records").EnumerateArray())
        {
            if (late >= MaxLate || Stopwatch.GetElapsedTime(started) > most)
            {
                answer(Failure(new ScriptProblem("time", "", null, null), 0));
                continue;
            }

            answer(Run(key, root, record, out var isLate));
            late += isLate ? 1 : 0;
        }
    }

    private static byte[] Check(string script)
    {
        try
        {
            var fields = ScriptText.Parse(script).Fields().ToList();
            return WorkerMessages.Write(json =>
            {
                json.WriteStartArray("fields");
                foreach (var (name, line, column) in fields)
                {
                    json.WriteStartArray();
                    json.WriteStringValue(name);
                    json.WriteNumberValue(line);
                    json.WriteNumberValue(column);
                    json.WriteEndArray();
                }

                json.WriteEndArray();
            });
        }
        catch (ScriptProblem problem)
        {
            return Failure(problem, 0);
        }
    }

    private byte[] Run((string Script, int Budget) key, JsonElement call, JsonElement input, out bool isLate)
    {
        isLate = false;
        var started = Stopwatch.GetTimestamp();
        try
        {
            var engine = EngineOf(key);
            var values = engine.Run(call, input, out var refused);
            var took = Stopwatch.GetElapsedTime(started);
            return WorkerMessages.Write(json =>
            {
                json.WriteNumber("ms", took.TotalMilliseconds);
                json.WriteStartObject("set");
                engine.WriteChanges(json, input.GetProperty("record"), values);
                json.WriteEndObject();
                json.WriteStartArray("refused");
                engine.WriteRefusals(json, refused, MaxRefusals, MaxMessage);
                json.WriteEndArray();
            });
        }
        catch (ScriptProblem problem)
        {
            engines.Remove(key);
            isLate = problem.Kind == "time";
            return Failure(problem, Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        }
    }

    private ScriptEngine EngineOf((string Script, int Budget) key)
    {
        if (engines.TryGetValue(key, out var known) && known.Uses < MaxUses)
        {
            return known;
        }

        if (engines.Count >= MaxScripts)
        {
            engines.Clear();
        }

        return engines[key] = new ScriptEngine(key.Script, key.Budget);
    }

    private static byte[] Failure(ScriptProblem problem, double took) => WorkerMessages.Write(json =>
    {
        json.WriteNumber("ms", took);
        json.WriteStartObject("failure");
        json.WriteString("kind", problem.Kind);
        json.WriteString("what", problem.Message.Length > MaxMessage ? problem.Message[..MaxMessage] : problem.Message);
        if (problem.Line is { } line)
        {
            json.WriteNumber("line", line);
            json.WriteNumber("column", problem.Column ?? 1);
        }

        json.WriteEndObject();
    });
}
