using System.Collections.Immutable;
using Microsoft.AspNetCore.Builder;

namespace Crm.Sdk.Testing;

/// <summary>How a <see cref="TestCrm"/> differs from one started by hand.</summary>
public sealed record TestCrmOptions
{
    /// <summary>Where its modules are; null for those built from this repository.</summary>
    public string? ModulesDirectory { get; init; }

    /// <summary>Start on a database with nothing in it, as on a first start, instead of a copy of one that was started before.</summary>
    public bool EmptyDatabase { get; init; }

    /// <summary>More settings, for example <c>Crm:Proxies</c>.</summary>
    public ImmutableDictionary<string, string> Settings { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>Last word on the host's services.</summary>
    public Action<WebApplicationBuilder>? Configure { get; init; }
}
