using System.Collections.Frozen;
using System.Collections.Immutable;
using Crm.Host.Api.OData;
using Crm.Sdk;

namespace Crm.Host.Tests.Api;

/// <summary>A small fixed model with one field of every type, for tests that need no database.</summary>
internal static class ApiModel
{
    public static MetadataSnapshot Snapshot { get; } = new(
        7,
        new[]
        {
            Entity("user", "users", "User", "Users", Field("name", Fields.Text, f => f with { IsRequired = true }), Field("email", Fields.Email), Field("manager", Fields.LookupType, f => f with { Target = "user" })),
            Entity("company", "companies", "Company", "Companies", Field("name", Fields.Text, f => f with { IsRequired = true, IsUnique = true }), Field("revenue", Fields.Money), Field("parent", Fields.LookupType, f => f with { Target = "company" })),
            Entity(
                "deal",
                "deals",
                "Deal",
                "Deals",
                Field("title", Fields.Text, f => f with { IsRequired = true, MaxLength = 80, Help = "What it is about." }),
                Field("notes", Fields.LongText),
                Field("contact_email", Fields.Email),
                Field("phone", Fields.Phone),
                Field("website", Fields.Url),
                Field("seats", Fields.Integer, f => f with { Minimum = 1, Maximum = 1000 }),
                Field("discount", Fields.Percent),
                Field("weight", Fields.Decimal, f => f with { Scale = 4 }),
                Field("budget", Fields.Money),
                Field("is_urgent", Fields.YesNo, f => f with { Default = false }),
                Field("close_date", Fields.Date),
                Field("next_call", Fields.DateTime),
                Field("source", Fields.Choice, f => f with { Choices = [new("web", "Web"), new("fair", "Trade fair")] }),
                Field("tags", Fields.MultiChoice, f => f with { Choices = [new("hot", "Hot"), new("cold", "Cold")] }),
                Field("company", Fields.LookupType, f => f with { Target = "company" }),
                Field("stage", Fields.Stage, f => f with { Stages = new([new("open", "Open", StageKind.Open, 10), new("won", "Won", StageKind.Won, 100)], []) }),
                Field("number", Fields.AutoNumber, f => f with { IsReadOnly = true, Number = new("D", 6) }),
                Field("secret", Fields.Text, f => f with { IsHidden = true })),
            Entity("hidden", "hiddens", "Hidden", "Hidden", Field("name", Fields.Text)) with { IsHidden = true },
        }.ToFrozenDictionary(e => e.Name),
        []);

    public static ODataModel Model { get; } = ODataModel.Build(Snapshot);

    public static ODataSet Deals => Model.Set("deals");

    private static EntityDefinition Entity(string name, string set, string label, string plural, params ImmutableArray<FieldDefinition> fields) => new()
    {
        Name = name,
        Origin = "test",
        Label = label,
        PluralLabel = plural,
        SetName = set,
        TitleFields = [fields[0].Name],
        SearchFields = [fields[0].Name],
        Fields =
        [
            .. fields,
            System("id", Fields.Key),
            System("version", Fields.Integer),
            System("created_at", Fields.DateTime),
            System("created_by", Fields.User),
            System("modified_at", Fields.DateTime),
            System("modified_by", Fields.User),
            System("owner", Fields.Owner) with { IsReadOnly = false },
            System("is_active", Fields.YesNo) with { IsReadOnly = false, Default = true },
        ],
    };

    private static FieldDefinition System(string name, FieldType type) =>
        new() { Name = name, Type = type, Origin = Origins.Platform, Label = Names.ToLabel(name), IsSystem = true, IsReadOnly = true };

    private static FieldDefinition Field(string name, FieldType type, Func<FieldDefinition, FieldDefinition>? define = null)
    {
        var field = new FieldDefinition { Name = name, Type = type, Origin = "test", Label = Names.ToLabel(name) };
        return define is null ? field : define(field);
    }
}
