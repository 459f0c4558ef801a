using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Crm.Sdk;
using Crm.Sdk.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Crm.Host.Tests.Modules;

/// <summary>docs/writing-a-module.md shows code that was built and run.</summary>
public sealed partial class WritingAModuleTests
{
    [Fact]
    public void The_page_shows_the_files_of_the_fixture_as_they_are()
    {
        var root = Root();
        var page = Read(Path.Combine(root, "docs", "writing-a-module.md"));

        var shown = Blocks().Matches(page);

        Assert.Equal(7, shown.Count);
        foreach (Match block in shown)
        {
            var file = Path.Combine(root, "tests", "fixtures", "Good", block.Groups["file"].Value);
            Assert.Equal(Read(file).Trim(), block.Groups["code"].Value.Trim());
        }
    }

    [Fact]
    public async Task The_test_the_page_shows_passes()
    {
        await using var crm = await TestCrm.StartAsync(new TestCrmOptions { ModulesDirectory = Fixtures.Directory });
        var records = crm.Services.GetRequiredService<IRecords>().As(Actor.System);
        var gadget = RecordChange.Create("gadget", new Dictionary<string, object?> { ["name"] = "Drill", ["code"] = "d-1" });
        var result = await records.SaveAsync(gadget);
        Assert.Equal("D-1", result.Record!["code"]);
    }

    private static string Read(string file) => File.ReadAllText(file).ReplaceLineEndings("\n");

    private static string Root([CallerFilePath] string thisFile = "")
    {
        var directory = new DirectoryInfo(Path.GetDirectoryName(thisFile)!);
        while (!File.Exists(Path.Combine(directory.FullName, "Crm.sln")))
        {
            directory = directory.Parent ?? throw new InvalidOperationException("Crm.sln was not found above " + thisFile);
        }

        return directory.FullName;
    }

    [GeneratedRegex(@"^`(?<file>[A-Za-z.]+)`\n\n```[a-z]+\n(?<code>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.ExplicitCapture, 5000)]
    private static partial Regex Blocks();
}
