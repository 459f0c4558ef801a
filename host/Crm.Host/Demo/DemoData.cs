using System.Collections.Immutable;
using System.Globalization;

namespace Crm.Host.Demo;

internal sealed record DemoUser(Guid Id, string Name, string UserName, Guid? Manager, string? Region);

internal sealed record DemoCompany(Guid Id, string Name, string Industry, string City, string Country, int Founded, int Employees, decimal Revenue, Guid? Parent, Guid Owner);

internal sealed record DemoContact(Guid Id, string FirstName, string LastName, Guid Company, string JobTitle, string Email, string Phone, Guid Owner);

internal sealed record DemoProduct(Guid Id, string Name, string Series, decimal Price);

internal sealed record DemoOpportunity(Guid Id, string Reference, string Stage, Guid Product, Guid? Company, Guid Owner, DateOnly? Engaged, DateOnly? Closed, decimal? Value);

/// <summary>Sample data: the same for the same seed and day, with ids that do not change, so that adding it twice adds it once.</summary>
internal sealed class DemoData
{
    private const int Managers = 3;
    private const int Agents = 12;
    private const int CompanyCount = 80;
    private const int ContactCount = 160;

    private readonly Random random;

    public DemoData(DateOnly today, int seed = 20_261_121, int opportunities = 600)
    {
        // The point is that it is the same every time, not that nobody could guess it.
        random = new Random(seed);
        Users = MakeUsers();
        Products = [.. DemoWords.Products.Select((p, i) => new DemoProduct(Id(2, i), p.Name, p.Series, p.Price))];
        Companies = MakeCompanies();
        Contacts = MakeContacts();
        Opportunities = [.. Enumerable.Range(0, opportunities).Select(i => MakeOpportunity(i, today))];
    }

    public ImmutableArray<DemoUser> Users { get; }

    public ImmutableArray<DemoProduct> Products { get; }

    public ImmutableArray<DemoCompany> Companies { get; }

    public ImmutableArray<DemoContact> Contacts { get; }

    public ImmutableArray<DemoOpportunity> Opportunities { get; }

    /// <summary>Agents: everybody who has a manager.</summary>
    public IEnumerable<DemoUser> SalesAgents => Users.Where(u => u.Manager is not null);

    private ImmutableArray<DemoUser> MakeUsers()
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var users = ImmutableArray.CreateBuilder<DemoUser>();
        while (users.Count < Managers + Agents)
        {
            var name = $"{Pick(DemoWords.FirstNames)} {Pick(DemoWords.LastNames)}";
            var userName = Sdk.Names.FromLabel(name.Replace("'", "", StringComparison.Ordinal)).Replace('_', '.');
            if (!names.Add(userName))
            {
                continue;
            }

            var i = users.Count;
            users.Add(i < Managers
                ? new DemoUser(Id(1, i), name, userName, null, null)
                : new DemoUser(Id(1, i), name, userName, Id(1, i % Managers), DemoWords.Regions[i % Managers]));
        }

        return users.ToImmutable();
    }

    private ImmutableArray<DemoCompany> MakeCompanies()
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var companies = ImmutableArray.CreateBuilder<DemoCompany>();
        while (companies.Count < CompanyCount)
        {
            var name = $"{Pick(DemoWords.CompanyFirst)} {Pick(DemoWords.CompanyLast)}";
            if (!names.Add(name))
            {
                continue;
            }

            var i = companies.Count;
            var place = DemoWords.Places[Next(DemoWords.Places.Length)];
            // A parent stands before or after its daughter; nobody is their own grandmother, because parents have none.
            var parent = i % 6 == 5 ? Id(3, Next(CompanyCount / 6) * 6) : (Guid?)null;
            companies.Add(new DemoCompany(
                Id(3, i), name, Pick(DemoWords.Industries), place.City, place.Country, 1950 + Next(73), 5 + (Next(400) * Next(40)), 0.1m * Next(90_000) * 1000, parent, Agent()));
        }

        return companies.ToImmutable();
    }

    private ImmutableArray<DemoContact> MakeContacts()
    {
        var contacts = ImmutableArray.CreateBuilder<DemoContact>();
        for (var i = 0; i < ContactCount; i++)
        {
            var company = Companies[i % Companies.Length];
            var (first, last) = (Pick(DemoWords.FirstNames), Pick(DemoWords.LastNames));
            var email = string.Create(CultureInfo.InvariantCulture, $"{Sdk.Names.FromLabel(first)}.{Sdk.Names.FromLabel(last).Replace("_", "", StringComparison.Ordinal)}{i}@{Sdk.Names.FromLabel(company.Name).Replace('_', '-')}.example");
            contacts.Add(new DemoContact(Id(4, i), first, last, company.Id, Pick(DemoWords.JobTitles), email, string.Create(CultureInfo.InvariantCulture, $"+49 30 55{Next(100_000):00000}"), company.Owner));
        }

        return contacts.ToImmutable();
    }

    private DemoOpportunity MakeOpportunity(int i, DateOnly today)
    {
        var stage = Next(100) switch { < 46 => "order", < 72 => "lost", < 92 => "offer", _ => "prospect" };
        var product = Products[Next(Products.Length)];
        var isOpen = stage is "offer" or "prospect";
        // Open deals often come without a company.
        var hasCompany = !isOpen || Next(3) == 0;
        var company = hasCompany ? Companies[Next(Companies.Length)] : null;
        var engaged = today.AddDays(-20 - Next(300));
        var closed = engaged.AddDays(5 + Next(80)) is var end && end <= today ? end : today;
        return new DemoOpportunity(
            Id(5, i),
            string.Create(CultureInfo.InvariantCulture, $"DEMO-{i + 1:00000}"),
            stage,
            product.Id,
            company?.Id,
            company?.Owner ?? Agent(),
            stage == "prospect" ? null : engaged,
            isOpen ? null : closed,
            stage switch { "order" => Math.Round(product.Price * (90 + Next(20)) / 100), "lost" => 0, "offer" when hasCompany => product.Price, _ => null });
    }

    private Guid Agent() => Users[Managers + Next(Agents)].Id;

    private string Pick(string[] words) => words[Next(words.Length)];

    private int Next(int below) => random.Next(below);

    // Version 8 means "made by the application's own rule".
    private static Guid Id(int kind, int number) => new($"de300000-0000-8000-80{kind:00}-{number:x12}");
}
