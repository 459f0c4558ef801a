using System.Text.Json;
using System.Text.Json.Nodes;
using Crm.Sdk;

namespace Crm.Host.Api.OData;

/// <summary>The requests of one atomicity group: one transaction.</summary>
internal static class BatchGroup
{
    /// <summary>Saves the group.</summary>
    /// <param name="context">The batch.</param>
    /// <param name="model">The model the batch works with.</param>
    /// <param name="items">The group's requests.</param>
    /// <param name="made">Addresses of records made by earlier requests, by the request's id; records made here are added.</param>
    public static async Task<List<BatchAnswer>> SaveAsync(HttpContext context, ODataModel model, List<BatchItem> items, Dictionary<string, string> made)
    {
        var changes = new List<(BatchItem Item, ODataSet Set, RecordChange Change, bool Conditional)>();
        var inside = new Dictionary<string, string>(made);
        foreach (var item in items)
        {
            try
            {
                changes.Add(Change(context, model, item, inside));
            }
            catch (ApiException refused)
            {
                return [.. items.Select(i => i == item ? Refused(i, refused.Error) : Dropped(i, item))];
            }
        }

        var records = context.RequestServices.GetRequiredService<IRecordService>();
        var results = await records.SaveManyAsync([.. changes.Select(c => c.Change)], new SaveOptions(AllOrNothing: true), context.RequestAborted);
        if (results.Any(r => !r.Succeeded))
        {
            // Changes without a fault of their own are told so by the record service.
            var dropped = results.Select(r => r.Errors.All(e => e.Code == ErrorCodes.Batch)).ToList();
            var first = items[Math.Max(0, dropped.IndexOf(false))];
            return [.. changes.Zip(results, (c, r) => r.Errors.All(e => e.Code == ErrorCodes.Batch) ? Dropped(c.Item, first) : Refused(c.Item, Errors.From(r, c.Conditional)))];
        }

        foreach (var (id, location) in inside)
        {
            made[id] = location;
        }

        return [.. changes.Zip(results, (c, r) => Done(context, c.Item, c.Set, c.Change.Kind, r.Record!))];
    }

    /// <summary>The body with <c>$1</c> of a binding replaced by the record that request 1 made.</summary>
    public static JsonNode? WithReferences(JsonElement body, IReadOnlyDictionary<string, string> made)
    {
        var node = JsonNode.Parse(body.GetRawText());
        if (node is JsonObject record)
        {
            foreach (var (name, value) in record.ToList())
            {
                if (name.EndsWith("@odata.bind", StringComparison.Ordinal) && value is JsonValue text && text.TryGetValue<string>(out var link)
                    && link is ['$', .. var id] && made.TryGetValue(id, out var location))
                {
                    record[name] = location;
                }
            }
        }

        return node;
    }

    private static (BatchItem Item, ODataSet Set, RecordChange Change, bool Conditional) Change(HttpContext context, ODataModel model, BatchItem item, Dictionary<string, string> made)
    {
        var (path, query) = item.Resolve(made);
        if (query.Length > 1)
        {
            throw new ApiException(ApiError.BadRequest("A request of an atomicity group takes no query options.", "url"));
        }

        var tags = Preferences.Tags(item.Headers.GetValueOrDefault("If-Match"));
        if (item.Method == "POST")
        {
            var set = model.Set(path);
            var change = RecordWrites.Create(set, Body(item, set, made, isUpdate: false), item.Headers.GetValueOrDefault(RecordWrites.DuplicatesHeader));
            made[item.Id] = Urls.Record(context.Request, set, change.Id);
            return (item, set, change, false);
        }

        if (Urls.Reference(path) is not var (name, id) || item.Method is not ("PATCH" or "DELETE"))
        {
            throw new ApiException(ApiError.BadRequest($"'{item.Method} {item.Url}' cannot be part of an atomicity group, which takes POST, PATCH and DELETE of records.", "method"));
        }

        var target = model.Set(name);
        return item.Method == "PATCH"
            ? (item, target, RecordWrites.Update(target, id, Body(item, target, made, isUpdate: true), tags), tags is not null)
            : (item, target, RecordChange.Delete(target.Entity.Name, id, tags?.Expected), tags is not null);
    }

    private static RecordBody Body(BatchItem item, ODataSet set, Dictionary<string, string> made, bool isUpdate)
    {
        using var document = JsonDocument.Parse(item.Body is { } json ? WithReferences(json, made)?.ToJsonString() ?? "null" : "null");
        return RecordBody.Read(document.RootElement, set, isUpdate);
    }

    private static BatchAnswer Done(HttpContext context, BatchItem item, ODataSet set, ChangeKind kind, Record record)
    {
        IHeaderDictionary headers = new HeaderDictionary();
        var url = Urls.Record(context.Request, set, record.Id);
        if (kind == ChangeKind.Delete)
        {
            return new BatchAnswer(item.Id, item.Group, StatusCodes.Status204NoContent, headers, default);
        }

        headers.ETag = Urls.Tag(record.Version);
        if (kind == ChangeKind.Create)
        {
            headers.Location = url;
        }

        if (item.Headers.GetValueOrDefault("Prefer")?.Contains("return=minimal", StringComparison.OrdinalIgnoreCase) == true)
        {
            headers["OData-EntityId"] = url;
            return new BatchAnswer(item.Id, item.Group, StatusCodes.Status204NoContent, headers, default);
        }

        headers.ContentType = ODataResponse.ContentType;
        var status = kind == ChangeKind.Create ? StatusCodes.Status201Created : StatusCodes.Status200OK;
        return new BatchAnswer(item.Id, item.Group, status, headers, ODataResponse.Record(context.Request, set.All, set.Entity.SetName, record));
    }

    private static BatchAnswer Refused(BatchItem item, ApiError error)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, Errors.Unescaped))
        {
            Errors.Write(json, error);
        }

        return new BatchAnswer(item.Id, item.Group, error.Status, new HeaderDictionary { ["Content-Type"] = "application/json" }, stream.ToArray());
    }

    private static BatchAnswer Dropped(BatchItem item, BatchItem culprit) =>
        Refused(item, new ApiError(StatusCodes.Status424FailedDependency, ErrorCodes.Batch, $"Not saved, because request '{culprit.Id}' of the same group was refused."));
}
