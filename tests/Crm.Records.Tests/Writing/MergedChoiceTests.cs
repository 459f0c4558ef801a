using Crm.Sdk;

namespace Crm.Records.Tests.Writing;

/// <summary>Choices and stages that became others, as records meet them.</summary>
public sealed class MergedChoiceTests(Engine engine) : IClassFixture<Engine>
{
    [Fact]
    public async Task Who_still_names_a_merged_choice_or_stage_means_the_other_and_history_stays_readable()
    {
        await engine.ChangeAsync("""
            [{"change":"create_entity","name":"x_offer","fields":[
              {"name":"name","type":"text"},
              {"name":"source","type":"choice","choices":[{"name":"web","label":"Web"},{"name":"net","label":"Internet"}]},
              {"name":"stage","type":"stage","stages":[{"name":"open"},{"name":"talk","label":"Talking"},{"name":"sent"},{"name":"done","kind":"won"}],
               "moves":[{"from":"open","to":"talk"},{"from":"talk","to":"sent"},{"from":"sent","to":"done"}]}]}]
            """);
        var saved = await engine.Records.SaveAsync(RecordChange.Create("x_offer", new Dictionary<string, object?> { ["name"] = "A", ["source"] = "net", ["stage"] = "talk" }));
        var id = saved.Record!.Id;

        await engine.ChangeAsync("""
            [{"change":"merge_choices","entity":"x_offer","field":"source","from":"net","into":"web"},
             {"change":"merge_choices","entity":"x_offer","field":"stage","from":"talk","into":"sent"}]
            """);

        var found = (await engine.Records.FindAsync("x_offer", id))!;
        Assert.Equal(("web", "sent", 1), (found.Values["source"], found.Values["stage"], found.Version));
        foreach (var name in new[] { "net", "web" })
        {
            var page = await engine.Records.QueryAsync(new RecordQuery { Entity = "x_offer", Filter = Filter.Equal("source", name) });
            Assert.Equal(id, Assert.Single(page.Records).Id);
        }

        var entity = engine.Metadata.Current.Entity("x_offer");
        var history = Assert.Single(await engine.Records.HistoryAsync("x_offer", id)).Changes;
        string Shown(string field) => entity.Field(field).Type.Format(entity.Field(field), history.Single(c => c.Field == field).After, System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(("Internet", "Talking"), (Shown("source"), Shown("stage")));

        // A record that was not reached yet moves on as one of the other stage.
        await engine.ExecuteAsync("UPDATE records.x_offer SET stage = 'talk'");
        var moved = await engine.Records.SaveAsync(new RecordChange(ChangeKind.Update, "x_offer", id, new Dictionary<string, object?> { ["stage"] = "done", ["source"] = "Internet" }));
        Assert.Empty(moved.Errors);
        Assert.Equal(("done", "web"), (moved.Record!.Values["stage"], moved.Record.Values["source"]));
    }
}
