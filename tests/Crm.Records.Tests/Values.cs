using Crm.Sdk;
using Record = Crm.Sdk.Record;

namespace Crm.Records.Tests;

/// <summary>Short ways to say what a test wants.</summary>
internal static class Values
{
    public static Dictionary<string, object?> Of(params (string Name, object? Value)[] values) => new(values.Reverse().DistinctBy(v => v.Name).Select(v => KeyValuePair.Create(v.Name, v.Value)));

    public static RecordChange Deal(params (string Name, object? Value)[] values) => RecordChange.Create("deal", Of([("title", "A deal"), .. values]));

    public static RecordChange Company(string name, params (string Name, object? Value)[] values) => RecordChange.Create("company", Of([("name", name), .. values]));

    public static RecordChange Update(Record record, params (string Name, object? Value)[] values) => RecordChange.Update(record.Entity, record.Id, Of(values), record.Version);

    public static async Task<Record> SavedAsync(this IRecordService records, RecordChange change)
    {
        var result = await records.SaveAsync(change);
        Assert.Empty(result.Errors);
        return result.Record!;
    }

    public static async Task<ValidationError[]> RefusedAsync(this IRecordService records, RecordChange change)
    {
        var result = await records.SaveAsync(change);
        Assert.False(result.Succeeded);
        Assert.Null(result.Record);
        return [.. result.Errors];
    }

    public static async Task<ValidationError> RefusedOnceAsync(this IRecordService records, RecordChange change) => Assert.Single(await records.RefusedAsync(change));
}
