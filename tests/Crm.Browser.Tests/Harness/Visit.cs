using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace Crm.Browser.Tests.Harness;

/// <summary>One journey through the product. Whatever the browser complains about fails it in the end.</summary>
public sealed class Visit
{
    private readonly List<string> complaints = [];
    private readonly List<IWebSocketRoute> connections = [];
    private readonly Screen screen;
    private readonly string name;
    private bool isCut;

    public Visit(IPage page, Screen screen, string name)
    {
        ArgumentNullException.ThrowIfNull(page);
        (Page, this.screen, this.name) = (page, screen, name);
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
            {
                complaints.Add($"console {message.Type}: {message.Text}");
            }
        };
        page.PageError += (_, error) => complaints.Add("script: " + error);
        page.Response += (_, response) =>
        {
            if (response.Status >= 500)
            {
                complaints.Add($"{response.Status} {response.Url}");
            }
        };
    }

    /// <summary>The page.</summary>
    public IPage Page { get; }

    /// <summary>What the browser complained about so far; a test that provokes a complaint takes it out.</summary>
    public IList<string> Complaints => complaints;

    /// <summary>Opens a page of the product and waits until it can be used.</summary>
    public async Task OpenAsync(string path)
    {
        await Page.GotoAsync(path);
        await ReadyAsync();
    }

    /// <summary>Waits until the page is drawn and nothing is being read.</summary>
    public async Task ReadyAsync()
    {
        await Page.Locator("h1").First.WaitForAsync();
        await Assertions.Expect(Page.Locator(".skeleton")).ToHaveCountAsync(0);
        await Assertions.Expect(Page.Locator("[aria-busy=true]")).ToHaveCountAsync(0);
    }

    /// <summary>Signs in as the form does, without showing it.</summary>
    public async Task SignInAsync(string userName, string password)
    {
        // The first request of a host that has just been started.
        var form = await Page.APIRequest.GetAsync("/sign-in", new() { Timeout = 60_000 });
        var token = Regex.Match(await form.TextAsync(), "name=\"__RequestVerificationToken\" value=\"([^\"]+)\"", RegexOptions.None, TimeSpan.FromSeconds(1)).Groups[1].Value;
        var filled = Page.APIRequest.CreateFormData();
        filled.Set("__RequestVerificationToken", token).Set("user_name", userName).Set("password", password);
        var answer = await Page.APIRequest.PostAsync("/sign-in", new() { Form = filled, MaxRedirects = 0 });
        Assert.Equal("/", answer.Headers["location"]);
    }

    /// <summary>Fills in the form of the sign-in page that is open and sends it.</summary>
    public async Task SendSignInAsync(string userName, string password)
    {
        await Page.GetByLabel("User name").FillAsync(userName);
        await Page.GetByLabel("Password").FillAsync(password);
        await Page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Page.WaitForURLAsync(url => !url.Contains("/sign-in", StringComparison.Ordinal) || url.Contains("error=", StringComparison.Ordinal));
    }

    /// <summary>Keeps a picture below <c>artifacts/screenshots</c>.</summary>
    public async Task ScreenshotAsync(string what)
    {
        var folder = Path.Combine(Repository.Root, "artifacts", "screenshots");
        Directory.CreateDirectory(folder);
        var file = Regex.Replace($"{name}-{what}-{screen.Name}", "[^A-Za-z0-9_-]", "_", RegexOptions.None, TimeSpan.FromSeconds(1));
        await Page.ScreenshotAsync(new() { Path = Path.Combine(folder, file + ".png") });
    }

    /// <summary>Looks for what keeps people with disabilities out (WCAG 2.2 AA as far as a program can tell).</summary>
    public async Task CheckAccessibilityAsync()
    {
        if (await Page.EvaluateAsync<bool>("() => !window.axe"))
        {
            await Page.EvaluateAsync(await Axe.ScriptAsync());
        }

        var found = await Page.EvaluateAsync<JsonElement>(Axe.Run);
        var violations = found.EnumerateArray().Select(v => v.GetString()).ToList();
        Assert.True(violations.Count == 0, "Accessibility: " + string.Join("\n", violations));
    }

    /// <summary>Nothing may stick out of the page to the side.</summary>
    public async Task CheckWidthAsync()
    {
        var overflow = await Page.EvaluateAsync<int>("() => document.documentElement.scrollWidth - document.documentElement.clientWidth");
        Assert.True(overflow <= 0, $"{Page.Url} is {overflow} pixels wider than the screen.");
    }

    /// <summary>Lets the test cut the live connection; to be called before the first page.</summary>
    public async Task HoldConnectionAsync()
    {
        var live = new Regex("/_blazor", RegexOptions.None, TimeSpan.FromSeconds(1));
        await Page.RouteWebSocketAsync(live, route =>
        {
            if (isCut)
            {
                _ = route.CloseAsync(new() { Code = 1011 });
                return;
            }

            connections.Add(route);
            route.ConnectToServer();
        });
        // Where a socket is refused, the Blazor script falls back to requests at once.
        await Page.RouteAsync(live, route => isCut ? route.AbortAsync() : route.ContinueAsync());
    }

    /// <summary>Cuts the live connection, and every attempt to make a new one.</summary>
    public async Task CutConnectionAsync()
    {
        isCut = true;
        foreach (var connection in connections)
        {
            await connection.CloseAsync(new() { Code = 1011 });
        }

        connections.Clear();
    }

    /// <summary>Lets new connections through again. What the browser said about the cut is forgotten.</summary>
    public void MendConnection() => isCut = false;

    /// <summary>Fails when the browser complained.</summary>
    public void Verify() => Assert.True(complaints.Count == 0, "The browser complained:\n" + string.Join("\n", complaints));
}
