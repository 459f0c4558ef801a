using System.Globalization;
using System.Text;

namespace Crm.Metadata.Tests;

/// <summary>What an administrator and the database get to see, as approved files.</summary>
public sealed class PlanTextTests
{
    [Fact]
    public void Plan_of_a_new_entity() => Approved.Check(Text(Samples.PlanJson("""
        [
          {"change":"create_entity","name":"x_venue","label":"Venue","plural":"Venues","set":"x_venues","fields":[
            {"name":"name","type":"text","label":"Name","required":true},
            {"name":"brand","type":"text"},
            {"name":"code","type":"auto_number","prefix":"V","width":4,"start":1},
            {"name":"rent","type":"money"},
            {"name":"opened","type":"date"},
            {"name":"kinds","type":"multi_choice","choices":["Concert","Sport"]},
            {"name":"operator","type":"lookup","target":"company"},
            {"name":"mail","type":"email","unique":true}]}
        ]
        """)));

    [Fact]
    public void Plan_of_new_fields_and_options() => Approved.Check(Text(Samples.PlanJson("""
        [
          {"change":"add_field","entity":"company","field":{"name":"x_rating","type":"integer","label":"Rating"}},
          {"change":"add_field","entity":"company","field":{"name":"x_limit","type":"money","label":"Credit limit"}},
          {"change":"add_field","entity":"company","field":{"name":"x_partner","type":"lookup","target":"company"}},
          {"change":"change_field","entity":"company","field":{"name":"website","unique":true,"label":"Home page"}},
          {"change":"change_entity","entity":"company","search":["name","website"]},
          {"change":"hide_field","entity":"company","field":"revenue"},
          {"change":"set_view","entity":"company","view":{"name":"rated","label":"Rated","columns":["name","x_rating"]}},
          {"change":"set_form","entity":"company","form":{"sections":[{"fields":["name","x_rating"]}]}}
        ]
        """)));

    [Fact]
    public void Plan_of_a_module_declared_for_the_first_time() => Approved.Check(Text(ChangePlanner.Plan(
        Samples.Declare(Samples.Declare(MetadataLayers.None, PlatformShape.Module, PlatformShape.Shape), Samples.Contacts, Samples.ContactsShape()),
        [new MetadataChange.Declare(Samples.Sales, Samples.SalesShape())],
        DatabaseFeatures.Full)));

    [Fact]
    public void Plan_of_a_renamed_lookup() => Approved.Check(Text(ChangePlanner.Plan(
        Samples.Declare(Samples.Layers, Samples.Sales, Samples.SalesShape(e => e.Field("partner", Crm.Sdk.Fields.Lookup("company")).Field("code", Crm.Sdk.Fields.AutoNumber, f => f.Number("C", 3)))),
        [new MetadataChange.Declare(Samples.Sales, Samples.SalesShape(e => e
            .Field("reseller", Crm.Sdk.Fields.Lookup("company"), f => f.RenamedFrom("partner"))
            .Field("reference", Crm.Sdk.Fields.AutoNumber, f => f.Number("C", 3).RenamedFrom("code"))))],
        DatabaseFeatures.Full)));

    [Fact]
    public void Plan_without_the_trigram_extension() => Approved.Check(Text(ChangePlanner.Plan(
        Samples.Layers,
        Samples.Read("""[{"change":"create_entity","name":"x_note","fields":[{"name":"name","type":"text"}]}]"""),
        new DatabaseFeatures(null))));

    private static string Text(PlanDraft draft)
    {
        Assert.Empty(draft.Errors);
        var text = new StringBuilder();
        foreach (var step in draft.Steps)
        {
            text.Append(CultureInfo.InvariantCulture, $"-- {step.Text}").AppendLine(step.Sql is null ? "" : $" [{step.Lock}]");
            if (step.Sql is not null)
            {
                text.Append(step.Sql).AppendLine(";");
            }
        }

        return text.ToString();
    }
}
