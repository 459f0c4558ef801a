using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>The fields every entity has, at the end of its fields.</summary>
internal static class SystemFields
{
    public static ImmutableArray<FieldDefinition> All { get; } =
    [
        Make("id", Fields.Key, isReadOnly: true),
        Make("version", Fields.Integer, isReadOnly: true),
        Make("created_at", Fields.DateTime, isReadOnly: true),
        Make("created_by", Fields.User, isReadOnly: true),
        Make("modified_at", Fields.DateTime, isReadOnly: true),
        Make("modified_by", Fields.User, isReadOnly: true),
        Make("owner", Fields.Owner, isReadOnly: false),
        Make("is_active", Fields.YesNo, isReadOnly: false) with { Default = true },
    ];

    private static FieldDefinition Make(string name, FieldType type, bool isReadOnly) => new()
    {
        Name = name,
        Type = type,
        Origin = Origins.Platform,
        Label = MetadataTexts.Of("System_" + name),
        IsSystem = true,
        IsReadOnly = isReadOnly,
        Target = (type as ReferenceType)?.TargetOf(null!),
    };
}
