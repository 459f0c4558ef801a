using Crm.Benchmarks;

static int Number(string[] args, int index, int otherwise) => args.Length > index ? int.Parse(args[index], System.Globalization.CultureInfo.InvariantCulture) : otherwise;

if (args is ["schema", ..])
{
    // dotnet run --project tests/Crm.Benchmarks -- schema [records] [writers]
    await SchemaChange.RunAsync(Number(args, 1, 1_000_000), Number(args, 2, 20));
    return;
}

if (args is ["looked-up", ..])
{
    // dotnet run --project tests/Crm.Benchmarks -- looked-up [dependants]
    await LookedUpCost.RunAsync(Number(args, 1, 100_000));
    return;
}

if (args is ["rules", ..])
{
    // dotnet run --project tests/Crm.Benchmarks -- rules [seconds]
    await ScriptCost.RunAsync(Number(args, 1, 5));
    return;
}

if (args is ["records", ..])
{
    // dotnet run --project tests/Crm.Benchmarks -- records [records] [seconds]
    await ManyRecords.RunAsync(Number(args, 1, 100_000), Number(args, 2, 5));
    return;
}

if (args is ["import", ..])
{
    // dotnet run --project tests/Crm.Benchmarks -- import [rows, the last time; each time before a tenth]
    await ImportSpeed.RunAsync(Number(args, 1, 1_000_000));
    return;
}

if (args is ["metadata"])
{
    await MetadataSize.RunAsync();
    return;
}

// Figures are ratios against hand-written SQL in the same run: on a busy machine both sides are slower alike.
// dotnet run --project tests/Crm.Benchmarks -- [seconds] [part of the name of what is to be measured]
var seconds = Number(args, 0, 5);
var only = args.Length > 1 ? args[1] : "";
await using var data = await BenchmarkData.CreateAsync(opportunities: 8_800);
await using var floor = await Floor.StartAsync(data.Crm.ConnectionString);
using var client = await data.Crm.AdminClientAsync();

Console.WriteLine($"{"",-44}{"product",12}{"floor",12}{"ratio",8}{"CPU ms",9}{"floor",8}");
Console.WriteLine($"{"engine: create, 1,000 a batch (rows/s)",-44}{data.EngineRowsPerSecond,12:N0}{data.PlainRowsPerSecond,12:N0}{data.EngineRowsPerSecond / data.PlainRowsPerSecond,8:0.00}");

HttpRequestMessage Post(string path, int i) => new(HttpMethod.Post, new Uri(path, UriKind.Relative))
{
    Content = new StringContent(
        $$"""{"title":"deal {{i}}","company":"{{data.Companies[i % data.Companies.Length]}}","stage":"offer","budget":{{i % 30_000}},"engage_date":"2026-03-04","source_reference":"{{Guid.CreateVersion7()}}"}""",
        System.Text.Encoding.UTF8,
        "application/json"),
};
await CompareRequestsAsync("create (requests/s)", i => Post("odata/v4/opportunities", i), i => Post("create", i));
await CompareAsync("get one by id (requests/s)", i => $"odata/v4/opportunities({data.Ids[i % data.Ids.Length]})", i => $"get/{data.Ids[i % data.Ids.Length]}");
await CompareAsync("list 50, filtered and sorted", _ => "odata/v4/opportunities?$filter=stage eq 'order'&$orderby=title&$top=50", _ => "list");
await CompareAsync("list 50 with company's name", _ => "odata/v4/opportunities?$filter=stage eq 'order'&$orderby=title&$top=50&$expand=company($select=name)", _ => "list?company=true");
await CompareAsync("list 50 with count", _ => "odata/v4/opportunities?$filter=stage eq 'order'&$orderby=title&$top=50&$count=true", _ => "list?count=true");

// The floor is a save of a field no roll-up reads; the ratio is how many times as long a save takes of one they read.
foreach (var rollUps in only.Length == 0 ? new[] { 0, 1, 5 } : [])
{
    var (read, other) = await RollUpCost.SavesPerSecondAsync(data.Crm, rollUps, seconds);
    Console.WriteLine($"{$"save a child with {rollUps} roll-ups (saves/s)",-44}{read,12:N0}{other,12:N0}{other / read,8:0.00}");
}

Task CompareAsync(string name, Func<int, string> product, Func<int, string> plain)
{
    static HttpRequestMessage Get(string path) => new(HttpMethod.Get, new Uri(path, UriKind.Relative));
    return CompareRequestsAsync(name, i => Get(product(i)), i => Get(plain(i)));
}

async Task CompareRequestsAsync(string name, Func<int, HttpRequestMessage> product, Func<int, HttpRequestMessage> plain)
{
    if (!name.Contains(only, StringComparison.Ordinal))
    {
        return;
    }

    // In turns, so that what disturbs the machine disturbs both.
    var (first, second) = (default(Rate), default(Rate));
    for (var turn = 0; turn < 2; turn++)
    {
        first += await Load.RunAsync(client, product, seconds);
        second += await Load.RunAsync(floor.Client, plain, seconds);
    }

    // CPU of this process per request, the client's share included: it hardly changes with what else the machine does.
    Console.WriteLine($"{name,-44}{first.PerSecond,12:N0}{second.PerSecond,12:N0}{first.PerSecond / second.PerSecond,8:0.00}{first.CpuMilliseconds,9:0.00}{second.CpuMilliseconds,8:0.00}");
}
