using Crm.Browser.Tests.Harness;
using Crm.Browser.Tests.Shell;
using Microsoft.Playwright;
using Npgsql;
using static Microsoft.Playwright.Assertions;

namespace Crm.Browser.Tests.Modules;

[Collection(Harness.Browser.Collection)]
public sealed class ConsistencyPageTests(Harness.Browser browser, SampleCrm sample) : IClassFixture<SampleCrm>
{
    [Theory]
    [InlineData("1440")]
    [InlineData("390")]
    [InlineData("1440-dark")]
    public Task Administrators_see_what_the_database_has_otherwise_and_when_all_is_well(string screen) => browser.VisitAsync(sample.Crm, SignInTests.Of(screen), async visit =>
    {
        await visit.OpenAsync("/admin/consistency");
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Name = "Everything is as it should be" })).ToBeVisibleAsync();
        await visit.ScreenshotAsync("well");
        await visit.CheckAccessibilityAsync();

        await ExecuteAsync("DROP INDEX records.company__owner_i; CREATE TABLE records.leftover (id uuid)");
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Check again" }).ClickAsync();
        var missing = visit.Page.Locator("[data-difference=company__owner_i]");
        await missing.GetByText("A statement that puts it right").ClickAsync();
        await Expect(missing).ToContainTextAsync("CREATE INDEX");
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Name = "2 differences" })).ToBeVisibleAsync();
        await visit.ScreenshotAsync("differences");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();

        await ExecuteAsync(await missing.Locator("pre").InnerTextAsync() + "; DROP TABLE records.leftover");
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Check again" }).ClickAsync();
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Name = "Everything is as it should be" })).ToBeVisibleAsync();
    });

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(sample.Crm.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
