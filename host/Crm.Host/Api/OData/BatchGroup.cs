using System.Text.Json;
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
    /// <param name="logger">Takes what nobody expected.</param>
    public static async Task<List<BatchAnswer>> SaveAsync(HttpContext context, ODataModel model, List<BatchItem> items, Dictionary<string, string> made, ILogger logger)
    {
        var item = items[0];
        try
        {
            var changes = new List<(BatchItem Item, ODataSet Set, RecordChange Change, bool Conditional)>();
            var inside = new Dictionary<string, string>(made);
            foreach (var next in items)
            {
                item = next;
                changes.Add(Change(context, model, item, inside));
            }

            return await SaveAsync(context, items, changes, inside, made);
        }
        catch (Exception exception) when (!context.RequestAborted.IsCancellationRequested)
        {
            // The requests before this group are done and answered, so that its failure cannot be that of the whole batch.
            var error = ErrorMiddleware.ErrorOf(exception, context, logger);
            return [.. items.Select(i => i == item ? Refused(i, error) : Dropped(i, item))];
        }
    }

    private static async Task<List<BatchAnswer>> SaveAsync(
        HttpContext context, List<BatchItem> items, List<(BatchItem Item, ODataSet Set, RecordChange Change, bool Conditional)> changes, Dictionary<string, string> inside, Dictionary<string, string> made)
    {
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
    public static byte[] WithReferences(ReadOnlyMemory<byte> body, IReadOnlyDictionary<string, string> made)
    {
        if (made.Count == 0 || body.Span.IndexOf("\"$"u8) < 0)
        {
            return body.ToArray();
        }

        using var document = RecordBody.Parse(body);
        if (document.RootElement.ValueKind != JsonValueKind.Object)
        {
            return body.ToArray();
        }

        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, Errors.Unescaped))
        {
            json.WriteStartObject();
            foreach (var property in document.RootElement.EnumerateObject())
            {
                if (Made(property, made) is { } location)
                {
                    json.WriteString(property.Name.Contains('@', StringComparison.Ordinal) ? property.Name : property.Name + "@odata.bind", location);
                }
                else
                {
                    property.WriteTo(json);
                }
            }

            json.WriteEndObject();
        }

        return stream.ToArray();
    }

    // "company@odata.bind": "$1", or as clients of 4.01 write it, "company": {"@id": "$1"}.
    private static string? Made(JsonProperty property, IReadOnlyDictionary<string, string> made)
    {
        var value = property.Value;
        if (value.ValueKind == JsonValueKind.Object && (value.TryGetProperty("@id", out var link) || value.TryGetProperty("@odata.id", out link)))
        {
            value = link;
        }
        else if (!property.Name.EndsWith("@odata.bind", StringComparison.Ordinal) && !property.Name.EndsWith("@bind", StringComparison.Ordinal))
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.String && value.GetString() is ['$', .. var id] ? made.GetValueOrDefault(id) : null;
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
        if (item.Headers.TryGetValue("Content-Type", out var type) && !RecordBody.IsJson(type))
        {
            throw RecordBody.NoJson();
        }

        using var document = RecordBody.Parse(item.Body is { } json ? WithReferences(json, made) : "null"u8.ToArray());
        return RecordBody.Read(document.RootElement, set, isUpdate);
    }

    private static BatchAnswer Done(HttpContext context, BatchItem item, ODataSet set, ChangeKind kind, Record record)
    {
        IHeaderDictionary headers = new HeaderDictionary();
        var url = Urls.Record(context.Request, set, record.Id);
        if (kind == ChangeKind.Delete)
        {
            return new BatchAnswer(item, StatusCodes.Status204NoContent, headers, default);
        }

        headers.ETag = Urls.Tag(record.Version);
        if (kind == ChangeKind.Create)
        {
            headers.Location = url;
        }

        if (item.Headers.GetValueOrDefault("Prefer")?.Contains("return=minimal", StringComparison.OrdinalIgnoreCase) == true)
        {
            headers["OData-EntityId"] = url;
            return new BatchAnswer(item, StatusCodes.Status204NoContent, headers, default);
        }

        headers.ContentType = ODataResponse.ContentType;
        var status = kind == ChangeKind.Create ? StatusCodes.Status201Created : StatusCodes.Status200OK;
        return new BatchAnswer(item, status, headers, ODataResponse.Record(context.Request, set.All, set.Entity.SetName, record));
    }

    private static BatchAnswer Refused(BatchItem item, ApiError error)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, Errors.Unescaped))
        {
            Errors.Write(json, error);
        }

        return new BatchAnswer(item, error.Status, new HeaderDictionary { ["Content-Type"] = "application/json" }, stream.ToArray());
    }

    private static BatchAnswer Dropped(BatchItem item, BatchItem culprit) =>
        Refused(item, new ApiError(StatusCodes.Status424FailedDependency, ErrorCodes.Batch, $"Not saved, because request '{culprit.Id}' of the same group was refused."));
}
