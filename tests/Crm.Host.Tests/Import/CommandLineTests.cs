using Crm.Cli;
using Crm.Host.Demo;
using Crm.Sdk.Testing;
using Spectre.Console;

namespace Crm.Host.Tests.Import;

public sealed class CommandLineTests
{
    private const string Mapping = """
        files:
          - file: sales_teams.csv
            entity: user
            mode: upsert
            match: user_name
            fields:
              name: sales_agent
              user_name: { template: "{sales_agent|user_name}" }
              region: regional_office
              manager: { column: manager, unknown: create, create: { user_name: "{value|user_name}" } }
          - file: accounts.csv
            entity: company
            mode: upsert
            match: [name]
            fields:
              name: account
              relationship_type: { value: client }
              industry: { column: sector, values: { technolgy: technology } }
              founded_year: year_established
              annual_revenue: revenue
              employees: employees
              country: office_location
              parent: { column: subsidiary_of, unknown: empty }
          - { file: suppliers.csv, entity: company }
          - { file: products.csv, entity: product, mode: upsert, match: name }
          - file: sales_pipeline.csv
            entity: opportunity
            mode: upsert
            match: source_reference
            fields:
              source_reference: opportunity_id
              title: { template: "{product}[ – {account}]" }
              owner: sales_agent
              product: { column: product, values: { AuroraPro: Aurora Pro } }
              company: account
              stage: { column: deal_stage, values: { Won: order, Lost: lost, Engaging: offer, Prospecting: prospect } }
              engage_date: engage_date
              close_date: close_date
              budget: close_value
        figures:
          - { label: Agents, set: users, filter: "region ne null", expect: 12 }
          - { label: Companies, set: companies, filter: "industry ne null", expect: 80 }
          - { label: Deals, set: opportunities, expect: 600 }
          - { label: Won, set: opportunities, filter: "stage eq 'order'", sum: budget, expect: WON }
          - { label: Without company, set: opportunities, filter: "company_id eq null", expect: WITHOUT }
          - { label: Right product, set: opportunities, filter: "product/name eq 'Aurora Pro'", expect: AURORA }
        """;

    [Fact]
    public async Task A_folder_of_faulty_files_is_imported_and_its_figures_are_read_back()
    {
        var folder = Directory.CreateTempSubdirectory("crm-cli-").FullName;
        try
        {
            var data = new DemoData(new DateOnly(2026, 11, 21));
            await DemoFiles.WriteAsync(data, folder);
            var mapping = Path.Combine(folder, "mapping.yaml");
            await File.WriteAllTextAsync(mapping, Mapping
                .Replace("WON", Text(data.Opportunities.Where(o => o.Stage == "order").Sum(o => o.Value!.Value)), StringComparison.Ordinal)
                .Replace("WITHOUT", Text(data.Opportunities.Count(o => o.Company is null)), StringComparison.Ordinal)
                .Replace("AURORA", Text(data.Opportunities.Count(o => data.Products.First(p => p.Id == o.Product).Name == DemoFiles.Product)), StringComparison.Ordinal));
            await using var crm = await TestCrm.StartAsync();

            var (first, output) = await RunAsync(crm, folder, mapping);
            var (second, again) = await RunAsync(crm, folder, mapping);

            Assert.True(first == 0, output);
            Assert.Contains("80 rows read: 80 created", output, StringComparison.Ordinal);
            Assert.Contains(DemoFiles.ParentWithoutRow, output, StringComparison.Ordinal);
            Assert.Contains("600 rows read: 600 created", output, StringComparison.Ordinal);
            Assert.Contains("600 rows read: 0 created, 0 updated, 600 unchanged", again, StringComparison.Ordinal);
            Assert.True(second == 0, again);
            Assert.True(File.Exists(Path.Combine(folder, "reports", "sales_pipeline-report.csv")));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("files: []")]
    [InlineData("files: [{ file: ../secret.csv, entity: user }]")]
    [InlineData("files: [{ file: a.csv, entity: user, colour: red }]")]
    [InlineData("files: [{ file: a.csv }]")]
    [InlineData("files: [")]
    public void A_mapping_file_nobody_understands_is_refused(string yaml) => Assert.Throws<CliException>(() => ImportPlan.Parse(yaml));

    [Fact]
    public async Task A_wrong_password_is_said_so()
    {
        await using var crm = await TestCrm.StartAsync();
        var folder = Directory.CreateTempSubdirectory("crm-cli-").FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "a.csv"), "name\nA\n");
        var mapping = Path.Combine(folder, "mapping.yaml");
        await File.WriteAllTextAsync(mapping, "files: [{ file: a.csv, entity: product }]");

        var (code, output) = await RunAsync(crm, folder, mapping, "wrong");

        Directory.Delete(folder, recursive: true);
        Assert.Equal(1, code);
        Assert.Contains("does not accept the password", output, StringComparison.Ordinal);
    }

    private static string Text(decimal number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static async Task<(int Code, string Output)> RunAsync(TestCrm crm, string folder, string mapping, string password = TestCrm.AdminPassword)
    {
        await using var output = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors, Interactive = InteractionSupport.No, Out = new AnsiConsoleOutput(output) });
        console.Profile.Width = 200;
        using var http = new HttpClient { BaseAddress = crm.Address };
        var code = await ImportCommand.RunAsync(console, http, new ImportArguments(folder, mapping, "admin", password, DryRun: false, Path.Combine(folder, "reports")), CancellationToken.None);
        return (code, output.ToString());
    }
}
