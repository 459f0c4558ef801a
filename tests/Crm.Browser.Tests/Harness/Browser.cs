using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Crm.Sdk.Testing;
using Microsoft.Playwright;

namespace Crm.Browser.Tests.Harness;

/// <summary>
/// A real Chromium for the journeys of a collection. A test class asks for it in its constructor and belongs to <see cref="Collection"/> or <see cref="Second"/>: journeys
/// mostly wait, so two of them go on at the same time.
/// </summary>
[CollectionDefinition(Collection)]
public sealed class Browser : IAsyncLifetime, ICollectionFixture<Browser>
{
    public const string Collection = "browser";

    /// <summary>Journeys beside the first collection's; both take about as long.</summary>
    public const string Second = "second browser";

    private static readonly string[] KnownPaths =
        ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/snap/bin/chromium", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"];

    private readonly ConcurrentDictionary<string, string> sessions = new(StringComparer.Ordinal);
    private IPlaywright? playwright;
    private IBrowser? chromium;

    public async Task InitializeAsync()
    {
        var path = Environment.GetEnvironmentVariable("CRM_CHROMIUM") ?? KnownPaths.FirstOrDefault(File.Exists)
            ?? throw new FileNotFoundException("No Chromium was found. ./test installs one; CRM_CHROMIUM names another.");
        // Longer than the usual five seconds: other tests run beside these.
        Assertions.SetDefaultExpectTimeout(10_000);
        playwright = await Playwright.CreateAsync();
        chromium = await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = path,
            Args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        });
    }

    public async Task DisposeAsync()
    {
        if (chromium is not null)
        {
            await chromium.CloseAsync();
        }

        playwright?.Dispose();
    }

    /// <summary>Runs a journey of the signed-in administrator.</summary>
    public Task VisitAsync(TestCrm crm, Screen screen, Func<Visit, Task> journey, [CallerMemberName] string name = "") =>
        RunAsync(crm, screen, signIn: true, journey, name);

    /// <summary>Runs a journey of somebody who is not signed in.</summary>
    public Task VisitAsStrangerAsync(TestCrm crm, Screen screen, Func<Visit, Task> journey, [CallerMemberName] string name = "") =>
        RunAsync(crm, screen, signIn: false, journey, name);

    private async Task RunAsync(TestCrm crm, Screen screen, bool signIn, Func<Visit, Task> journey, string name)
    {
        ArgumentNullException.ThrowIfNull(crm);
        ArgumentNullException.ThrowIfNull(screen);
        ArgumentNullException.ThrowIfNull(journey);
        var browser = chromium ?? throw new InvalidOperationException("The browser is not running.");
        // By directory, not by address: a port is soon used again by another CRM.
        sessions.TryGetValue(crm.DataDirectory, out var session);
        await using var context = await browser.NewContextAsync(new()
        {
            BaseURL = crm.Address.ToString(),
            ViewportSize = new() { Width = screen.Width, Height = screen.Height },
            HasTouch = screen.IsPhone,
            IsMobile = screen.IsPhone,
            ColorScheme = screen.IsDark ? ColorScheme.Dark : ColorScheme.Light,
            ReducedMotion = ReducedMotion.Reduce,
            Locale = "en-GB",
            TimezoneId = "Europe/Berlin",
            StorageState = signIn ? session : null,
        });
        context.SetDefaultTimeout(20_000);
        var visit = new Visit(await context.NewPageAsync(), screen, name);
        try
        {
            if (signIn && session is null)
            {
                await visit.SignInAsync("admin", TestCrm.AdminPassword);
                sessions[crm.DataDirectory] = await context.StorageStateAsync();
            }

            await journey(visit);
        }
        catch
        {
            await visit.ScreenshotAsync("failed");
            throw;
        }

        visit.Verify();
    }
}

/// <summary>What a visitor looks at.</summary>
/// <param name="Name">Part of the name of a screenshot.</param>
/// <param name="Width">In CSS pixels.</param>
/// <param name="Height">In CSS pixels.</param>
public sealed record Screen(string Name, int Width, int Height)
{
    public static Screen Desktop { get; } = new("1440", 1440, 900);

    public static Screen Phone { get; } = new("390", 390, 844) { IsPhone = true };

    public bool IsPhone { get; init; }

    public bool IsDark { get; init; }

    /// <summary>The same screen at night.</summary>
    public Screen Dark => this with { Name = Name + "-dark", IsDark = true };

    public override string ToString() => Name;
}

[CollectionDefinition(Browser.Second)]
public sealed class SecondBrowser : ICollectionFixture<Browser>;
