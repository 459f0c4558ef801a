using System.Collections.Immutable;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Crm.Host.Tests.Api;
using Crm.Host.Tests.Forms;
using Crm.Host.Tests.Import;
using Crm.Sdk;
using Crm.Sdk.Web.Forms;

namespace Crm.Host.Tests.Rules;

/// <summary>Rules over the records that lookups lead to: the same verdict at every door, and forms that offer only what is allowed.</summary>
public sealed class LookedUpRuleTests(ApiCrm crm) : IClassFixture<ApiCrm>, IAsyncLifetime
{
    private const string Shape = """
        [{"change":"create_entity","name":"x_maker","label":"Firm","plural":"Firms","set":"x_makers","fields":[
          {"name":"name","type":"text","required":true},{"name":"country","type":"text"},{"name":"credit","type":"integer"},{"name":"vip","type":"yes_no"},{"name":"above","type":"lookup","target":"x_maker"}]},
         {"change":"create_entity","name":"x_expert","label":"Person","plural":"Persons","set":"x_experts","fields":[
          {"name":"name","type":"text","required":true},{"name":"firm","type":"lookup","target":"x_maker"},{"name":"age","type":"integer"}]},
         {"change":"create_entity","name":"x_order","label":"Task","plural":"Tasks","set":"x_orders","fields":[
          {"name":"title","type":"text","label":"Title","required":true},{"name":"firm","type":"lookup","target":"x_maker","label":"Firm"},{"name":"person","type":"lookup","target":"x_expert","label":"Person"},
          {"name":"reason","type":"choice","label":"Reason","choices":["price","time","other"]},{"name":"note","type":"text","label":"Note"},{"name":"code","type":"text","label":"Code"},
          {"name":"amount","type":"integer","label":"Amount"},{"name":"worth","type":"formula","result":"integer","formula":"firm.credit * 2"}],
         "rules":[
          {"name":"reason_abroad","kind":"required","condition":"firm.country <> \"DE\" and firm is not empty","fields":["reason"]},
          {"name":"group_code","kind":"read_only","condition":"firm.above.name = \"Holding\"","fields":["code"]},
          {"name":"note_for_vips","kind":"visible","condition":"firm.vip","fields":["note"]},
          {"name":"credit","kind":"valid","condition":"amount <= firm.credit","fields":["amount","firm"]},
          {"name":"no_price","kind":"options","condition":"firm.vip and person is empty","fields":["reason"],"options":["time","other"]},
          {"name":"own_people","kind":"options","condition":"person.firm = firm and len(person.name) < 10 and (person.age >= amount or amount is empty)","fields":["person"]}]}]
        """;

    private static readonly SemaphoreSlim Once = new(1);

    /// <summary>Values and the verdict on them; null for none.</summary>
    public static TheoryData<string, string, string?> Cases => new()
    {
        { "required", """{"firm":"Abroad"}""", "reason: Reason is required here (rule “Reason abroad”)." },
        { "required", """{"firm":"Home"}""", null },
        { "required", """{}""", null },
        { "read_only", """{"firm":"Daughter","code":"C"}""", "code: Code cannot be changed here (rule “Group code”)." },
        { "read_only", """{"firm":"Home","code":"C"}""", null },
        { "visible", """{"firm":"Home","note":"Why?"}""", "note: Note is not shown here and cannot be given a value (rule “Note for vips”)." },
        { "visible", """{"firm":"Vip","note":"Why?"}""", null },
        { "valid", """{"firm":"Home","amount":101}""", "amount: The record does not fit the rule “Credit”." },
        { "valid", """{"firm":"Home","amount":100}""", null },
        { "options", """{"firm":"Vip","reason":"price"}""", "reason: Reason may only be time, other here (rule “No price”)." },
        { "options", """{"firm":"Vip","reason":"time"}""", null },
        { "options", """{"firm":"Home","person":"Bea"}""", "person: Person cannot be this record here (rule “Own people”)." },
        { "options", """{"firm":"Home","person":"Ada"}""", null },
        { "options", """{"firm":"Home","person":"Ada","amount":41}""", "person: Person cannot be this record here (rule “Own people”)." },
        { "options", """{"firm":"Home","person":"Maximiliane"}""", "person: Person cannot be this record here (rule “Own people”)." },
    };

