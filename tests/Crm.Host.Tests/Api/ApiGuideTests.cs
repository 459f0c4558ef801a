using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Crm.Sdk.Testing;

namespace Crm.Host.Tests.Api;

/// <summary>Every example of docs/api.md is run, in order, and answered as it says.</summary>
public sealed class ApiGuideTests(ApiCrm crm) : IClassFixture<ApiCrm>
{
    [Fact]
    public async Task Every_example_of_the_guide_works_as_written()
    {
        var guide = await File.ReadAllTextAsync(Path.Combine(Root(), "docs", "api.md"));
        var examples = Regex.Matches(guide, "```http\n(.*?)```", RegexOptions.Singleline, TimeSpan.FromSeconds(1)).Select(m => m.Groups[1].Value).ToList();
        Assert.True(examples.Count > 10);
        string? plan = null;
        foreach (var example in examples)
        {
            var halves = example.Split("\nHTTP/1.1 ");
            var request = halves[0].Split("\n\n", 2);
            var lines = request[0].Split('\n');
            var (method, path) = lines[0].Split(' ', 2) is [var m, var p] ? (m, p) : throw new FormatException(lines[0]);
            var headers = lines.Skip(1).Select(l => l.Split(": ", 2)).Where(h => h is [not "Content-Type", _]).Select(h => (h[0], h[1])).ToArray();
            var body = request is [_, var text] && text.Trim().Length > 0 ? text.Replace("<id of the plan>", plan, StringComparison.Ordinal).Replace("<your password>", TestCrm.AdminPassword, StringComparison.Ordinal) : null;
            var answer = await crm.SendAsync(method, path.TrimStart('/'), body, headers);
            var expected = halves[1].Split("\n\n", 2);
            Assert.True(expected[0].Trim() == ((int)answer.Status).ToString(System.Globalization.CultureInfo.InvariantCulture), $"{lines[0]}: {answer}");
            if (expected is [_, var shown] && shown.Trim().Length > 0)
            {
                var difference = Difference(JsonNode.Parse(shown), answer.Json, "");
                Assert.True(difference is null, $"{lines[0]}: {difference}\n{answer.Text}");
            }

            plan = answer.Text.Length > 0 && path.EndsWith("/plan", StringComparison.Ordinal) ? answer.Json["id"]!.ToString() : plan;
        }
    }

    // What the guide shows must be in the answer; the answer may hold more properties.
    private static string? Difference(JsonNode? shown, JsonNode? actual, string path)
    {
        if (shown is JsonValue text && text.GetValueKind() == JsonValueKind.String && text.GetValue<string>() == "…")
        {
            return actual is null ? $"{path} is missing" : null;
        }

        return (shown, actual) switch
        {
            (null, null) => null,
            (JsonObject one, JsonObject other) => one.Select(p => other.ContainsKey(p.Key) ? Difference(p.Value, other[p.Key], $"{path}.{p.Key}") : $"{path}.{p.Key} is missing").FirstOrDefault(d => d is not null),
            (JsonArray one, JsonArray other) => Items(one, other, path),
            (JsonValue one, JsonValue other) when one.GetValueKind() == JsonValueKind.Number && other.GetValueKind() == JsonValueKind.Number =>
                one.GetValue<decimal>() == other.GetValue<decimal>() ? null : $"{path} is {other}, not {one}",
            _ => JsonNode.DeepEquals(shown, actual) ? null : $"{path} is {actual?.ToJsonString()}, not {shown?.ToJsonString()}",
        };
    }

    private static string? Items(JsonArray shown, JsonArray actual, string path)
    {
        var isOpen = shown is [.., JsonValue last] && last.GetValueKind() == JsonValueKind.String && last.GetValue<string>() == "…";
        if (isOpen ? actual.Count < shown.Count - 1 : actual.Count != shown.Count)
        {
            return $"{path} has {actual.Count} items";
        }

        return shown.Take(isOpen ? shown.Count - 1 : shown.Count).Select((item, i) => Difference(item, actual[i], $"{path}[{i}]")).FirstOrDefault(d => d is not null);
    }

    private static string Root([System.Runtime.CompilerServices.CallerFilePath] string path = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(path)!, "..", "..", ".."));
}
