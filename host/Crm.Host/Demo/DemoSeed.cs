using Crm.Metadata;
using Crm.Sdk;

namespace Crm.Host.Demo;

/// <summary>Adds sample data through the record service, as any import would. What is there already stays as it is, so a second start adds nothing.</summary>
internal sealed class DemoSeed(IRecords records, MetadataStore metadata, TimeProvider time)
{
    /// <summary>The argument that asks for it.</summary>
    public const string Argument = "--demo";

    private const int BatchRows = 500;

    private readonly IRecordService service = records.As(Actor.System);

    /// <summary>Adds what is missing and says what is going on.</summary>
    /// <exception cref="StartupException">A record was refused.</exception>
    public async Task RunAsync(Action<string> say, CancellationToken ct)
    {
        var data = new DemoData(DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime));
        await AddAsync("user", data.Users.Select(u => (u.Id, Values(("name", u.Name), ("user_name", u.UserName), ("manager", u.Manager), ("region", u.Region), ("can_sign_in", false)))), say, ct);
        await AddAsync("product", data.Products.Select(p => (p.Id, Values(("name", p.Name), ("series", p.Series), ("price", p.Price)))), say, ct);
        // Parents before their daughters.
        await AddAsync("company", data.Companies.OrderBy(c => c.Parent is not null).Select(c => (c.Id, Company(c))), say, ct);
        await AddAsync("contact", data.Contacts.Select(c => (c.Id, Contact(c))), say, ct);
        await AddAsync("opportunity", data.Opportunities.Select(o => (o.Id, Opportunity(o, data))), say, ct);
    }

    private static Dictionary<string, object?> Company(DemoCompany c) => Values(
        ("name", c.Name), ("relationship_type", "client"), ("industry", c.Industry), ("city", c.City), ("country", c.Country),
        ("founded_year", c.Founded), ("employees", c.Employees), ("annual_revenue", c.Revenue), ("parent", c.Parent), ("owner", c.Owner));

    private static Dictionary<string, object?> Contact(DemoContact c) => Values(
        ("first_name", c.FirstName), ("last_name", c.LastName), ("company", c.Company), ("job_title", c.JobTitle), ("email", c.Email), ("phone", c.Phone), ("owner", c.Owner));

    private static Dictionary<string, object?> Opportunity(DemoOpportunity o, DemoData data)
    {
        var product = data.Products.First(p => p.Id == o.Product).Name;
        var title = o.Company is { } company ? $"{product} – {data.Companies.First(c => c.Id == company).Name}" : product;
        return Values(
            ("title", title), ("source_reference", o.Reference), ("stage", o.Stage), ("product", o.Product), ("company", o.Company),
            ("owner", o.Owner), ("engage_date", o.Engaged), ("close_date", o.Closed), ("budget", o.Value));
    }

    private async Task AddAsync(string entity, IEnumerable<(Guid Id, Dictionary<string, object?> Values)> rows, Action<string> say, CancellationToken ct)
    {
        if (!metadata.Current.TryEntity(entity, out var definition) || definition.IsHidden)
        {
            // Its module is not installed.
            return;
        }

        var added = 0;
        foreach (var batch in rows.Chunk(BatchRows))
        {
            var page = await service.QueryAsync(new RecordQuery { Entity = entity, Select = ["id"], Filter = new Filter.In("id", [.. batch.Select(r => (object?)r.Id)]), Top = RecordQuery.MaxTop }, ct);
            var known = page.Records.Select(r => r.Id).ToHashSet();
            var changes = batch.Where(r => !known.Contains(r.Id)).Select(r => new RecordChange(ChangeKind.Create, entity, r.Id, r.Values) { Source = "demo" }).ToList();
            var results = changes.Count == 0 ? [] : await service.SaveManyAsync(changes, new SaveOptions(), ct);
            if (results.FirstOrDefault(r => !r.Succeeded && r.Errors[0].Code != ErrorCodes.Batch) is { } refused)
            {
                throw new StartupException($"The sample data could not be added: {definition.Label}: {refused.Errors[0].Message}");
            }

            added += results.Length;
        }

        if (added > 0)
        {
            say($"Sample data: {added} {definition.PluralLabel} added.");
        }
    }

    private static Dictionary<string, object?> Values(params ReadOnlySpan<(string Field, object? Value)> values)
    {
        var all = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (var (field, value) in values)
        {
            if (value is not null)
            {
                all[field] = value;
            }
        }

        return all;
    }
}
