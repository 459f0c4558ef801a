using System.CommandLine;
using System.Diagnostics.CodeAnalysis;
using Spectre.Console;

namespace Crm.Cli;

/// <summary>The options every command has: which CRM, and who.</summary>
internal sealed class Connection
{
    private const string PasswordVariable = "CRM_PASSWORD";

    private readonly Option<string> url = new("--url") { Description = Texts.Of("UrlHelp"), DefaultValueFactory = _ => "http://127.0.0.1:5080" };
    private readonly Option<string> user = new("--user") { Description = Texts.Of("UserHelp"), DefaultValueFactory = _ => "admin" };

    private Connection() => url.Validators.Add(result =>
    {
        if (result.Tokens is [{ Value: var text }] && !TryRoot(text, out _))
        {
            result.AddError(Texts.Of("NotAnAddress", text));
        }
    });

    public static Connection AddTo(Command command)
    {
        var connection = new Connection();
        command.Add(connection.url);
        command.Add(connection.user);
        return connection;
    }

    public HttpClient Http(ParseResult parsed) =>
        new() { BaseAddress = TryRoot(parsed.GetValue(url)!, out var root) ? root : null, Timeout = TimeSpan.FromMinutes(10) };

    public string User(ParseResult parsed) => parsed.GetValue(user)!;

    public Task SignInAsync(ParseResult parsed, IAnsiConsole console, CrmClient client, CancellationToken ct) =>
        client.SignInAsync(User(parsed), Password() ?? Ask(console, User(parsed)), ct);

    /// <summary>Where output goes: in a file or a pipe there is no width to fit into and nobody to see colours.</summary>
    public static IAnsiConsole Terminal()
    {
        if (!Console.IsOutputRedirected)
        {
            return AnsiConsole.Console;
        }

        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors, Interactive = InteractionSupport.No });
        console.Profile.Width = 160;
        return console;
    }

    public static string Ask(IAnsiConsole console, string user) => console.Profile.Capabilities.Interactive && !Console.IsInputRedirected
        ? console.Prompt(new TextPrompt<string>(Markup.Escape(Texts.Of("Password", user))).Secret(null))
        : throw new CliException(Texts.Of("NoPassword", PasswordVariable));

    /// <summary>From the environment: on the command line it would stand in the list of processes and in the shell's history.</summary>
    public static string? Password() => Environment.GetEnvironmentVariable(PasswordVariable) is { Length: > 0 } password ? password : null;

    private static bool TryRoot(string text, [NotNullWhen(true)] out Uri? root) =>
        Uri.TryCreate(text.EndsWith('/') ? text : text + "/", UriKind.Absolute, out root) && (root.Scheme == Uri.UriSchemeHttp || root.Scheme == Uri.UriSchemeHttps);
}
