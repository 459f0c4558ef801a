using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Crm.Browser.Tests.Harness;
using Crm.Sdk;
using Crm.Sdk.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;
using Record = Crm.Sdk.Record;

namespace Crm.Browser.Tests.Shell;

[Collection(Harness.Browser.Collection)]
public sealed class FailureTests(Harness.Browser browser)
{
    private static readonly Regex WithId = new("give this id to your administrator: [0-9a-f]{10}", RegexOptions.None, TimeSpan.FromSeconds(1));

    [Fact]
    public async Task A_page_that_fails_says_so_with_an_id_and_leaves_the_shell_usable()
    {
        var fault = new Fault();
        await using var crm = await TestCrm.StartAsync(new TestCrmOptions
        {
            Configure = builder => builder.Services.AddScoped<IRecordService>(services => fault.Around(services.GetRequiredService<IRecords>().As(Actor.System))),
        });
        await browser.VisitAsync(crm, Screen.Desktop, async visit =>
        {
            fault.IsActive = true;
            await visit.OpenAsync("/");
            await Expect(visit.Page.Locator(".empty")).ToContainTextAsync(WithId);
            await visit.ScreenshotAsync("page");
            await visit.CheckAccessibilityAsync();

            await visit.Page.Locator("#nav").GetByRole(AriaRole.Link, new() { Name = "Companies" }).ClickAsync();
            await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Name = "The list could not be read" })).ToBeVisibleAsync();
            await Expect(visit.Page.Locator(".empty")).ToContainTextAsync(WithId);
            await visit.ScreenshotAsync("list");
            fault.IsActive = false;
            await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Try again" }).ClickAsync();
            await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Name = "No Companies yet" })).ToBeVisibleAsync();
        });
    }

    [Fact]
    public async Task PLT_42_A_new_installation_says_what_to_do_first()
    {
        await using var crm = await TestCrm.StartAsync();
        await browser.VisitAsync(crm, Screen.Desktop, async visit =>
        {
            await visit.OpenAsync("/");
            await Expect(visit.Page.GetByRole(AriaRole.Link, new() { Name = "Import your data" })).ToBeVisibleAsync();
            await Expect(visit.Page.GetByRole(AriaRole.Link, new() { Name = "New Company" })).ToBeVisibleAsync();
            await visit.ScreenshotAsync("home");
            await visit.CheckAccessibilityAsync();
            await visit.OpenAsync("/e/company");
            await visit.ScreenshotAsync("list");
            await visit.CheckAccessibilityAsync();
        });
    }

    private sealed class Fault
    {
        public bool IsActive { get; set; }

        public IRecordService Around(IRecordService records) => new Faulty(this, records);

        private sealed class Faulty(Fault fault, IRecordService records) : IRecordService
        {
            public Actor Actor => records.Actor;

            public Task<Record?> FindAsync(string entity, Guid id, CancellationToken ct = default) => Try(() => records.FindAsync(entity, id, ct));

            public Task<RecordPage> QueryAsync(RecordQuery query, CancellationToken ct = default) => Try(() => records.QueryAsync(query, ct));

            public Task<ImmutableDictionary<Guid, RecordPage>> QueryEachAsync(RecordQuery query, string by, IReadOnlyCollection<Guid> of, CancellationToken ct = default) =>
                Try(() => records.QueryEachAsync(query, by, of, ct));

            public Task<ImmutableArray<AggregateRow>> AggregateAsync(AggregateQuery query, CancellationToken ct = default) => Try(() => records.AggregateAsync(query, ct));

            public Task<SaveResult> SaveAsync(RecordChange change, CancellationToken ct = default) => Try(() => records.SaveAsync(change, ct));

            public Task<ImmutableArray<SaveResult>> SaveManyAsync(IReadOnlyList<RecordChange> changes, SaveOptions options, CancellationToken ct = default) =>
                Try(() => records.SaveManyAsync(changes, options, ct));

            public Task<ImmutableArray<HistoryEntry>> HistoryAsync(string entity, Guid id, CancellationToken ct = default) => Try(() => records.HistoryAsync(entity, id, ct));

            private Task<T> Try<T>(Func<Task<T>> read) => fault.IsActive ? throw new InvalidOperationException("The database is on fire.") : read();
        }
    }
}
