using System.Text.Json;
using Crm.Sdk;

namespace Crm.Metadata.Tests;

/// <summary>Layers to plan on: the platform, a module with companies and one with opportunities that depends on it.</summary>
internal static class Samples
{
    public static ModuleInfo Contacts { get; } = new("contacts", "Contacts");

    public static ModuleInfo Sales { get; } = new("sales", "Sales", "contacts");

    public static MetadataLayers Layers { get; } = Declare(Declare(Declare(MetadataLayers.None, PlatformShape.Module, PlatformShape.Shape), Contacts, ContactsShape()), Sales, SalesShape());

    public static DeclaredShape ContactsShape(Action<IEntityBuilder>? more = null)
    {
        var builder = new MetadataBuilder("contacts");
        builder
            .Area("sales", "Sales", order: 10, icon: "trending_up")
            .Section("sales", "customers", "Customers")
            .Entity("company", entity =>
            {
                entity
                    .Label("Company", "Companies")
                    .Field("name", Fields.Text, f => f.Required())
                    .Field("website", Fields.Url, f => f.MaxLength(500))
                    .Field("employees", Fields.Integer, f => f.Range(0, 1_000_000))
                    .Field("revenue", Fields.Money, f => f.Currency("USD"))
                    .Field("sector", Fields.Choice, f => f.Choice("retail", "Retail").Choice("software", "Software").Choice("medical", "Medical"))
                    .Field("parent", Fields.Lookup("company"))
                    .View("default", "Companies", "name", "sector", "parent.name", "website")
                    .FormSection("", "name", "website", "sector", "parent")
                    .FormSection("Figures", "employees", "revenue")
                    .In("sales", "customers");
                more?.Invoke(entity);
            });
        return builder.Build();
    }

    public static DeclaredShape SalesShape(Action<IEntityBuilder>? more = null)
    {
        var builder = new MetadataBuilder("sales");
        builder.Entity("opportunity", entity =>
        {
            entity
                .Label("Opportunity", "Opportunities")
                .Field("title", Fields.Text, f => f.Required())
                .Field("number", Fields.AutoNumber, f => f.Number("OPP", 5, 100))
                .Field("company", Fields.Lookup("company"))
                .Field("budget", Fields.Money)
                .Stages("stage", s => s.Stage("prospect", "Prospect", 10).Stage("offer", "Offer", 50).Won("order", "Order").Lost("lost", "Lost"))
                .View(new ViewDefinition("open", "Open opportunities", ["title", "company", "stage"], Filter.AllOf(Filter.Equal("stage", "offer"), Filter.Equal("company.sector", "retail"))))
                .In("sales", "customers");
            more?.Invoke(entity);
        });
        builder.Extend("company", entity => entity.Field("rating", Fields.Integer, f => f.Label("Rating").Range(1, 5)));
        return builder.Build();
    }

    public static MetadataLayers Declare(MetadataLayers layers, ModuleInfo module, DeclaredShape shape)
    {
        var draft = ChangePlanner.Plan(layers, [new MetadataChange.Declare(module, shape)], DatabaseFeatures.Full);
        Assert.Empty(draft.Errors);
        return draft.After.At(layers.Version + 1);
    }

    public static PlanDraft Plan(params MetadataChange[] changes) => ChangePlanner.Plan(Layers, changes, DatabaseFeatures.Full);

    /// <summary>Plans changes written as the API takes them; they must be readable.</summary>
    public static PlanDraft PlanJson(string changes, MetadataLayers? layers = null) =>
        ChangePlanner.Plan(layers ?? Layers, Read(changes), DatabaseFeatures.Full);

    public static IReadOnlyList<MetadataChange> Read(string changes)
    {
        using var document = JsonDocument.Parse($$"""{"changes":{{changes}}}""");
        var (read, errors) = MetadataJson.ReadChanges(document.RootElement);
        Assert.Empty(errors);
        return read;
    }

    /// <summary>Layers after changes that must be possible.</summary>
    public static MetadataLayers After(string changes, MetadataLayers? layers = null)
    {
        var draft = PlanJson(changes, layers);
        Assert.Empty(draft.Errors);
        return draft.After.At(draft.Before.Version + 1);
    }

    public static EntityDefinition Effective(this MetadataLayers layers, string entity) => SnapshotBuilder.Build(layers).Entity(entity);
}
