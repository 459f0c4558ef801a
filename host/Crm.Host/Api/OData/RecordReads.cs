using System.Globalization;
using Crm.Sdk;

namespace Crm.Host.Api.OData;

/// <summary>Reading records: lists, single records, counts.</summary>
internal static class RecordReads
{
    public static async Task ListAsync(HttpContext context, ODataModel model, ODataSet set)
    {
        ODataResponse.CheckFormat(context.Request);
        if (context.Request.Query.ContainsKey("$apply") || context.Request.Query.ContainsKey("apply"))
        {
            await Aggregation.HandleAsync(context, model, set);
            return;
        }

        await WriteAsync(context, ListRequest.Read(context.Request, model, set, Services(context).Time));
    }

    /// <summary>What a record leads to: the record of a lookup, or a page of those that belong to it.</summary>
    public static async Task RelatedAsync(HttpContext context, ODataModel model, ODataSet set, Guid id, string name)
    {
        ODataResponse.CheckFormat(context.Request);
        var lookup = set.Navigations.GetValueOrDefault(name);
        var navigation = CollectionNavigation.Of(set, name);
        if (lookup is null && navigation is null)
        {
            throw new ApiException(ApiError.NotFound($"{set.Entity.SetName} have no navigation property '{name}'.", name));
        }

        var target = lookup is null ? "id" : lookup.Field.Name + ".id";
        var record = (await Services(context).Records.QueryAsync(new RecordQuery { Entity = set.Entity.Name, Select = [target], Filter = Filter.Equal("id", id), Top = 1 }, context.RequestAborted)).Records.FirstOrDefault()
            ?? throw Missing(set, id);
        if (navigation is not null)
        {
            await WriteAsync(context, ListRequest.Read(context.Request, model, navigation, id, Services(context).Time));
        }
        else if (record[target] is Guid found)
        {
            await OneAsync(context, model, lookup!.Target, found);
        }
        else
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
        }
    }

    public static async Task CountAsync(HttpContext context, ODataModel model, ODataSet set)
    {
        var options = QueryOptions.Read(context.Request, model, set, "$filter", "$search");
        var query = ListRequest.Count(set, options, Services(context).Time);
        var page = await Services(context).Records.QueryAsync(query, context.RequestAborted);
        context.Response.ContentType = "text/plain;charset=utf-8";
        await context.Response.WriteAsync(page.Count.GetValueOrDefault().ToString(CultureInfo.InvariantCulture), context.RequestAborted);
    }

    public static async Task OneAsync(HttpContext context, ODataModel model, ODataSet set, Guid id)
    {
        var (projection, fragment) = (set.All, set.Entity.SetName);
        Record? record;
        if (context.Request.QueryString.HasValue)
        {
            ODataResponse.CheckFormat(context.Request);
            var options = QueryOptions.Read(context.Request, model, set, "$select", "$expand", "$format");
            (projection, var select, fragment) = ListRequest.Shape(set, options, Services(context).Time);
            var query = new RecordQuery { Entity = set.Entity.Name, Select = select, Filter = Filter.Equal("id", id), Top = 1 };
            record = (await Services(context).Records.QueryAsync(query, context.RequestAborted)).Records.FirstOrDefault();
        }
        else
        {
            record = await Services(context).Records.FindAsync(set.Entity.Name, id, context.RequestAborted);
        }

        if (record is null)
        {
            throw Missing(set, id);
        }

        if (Preferences.Tags(context.Request.Headers.IfNoneMatch)?.Match(record.Version) == true)
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            context.Response.Headers.ETag = Urls.Tag(record.Version);
            return;
        }

        projection = await CollectionExpansion.LoadAsync(projection, Services(context).Records, [record], Urls.Root(context.Request), context.RequestAborted);
        await ODataResponse.WriteRecordAsync(context, StatusCodes.Status200OK, projection, fragment, record);
    }

    private static async Task WriteAsync(HttpContext context, ListRequest list)
    {
        var page = await Services(context).Records.QueryAsync(list.Query, context.RequestAborted);
        list.Projection = await CollectionExpansion.LoadAsync(list.Projection, Services(context).Records, page.Records, Urls.Root(context.Request), context.RequestAborted);
        if (list.Query is { Count: true, Estimate: true })
        {
            context.Response.Headers["Preference-Applied"] = "crm.count=estimate";
        }

        await ODataResponse.WritePageAsync(context, list, page);
    }

    private static ApiException Missing(ODataSet set, Guid id) => new(ApiError.NotFound($"There is no {set.Entity.Name} with the id {id}.", "id"));

    private static (IRecordService Records, TimeProvider Time) Services(HttpContext context) =>
        (context.RequestServices.GetRequiredService<IRecordService>(), context.RequestServices.GetRequiredService<TimeProvider>());
}
