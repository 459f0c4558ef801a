using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>The query of a saved view as JSON: <c>{"select":["name","company.country"],"filter":{…},"sort":["name","-created_at"]}</c>.</summary>
public static class SavedViewJson
{
    /// <summary>Writes columns, filter and order.</summary>
    public static JsonObject Write(SavedView view)
    {
        ArgumentNullException.ThrowIfNull(view);
        var json = new JsonObject { ["select"] = ShapeJson.Texts(view.Columns) };
        if (view.Filter is { } filter)
        {
            json["filter"] = FilterJson.Write(filter);
        }

        if (!view.Sort.IsDefaultOrEmpty)
        {
            json["sort"] = ShapeJson.Texts(view.Sort.Select(s => (s.Descending ? "-" : "") + s.Path));
        }

        return json;
    }

    /// <summary>Reads a whole view that a caller sent: name, sharing and query; what is not said stays as it is.</summary>
    /// <param name="element">The body.</param>
    /// <param name="view">The view as it is, or an empty one.</param>
    /// <param name="isNew">Whether the entity may be said too.</param>
    public static (SavedView View, ImmutableArray<PlanMessage> Errors) Read(JsonElement element, SavedView view, bool isNew)
    {
        ArgumentNullException.ThrowIfNull(view);
        var errors = new List<PlanMessage>();
        using (var json = new JsonInput(element, "", errors))
        {
            view = view with
            {
                Entity = isNew ? json.RequiredText("entity") : view.Entity,
                Name = json.Has("name") || isNew ? json.RequiredText("name") : view.Name,
                IsShared = json.Boolean("shared") ?? view.IsShared,
            };
            view = Query(json, view, errors);
        }

        return (view, [.. errors]);
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    internal static SavedView Stored(SavedView view, string query)
    {
        using var document = JsonDocument.Parse(query);
        var errors = new List<PlanMessage>();
        using var json = new JsonInput(document.RootElement, "", errors);
        view = Query(json, view, errors);
        return errors.Count == 0 ? view : throw new InvalidOperationException($"The saved view {view.Id} cannot be read: {errors[0].Message}");
    }

    private static SavedView Query(JsonInput json, SavedView view, List<PlanMessage> errors) => view with
    {
        Columns = json.Texts("select") ?? view.Columns,
        Filter = json.Element("filter") is { } filter ? FilterJson.Read(filter, json.At("filter"), errors) : json.Nulls("filter").IsEmpty ? view.Filter : null,
        Sort = json.Texts("sort") is { } sort ? [.. sort.Where(s => s.Length > 0).Select(s => s[0] == '-' ? new Sort(s[1..], Descending: true) : new Sort(s))] : view.Sort,
    };
}