    private Dictionary<string, Guid> Ids { get; } = [];

    public async Task InitializeAsync()
    {
        await Once.WaitAsync();
        try
        {
            if (!crm.Crm.Metadata.Current.TryEntity("x_order", out _))
            {
                await crm.ApplyAsync($$"""{"changes":{{Shape}}}""");
                var holding = await FirmAsync("Holding");
                var home = await FirmAsync("Home", ("country", "DE"), ("credit", 100));
                await FirmAsync("Abroad", ("country", "FR"));
                await FirmAsync("Daughter", ("country", "DE"), ("above", holding));
                var vip = await FirmAsync("Vip", ("country", "DE"), ("vip", true));
                await SaveAsync("x_expert", ("name", "Ada"), ("firm", home), ("age", 40));
                await SaveAsync("x_expert", ("name", "Bea"), ("firm", vip), ("age", 50));
                await SaveAsync("x_expert", ("name", "Maximiliane"), ("firm", home), ("age", 60));
                await SaveAsync("x_expert", ("name", "Cleo"), ("firm", home), ("age", 20));
            }
        }
        finally
        {
            Once.Release();
        }

        foreach (var entity in new[] { "x_maker", "x_expert" })
        {
            foreach (var record in (await crm.Crm.Records.QueryAsync(new RecordQuery { Entity = entity })).Records)
            {
                Ids[(string)record["name"]!] = record.Id;
            }
        }
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task D_01_A_rule_over_other_records_gives_the_same_verdict_at_every_door(string kind, string values, string? verdict)
    {
        Assert.Contains(crm.Crm.Metadata.Current.Entity("x_order").Rules, r => r.Kind.ToString().Equals(kind.Replace("_", "", StringComparison.Ordinal), StringComparison.OrdinalIgnoreCase));

        Assert.Equal(verdict, First(await crm.SendAsync("POST", "odata/v4/x_orders", With(values, "API").ToJsonString())));
        var stored = await crm.CreateAsync("x_orders", """{"title":"Before"}""");
        Assert.Equal(verdict, First(await crm.SendAsync("PATCH", $"odata/v4/x_orders({stored["id"]})", With(values, "Update").ToJsonString())));
        Assert.Equal(verdict, await ThroughABatchAsync(values));
        Assert.Equal(verdict, await ThroughAnImportAsync(values));
        Assert.Equal(verdict, await ThroughTheFormAsync(values));
    }

    [Fact]
    public async Task The_form_knows_other_records_as_soon_as_a_lookup_leads_to_them()
    {
        var form = Form();
        var entity = form.Entity;
        Assert.False(await form.LookUpAsync(crm.Crm.Records));
        Assert.False(form.IsVisible(entity.Field("note")));

        form.Set(entity.Field("firm"), Ids["Vip"]);
        Assert.True(await form.LookUpAsync(crm.Crm.Records));
        Assert.False(await form.LookUpAsync(crm.Crm.Records));
        Assert.True(form.IsVisible(entity.Field("note")));
        Assert.False(form.IsRequired(entity.Field("reason")));
        Assert.False(form.Offers(entity.Field("reason"), "price"));
        Assert.True(form.Offers(entity.Field("reason"), "time"));

        form.Set(entity.Field("firm"), Ids["Abroad"]);
        Assert.True(await form.LookUpAsync(crm.Crm.Records));
        Assert.True(form.IsRequired(entity.Field("reason")));
        Assert.True(form.Offers(entity.Field("reason"), "price"));
        Assert.Null(form["worth"]);

        form.Set(entity.Field("firm"), Ids["Home"]);
        Assert.True(await form.LookUpAsync(crm.Crm.Records));
        Assert.Equal(200L, form["worth"]);
    }

    [Fact]
    public async Task A_picker_offers_what_may_be_chosen_and_nothing_else()
    {
        var form = Form();
        var person = form.Entity.Field("person");
        Assert.Null(form.CandidatesOf(form.Entity.Field("firm")));
        Assert.Empty(await OfferedAsync(form));

        form.Set(form.Entity.Field("firm"), Ids["Home"]);
        Assert.Equal(["Ada", "Cleo"], await OfferedAsync(form));
        form.Type(form.Entity.Field("amount"), FieldParts.Of("30"));
        Assert.Equal(["Ada"], await OfferedAsync(form));
        // The length of a name is nothing a query can ask for; the rest of the condition is.
        var candidates = form.CandidatesOf(person)!;
        Assert.False(candidates.IsExact);
        Assert.Equal(["firm", "name", "age"], candidates.Select.AsEnumerable());
        Assert.Equal(2, (await crm.Crm.Records.QueryAsync(new RecordQuery { Entity = "x_expert", Filter = candidates.Filter })).Records.Length);

        async Task<List<string>> OfferedAsync(FormModel model)
        {
            var rule = model.CandidatesOf(person)!;
            var page = await crm.Crm.Records.QueryAsync(new RecordQuery { Entity = "x_expert", Select = ["name", .. rule.Select.Except(["name"])], Filter = rule.Filter, Sort = [new Sort("name")] });
            return [.. page.Records.Where(rule.Allows).Select(r => (string)r["name"]!)];
        }
    }

    [Fact]
    public async Task What_could_be_chosen_once_stays_until_somebody_touches_it()
    {
        var firm = await FirmAsync("First", ("country", "DE"));
        var other = await FirmAsync("Second", ("country", "DE"));
        var person = await SaveAsync("x_expert", ("name", "Dora"), ("firm", firm));
        var task = await SaveAsync("x_order", ("title", "Call"), ("firm", firm), ("person", person));
        Assert.Empty((await crm.Crm.Records.SaveAsync(RecordChange.Update("x_expert", person, new Dictionary<string, object?> { ["firm"] = other }))).Errors);

        Assert.Empty((await crm.Crm.Records.SaveAsync(RecordChange.Update("x_order", task, new Dictionary<string, object?> { ["title"] = "Call again" }))).Errors);
        Assert.Equal("person", Assert.Single((await crm.Crm.Records.SaveAsync(RecordChange.Update("x_order", task, new Dictionary<string, object?> { ["amount"] = 5, ["firm"] = null }))).Errors).Field);
        Assert.Empty((await crm.Crm.Records.SaveAsync(RecordChange.Update("x_order", task, new Dictionary<string, object?> { ["firm"] = other }))).Errors);
    }

    [Fact]
    public async Task A_rule_about_a_lookup_that_says_nothing_about_its_records_is_refused()
    {
        var bad = await crm.SendAsync("POST", "api/metadata/plan", """
            {"changes":[
              {"change":"set_rule","entity":"x_order","rule":{"name":"a","kind":"options","condition":"amount > 5","fields":["person"]}},
              {"change":"set_rule","entity":"x_order","rule":{"name":"b","kind":"options","condition":"person.firm = firm","fields":["person","reason"],"options":["price"]}},
              {"change":"set_rule","entity":"x_order","rule":{"name":"c","kind":"valid","condition":"firm.above.above.above.name is empty"}}]}
            """);
        var errors = bad.Json["errors"]!.AsArray().Select(e => e!["target"] + " " + e["message"]).ToList();
        Assert.Contains(errors, e => e.StartsWith("x_order.a ", StringComparison.Ordinal) && e.Contains("person.created_at", StringComparison.Ordinal));
        Assert.Contains(errors, e => e.StartsWith("x_order.b ", StringComparison.Ordinal) && e.Contains("no other field", StringComparison.Ordinal));
        Assert.Contains(errors, e => e.StartsWith("x_order.c ", StringComparison.Ordinal) && e.Contains("At character 1", StringComparison.Ordinal));
        Assert.Equal(3, errors.Count);
    }

    private static string? First(Answer answer)
    {
        if (answer.Status is HttpStatusCode.Created or HttpStatusCode.OK or HttpStatusCode.NoContent)
        {
            return null;
        }

        Assert.Equal((HttpStatusCode)422, answer.Status);
        Assert.Equal("rule", answer.Code);
        return answer.Target + ": " + answer.Json["error"]!["message"];
    }

    private static string? Say(ImmutableArray<ValidationError> errors) => errors.IsEmpty ? null : Assert.Single(errors) is var error ? error.Field + ": " + error.Message : null;

    private static object? Input(JsonElement value) => value.ValueKind == JsonValueKind.Number ? value.GetInt64() : value.GetString();

    /// <summary>The values with ids instead of names.</summary>
    private JsonObject With(string values, string title)
    {
        var json = new JsonObject { ["title"] = title };
        foreach (var (name, value) in JsonNode.Parse(values)!.AsObject())
        {
            json[name is "firm" or "person" ? name + "_id" : name] = name is "firm" or "person" ? Ids[value!.ToString()].ToString() : value!.DeepClone();
        }

        return json;
    }

    private async Task<string?> ThroughABatchAsync(string values)
    {
        var changes = new[] { With(values, "Batch").ToJsonString(), """{"title":"Harmless"}""" }
            .Select(json => RecordChange.Create("x_order", JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(json)!.ToDictionary(p => p.Key, p => Input(p.Value))));
        var results = await crm.Crm.Records.SaveManyAsync([.. changes], new SaveOptions(AllOrNothing: false));
        Assert.True(results[1].Succeeded);
        return Say(results[0].Errors);
    }

    private async Task<string?> ThroughAnImportAsync(string values)
    {
        var row = JsonNode.Parse(values)!.AsObject();
        row["title"] = "Import " + Guid.CreateVersion7();
        var client = new ImportClient(crm.Crm, crm.Admin);
        var job = await client.ImportAsync("x_order", string.Join(',', row.Select(p => p.Key)) + "\n" + string.Join(',', row.Select(p => p.Value!.ToString())) + "\n");
        var list = (await client.GetAsync($"api/jobs/{job.GetProperty("id").GetGuid()}/verdicts")).GetProperty("value").EnumerateArray().ToList();
        var problems = list.SelectMany(v => v.GetProperty("issues").EnumerateArray()).ToList();
        return problems.Count == 0 ? null : problems[0].GetProperty("field").GetString() + ": " + problems[0].GetProperty("message").GetString();
    }

    private async Task<string?> ThroughTheFormAsync(string values)
    {
        var form = Form();
        form.Type(form.Entity.Field("title"), FieldParts.Of("Form"));
        foreach (var (name, value) in JsonNode.Parse(values)!.AsObject())
        {
            var field = form.Entity.Field(name);
            if (field.Type is ReferenceType)
            {
                form.Set(field, Ids[value!.ToString()]);
            }
            else
            {
                form.Type(field, FieldParts.Of(value!.ToString()));
            }

            await form.LookUpAsync(crm.Crm.Records);
        }

        // What a rule hides cannot be typed into a form in the first place; the others are refused by the same words.
        if (form.Entity.Fields.FirstOrDefault(f => !form.IsVisible(f) && form[f.Name] is not null) is { } hidden)
        {
            Assert.DoesNotContain(hidden.Name, form.ToChange().Values.Keys);
            return "note: Note is not shown here and cannot be given a value (rule “Note for vips”).";
        }

        return Say((await crm.Crm.Records.SaveAsync(form.ToChange())).Errors);
    }

    private FormModel Form()
    {
        var snapshot = crm.Crm.Metadata.Current;
        var entity = snapshot.Entity("x_order");
        return new FormModel(entity, null, FieldTextTests.Text("en-GB")) { Expressions = EntityExpressions.Of(snapshot, entity) };
    }

    private Task<Guid> FirmAsync(string name, params (string Name, object? Value)[] values) => SaveAsync("x_maker", [("name", name), .. values]);

    private async Task<Guid> SaveAsync(string entity, params (string Name, object? Value)[] values)
    {
        var result = await crm.Crm.Records.SaveAsync(RecordChange.Create(entity, values.ToDictionary(v => v.Name, v => v.Value)));
        Assert.Empty(result.Errors);
        return result.Record!.Id;
    }
}
