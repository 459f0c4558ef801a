using System.Text.Json;
using System.Text.Json.Nodes;

namespace Crm.Metadata.Tests;

/// <summary>Whatever is sent as changes: an answer comes back, never an exception.</summary>
public sealed class HostileInputTests
{
    private const string Valid = """
        {"changes":[
          {"change":"create_entity","name":"x_venue","label":"Venue","plural":"Venues","set":"x_venues","icon":"stadium","title":["name"],"search":["name"],"fields":[
            {"name":"name","type":"text","label":"Name","help":"Help","required":true,"unique":true,"max_length":80,"default":"New"},
            {"name":"size","type":"decimal","minimum":0,"maximum":10.5,"scale":3,"default":1.25},
            {"name":"kind","type":"choice","choices":["Small",{"name":"big","label":"Big","colour":"red"}]},
            {"name":"kinds","type":"multi_choice","choices":["Small","Big"],"default":["Big"]},
            {"name":"rent","type":"money","currency":"CHF"},
            {"name":"at","type":"lookup","target":"company"},
            {"name":"stage","type":"stage","stages":[{"name":"fresh","label":"Fresh","probability":10},{"name":"done","kind":"won"}],"moves":[{"from":"fresh","to":"done"}]},
            {"name":"number","type":"auto_number","prefix":"V","width":5,"start":7}],
           "views":[{"name":"mine","label":"Mine","columns":["name","at.name"],"sort":[{"path":"size","descending":true}]}],
           "form":{"sections":[{"label":"All","fields":["name","size"]}]},
           "placements":[{"area":"sales","section":"customers","order":5}]},
          {"change":"change_entity","entity":"company","label":"Account","title":["name"]},
          {"change":"add_field","entity":"company","field":{"name":"x_a","type":"text"}},
          {"change":"change_field","entity":"company","field":{"name":"sector","choices":["retail","software","medical","x"],"label":"A"}},
          {"change":"hide_field","entity":"company","field":"revenue"},
          {"change":"show_field","entity":"company","field":"revenue"},
          {"change":"set_view","entity":"company","view":{"name":"v","columns":["name"],"filter":{"any":[{"all":[{"path":"name","operator":"starts_with","value":"a"}]},{"not":{"path":"sector","in":["retail"]}}]}}},
          {"change":"remove_view","entity":"company","view":"v"},
          {"change":"set_form","entity":"company","form":{"sections":[{"label":"","fields":["name"]}]}},
          {"change":"hide_entity","entity":"opportunity"},
          {"change":"show_entity","entity":"opportunity"}
        ]}
        """;

    private static readonly string[] Strange =
    [
        "null", "true", "0", "-1", "1.5", "99999999999999999999", "1e300", "\"\"", "\" \"", "\"x\"", "\"x_\"", "\"id\"", "\"a.b.c.d.e.f\"", "\".\"", "\"name\"", "\"\\ud800\"", "\"\\u0000\"",
        "\"{0}{1}{99}\"", "\"select\\\"; drop table\"", "[]", "[null]", "[[]]", "[{}]", "[1,\"a\",true]", "{}", "{\"name\":null}", "{\"\":1}", "{\"name\":\"name\",\"type\":\"text\"}",
    ];

    [Fact]
    public void The_unchanged_changes_are_planned() => Assert.Empty(Plan(Valid));

    [Fact]
    public void Any_part_replaced_by_something_strange_gets_an_answer()
    {
        var long1 = "\"" + new string('a', 5000) + "\"";
        var count = 0;
        foreach (var path in Paths(JsonNode.Parse(Valid)!, []).ToList())
        {
            foreach (var strange in Strange.Append(long1))
            {
                var text = Replaced(path, strange);
                try
                {
                    Plan(text);
                    count++;
                }
                catch (Exception problem)
                {
                    Assert.Fail($"{string.Join('/', path)} = {strange[..Math.Min(60, strange.Length)]}: {problem}");
                }
            }
        }

        Assert.True(count > 2000);
    }

    [Fact]
    public void Any_part_left_out_or_given_twice_gets_an_answer()
    {
        foreach (var path in Paths(JsonNode.Parse(Valid)!, []).Where(p => p.Count > 0).ToList())
        {
            var document = JsonNode.Parse(Valid)!;
            var parent = Find(document, path, path.Count - 1);
            if (parent is JsonObject json)
            {
                json.Remove((string)path[^1]);
            }
            else
            {
                parent.AsArray().RemoveAt((int)path[^1]);
            }

            Plan(document.ToJsonString());
            if (parent is JsonArray)
            {
                document = JsonNode.Parse(Valid)!;
                var list = Find(document, path, path.Count - 1).AsArray();
                list.Add(list[(int)path[^1]]!.DeepClone());
                Plan(document.ToJsonString());
            }
        }
    }

    private static List<PlanMessage> Plan(string text)
    {
        using var document = JsonDocument.Parse(text);
        var (changes, errors) = MetadataJson.ReadChanges(document.RootElement);
        if (!errors.IsEmpty)
        {
            return [.. errors];
        }

        var draft = ChangePlanner.Plan(Samples.Layers, changes, DatabaseFeatures.Full);
        // What is stored with a plan must be read again when it is applied.
        using var stored = JsonDocument.Parse(MetadataJson.Write(changes).ToJsonString());
        Assert.Empty(MetadataJson.ReadChanges(stored.RootElement).Errors);
        if (draft.Errors.IsEmpty)
        {
            Assert.NotNull(MetadataJson.WriteMetadata(MetadataState.Of(draft.After)));
        }

        return [.. draft.Errors];
    }

    private static string Replaced(List<object> path, string strange)
    {
        if (path.Count == 0)
        {
            return strange;
        }

        const string mark = "\"(here)\"";
        var document = JsonNode.Parse(Valid)!;
        var parent = Find(document, path, path.Count - 1);
        if (parent is JsonObject json)
        {
            json[(string)path[^1]] = "(here)";
        }
        else
        {
            parent.AsArray()[(int)path[^1]] = "(here)";
        }

        return document.ToJsonString().Replace(mark, strange, StringComparison.Ordinal);
    }

    private static JsonNode Find(JsonNode node, List<object> path, int steps)
    {
        foreach (var step in path.Take(steps))
        {
            node = step is string name ? node[name]! : node[(int)step]!;
        }

        return node;
    }

    private static IEnumerable<List<object>> Paths(JsonNode node, List<object> path)
    {
        yield return path;
        var children = node switch
        {
            JsonObject json => json.Select(p => (Step: (object)p.Key, Node: p.Value!)),
            JsonArray list => list.Select((n, i) => (Step: (object)i, Node: n!)),
            _ => [],
        };
        foreach (var (step, child) in children.ToList())
        {
            foreach (var found in Paths(child, [.. path, step]))
            {
                yield return found;
            }
        }
    }
}
