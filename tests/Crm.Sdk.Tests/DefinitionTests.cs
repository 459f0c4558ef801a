using System.Collections.Frozen;
using System.Collections.Immutable;

namespace Crm.Sdk.Tests;

public sealed class DefinitionTests
{
    [Fact]
    public void A_changed_copy_of_an_entity_answers_from_its_own_fields()
    {
        var entity = Entity(Field("name", Sdk.Fields.Text));
        Assert.True(entity.TryField("name", out _));
        Assert.True(entity.TryProperty("name", out _));

        var copy = entity with { Fields = [Field("budget", Sdk.Fields.Money)] };

        Assert.False(copy.TryField("name", out _));
        Assert.True(copy.TryProperty("budget_currency", out var property));
        Assert.Equal("budget", property.Field.Name);
    }

    [Fact]
    public void A_changed_copy_of_a_snapshot_answers_from_its_own_entities()
    {
        var snapshot = new MetadataSnapshot(1, FrozenDictionary<string, EntityDefinition>.Empty, []);
        Assert.False(snapshot.TrySet("things", out _));
        var copy = snapshot with { Entities = new Dictionary<string, EntityDefinition> { ["thing"] = Entity() }.ToFrozenDictionary() };
        Assert.True(copy.TrySet("things", out _));
    }

    [Fact]
    public void Moves_are_free_until_one_is_named()
    {
        ImmutableArray<StageDefinition> stages = [new("a", "A", StageKind.Open, 0), new("b", "B", StageKind.Won, 100)];
        Assert.True(new StagesDefinition(stages, []).Allows("b", "a"));

        var guarded = new StagesDefinition(stages, [new("a", "b")]);
        Assert.True(guarded.Allows("a", "b"));
        Assert.True(guarded.Allows("b", "b"));
        Assert.False(guarded.Allows("b", "a"));
    }

    private static EntityDefinition Entity(params ImmutableArray<FieldDefinition> fields) => new()
    {
        Name = "thing",
        Origin = Origins.Custom,
        Label = "Thing",
        PluralLabel = "Things",
        SetName = "things",
        Fields = fields,
    };

    private static FieldDefinition Field(string name, FieldType type) => new() { Name = name, Type = type, Origin = Origins.Custom, Label = name };
}
