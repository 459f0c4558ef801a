using System.Collections.Immutable;
using Crm.Metadata;
using Crm.Sdk;

namespace Crm.Host.Modules;

/// <summary>Makes the next catalog from what lies in the folders, what is switched on and what already runs.</summary>
internal sealed class ModuleStarter(ModuleStates states, MetadataEditor editor, IServiceProvider host, ILogger<ModuleStarter> log)
{
    /// <summary>Builds a catalog beside the current one; modules of that one which can stay, stay.</summary>
    public async Task<ModuleCatalog> BuildAsync(ModuleCatalog current, ImmutableArray<ModuleFolder> folders, CancellationToken ct)
    {
        var known = (await states.ListAsync(ct)).ToDictionary(s => s.Id, StringComparer.Ordinal);
        var done = new OrderedDictionary<string, LoadedModule>(StringComparer.Ordinal);
        var candidates = new List<Candidate>();
        foreach (var folder in folders)
        {
            if (known.TryGetValue(folder.Id, out var state) && !state.IsEnabled)
            {
                done[folder.Id] = new LoadedModule(InfoOf(state), null, ModuleStatus.Off, null, null);
            }
            else if (current.Find(folder.Id)?.Running is { } running && running.Folder == folder)
            {
                candidates.Add(new Candidate(running.Info, null, running));
            }
            else if (Load(folder, state, done) is { } loaded)
            {
                candidates.Add(new Candidate(loaded.Info, loaded, null));
                await states.SeenAsync(loaded.Info, ct);
            }
        }

        foreach (var state in known.Values.Where(s => !done.ContainsKey(s.Id) && candidates.TrueForAll(c => c.Info.Id != s.Id)))
        {
            done[state.Id] = state.IsEnabled
                ? new LoadedModule(InfoOf(state), null, ModuleStatus.Failed, ModuleTexts.Of("Missing"), null)
                : new LoadedModule(InfoOf(state), null, ModuleStatus.Off, null, null);
        }

        await StartAllAsync(candidates, current, done, ct);
        return new ModuleCatalog([.. done.Values]);
    }

    private LoadedAssembly? Load(ModuleFolder folder, ModuleState? state, OrderedDictionary<string, LoadedModule> done)
    {
        try
        {
            return LoadedAssembly.Load(folder);
        }
        catch (ModuleFailedException problem)
        {
            done[folder.Id] = Failed(state is null ? new ModuleInfo(folder.Id, folder.Id) : InfoOf(state), null, problem);
            return null;
        }
    }

    private async Task StartAllAsync(List<Candidate> waiting, ModuleCatalog current, OrderedDictionary<string, LoadedModule> done, CancellationToken ct)
    {
        while (waiting.Count > 0)
        {
            var next = waiting.Find(c => c.Needs.All(done.ContainsKey) || c.Needs.Any(n => IsMissing(n, waiting, done)));
            if (next is null)
            {
                // Every one left waits for another one that is left.
                var circle = string.Join(", ", waiting.Select(c => c.Info.Id));
                waiting.ForEach(c => done[c.Info.Id] = Blocked(c, ModuleTexts.Of("Circle", circle)));
                return;
            }

            waiting.Remove(next);
            done[next.Info.Id] = WhyBlocked(next, done) is { } reason ? Blocked(next, reason) : await StartAsync(next, current, ct);
        }
    }

    private static bool IsMissing(string id, List<Candidate> waiting, OrderedDictionary<string, LoadedModule> done) =>
        !done.ContainsKey(id) && waiting.TrueForAll(c => c.Info.Id != id);

    private static string? WhyBlocked(Candidate candidate, OrderedDictionary<string, LoadedModule> done)
    {
        foreach (var id in candidate.Needs)
        {
            if (!done.TryGetValue(id, out var needed))
            {
                return ModuleTexts.Of("NeedsNotInstalled", id);
            }

            if (needed.Status != ModuleStatus.Running)
            {
                return ModuleTexts.Of("Needs" + needed.Status, id);
            }
        }

        return null;
    }

    // What runs already is retired by whoever swaps the catalogs; what was only loaded goes at once.
    private static LoadedModule Blocked(Candidate candidate, string reason)
    {
        candidate.Loaded?.Context.Unload();
        return new LoadedModule(candidate.Info, candidate.Version, ModuleStatus.Blocked, reason, null);
    }

