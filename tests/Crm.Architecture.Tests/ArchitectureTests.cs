using System.Xml.Linq;

namespace Crm.Architecture.Tests;

public sealed class ArchitectureTests
{
    [Fact]
    public void Modules_reference_the_sdk_only() => Check(Rules.ModulesPointAtTheSdk, ".csproj", ".props");

    [Fact]
    public void The_sdk_references_nothing_of_ours() => Check(Rules.TheSdkStandsAlone, ".csproj");

    [Fact]
    public void The_engine_references_the_sdk_only() => Check(Rules.TheEngineKnowsOnlyTheSdk, ".csproj");

    [Fact]
    public void Nothing_references_a_module() => Check(Rules.NothingReferencesAModule, ".csproj", ".props");

    [Fact]
    public void Npgsql_is_used_in_the_engine_and_the_embedded_server_only() => Check(Rules.OnlyTheEngineKnowsNpgsql, ".cs", ".razor", ".csproj");

    [Fact]
    public void The_script_engine_is_used_in_the_rules_only() => Check(Rules.OnlyTheRulesKnowTheScriptEngine, ".cs", ".razor", ".csproj");

    [Fact]
    public void No_page_renders_text_as_markup() => Check(Rules.NoRawMarkup, ".cs", ".razor");

    [Fact]
    public void Nothing_is_left_unfinished_or_skipped() => Check(Rules.NothingUnfinished, ".cs", ".razor", ".js", ".sql");

    [Fact]
    public void No_file_is_longer_than_400_lines() => Check(Rules.FilesAreShort, ".cs", ".razor");

    [Fact]
    public void No_package_source_is_named() =>
        Check(Rules.NoPackageSourceIsNamed, ".cs", ".csproj", ".props", ".targets", ".json", ".config", ".md", ".sh", "");

    [Fact]
    public void Every_central_package_version_is_used()
    {
        var used = Repository.Files(".csproj", ".props")
            .SelectMany(file => XDocument.Parse(file.Text).Descendants("PackageReference"))
            .Select(reference => reference.Attribute("Include")?.Value)
            .ToHashSet();
        var versions = XDocument.Parse(File.ReadAllText(Path.Combine(Repository.Root, "Directory.Packages.props"))).Descendants("PackageVersion").ToList();
        Assert.NotEmpty(versions);
        Assert.Equal([], versions.Select(v => v.Attribute("Include")!.Value).Except(used.OfType<string>()));
        Assert.DoesNotContain(versions, v => v.Attribute("Version")!.Value.IndexOfAny(['*', '[', '(']) >= 0);
    }

    [Fact]
    public void Every_project_is_in_the_solution_or_built_by_a_test()
    {
        var solution = File.ReadAllText(Path.Combine(Repository.Root, "Crm.sln")).Replace('\\', '/');
        var missing = Repository.Files(".csproj")
            .Select(file => file.Path)
            .Where(path => !path.StartsWith("tests/fixtures/", StringComparison.Ordinal) && !path.StartsWith("sdk/templates/", StringComparison.Ordinal))
            .Where(path => !solution.Contains(path, StringComparison.Ordinal));
        Assert.Empty(missing);
    }

    // Each rule is shown something that breaks it, so that a rule that looks at nothing is found out.
    [Theory]
    [InlineData(nameof(Rules.ModulesPointAtTheSdk), "modules/Bad/Bad.csproj", "<Project><ItemGroup><ProjectReference Include=\"../../metadata/Crm.Records/Crm.Records.csproj\" /></ItemGroup></Project>")]
    [InlineData(nameof(Rules.ModulesPointAtTheSdk), "modules/Bad/Bad.csproj", "<Project><ItemGroup><ProjectReference Include=\"../Sales/Sales.csproj\" /></ItemGroup></Project>")]
    [InlineData(nameof(Rules.TheSdkStandsAlone), "sdk/Crm.Sdk/Crm.Sdk.csproj", "<Project><ItemGroup><ProjectReference Include=\"../../host/Crm.Host/Crm.Host.csproj\" /></ItemGroup></Project>")]
    [InlineData(nameof(Rules.TheEngineKnowsOnlyTheSdk), "metadata/Crm.Records/Crm.Records.csproj", "<Project><ItemGroup><ProjectReference Include=\"../../sdk/Crm.Sdk.Web/Crm.Sdk.Web.csproj\" /></ItemGroup></Project>")]
    [InlineData(nameof(Rules.NothingReferencesAModule), "host/Crm.Host/Crm.Host.csproj", "<Project><ItemGroup><ProjectReference Include=\"../../modules/Sales/Sales.csproj\" /></ItemGroup></Project>")]
    [InlineData(nameof(Rules.OnlyTheEngineKnowsNpgsql), "host/Crm.Host/Api/Bad.cs", "using Npgsql;")]
    [InlineData(nameof(Rules.OnlyTheRulesKnowTheScriptEngine), "metadata/Crm.Records/Bad.cs", "var engine = new Jint.Engine();")]
    [InlineData(nameof(Rules.NoRawMarkup), "host/Crm.Host/Pages/Bad.razor", "@((MarkupString)note)")]
    [InlineData(nameof(Rules.NothingUnfinished), "host/Crm.Host/Bad.cs", "throw new NotImplementedException();")]
    [InlineData(nameof(Rules.NothingUnfinished), "tests/Crm.Host.Tests/Bad.cs", "[Fact(Skip = \"later\")]")]
    [InlineData(nameof(Rules.NoPackageSourceIsNamed), "run", "curl https://registry.npmjs.org/x")]
    public void Each_rule_catches_what_breaks_it(string rule, string path, string text)
    {
        var method = typeof(Rules).GetMethod(rule)!;
        var broken = (IEnumerable<string>)method.Invoke(null, [new SourceFile(path, text)])!;
        Assert.NotEmpty(broken);
    }

    [Fact]
    public void The_rule_on_length_catches_a_long_file() =>
        Assert.NotEmpty(Rules.FilesAreShort(new SourceFile("host/Long.cs", new string('\n', 401))));

    private static void Check(Func<SourceFile, IEnumerable<string>> rule, params string[] extensions)
    {
        var files = Repository.Files(extensions).ToList();
        Assert.NotEmpty(files);
        Assert.Empty(files.SelectMany(file => rule(file).Select(what => $"{file.Path}: {what}")));
    }
}
