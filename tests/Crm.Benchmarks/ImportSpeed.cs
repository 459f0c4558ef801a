using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Crm.Records.Jobs;
using Crm.Sdk.Testing;
using Npgsql;

namespace Crm.Benchmarks;

/// <summary>Imports of growing size, validated like every write: rows a second against COPY into a plain table of the same columns, and the memory of the whole host meanwhile.</summary>
internal static class ImportSpeed
{
    public static async Task RunAsync(int rows)
    {
        Console.WriteLine($"{"rows",12}{"rows/s",10}{"COPY",10}{"ratio",8}{"heap MB",10}{"process MB",12}");
        // First for what is compiled again, and better, when it has run a while.
        foreach (var size in new[] { rows / 100, rows / 100, rows / 10, rows })
        {
            await using var crm = await TestCrm.StartAsync();
            await crm.ChangeAsync("""
                {"change":"create_entity","name":"x_person","set":"x_people","search":["last_name"],"title":["first_name","last_name"],"fields":[
                   {"name":"first_name","type":"text","required":true},{"name":"last_name","type":"text","required":true},{"name":"email","type":"email"},{"name":"city","type":"text"},
                   {"name":"stage","type":"choice","choices":[{"name":"new"},{"name":"order"},{"name":"lost"}]},{"name":"budget","type":"decimal"},{"name":"born","type":"date"},{"name":"vip","type":"yes_no"}]}
                """);
            var file = Path.Combine(crm.DataDirectory, "people.csv");
            await WriteAsync(file, size);
            using var client = await crm.AdminClientAsync();
            GC.Collect();
            using var stop = new CancellationTokenSource();
            var memory = WatchAsync(stop.Token);
            var watch = Stopwatch.StartNew();
            await ImportAsync(crm, client, file, size);
            var perSecond = size / watch.Elapsed.TotalSeconds;
            await stop.CancelAsync();
            var (heap, process) = await memory;
            var copied = await CopyAsync(crm.ConnectionString, file, size);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{size,12:N0}{perSecond,10:N0}{copied,10:N0}{perSecond / copied,8:0.00}{heap / 1e6,10:N0}{process / 1e6,12:N0}"));
        }
    }

    private static async Task WriteAsync(string file, int rows)
    {
        await using var writer = new StreamWriter(file);
        await writer.WriteLineAsync("first_name,last_name,email,city,stage,budget,born,vip");
        for (var i = 0; i < rows; i++)
        {
            await writer.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"First{i % 5000},Person{i},p{i}@example.com,City {i % 500},{(i % 3 == 0 ? "new" : i % 3 == 1 ? "order" : "lost")},{i % 30_000}.5,19{50 + (i % 50)}-0{1 + (i % 9)}-1{i % 10},{(i % 7 == 0 ? "yes" : "no")}"));
        }
    }

    private static async Task ImportAsync(TestCrm crm, HttpClient client, string file, int rows)
    {
        await using var stream = File.OpenRead(file);
        using var form = new MultipartFormDataContent { { new StreamContent(stream), "file", "people.csv" } };
        using var answer = await client.PostAsync(new Uri("api/import/x_person", UriKind.Relative), form);
        answer.EnsureSuccessStatusCode();
        var id = (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetGuid();
        await crm.Services.GetRequiredService<JobQueue>().WaitAsync(id, CancellationToken.None);
        var job = await client.GetFromJsonAsync<JsonElement>(new Uri($"api/jobs/{id}", UriKind.Relative));
        var count = await client.GetStringAsync(new Uri("odata/v4/x_people/$count", UriKind.Relative));
        if (int.Parse(count, CultureInfo.InvariantCulture) != rows)
        {
            throw new InvalidOperationException(job.ToString());
        }
    }

    /// <summary>The most it came to, in bytes: what the garbage collector kept, and what the process had of the machine.</summary>
    private static async Task<(long Heap, long Process)> WatchAsync(CancellationToken ct)
    {
        var (heap, most) = (0L, 0L);
        using var process = Process.GetCurrentProcess();
        while (!ct.IsCancellationRequested)
        {
            process.Refresh();
            (heap, most) = (Math.Max(heap, GC.GetGCMemoryInfo().HeapSizeBytes), Math.Max(most, process.WorkingSet64));
            await Task.Delay(100, CancellationToken.None);
        }

        return (heap, most);
    }

    private static async Task<double> CopyAsync(string connectionString, string file, int rows)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using (var table = new NpgsqlCommand(
            """
            CREATE EXTENSION IF NOT EXISTS pg_trgm;
            CREATE TABLE public.plain (id uuid DEFAULT gen_random_uuid() PRIMARY KEY, first_name text NOT NULL, last_name text NOT NULL, email text, city text, stage text, budget numeric, born date, vip boolean);
            CREATE INDEX ON public.plain USING gin (crm.fold(last_name) gin_trgm_ops);
            CREATE INDEX ON public.plain (email)
            """,
            connection))
        {
            await table.ExecuteNonQueryAsync();
        }

        var watch = Stopwatch.StartNew();
        await using (var copy = await connection.BeginTextImportAsync("COPY public.plain (first_name, last_name, email, city, stage, budget, born, vip) FROM STDIN (FORMAT csv, HEADER)"))
        {
            using var reader = File.OpenText(file);
            var buffer = new char[64 * 1024];
            int read;
            while ((read = await reader.ReadAsync(buffer)) > 0)
            {
                await copy.WriteAsync(buffer.AsMemory(0, read));
            }
        }

        return rows / watch.Elapsed.TotalSeconds;
    }
}
