using System.Collections.Frozen;
using System.Reflection;
using System.Runtime.Loader;

namespace Crm.Host.Modules;

/// <summary>Keeps one module's assemblies apart from those of the others, so that they can carry different versions of the same library, and go again.</summary>
internal sealed class ModuleLoadContext(string moduleId, string mainAssembly) : AssemblyLoadContext(moduleId, isCollectible: true)
{
    // What the host came with. A module that ships its own copy of the sdk still gets the host's: its types would be strangers to the host otherwise.
    private static readonly FrozenSet<string> HostAssemblies =
        ((AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES") as string) ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Select(Path.GetFileNameWithoutExtension)
            .OfType<string>()
            .ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private readonly AssemblyDependencyResolver resolver = new(mainAssembly);

    /// <summary>Loads the module's own assembly.</summary>
    public Assembly LoadMain() => LoadFromMemory(mainAssembly);

    /// <inheritdoc/>
    protected override Assembly? Load(AssemblyName assemblyName)
    {
        var isHosts = string.IsNullOrEmpty(assemblyName.CultureName) && HostAssemblies.Contains(assemblyName.Name ?? "");
        return !isHosts && resolver.ResolveAssemblyToPath(assemblyName) is { } path ? LoadFromMemory(path) : null;
    }

    /// <inheritdoc/>
    protected override nint LoadUnmanagedDll(string unmanagedDllName) =>
        resolver.ResolveUnmanagedDllToPath(unmanagedDllName) is { } path ? LoadUnmanagedDllFromPath(path) : 0;

    // From memory, so that no file is locked while the module runs and an upgrade can overwrite it.
    private Assembly LoadFromMemory(string path)
    {
        using var code = new MemoryStream(File.ReadAllBytes(path));
        var symbolsPath = Path.ChangeExtension(path, ".pdb");
        if (!File.Exists(symbolsPath))
        {
            return LoadFromStream(code);
        }

        using var symbols = new MemoryStream(File.ReadAllBytes(symbolsPath));
        return LoadFromStream(code, symbols);
    }
}
