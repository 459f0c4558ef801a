using System.Data.Common;
using Npgsql;

namespace Crm.Benchmarks;

/// <summary>The floor: a bare endpoint that runs hand-written SQL over Npgsql and writes the same JSON. Nobody can be much faster.</summary>
internal sealed class Floor : IAsyncDisposable
{
    private const string Columns =
        "o.id, o.version, o.title, o.company_id, o.contact_id, o.product_id, o.budget, o.budget_currency, o.stage, o.probability, o.engage_date, o.expected_close, "
        + "o.close_date, o.source_reference, o.description, o.created_at, o.created_by, o.modified_at, o.modified_by, o.owner, o.is_active";

    private readonly WebApplication host;
    private readonly NpgsqlDataSource pool;

    private Floor(WebApplication host, NpgsqlDataSource pool, HttpClient client) => (this.host, this.pool, Client) = (host, pool, client);

    public HttpClient Client { get; }

    /// <summary>Endpoints beside the opportunities of <see cref="BenchmarkData"/>.</summary>
    public static Task<Floor> StartAsync(string connectionString) => StartAsync(connectionString, MapOpportunities);

    /// <summary>Starts it.</summary>
    /// <param name="connectionString">The database of the product.</param>
    /// <param name="map">Adds the endpoints.</param>
    public static async Task<Floor> StartAsync(string connectionString, Action<WebApplication, NpgsqlDataSource> map)
    {
        var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(connectionString) { MaxAutoPrepare = 20, AutoPrepareMinUsages = 2, NoResetOnClose = true });
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        map(app, source);
        await app.StartAsync();
        return new Floor(app, source, new HttpClient { BaseAddress = new Uri(app.Urls.First()) });
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await host.DisposeAsync();
        await pool.DisposeAsync();
    }

    private static void MapOpportunities(WebApplication app, NpgsqlDataSource source)
    {
        app.MapGet("/get/{id:guid}", (Guid id, HttpContext http) => WriteAsync(http, source, $"SELECT {Columns} FROM records.opportunity o WHERE o.id = $1", [id], list: false));
        app.MapPost("/create", async (HttpContext http) =>
        {
            using var body = await System.Text.Json.JsonDocument.ParseAsync(http.Request.Body, cancellationToken: http.RequestAborted);
            var o = body.RootElement;
            string Text(string name) => o.GetProperty(name).GetString()!;
            http.Response.StatusCode = 201;
            await WriteAsync(
                http,
                source,
                $"""
                INSERT INTO public.plain AS o (id, version, title, company_id, stage, budget, engage_date, source_reference, created_at, created_by, modified_at, modified_by, owner, is_active)
                VALUES ($1, 1, $2, $3, $4, $5, $6, $7, now(), $8, now(), $8, $8, true) RETURNING {Columns}
                """,
                [
                    Guid.CreateVersion7(), Text("title"), o.GetProperty("company").GetGuid(), Text("stage"), o.GetProperty("budget").GetDecimal(),
                    DateOnly.Parse(Text("engage_date"), System.Globalization.CultureInfo.InvariantCulture), Text("source_reference"), Guid.Empty,
                ],
                list: false);
        });
        app.MapGet("/list", async (HttpContext http, bool? company, bool? count) =>
        {
            var more = company == true ? ", c.id AS company, c.name AS company_name" : count == true ? ", (SELECT count(*) FROM records.opportunity WHERE stage = $1) AS total" : "";
            var join = company == true ? "LEFT JOIN records.company c ON c.id = o.company_id" : "";
            await WriteAsync(http, source, $"SELECT {Columns}{more} FROM records.opportunity o {join} WHERE o.stage = $1 ORDER BY o.title, o.id LIMIT 50", ["order"], list: true);
        });
    }

    /// <summary>Runs a statement and writes its rows as JSON.</summary>
    public static async Task WriteAsync(HttpContext http, NpgsqlDataSource source, string sql, object[] parameters, bool list)
    {
        await using var connection = await source.OpenConnectionAsync(http.RequestAborted);
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(new() { Value = parameter });
        }

        await using var reader = await command.ExecuteReaderAsync(http.RequestAborted);
        http.Response.ContentType = "application/json";
        await using var json = new System.Text.Json.Utf8JsonWriter(http.Response.BodyWriter);
        if (list)
        {
            json.WriteStartArray();
        }

        while (await reader.ReadAsync(http.RequestAborted))
        {
            WriteRow(json, reader);
        }

        if (list)
        {
            json.WriteEndArray();
        }

        await json.FlushAsync(http.RequestAborted);
    }

    private static void WriteRow(System.Text.Json.Utf8JsonWriter json, DbDataReader reader)
    {
        json.WriteStartObject();
        for (var i = 0; i < reader.FieldCount; i++)
        {
            json.WritePropertyName(reader.GetName(i));
            switch (reader.IsDBNull(i) ? null : reader.GetValue(i))
            {
                case null: json.WriteNullValue(); break;
                case string text: json.WriteStringValue(text); break;
                case long number: json.WriteNumberValue(number); break;
                case decimal number: json.WriteNumberValue(number); break;
                case bool value: json.WriteBooleanValue(value); break;
                case Guid id: json.WriteStringValue(id); break;
                case DateTime instant: json.WriteStringValue(instant); break;
                case DateOnly date: json.WriteStringValue(date.ToString("O", System.Globalization.CultureInfo.InvariantCulture)); break;
                case var other: throw new InvalidOperationException($"Column {reader.GetName(i)} holds a {other.GetType()}.");
            }
        }

        json.WriteEndObject();
    }
}
