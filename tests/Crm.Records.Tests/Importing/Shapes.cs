using System.Collections.Frozen;
using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Records.Tests.Importing;

/// <summary>Definitions as the shipped modules declare them, for tests without a database.</summary>
internal static class Shapes
{
    public static EntityDefinition User { get; } = Entity("user", ["name"], Text("name") with { IsRequired = true }, Text("user_name") with { IsRequired = true, IsUnique = true }, Text("region"), Lookup("manager", "user"));

    public static EntityDefinition Company { get; } = Entity(
        "company",
        ["name"],
        Text("name") with { IsRequired = true },
        Field("relationship_type", Fields.Choice) with { Choices = [new("client", "Client"), new("partner", "Partner")] },
        Field("industry", Fields.Choice) with { Choices = [new("technology", "Technology"), new("medical", "Medical")] },
        Text("country"),
        Field("employees", Fields.Integer),
        Field("annual_revenue", Fields.Money),
        Field("founded_year", Fields.Integer),
        Lookup("parent", "company"));

    public static EntityDefinition Product { get; } = Entity("product", ["name"], Text("name"), Text("series"), Field("price", Fields.Money));

    public static EntityDefinition Opportunity { get; } = Entity(
        "opportunity",
        ["title"],
        Text("title"),
        Lookup("company", "company"),
        Lookup("product", "product"),
        Field("budget", Fields.Money),
        Field("stage", Fields.Stage) with { Stages = new StagesDefinition([new("prospect", "Prospect", StageKind.Open, 10), new("order", "Order", StageKind.Won, 100)], []) },
        Field("engage_date", Fields.Date),
        Field("close_date", Fields.Date),
        Field("called_at", Fields.DateTime),
        Text("source_reference") with { IsUnique = true });

    public static EntityDefinition Venue { get; } = Entity(
        "venue",
        ["name"],
        Text("name"),
        Field("billing", Fields.Address) with { Label = "Billing address" },
        Field("delivery", Fields.Address) with { Label = "Delivery address" },
        Field("place", Fields.Geolocation),
        Field("rent", Fields.Money));

    public static MetadataSnapshot All { get; } = new(1, new[] { User, Company, Product, Opportunity }.ToFrozenDictionary(e => e.Name), []);

    private static EntityDefinition Entity(string name, ImmutableArray<string> title, params FieldDefinition[] fields) => new()
    {
        Name = name,
        Origin = "test",
        Label = Names.ToLabel(name),
        PluralLabel = Names.ToLabel(Names.ToPlural(name)),
        SetName = Names.ToPlural(name),
        TitleFields = title,
        Fields = [.. fields, Field("owner", Fields.Owner) with { IsSystem = true }, Field("version", Fields.Integer) with { IsSystem = true }],
    };

    private static FieldDefinition Text(string name) => Field(name, Fields.Text);

    private static FieldDefinition Lookup(string name, string target) => Field(name, Fields.LookupType) with { Target = target };

    private static FieldDefinition Field(string name, FieldType type) => new() { Name = name, Type = type, Origin = "test", Label = Names.ToLabel(name) };
}
