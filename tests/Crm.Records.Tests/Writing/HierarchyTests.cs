using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Records.Tests.Writing;

public sealed class HierarchyTests(HierarchyTests.Units engine) : IClassFixture<HierarchyTests.Units>
{
    private RecordService Records => engine.Records;

    [Fact]
    public async Task A_record_may_stand_below_another_and_be_moved()
    {
        var top = await Records.SavedAsync(Unit("Summit"));
        var middle = await Records.SavedAsync(Unit("Middle", top.Id));
        var leaf = await Records.SavedAsync(Unit("Leaf", middle.Id));
        leaf = await Records.SavedAsync(Values.Update(leaf, ("above", top.Id)));
        await Records.SavedAsync(Values.Update(middle, ("above_id", leaf.Id)));

        var found = await Records.QueryAsync(new RecordQuery { Entity = "x_unit", Select = ["name"], Filter = Filter.Equal("above.above.name", "Summit") });
        Assert.Equal("Middle", Assert.Single(found.Records)["name"]);
    }

    [Fact]
    public async Task A_record_cannot_stand_above_itself_at_any_distance()
    {
        var top = await Records.SavedAsync(Unit("Top"));
        var below = top;
        for (var i = 0; i < 20; i++)
        {
            below = await Records.SavedAsync(Unit($"Level {i}", below.Id));
        }

        Refused(await Records.SaveAsync(Values.Update(top, ("above", top.Id))));
        Refused(await Records.SaveAsync(Values.Update(top, ("above", below.Id))));
        var id = Guid.CreateVersion7();
        Refused(await Records.SaveAsync(new RecordChange(ChangeKind.Create, "x_unit", id, new Dictionary<string, object?> { ["name"] = "Own", ["above"] = id })));
        Assert.Null((await Records.FindAsync("x_unit", top.Id))!["above"]);
    }

    [Fact]
    public async Task A_batch_is_looked_at_as_it_will_be_once_written()
    {
        var (a, b) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        var circle = await Records.SaveManyAsync([Unit("A", b, a), Unit("B", a, b)], new SaveOptions());
        Assert.All(circle, Refused);

        // Turned upside down at once: each step alone would close a circle.
        var top = await Records.SavedAsync(Unit("Top"));
        var low = await Records.SavedAsync(Unit("Low", top.Id));
        var turned = await Records.SaveManyAsync([Values.Update(top, ("above", low.Id)), Values.Update(low, ("above", null))], new SaveOptions());
        Assert.All(turned, r => Assert.True(r.Succeeded, string.Join(' ', r.Errors.Select(e => e.Message))));
    }

    [Fact]
    public async Task Writers_at_the_same_time_cannot_close_a_circle_together()
    {
        for (var round = 0; round < 10; round++)
        {
            var units = new List<Sdk.Record>();
            for (var i = 0; i < 5; i++)
            {
                units.Add(await Records.SavedAsync(Unit($"Round {round} unit {i}")));
            }

            // Each is moved below the next: all five together are a circle, any four are not.
            var results = await Task.WhenAll(units.Select((unit, i) => Records.SaveAsync(Values.Update(unit, ("above", units[(i + 1) % units.Count].Id)))));
            Assert.Equal(4, results.Count(r => r.Succeeded));
            Refused(Assert.Single(results, r => !r.Succeeded));
        }
    }

    private static void Refused(SaveResult result)
    {
        var error = Assert.Single(result.Errors);
        Assert.Equal(ErrorCodes.Cycle, error.Code);
        Assert.Equal("above", error.Field);
    }

    private static RecordChange Unit(string name, Guid? above = null, Guid? id = null) =>
        new(ChangeKind.Create, "x_unit", id ?? Guid.CreateVersion7(), ImmutableDictionary<string, object?>.Empty.Add("name", name).Add("above", above));

    public sealed class Units : IAsyncLifetime
    {
        private readonly Engine engine = new();

        public RecordService Records => engine.Records;

        public async Task InitializeAsync()
        {
            await engine.InitializeAsync();
            await engine.ChangeAsync("""
                [{"change":"create_entity","name":"x_unit","label":"Unit","plural":"Units","set":"x_units","fields":[
                  {"name":"name","type":"text","label":"Name","required":true},{"name":"above","type":"hierarchy","label":"Above"},{"name":"team","type":"team","label":"Team"}]}]
                """);
        }

        public Task DisposeAsync() => engine.DisposeAsync();
    }
}
