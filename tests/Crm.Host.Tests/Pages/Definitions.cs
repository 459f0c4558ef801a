using System.Collections.Frozen;
using Crm.Sdk;

namespace Crm.Host.Tests.Pages;

/// <summary>Definitions for tests of what pages make of them, without a database.</summary>
internal static class Definitions
{
    public static FieldDefinition Field(string name, FieldType type, string? target = null) => new() { Name = name, Type = type, Origin = Origins.Custom, Label = name, Target = target };

    public static EntityDefinition Entity(string name, params FieldDefinition[] fields) =>
        new() { Name = name, Origin = Origins.Custom, Label = name, PluralLabel = name + "s", SetName = name + "s", TitleFields = ["name"], Fields = [.. fields] };

    public static MetadataSnapshot Snapshot(params EntityDefinition[] entities) => new(1, entities.ToFrozenDictionary(e => e.Name), []);
}
