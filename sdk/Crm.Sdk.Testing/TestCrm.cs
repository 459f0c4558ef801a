using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Crm.Host;
using Crm.Metadata;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Crm.Sdk.Testing;

/// <summary>
/// A whole CRM on a throw-away database: the real host on a free port of this machine. Start as many as you like; one per test class is usual
/// (<c>IAsyncLifetime</c>), because a start costs about half a second.
/// </summary>
public sealed class TestCrm : IAsyncDisposable
{
    /// <summary>Password of <c>admin</c> in every test.</summary>
    public const string AdminPassword = "lighthouse copper violin";

    private readonly TestCrmOptions options;
    private readonly TestDatabase database;
    private readonly bool ownsDatabase;
    private readonly string dataDirectory;
    private readonly List<IDisposable> clients = [];
    private WebApplication? app;
    private string? token;

    private TestCrm(TestCrmOptions options, TestDatabase database, bool ownsDatabase)
    {
        this.options = options;
        this.database = database;
        this.ownsDatabase = ownsDatabase;
        dataDirectory = Directory.CreateTempSubdirectory("crm-test-data-").FullName;
    }

    /// <summary>Where it answers, for example <c>http://127.0.0.1:40123/</c>.</summary>
    public Uri Address { get; private set; } = new("http://127.0.0.1:0");

    /// <summary>Its directory for uploaded modules and the like.</summary>
    public string DataDirectory => dataDirectory;

    /// <summary>Its database.</summary>
    public string ConnectionString => database.ConnectionString;

    /// <summary>The host's services.</summary>
    public IServiceProvider Services => app?.Services ?? throw new InvalidOperationException("The host is stopped.");

    /// <summary>Reads and writes records as the administrator.</summary>
    public IRecordService Records => Services.GetRequiredService<IRecords>().As(Admin);

    /// <summary>The administrator.</summary>
    public Actor Admin { get; private set; } = Actor.System;

    /// <summary>The host's definitions.</summary>
    public IMetadata Metadata => Services.GetRequiredService<MetadataStore>();

    /// <summary>Starts a CRM with the modules of the repository.</summary>
    public static Task<TestCrm> StartAsync() => StartAsync(new TestCrmOptions());

    /// <summary>Starts a CRM.</summary>
    public static async Task<TestCrm> StartAsync(TestCrmOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var copy = options.EmptyDatabase ? await TestDatabase.CreateAsync() : await TestTemplate.CopyAsync(options);
        return await StartAsync(options, copy, ownsDatabase: true);
    }

    /// <summary>Starts another host on the same database, as a second machine would. Dispose it before this one.</summary>
    public Task<TestCrm> StartSecondHostAsync() => StartAsync(options, database, ownsDatabase: false);

    /// <summary>A client that is not signed in and follows no redirects.</summary>
    public HttpClient Client()
    {
        // Redirects and cookies are what tests look at.
        var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = Address };
        clients.Add(client);
        return client;
    }

    /// <summary>A client signed in as the administrator.</summary>
    public async Task<HttpClient> AdminClientAsync()
    {
        token ??= await TokenAsync("admin", AdminPassword);
        return Client(token);
    }

    /// <summary>A client that sends the given token.</summary>
    public HttpClient Client(string accessToken)
    {
        var client = Client();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", accessToken);
        return client;
    }

    /// <summary>Gets a token as any program would.</summary>
    public async Task<string> TokenAsync(string userName, string password)
    {
        using var client = Client();
        using var answer = await client.PostAsJsonAsync("api/auth/token", new { username = userName, password });
        answer.EnsureSuccessStatusCode();
        var body = await answer.Content.ReadFromJsonAsync<JsonElement>();
        return body.GetProperty("access_token").GetString()!;
    }

    /// <summary>Plans and applies changes of definitions as the administrator.</summary>
    /// <param name="changes">One or more changes as JSON, with commas between them: <c>{"change":"add_field", …}</c>.</param>
    /// <exception cref="InvalidOperationException">They were refused; the message is what the host answered.</exception>
    public async Task ChangeAsync(string changes)
    {
        using var admin = await AdminClientAsync();
        using var wanted = new StringContent($$"""{"changes":[{{changes}}]}""", Encoding.UTF8, "application/json");
        using var planned = await admin.PostAsync(new Uri("api/metadata/plan", UriKind.Relative), wanted);
        var plan = await BodyAsync(planned);
        using var applied = await admin.PostAsJsonAsync("api/metadata/apply", new { plan = plan.GetProperty("id").GetString() });
        await BodyAsync(applied);

        static async Task<JsonElement> BodyAsync(HttpResponseMessage answer) =>
            answer.IsSuccessStatusCode ? await answer.Content.ReadFromJsonAsync<JsonElement>() : throw new InvalidOperationException(await answer.Content.ReadAsStringAsync());
    }

    /// <summary>Stops the host; the database stays.</summary>
    public async Task StopAsync()
    {
        if (app is { } running)
        {
            app = null;
            await running.StopAsync();
            await running.DisposeAsync();
        }
    }

    /// <summary>Stops the host and starts it again at the same address.</summary>
    public async Task RestartAsync()
    {
        await StopAsync();
        await LaunchAsync(Address.Port);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        clients.ForEach(client => client.Dispose());
        try
        {
            await StopAsync();
        }
        finally
        {
            if (ownsDatabase)
            {
                await database.DisposeAsync();
            }

            Directory.Delete(dataDirectory, recursive: true);
        }
    }

    private static async Task<TestCrm> StartAsync(TestCrmOptions options, TestDatabase database, bool ownsDatabase)
    {
        var crm = new TestCrm(options, database, ownsDatabase);
        try
        {
            await crm.LaunchAsync(port: 0);
            return crm;
        }
        catch
        {
            await crm.DisposeAsync();
            throw;
        }
    }

    private async Task LaunchAsync(int port)
    {
        app = await CreateAsync(options, database, dataDirectory, port);
        await app.StartAsync();
        var users = await Services.GetRequiredService<IRecords>().As(Actor.System).QueryAsync(new RecordQuery { Entity = "user", Filter = Filter.Equal("user_name", "admin") });
        Admin = new Actor(users.Records[0].Id, users.Records[0].Get<string>("name") ?? "", IsAdministrator: true);
        Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
    }

    internal static Task<WebApplication> CreateAsync(TestCrmOptions options, TestDatabase database, string dataDirectory, int port)
    {
        string[] arguments =
        [
            $"--urls=http://127.0.0.1:{port}",
            $"--ConnectionStrings:Crm={database.ConnectionString}",
            $"--Crm:DataDirectory={dataDirectory}",
            $"--Crm:AdminPassword={AdminPassword}",
            .. options.ModulesDirectory is { } modules ? [$"--Crm:ModulesDirectory={modules}"] : Array.Empty<string>(),
            .. options.Settings.Select(setting => $"--{setting.Key}={setting.Value}"),
        ];
        return CrmHost.CreateAsync(arguments, builder =>
        {
            builder.Logging.SetMinimumLevel(LogLevel.Warning);
            options.Configure?.Invoke(builder);
        });
    }
}
