using System.Collections.Frozen;
using System.Collections.Immutable;
using Crm.Metadata;
using Crm.Rules;
using Crm.Sdk;
using Crm.Sdk.Testing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Crm.Records.Tests;

/// <summary>The records engine on a database of its own, with a module "test" that declares one field of every type.</summary>
public sealed class Engine : IAsyncLifetime
{
    public const string Module = "test";

    private TestDatabase? server;
    private ServiceProvider? services;

    public static Actor Admin { get; } = new(new Guid("00000000-0000-7000-8000-0000000000aa"), "Ada", true);

    public static Actor User { get; } = new(new Guid("00000000-0000-7000-8000-0000000000bb"), "Bob", false);

    public CrmDatabase Database => services!.GetRequiredService<CrmDatabase>();

    public MetadataStore Metadata => services!.GetRequiredService<MetadataStore>();

    public ScriptWorkers Scripts => services!.GetRequiredService<ScriptWorkers>();

    public Notifications Notifications => services!.GetRequiredService<Notifications>();

    public string ConnectionString => server!.ConnectionString;

    /// <summary>Records as a user, without interceptors.</summary>
    public RecordService Records => field ??= With().As(User);

    public async Task InitializeAsync()
    {
        server = await TestDatabase.CreateAsync();
        services = new ServiceCollection().AddLogging().AddSingleton<IEntityNames, RecordNames>().AddCrmMetadata(server.ConnectionString).BuildServiceProvider();
        await PlatformScripts.RunAsync(Database, [typeof(CrmDatabase).Assembly, typeof(RecordService).Assembly]);
        await Metadata.LoadAsync();
        var shape = new MetadataBuilder(Module);
        TestShape.Declare(shape);
        var declared = await services.GetRequiredService<MetadataEditor>().DeclareAsync(new ModuleInfo(Module, "Test"), shape.Build());
        Assert.Empty(declared.Errors);
        foreach (var actor in new[] { Actor.System, Admin, User })
        {
            var user = new RecordChange(ChangeKind.Create, "user", actor.UserId, new Dictionary<string, object?> { ["name"] = actor.Name, ["user_name"] = actor.Name });
            Assert.Empty((await With().As(actor with { IsAdministrator = true }).SaveAsync(user)).Errors);
        }
    }

    public async Task DisposeAsync()
    {
        await services!.DisposeAsync();
        await server!.DisposeAsync();
    }

    public RecordEngine With(params Interceptor[] interceptors) => With(new BehaviorSource(), interceptors);

    public RecordEngine With(BehaviorSource source, params Interceptor[] interceptors)
    {
        source.Replace(Behaviors([Module], interceptors));
        return new RecordEngine(Database, Metadata, source, Scripts, TimeProvider.System);
    }

    public static RecordBehaviors Behaviors(ImmutableHashSet<string> running, IEnumerable<Interceptor> interceptors, IEnumerable<Listener>? listeners = null) => new(
        running,
        interceptors.GroupBy(i => i.Entity).ToFrozenDictionary(g => g.Key, g => g.Select(Binding).ToImmutableArray()),
        (listeners ?? []).GroupBy(l => l.Entity).ToFrozenDictionary(g => g.Key, g => g.Select(Binding).ToImmutableArray()));

    /// <summary>Applies changes of definitions, written as the API takes them.</summary>
    public async Task ChangeAsync(string changes)
    {
        using var document = System.Text.Json.JsonDocument.Parse($$"""{"changes":{{changes}}}""");
        var (read, unreadable) = MetadataJson.ReadChanges(document.RootElement);
        Assert.Empty(unreadable);
        var editor = services!.GetRequiredService<MetadataEditor>();
        var plan = await editor.PlanAsync(read, Admin);
        Assert.Empty(plan.Errors);
        Assert.Empty((await editor.ApplyAsync(plan.Id, Admin, new ApplyOptions(Confirm: plan.Confirm))).Errors);
    }

