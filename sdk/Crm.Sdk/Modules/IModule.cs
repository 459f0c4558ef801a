using System.Collections.Immutable;
using Microsoft.Extensions.DependencyInjection;

namespace Crm.Sdk;

/// <summary>The single entry point of a module assembly.</summary>
public interface IModule
{
    /// <summary>Who the module is; read before <see cref="Configure"/>.</summary>
    ModuleInfo Info { get; }

    /// <summary>Declares shape on <see cref="IModuleBuilder.Metadata"/> and behaviour on <see cref="IModuleBuilder.Services"/>. No I/O here.</summary>
    /// <param name="builder">Scratch builders; what they hold is merged only when this method returns.</param>
    void Configure(IModuleBuilder builder);
}

/// <summary>A module's identity. The id is also the name of the folder the module is loaded from.</summary>
/// <param name="Id">Lower-case letters, digits and hyphens; unique in an installation.</param>
/// <param name="Name">Shown to administrators.</param>
/// <param name="DependsOn">Ids of modules configured before this one.</param>
public sealed record ModuleInfo(string Id, string Name, params ImmutableArray<string> DependsOn);

/// <summary>Everything a module can reach while it is configured.</summary>
public interface IModuleBuilder
{
    /// <summary>Behaviour: what runs.</summary>
    IServiceCollection Services { get; }

    /// <summary>Shape: what is described.</summary>
    IMetadataBuilder Metadata { get; }
}
