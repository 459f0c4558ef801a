using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using Crm.Host.Modules;
using Crm.Sdk;

namespace Crm.Host.Tests.Modules;

public sealed class LoadedAssemblyTests
{
    [Fact]
    public void A_module_is_loaded_into_a_context_of_its_own()
    {
        var loaded = LoadedAssembly.Load(Fixtures.Folder("good"));

        Assert.Equal("good", loaded.Info.Id);
        Assert.Equal("0.1.0", loaded.Version);
        Assert.Same(loaded.Context, AssemblyLoadContext.GetLoadContext(loaded.Module.GetType().Assembly));
        loaded.Context.Unload();
    }

    [Fact]
    public void A_module_that_carries_its_own_sdk_gets_the_hosts()
    {
        Assert.True(File.Exists(Path.Combine(Fixtures.Directory, "carriesownsdk", "Crm.Sdk.dll")));

        var loaded = LoadedAssembly.Load(Fixtures.Folder("carriesownsdk"));

        Assert.DoesNotContain(loaded.Context.Assemblies, a => a.GetName().Name == "Crm.Sdk");
        Assert.Same(typeof(IModule), loaded.Module.GetType().GetInterfaces().Single());
        loaded.Context.Unload();
    }

    [Fact]
    public void The_files_of_a_loaded_module_can_be_replaced_and_removed()
    {
        var copy = Fixtures.Copy("good");
        var folder = new ModuleFolder("good", Path.Combine(copy.FullName, "good"), "");
        var loaded = LoadedAssembly.Load(folder);

        foreach (var file in Directory.GetFiles(folder.Path))
        {
            using (File.Open(file, FileMode.Open, FileAccess.ReadWrite, FileShare.None))
            {
                // Opening it for oneself alone is what a lock would refuse.
            }
        }

        copy.Delete(recursive: true);
        Assert.NotNull(loaded.Module.Info);
        loaded.Context.Unload();
    }

    [Fact]
    public void A_module_that_was_let_go_leaves_memory()
    {
        var context = LoadAndUnload();

        for (var attempt = 0; attempt < 20 && context.IsAlive; attempt++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.False(context.IsAlive);
    }

    [Fact]
    public void A_failing_constructor_is_named_with_its_message()
    {
        var problem = Assert.Throws<ModuleFailedException>(() => LoadedAssembly.Load(Fixtures.Folder("ctorthrows")));
        Assert.Equal("Its constructor failed: No licence was found.", problem.Message);
    }

    [Fact]
    public void The_id_must_be_the_name_of_the_folder()
    {
        var copy = Fixtures.Copy("good");
        var other = Path.Combine(copy.FullName, "other");
        Directory.Move(Path.Combine(copy.FullName, "good"), other);

        var problem = Assert.Throws<ModuleFailedException>(() => LoadedAssembly.Load(new ModuleFolder("other", other, "")));
        Assert.Equal("Its id is 'good', but its folder is called 'other'.", problem.Message);
        copy.Delete(recursive: true);
    }

    [Fact]
    public void A_file_that_is_no_assembly_is_refused_with_a_reason()
    {
        var folder = Directory.CreateTempSubdirectory("crm-test-modules-");
        File.WriteAllText(Path.Combine(folder.FullName, "Broken.dll"), "This is no assembly.");

        var problem = Assert.Throws<ModuleFailedException>(() => LoadedAssembly.Load(new ModuleFolder("broken", folder.FullName, "")));
        Assert.StartsWith("It could not be loaded: ", problem.Message, StringComparison.Ordinal);
        folder.Delete(recursive: true);
    }

    [Fact]
    public void An_assembly_without_a_module_is_refused_with_a_reason()
    {
        var folder = Directory.CreateTempSubdirectory("crm-test-modules-");
        File.Copy(typeof(IModule).Assembly.Location, Path.Combine(folder.FullName, "Other.dll"));

        var problem = Assert.Throws<ModuleFailedException>(() => LoadedAssembly.Load(new ModuleFolder("other", folder.FullName, "")));
        Assert.StartsWith("Its assembly must have one class that implements IModule", problem.Message, StringComparison.Ordinal);
        folder.Delete(recursive: true);
    }

    // In a method of its own, so that no local of the test keeps what it made.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference LoadAndUnload()
    {
        var loaded = LoadedAssembly.Load(Fixtures.Folder("good"));
        loaded.Context.Unload();
        return new WeakReference(loaded.Context);
    }
}