    /// <summary>What is wrong with changes of definitions.</summary>
    public async Task<string> RefusedAsync(string changes)
    {
        using var document = System.Text.Json.JsonDocument.Parse($$"""{"changes":{{changes}}}""");
        var (read, unreadable) = MetadataJson.ReadChanges(document.RootElement);
        var plan = await services!.GetRequiredService<MetadataEditor>().PlanAsync(read, Admin);
        return string.Join(" ", unreadable.Concat(plan.Errors).Select(e => e.Message));
    }

    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var connection = await Database.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var connection = await Database.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static BehaviorBinding Binding<T>(T behavior)
        where T : Behavior
    {
        var provider = new ServiceCollection().AddScoped(_ => (T)behavior.Anew()).BuildServiceProvider();
        return new BehaviorBinding(behavior.Module, provider.GetRequiredService<IServiceScopeFactory>(), typeof(T));
    }
}

/// <summary>Behaviour of a test, made anew like a module's own.</summary>
public abstract class Behavior(string entity, string module)
{
    public string Entity => entity;

    public string Module => module;

    public Behavior Anew() => (Behavior)MemberwiseClone();
}

public sealed class Interceptor(string entity, Action<ChangeContext>? before = null, Func<ChangeContext, Task>? after = null, string module = Engine.Module, Func<Task>? meanwhile = null)
    : Behavior(entity, module), IRecordInterceptor
{
    public async ValueTask BeforeAsync(ChangeContext change, CancellationToken ct)
    {
        before?.Invoke(change);
        if (meanwhile is not null)
        {
            await meanwhile();
        }
    }

    public async ValueTask AfterAsync(ChangeContext change, CancellationToken ct)
    {
        if (after is not null)
        {
            await after(change);
        }
    }
}

public sealed class Listener(string entity, Func<RecordChanged, Task> handle, string module = Engine.Module) : Behavior(entity, module), IRecordListener
{
    public Task HandleAsync(RecordChanged change, CancellationToken ct) => handle(change);
}

/// <summary>One field of every type.</summary>
internal static class TestShape
{
    public static void Declare(IMetadataBuilder metadata) => metadata
        .Entity("company", entity => entity
            .Label("Company", "Companies")
            .Search("name", "email")
            .Field("name", Fields.Text, f => f.Required())
            .Field("code", Fields.Text, f => f.Unique().MaxLength(20))
            .Field("email", Fields.Email, f => f.Unique())
            .Field("country", Fields.Text)
            .Field("parent", Fields.Lookup("company")))
        .Entity("deal", entity => entity
            .Label("Deal", "Deals")
            .Search("title", "notes")
            .Field("title", Fields.Text, f => f.Required().MaxLength(50))
            .Field("number", Fields.AutoNumber, f => f.Number("D", 5, 1))
            .Field("company", Fields.Lookup("company"))
            .Field("budget", Fields.Money, f => f.Range(0, 1_000_000))
            .Field("count", Fields.Integer)
            .Field("ratio", Fields.Decimal, f => f.Scale(4))
            .Field("chance", Fields.Percent, f => f.Default(10))
            .Field("urgent", Fields.YesNo)
            .Field("due", Fields.Date)
            .Field("met_at", Fields.DateTime)
            .Field("kind", Fields.Choice, f => f.Choice("new", "New").Choice("old", "Old"))
            .Field("tags", Fields.MultiChoice, f => f.Choice("a", "A").Choice("b", "B").Choice("we\"ird\\", "Weird"))
            .Field("notes", Fields.LongText)
            .Field("phone", Fields.Phone)
            .Field("site", Fields.Url)
            .Field("score", Fields.Integer, f => f.ReadOnly())
            .Stages("stage", s => s
                .Stage("lead", "Lead").Stage("offer", "Offer").Won("order", "Order").Lost("lost", "Lost")
                .Allow("lead", "offer").Allow("lead", "lost").Allow("offer", "order").Allow("offer", "lost")));
}
