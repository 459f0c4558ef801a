using System.Collections.Immutable;
using Crm.Metadata;

namespace Crm.Host.Security;

/// <summary>Lets narrowed API keys mean entities by their new names.</summary>
internal sealed class KeyNames : IEntityNames
{
    public ImmutableArray<EntityNameColumn> Columns { get; } = [new("session", "scope", EntityNameKind.Scope)];
}
