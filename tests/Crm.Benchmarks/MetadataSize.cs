using System.Diagnostics;
using System.Globalization;
using Crm.Metadata;
using Crm.Sdk;
using Crm.Sdk.Testing;

namespace Crm.Benchmarks;

/// <summary>What many and wide entities cost: 300 of 60 fields, and one of 500 against one of 20.</summary>
internal static class MetadataSize
{
    private const int Entities = 300;
    private const int Turns = 9;
    private const int Rows = 200;

    public static async Task RunAsync()
    {
        await using var crm = await TestCrm.StartAsync();
        var editor = crm.Services.GetRequiredService<MetadataEditor>();
        var store = crm.Services.GetRequiredService<MetadataStore>();
        var watch = Stopwatch.StartNew();
        Check((await editor.DeclareAsync(new ModuleInfo("size", "Size"), Shape())).Errors);
        Show($"declare {Entities} entities of 60 fields with their tables", watch.Elapsed);

        var layers = store.State.Layers;
        Show("snapshot build", await MedianAsync(() =>
        {
            GC.KeepAlive(MetadataState.Of(layers));
            return Task.CompletedTask;
        }));
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var built = MetadataState.Of(layers);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{"snapshot in memory",-60}{(GC.GetTotalMemory(forceFullCollection: true) - before) / 1024d / 1024d,10:N1} MB"));
        GC.KeepAlive(built);

        var number = 0;
        Show("add a field to an empty table: plan and apply", await MedianAsync(async () =>
        {
            var plan = await editor.PlanAsync([new MetadataChange.AddField("size_0", new FieldShape($"x_added_{number++}") { Type = Fields.Text })], Actor.System);
            Check(plan.Errors);
            Check((await editor.ApplyAsync(plan.Id, Actor.System)).Errors);
        }));
        Show("compare the catalogue with the definitions", await MedianAsync(() => crm.Services.GetRequiredService<ConsistencyCheck>().RunAsync()));
        Show("export the customisations", await MedianAsync(() =>
        {
            GC.KeepAlive(MetadataPackage.Export(store.State));
            return Task.CompletedTask;
        }));
        await CreateAsync(editor, "x_wide", 500);
        await CreateAsync(editor, "x_narrow", 20);
        using var client = await crm.AdminClientAsync();
        await CompareAsync(crm, client);
    }

    private static async Task CompareAsync(TestCrm crm, HttpClient client)
    {
        Console.WriteLine($"\n{"",-60}{"500 fields",13}{"20 fields",13}{"ratio",8}");
        await SideBySideAsync("save 200 records", entity => FillAsync(crm, entity));
        await SideBySideAsync("list of 50, all fields (API)", entity => GetAsync(client, $"odata/v4/{entity}s?$top=50"));
        await SideBySideAsync("list of 50, five fields (API)", entity => GetAsync(client, $"odata/v4/{entity}s?$top=50&$select=field_0,field_1,field_2,field_3,field_4"));
        await SideBySideAsync("definition (API)", entity => GetAsync(client, $"api/metadata/entities/{entity}"));
    }

    private static async Task SideBySideAsync(string name, Func<string, Task> work)
    {
        var wide = await MedianAsync(() => work("x_wide"));
        var narrow = await MedianAsync(() => work("x_narrow"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-60}{wide.TotalMilliseconds,10:N1} ms{narrow.TotalMilliseconds,10:N1} ms{wide / narrow,8:0.00}"));
    }

    private static async Task FillAsync(TestCrm crm, string entity)
    {
        var fields = crm.Metadata.Current.Entity(entity).Fields.Where(f => !f.IsSystem).ToList();
        var changes = Enumerable.Range(0, Rows)
            .Select(i => RecordChange.Create(entity, fields.ToDictionary(f => f.Name, f => f.Type == Fields.Integer ? (object?)(long)i : $"Value {i}", StringComparer.Ordinal)))
            .ToList();
        var results = await crm.Records.SaveManyAsync([.. changes], new SaveOptions());
        if (results.FirstOrDefault(r => !r.Succeeded) is { } refused)
        {
            throw new InvalidOperationException(refused.Errors[0].Message);
        }
    }

    private static async Task GetAsync(HttpClient client, string path)
    {
        using var answer = await client.GetAsync(new Uri(path, UriKind.Relative));
        answer.EnsureSuccessStatusCode();
        _ = await answer.Content.ReadAsByteArrayAsync();
    }

    private static async Task CreateAsync(MetadataEditor editor, string name, int fields)
    {
        var plan = await editor.PlanAsync(
            [
                new MetadataChange.CreateEntity(new EntityShape(name)
                {
                    SetName = name + "s",
                    Fields = [.. Enumerable.Range(0, fields).Select(i => new FieldShape("field_" + i.ToString(CultureInfo.InvariantCulture)) { Type = Kind(i) })],
                }),
            ],
            Actor.System);
        Check(plan.Errors);
        Check((await editor.ApplyAsync(plan.Id, Actor.System)).Errors);
    }

    private static FieldType Kind(int field) => field % 3 == 2 ? Fields.Integer : Fields.Text;

    private static DeclaredShape Shape()
    {
        var builder = new MetadataBuilder("size");
        for (var i = 0; i < Entities; i++)
        {
            builder.Entity("size_" + i.ToString(CultureInfo.InvariantCulture), e => Define(e, 60));
        }

        return builder.Build();
    }

    private static void Define(IEntityBuilder entity, int fields)
    {
        for (var i = 0; i < fields; i++)
        {
            entity.Field("field_" + i.ToString(CultureInfo.InvariantCulture), Kind(i));
        }
    }

    private static async Task<TimeSpan> MedianAsync(Func<Task> work)
    {
        // The first run compiles code and prepares statements.
        await work();
        var times = new List<TimeSpan>();
        for (var turn = 0; turn < Turns; turn++)
        {
            var watch = Stopwatch.StartNew();
            await work();
            times.Add(watch.Elapsed);
        }

        return times.Order().ElementAt(Turns / 2);
    }

    private static void Show(string name, TimeSpan time) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-60}{time.TotalMilliseconds,10:N1} ms"));

    private static void Check(IReadOnlyCollection<PlanMessage> errors)
    {
        if (errors.Count > 0)
        {
            throw new InvalidOperationException(errors.First().Message);
        }
    }
}
