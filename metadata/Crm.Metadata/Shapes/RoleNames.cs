using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>The roles there are: the choices of the users' field, so that a role is made, called otherwise and merged as any choice is.</summary>
public static class RoleNames
{
    /// <summary>Field of the user that holds the roles.</summary>
    public const string Field = "roles";

    private static readonly ConditionalWeakTable<MetadataSnapshot, FrozenDictionary<string, string>> Known = [];

    /// <summary>Labels by name, without the role everybody has.</summary>
    public static FrozenDictionary<string, string> Of(MetadataSnapshot snapshot) => Known.GetValue(snapshot, static s =>
        s.TryEntity(PlatformShape.User, out var user) && user.TryField(Field, out var roles)
            ? roles.Choices.ToFrozenDictionary(c => c.Name, c => c.Label, StringComparer.Ordinal)
            : FrozenDictionary<string, string>.Empty);

    /// <summary>What a role is called.</summary>
    public static string Label(MetadataSnapshot snapshot, string role) =>
        role == GrantDefinition.Everyone ? MetadataTexts.Of("Everyone") : Of(snapshot).GetValueOrDefault(role) ?? Names.ToLabel(role);

    /// <summary>With a choice for every role that a module grants something and nobody has named yet.</summary>
    internal static FieldDefinition WithGranted(FieldDefinition roles, IEnumerable<string> granted)
    {
        ImmutableArray<ChoiceDefinition> missing =
            [.. granted.Where(g => g != GrantDefinition.Everyone && roles.Choices.All(c => c.Name != g)).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).Select(g => new ChoiceDefinition(g, Names.ToLabel(g)))];
        return missing.IsEmpty ? roles : roles with { Choices = [.. roles.Choices, .. missing] };
    }
}
