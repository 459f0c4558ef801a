using Crm.Sdk;

namespace Crm.Host.Api.OData;

/// <summary>Creating, changing and deleting single records.</summary>
internal static class RecordWrites
{
    public static async Task CreateAsync(HttpContext context, ODataModel model, ODataSet set)
    {
        _ = QueryOptions.Read(context.Request, model, set);
        var body = await RecordBody.ReadAsync(context.Request, set, isUpdate: false);
        var record = await SaveAsync(context, Create(set, body, context.Request.Headers[DuplicatesHeader].ToString()), conditional: false);
        var url = Urls.Record(context.Request, set, record.Id);
        context.Response.Headers.Location = url;
        await AnswerAsync(context, set, record, StatusCodes.Status201Created);
    }

    public static async Task UpdateAsync(HttpContext context, ODataModel model, ODataSet set, Guid id)
    {
        _ = QueryOptions.Read(context.Request, model, set);
        var tags = Preferences.Tags(context.Request.Headers.IfMatch);
        var body = await RecordBody.ReadAsync(context.Request, set, isUpdate: true);
        var record = await SaveAsync(context, Update(set, id, body, tags), tags is not null);
        await AnswerAsync(context, set, record, StatusCodes.Status200OK);
    }

    public static async Task DeleteAsync(HttpContext context, ODataModel model, ODataSet set, Guid id)
    {
        _ = QueryOptions.Read(context.Request, model, set);
        var tags = Preferences.Tags(context.Request.Headers.IfMatch);
        await SaveAsync(context, RecordChange.Delete(set.Entity.Name, id, tags?.Expected), tags is not null);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    /// <summary>Header by which a caller says that new records may be like some that are there.</summary>
    public const string DuplicatesHeader = "CRM-Duplicates";

    public static RecordChange Create(ODataSet set, RecordBody body, string? duplicates) => new(ChangeKind.Create, set.Entity.Name, body.Id ?? RecordIds.Next(), body.Values)
    {
        AsksAboutDuplicates = duplicates switch
        {
            null or "" or "ask" => true,
            "accept" => false,
            _ => throw new ApiException(ApiError.BadRequest($"'{DuplicatesHeader}' is ask or accept.", DuplicatesHeader)),
        },
    };

    public static RecordChange Update(ODataSet set, Guid id, RecordBody body, Tags? tags)
    {
        if (body.Id is { } given && given != id)
        {
            throw new ApiException(ApiError.BadRequest("The id of a record cannot be changed.", "id"));
        }

        // Without If-Match a version in the body says what the client saw: a whole record sent back never overwrites unseen changes.
        return RecordChange.Update(set.Entity.Name, id, body.Values, tags is null ? body.Version : tags.Expected);
    }

    private static async Task<Record> SaveAsync(HttpContext context, RecordChange change, bool conditional)
    {
        var result = await context.RequestServices.GetRequiredService<IRecordService>().SaveAsync(change, context.RequestAborted);
        return result.Succeeded ? result.Record : throw new ApiException(Errors.From(result, conditional));
    }

    private static async Task AnswerAsync(HttpContext context, ODataSet set, Record record, int status)
    {
        if (!Preferences.Minimal(context.Request))
        {
            await ODataResponse.WriteRecordAsync(context, status, set.All, set.Entity.SetName, record);
            return;
        }

        var headers = context.Response.Headers;
        headers["Preference-Applied"] = "return=minimal";
        headers["OData-EntityId"] = Urls.Record(context.Request, set, record.Id);
        headers.ETag = Urls.Tag(record.Version);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }
}
