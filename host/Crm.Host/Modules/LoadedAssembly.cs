using System.Reflection;
using System.Text.RegularExpressions;
using Crm.Sdk;

namespace Crm.Host.Modules;

/// <summary>A module that was read into memory but not started.</summary>
/// <param name="Folder">Where it came from.</param>
/// <param name="Context">Keeps its assemblies.</param>
/// <param name="Module">Its entry point.</param>
internal sealed partial record LoadedAssembly(ModuleFolder Folder, ModuleLoadContext Context, IModule Module)
{
    public ModuleInfo Info { get; } = Module.Info;

    public string Version { get; } = VersionOf(Module.GetType().Assembly);

    /// <summary>Loads the assembly of a folder and makes its module.</summary>
    /// <exception cref="ModuleFailedException">The folder holds no module that can be used.</exception>
    public static LoadedAssembly Load(ModuleFolder folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        var context = new ModuleLoadContext(folder.Id, MainAssembly(folder));
        try
        {
            var loaded = new LoadedAssembly(folder, context, Create(context));
            Check(loaded);
            return loaded;
        }
        catch (Exception problem) when (problem is not ModuleFailedException)
        {
            context.Unload();
            throw new ModuleFailedException(ModuleTexts.Of("LoadFailed"), problem);
        }
        catch (ModuleFailedException)
        {
            context.Unload();
            throw;
        }
    }

    // The compiler writes one .deps.json, beside the assembly that is the module; what else lies there are its libraries.
    private static string MainAssembly(ModuleFolder folder)
    {
        const string Dependencies = ".deps.json";
        var described = Directory.GetFiles(folder.Path, "*" + Dependencies)
            .Select(file => file[..^Dependencies.Length] + ".dll")
            .Where(File.Exists)
            .ToArray();
        var candidates = described.Length > 0 ? described : Directory.GetFiles(folder.Path, "*.dll");
        return candidates.Length == 1
            ? Path.GetFullPath(candidates[0])
            : throw new ModuleFailedException(ModuleTexts.Of("OneAssembly", candidates.Length));
    }

    private static IModule Create(ModuleLoadContext context)
    {
        var types = context.LoadMain().GetTypes().Where(t => t is { IsClass: true, IsAbstract: false } && typeof(IModule).IsAssignableFrom(t)).ToArray();
        if (types.Length != 1)
        {
            throw new ModuleFailedException(ModuleTexts.Of("OneModule", types.Length));
        }

        try
        {
            return (IModule)Activator.CreateInstance(types[0])!;
        }
        catch (TargetInvocationException problem) when (problem.InnerException is { } inner)
        {
            throw new ModuleFailedException(ModuleTexts.Of("ConstructorFailed"), inner);
        }
    }

    private static void Check(LoadedAssembly loaded)
    {
        if (string.IsNullOrWhiteSpace(loaded.Info?.Name))
        {
            throw new ModuleFailedException(ModuleTexts.Of("NoInfo"));
        }

        if (loaded.Info.Id != loaded.Folder.Id)
        {
            throw new ModuleFailedException(ModuleTexts.Of("WrongFolder", loaded.Info.Id, loaded.Folder.Id));
        }

        if (!IdPattern().IsMatch(loaded.Info.Id) || loaded.Info.Id is Origins.Platform or Origins.Custom)
        {
            throw new ModuleFailedException(ModuleTexts.Of("WrongId", loaded.Info.Id));
        }
    }

    private static string VersionOf(Assembly assembly)
    {
        var version = assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? assembly.GetName().Version?.ToString() ?? "0";
        // What follows the plus sign is the commit it was built from.
        return version.Split('+')[0];
    }

    [GeneratedRegex("^[a-z][a-z0-9-]{0,39}$", RegexOptions.None, 1000)]
    private static partial Regex IdPattern();
}

/// <summary>Why a module does not run, in words for administrators.</summary>
internal sealed class ModuleFailedException : Exception
{
    public ModuleFailedException(string message)
        : base(message)
    {
    }

    public ModuleFailedException(string step, Exception problem)
        : base($"{step}: {FirstLine(problem)}", problem)
    {
    }

    private static string FirstLine(Exception problem)
    {
        if (problem is ReflectionTypeLoadException { LoaderExceptions: [{ } first, ..] })
        {
            return FirstLine(first);
        }

        var line = problem.Message.Split('\n')[0].Trim();
        return line.Length <= 300 ? line : line[..300] + " …";
    }
}
