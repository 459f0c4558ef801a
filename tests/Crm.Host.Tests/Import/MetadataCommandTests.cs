using System.Diagnostics;
using Crm.Cli;
using Crm.Sdk.Testing;

namespace Crm.Host.Tests.Import;

/// <summary>The command line as a pipeline runs it: a process with an exit code.</summary>
public sealed class MetadataCommandTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("crm-package-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task A_folder_carries_customisations_and_exit_codes_say_what_happened()
    {
        await using var one = await TestCrm.StartAsync();
        await using var other = await TestCrm.StartAsync();
        var package = Path.Combine(folder, "package");
        Directory.CreateDirectory(Path.Combine(package, ".git"));
        await File.WriteAllTextAsync(Path.Combine(package, ".git", "HEAD"), "ref");
        await File.WriteAllTextAsync(Path.Combine(package, "README.md"), "Ours");
        await one.ChangeAsync("""{"change":"change_entity","entity":"company","label":"Customer"},{"change":"change_field","entity":"company","field":{"name":"website","help":"With https"}}""");

        var exported = await RunAsync(one, "export", package);
        var unchanged = await RunAsync(one, "export", package);
        var planned = await RunAsync(other, "plan", package);
        var applied = await RunAsync(other, "apply", package);
        var again = await RunAsync(other, "plan", package, "--complete");
        await one.ChangeAsync("""{"change":"change_field","entity":"company","field":{"name":"website","help":null}}""");
        var smaller = await RunAsync(one, "export", package);
        var kept = await RunAsync(other, "plan", package);
        var taken = await RunAsync(other, "apply", package, "--complete");

        Assert.All([exported, planned, applied, smaller, taken], r => Assert.True(r.Code == MetadataCommand.Different, r.Output));
        Assert.All([unchanged, again, kept], r => Assert.True(r.Code == MetadataCommand.Same, r.Output));
        Assert.Contains("Change Company: label", planned.Output, StringComparison.Ordinal);
        Assert.Contains("Nothing to do.", again.Output, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(package, "entities", "company", "fields", "website.yaml")));
        Assert.True(File.Exists(Path.Combine(package, ".git", "HEAD")) && File.Exists(Path.Combine(package, "README.md")));
        Assert.Equal("Customer", other.Metadata.Current.Entity("company").Label);
        Assert.Null(other.Metadata.Current.Entity("company").Field("website").Help);
    }

    [Fact]
    public async Task A_zip_does_as_well_and_errors_end_with_1()
    {
        await using var crm = await TestCrm.StartAsync();
        await crm.ChangeAsync("""{"change":"change_entity","entity":"company","label":"Customer"}""");
        var zip = Path.Combine(folder, "package.zip");
        var broken = Directory.CreateDirectory(Path.Combine(folder, "broken", "entities", "company")).FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "broken", "crm.yaml"), "format: 1\n");
        await File.WriteAllTextAsync(Path.Combine(broken, "entity.yaml"), "label: Customer\nlable: Customer\n");
        var other = Directory.CreateDirectory(Path.Combine(folder, "other")).FullName;
        await File.WriteAllTextAsync(Path.Combine(other, "letter.txt"), "Dear");

        var exported = await RunAsync(crm, "export", zip);
        var planned = await RunAsync(crm, "plan", zip);
        var misspelt = await RunAsync(crm, "plan", Path.Combine(folder, "broken"));
        var missing = await RunAsync(crm, "apply", Path.Combine(folder, "nowhere"));
        var strange = await RunAsync(crm, "export", other);
        var wrong = await RunAsync(crm, "plan", zip, "--user", "nobody");

        Assert.Equal((MetadataCommand.Different, MetadataCommand.Same), (exported.Code, planned.Code));
        Assert.All([misspelt, missing, strange, wrong], r => Assert.True(r.Code == MetadataCommand.Failed, r.Output));
        Assert.Contains("entities/company/entity.yaml:2", misspelt.Output, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(other, "letter.txt")));
    }

    private static async Task<(int Code, string Output)> RunAsync(TestCrm crm, string command, string path, params string[] more)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(CliException).Assembly.Location, "metadata", command, path, "--url", crm.Address.ToString(), .. more])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.Environment["CRM_PASSWORD"] = TestCrm.AdminPassword;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + errors);
    }
}
