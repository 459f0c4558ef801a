using Crm.Sdk;

namespace Crm.Records.Tests.Writing;

/// <summary>Keys are written with the values they belong to.</summary>
public sealed class MatchKeyTests(MatchKeyTests.Phones phones) : IClassFixture<MatchKeyTests.Phones>
{
    private Engine Engine => phones.Engine;

    [Fact]
    public async Task A_key_follows_its_value_on_every_write()
    {
        var record = await SaveAsync("+49 30 901820");
        Assert.Equal("+4930901820", await KeyAsync(record.Id));
        record = await Engine.Records.SavedAsync(Values.Update(record, ("x_phone", "030 / 90 18 21")));
        Assert.Equal("030 / 90 18 21", record["x_phone"]);
        Assert.Equal("+4930901821", await KeyAsync(record.Id));
        record = await Engine.Records.SavedAsync(Values.Update(record, ("x_name", "Other")));
        Assert.Equal("+4930901821", await KeyAsync(record.Id));
        await Engine.Records.SavedAsync(Values.Update(record, ("x_phone", null)));
        Assert.Equal("", await KeyAsync(record.Id));
    }

    [Fact]
    public async Task A_unique_phone_is_refused_in_another_notation_also_within_a_batch()
    {
        await SaveAsync("+49 40 1111111");
        Assert.Equal(("x_phone", ErrorCodes.Unique), Refusal(await Engine.Records.SaveAsync(New("040 1111111"))));
        var results = await Engine.Records.SaveManyAsync([New("040 2222222"), New("+49 40 2222222"), New("040 3333333")], new SaveOptions(AllOrNothing: false));
        Assert.Equal([true, false, true], results.Select(r => r.Succeeded));
        Assert.Equal(("x_phone", ErrorCodes.Unique), Refusal(results[1]));
    }

    [Fact]
    public async Task A_record_may_keep_its_unique_phone_in_another_notation()
    {
        var record = await SaveAsync("+49 50 1111111");
        Assert.Equal("050 1111111", (await Engine.Records.SavedAsync(Values.Update(record, ("x_phone", "050 1111111"))))["x_phone"]);
    }

    private static (string?, string) Refusal(SaveResult result) => (Assert.Single(result.Errors).Field, result.Errors[0].Code);

    private static RecordChange New(string phone) => RecordChange.Create("x_line", Values.Of(("x_name", "Line"), ("x_phone", phone)));

    private Task<Sdk.Record> SaveAsync(string phone) => Engine.Records.SavedAsync(New(phone));

    private Task<string> KeyAsync(Guid id) => Engine.ScalarAsync<string>($"SELECT coalesce(x_phone__k, '') FROM records.x_line WHERE id = '{id}'");

    public sealed class Phones : IAsyncLifetime
    {
        public Engine Engine { get; } = new();

        public async Task InitializeAsync()
        {
            await Engine.InitializeAsync();
            await Engine.ChangeAsync("""
                [{"change":"create_entity","name":"x_line","label":"Line","fields":[
                    {"name":"x_name","type":"text"},{"name":"x_phone","type":"phone","unique":true,"country":"DE"}]}]
                """);
        }

        public Task DisposeAsync() => Engine.DisposeAsync();
    }
}