    private async Task<LoadedModule> StartAsync(Candidate candidate, ModuleCatalog current, CancellationToken ct)
    {
        if (candidate.Running is { } running)
        {
            return new LoadedModule(running.Info, running.Version, ModuleStatus.Running, null, running);
        }

        var loaded = candidate.Loaded!;
        RunningModule? started = null;
        try
        {
            var builder = new ModuleBuilder(new MetadataBuilder(loaded.Info.Id));
            Try(ModuleTexts.Of("ConfigureFailed"), () => loaded.Module.Configure(builder));
            var services = Try(ModuleTexts.Of("ServicesFailed"), () => ModuleServices.Build(builder.Services, host));
            started = new RunningModule(loaded, services);
            Try(ModuleTexts.Of("EndpointsFailed"), started.MapEndpoints);
            var declared = await DeclareAsync(loaded.Info, builder.Shape, loaded.Version, ct);
            if (declared.Step is not null)
            {
                await started.RetireAsync();
                return Preparing(loaded, current.Find(loaded.Info.Id)?.Running, declared);
            }

            log.LogInformation("Module {Module} {Version} runs", loaded.Info.Id, loaded.Version);
            return new LoadedModule(loaded.Info, loaded.Version, ModuleStatus.Running, null, started);
        }
        catch (ModuleFailedException problem)
        {
            await (started?.RetireAsync() ?? UnloadAsync(loaded));
            return Failed(loaded.Info, loaded.Version, problem);
        }
    }

    /// <summary>A version whose table is not ready: the one before goes on where it still runs.</summary>
    private LoadedModule Preparing(LoadedAssembly loaded, RunningModule? former, ApplyResult declared)
    {
        var problem = declared.Succeeded ? null : string.Join(" ", declared.Errors.Select(e => e.Message));
        log.LogInformation("Module {Module} {Version} waits for its records: {Problem}", loaded.Info.Id, loaded.Version, problem);
        return former is not null
            ? new LoadedModule(former.Info, former.Version, ModuleStatus.Running, problem is null ? ModuleTexts.Of("VersionWaits", loaded.Version) : ModuleTexts.Of("VersionStaysOut", loaded.Version, problem), former) { IsPreparing = true }
            : new LoadedModule(loaded.Info, loaded.Version, problem is null ? ModuleStatus.Waiting : ModuleStatus.Failed, problem ?? ModuleTexts.Of("WaitsForRecords"), null) { IsPreparing = true };
    }

    private static Task UnloadAsync(LoadedAssembly loaded)
    {
        loaded.Context.Unload();
        return Task.CompletedTask;
    }

    private static void Try(string failure, Action step) => Try(failure, () =>
    {
        step();
        return true;
    });

    // Whatever a module throws is its own failure, never the host's.
    private static T Try<T>(string failure, Func<T> step)
    {
        try
        {
            return step();
        }
        catch (Exception problem) when (problem is not ModuleFailedException)
        {
            throw new ModuleFailedException(failure, problem);
        }
    }

    private async Task<ApplyResult> DeclareAsync(ModuleInfo info, DeclaredShape shape, string version, CancellationToken ct)
    {
        ApplyResult result;
        try
        {
            result = await editor.DeclareAsync(info, shape, version, ct);
        }
        catch (Exception problem) when (problem is not OperationCanceledException)
        {
            throw new ModuleFailedException(ModuleTexts.Of("ShapeFailed"), problem);
        }

        return result.Succeeded || result.Step is not null ? result
            : throw new ModuleFailedException(ModuleTexts.Of("ShapeRefused", string.Join(" ", result.Errors.Select(e => e.Message))));
    }

    private LoadedModule Failed(ModuleInfo info, string? version, ModuleFailedException problem)
    {
        log.LogError(problem, "Module {Module} does not run", info.Id);
        return new LoadedModule(info, version, ModuleStatus.Failed, problem.Message, null);
    }

    private static ModuleInfo InfoOf(ModuleState state) => new(state.Id, state.Name, state.DependsOn);

    /// <summary>A module that is switched on and could be loaded: fresh, or running already.</summary>
    private sealed record Candidate(ModuleInfo Info, LoadedAssembly? Loaded, RunningModule? Running)
    {
        public string? Version => Loaded?.Version ?? Running?.Version;

        public ImmutableArray<string> Needs => Info.DependsOn.IsDefault ? [] : Info.DependsOn;
    }
}

/// <summary>What a module fills while it is configured; merged only when that succeeds.</summary>
internal sealed class ModuleBuilder(MetadataBuilder metadata) : IModuleBuilder
{
    public IServiceCollection Services { get; } = new ServiceCollection();

    public IMetadataBuilder Metadata => metadata;

    public DeclaredShape Shape => metadata.Build();
}
