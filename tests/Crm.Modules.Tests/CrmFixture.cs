using Crm.Sdk;
using Crm.Sdk.Testing;
using Record = Crm.Sdk.Record;

namespace Crm.Modules.Tests;

/// <summary>One CRM with the shipped modules for all tests of a class.</summary>
public sealed class CrmFixture : IAsyncLifetime
{
    public TestCrm Crm { get; private set; } = null!;

    public IRecordService Records => Crm.Records;

    public async Task InitializeAsync() => Crm = await TestCrm.StartAsync();

    public async Task DisposeAsync() => await Crm.DisposeAsync();

    /// <summary>Creates a record that must be accepted.</summary>
    public async Task<Record> CreateAsync(string entity, params (string Field, object? Value)[] values) =>
        Accepted(await Records.SaveAsync(RecordChange.Create(entity, values.ToDictionary(v => v.Field, v => v.Value))));

    /// <summary>Changes a record; the change must be accepted.</summary>
    public async Task<Record> UpdateAsync(Record record, params (string Field, object? Value)[] values) =>
        Accepted(await Records.SaveAsync(RecordChange.Update(record.Entity, record.Id, values.ToDictionary(v => v.Field, v => v.Value))));

    private static Record Accepted(SaveResult result)
    {
        Assert.Empty(result.Errors);
        return result.Record!;
    }
}
