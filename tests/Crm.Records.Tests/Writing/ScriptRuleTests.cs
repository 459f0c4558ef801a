using Crm.Sdk;

namespace Crm.Records.Tests.Writing;

public sealed class ScriptRuleTests(Engine engine) : IClassFixture<Engine>, IAsyncLifetime
{
    private RecordService Records => engine.Records;

    public async Task InitializeAsync()
    {
        foreach (var rule in engine.Metadata.Current.Entity("deal").Rules)
        {
            await engine.ChangeAsync($$"""[{"change":"remove_rule","entity":"deal","rule":"{{rule.Name}}"}]""");
        }
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task A_script_sets_and_refuses_and_the_history_names_the_rule()
    {
        await SetAsync("discount", "change", "if (record.count > 10) { record.chance = 50; } if (record.count > 100) { refuse('count', 'Too many.'); }", """, "fields":["count"]""");

        var deal = await Records.SavedAsync(Values.Deal(("count", 11)));
        Assert.Equal(50m, deal["chance"]);
        Assert.Equal(50m, (await Records.FindAsync("deal", deal.Id))!["chance"]);
        var changes = (await Records.HistoryAsync("deal", deal.Id))[0].Changes;
        Assert.Equal("discount", changes.Single(c => c.Field == "chance").Rule);
        Assert.Null(changes.Single(c => c.Field == "count").Rule);

        var refused = await Records.RefusedOnceAsync(Values.Update(deal, ("count", 101)));
        Assert.Equal(new ValidationError("count", ErrorCodes.Rule, "Too many. (rule “Discount”)"), refused);

        // Its field does not change: it is not asked.
        deal = await Records.SavedAsync(Values.Update(deal, ("chance", 5)));
        Assert.Equal(5m, deal["chance"]);
    }

    [Fact]
    public async Task What_a_script_sets_is_checked_like_any_other_value()
    {
        await SetAsync("wild", "change", "if (record.title === 'type') { record.due = 'never'; } if (record.title === 'choice') { record.kind = 'blue'; } if (record.title === 'stage') { record.stage = 'order'; } if (record.title === 'range') { record.budget = 2000000; }");
        await engine.ChangeAsync("""[{"change":"set_rule","entity":"deal","rule":{"name":"few","kind":"valid","condition":"count < 100 or count is empty","fields":["count"]}}]""");
        await SetAsync("many", "change", "if (record.title === 'rule') { record.count = 100; }");

        foreach (var (title, code, field) in new[] { ("type", ErrorCodes.Type, "due"), ("choice", ErrorCodes.Unknown, "kind"), ("range", ErrorCodes.Range, "budget"), ("rule", ErrorCodes.Rule, "count") })
        {
            var error = await Records.RefusedOnceAsync(Values.Deal(("title", title)));
            Assert.Equal((field, code), (error.Field, error.Code));
        }

        // The moves between stages hold for scripts.
        var deal = await Records.SavedAsync(Values.Deal());
        Assert.Equal(ErrorCodes.Stage, (await Records.RefusedOnceAsync(Values.Update(deal, ("title", "stage")))).Code);
    }

    [Fact]
    public async Task A_script_sees_what_the_api_shows_and_sets_parts_of_a_value()
    {
        await SetAsync("money", "change", "if (record.budget === 7 && record.budget_currency === 'USD' && record.company_id === null && record.tags.includes('b') && before === null) { record.budget = 8.5; record.budget_currency = 'EUR'; record.tags = ['a']; record.due = '2026-12-24'; record.urgent = true; record.met_at = now; }");
        var deal = await Records.SavedAsync(Values.Deal(("budget", "7 USD"), ("tags", "a;b")));
        Assert.Equal(new Money(8.5m, "EUR"), deal["budget"]);
        Assert.Equal(["a"], deal.Get<System.Collections.Immutable.ImmutableArray<string>>("tags").ToArray());
        Assert.Equal(new DateOnly(2026, 12, 24), deal["due"]);
        Assert.Equal(true, deal["urgent"]);
        Assert.Equal(deal["created_at"], deal["met_at"]);
    }

    [Fact]
    public async Task Rules_run_in_their_order_change_then_calculate_then_validate_with_formulas_final()
    {
        await engine.ChangeAsync("""[{"change":"add_field","entity":"deal","field":{"name":"x_twice","type":"formula","result":"decimal","formula":"count * 2"}}]""");
        await SetAsync("last", "validate", "if (record.x_twice !== 14) { refuse('count', 'Twice is ' + record.x_twice); }");
        await SetAsync("second", "calculate", "record.count = record.count + 5;", """, "fields":["count"]""");
        await SetAsync("first", "change", "record.count = 2;");
        var deal = await Records.SavedAsync(Values.Deal(("count", 1000)));
        Assert.Equal((7L, 14m), (deal["count"], deal["x_twice"]));

        await engine.ChangeAsync("""[{"change":"remove_rule","entity":"deal","rule":"first"}]""");
        Assert.StartsWith("Twice is 12", (await Records.RefusedOnceAsync(Values.Deal(("count", 1)))).Message, StringComparison.Ordinal);
        await engine.ChangeAsync("""[{"change":"remove_rule","entity":"deal","rule":"last"},{"change":"hide_field","entity":"deal","field":"x_twice"}]""");
    }

    [Theory]
    [InlineData("change", "record.id = 'x';", "'id'")]
    [InlineData("change", "record.nothing2 = 1;", "nothing2")]
    [InlineData("change", "record.number = 'D-1';", "'number'")]
    [InlineData("change", "var a;\n  a.b = 1;", "Line 2, column 3")]
    [InlineData("validate", "record.count = 1;", "final")]
    [InlineData("calculate", "record.title = 'x';", "none of the fields it calculates")]
    [InlineData("calculate", "refuse('no');", "there to calculate")]
    public async Task A_script_that_fails_refuses_with_its_name_or_is_passed_over(string when, string script, string words)
    {
        // Put together, so that the planner cannot know it.
        script = script.Replace("record.nothing2", "record['nothing' + 2]", StringComparison.Ordinal);
        var fields = when == "calculate" ? """, "fields":["count"]""" : "";
        await SetAsync("odd", when, "record.chance = record.chance;" + script, fields);
        var error = await Records.RefusedOnceAsync(Values.Deal());
        Assert.Equal(ErrorCodes.Rule, error.Code);
        Assert.Contains("rule “Odd” failed", error.Message, StringComparison.Ordinal);
        Assert.Contains(words, error.Message, StringComparison.Ordinal);

        await SetAsync("odd", when, script, fields + """, "on_failure":"continue" """);
        var deal = await Records.SavedAsync(Values.Deal(("count", 3)));
        Assert.Equal(3L, deal["count"]);
    }

    [Fact]
    public async Task A_script_that_kills_its_process_refuses_one_record_and_the_others_are_saved()
    {
        await SetAsync("bomb", "change", "if (record.count === 2) { new Array(1e8).join('x'); } record.chance = 7;", """, "budget_ms":500""");
        var results = await Records.SaveManyAsync([.. Enumerable.Range(1, 4).Select(i => Values.Deal(("count", i)))], new SaveOptions(AllOrNothing: false));
        Assert.Equal([true, false, true, true], results.Select(r => r.Succeeded));
        Assert.Contains("“Bomb”", Assert.Single(results[1].Errors).Message, StringComparison.Ordinal);
        Assert.All(results.Where(r => r.Succeeded), r => Assert.Equal(7m, r.Record!["chance"]));
    }

    [Fact]
    public async Task A_script_that_cannot_be_used_is_refused_when_it_is_planned()
    {
        async Task<string> Refused(string script, string more = "") => await engine.RefusedAsync(Change("bad", "change", script, more));
        Assert.Equal("The script of the rule 'Bad' cannot be used. Line 2, column 3: 'let' is not known here; write 'var'.", await Refused("var a;\n  let b = 1;"));
        Assert.Contains("Line 1, column 11: Arrow functions are not known here; write 'function (x) { return … }'.", await Refused("var f = x => x;"), StringComparison.Ordinal);
        Assert.Contains("Line 1, column 9: Template strings", await Refused("var s = `a`;"), StringComparison.Ordinal);
        Assert.Equal("The script of the rule 'Bad' names something that Deal does not have. Line 1, column 8: 'nowhere'.", await Refused("record.nowhere = 1;"));
        Assert.Contains("10,000", await Refused("var a;", """, "budget_ms":20000"""), StringComparison.Ordinal);
        Assert.Contains("needs a script", await Refused(" "), StringComparison.Ordinal);
        Assert.Contains("100,000", await Refused(new string(' ', 100_001) + "x"), StringComparison.Ordinal);
        Assert.Contains("sometimes", await engine.RefusedAsync(Change("bad", "sometimes", "var a;")), StringComparison.Ordinal);
        Assert.Contains("needs a field", await engine.RefusedAsync(Change("bad", "calculate", "var a;")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_field_a_script_names_is_renamed_in_it_and_cannot_be_hidden_under_it()
    {
        await engine.ChangeAsync("""[{"change":"add_field","entity":"deal","field":{"name":"x_area","type":"money"}}]""");
        await SetAsync("areas", "change", "if (record.x_area > 5 && changed.includes('x_area')) { record['x_area_currency'] = 'USD'; refuse('x_area', 'x_area'); }", """, "fields":["x_area"]""");
        await engine.ChangeAsync("""[{"change":"rename_field","entity":"deal","field":"x_area","to":"x_size"}]""");
        var rule = engine.Metadata.Current.Entity("deal").Rules.Single();
        Assert.Equal("if (record.x_size > 5 && changed.includes('x_size')) { record['x_size_currency'] = 'USD'; refuse('x_size', 'x_area'); }", rule.Script!.Text);
        Assert.Equal(["x_size"], rule.Fields.ToArray());
        Assert.Equal("x_size", (await Records.RefusedOnceAsync(Values.Deal(("x_size", 6)))).Field);
        Assert.Contains("x_size", await engine.RefusedAsync("""[{"change":"hide_field","entity":"deal","field":"x_size"}]"""), StringComparison.Ordinal);
        await engine.ChangeAsync("""[{"change":"remove_rule","entity":"deal","rule":"areas"},{"change":"hide_field","entity":"deal","field":"x_size"}]""");
    }

    [Fact]
    public async Task A_replay_says_what_a_script_would_do_and_saves_nothing()
    {
        foreach (var count in new[] { 1, 2, 3 })
        {
            await Records.SavedAsync(Values.Deal(("title", $"Replay {count}"), ("count", count)));
        }

        var before = await engine.ScalarAsync<long>("SELECT count(*) FROM crm.history");
        var script = new ScriptDefinition("if (record.title === 'Replay 1') { record.count = record.count + 10; } if (record.title === 'Replay 2') { refuse('count', 'No.'); } if (record.title === 'Replay 3') { record.count.x.y; }", ScriptMoment.Change);
        var report = await new ScriptReplay(engine.With()).RunAsync("deal", script, Engine.Admin);

        Assert.Equal((1, 1, 1), (report.Changed, report.Refused, report.Failed));
        Assert.True(report.Records >= 3 && report.Slowest > 0);
        Assert.Equal(["Replay 3", "Replay 2", "Replay 1"], report.Items.Select(i => i.Title));
        Assert.StartsWith("Line 1, column ", report.Items[0].Failure, StringComparison.Ordinal);
        Assert.Equal(["No."], report.Items[1].Refusals.ToArray());
        Assert.Equal(KeyValuePair.Create("count", "11"), Assert.Single(report.Items[2].Sets));
        Assert.Equal(before, await engine.ScalarAsync<long>("SELECT count(*) FROM crm.history"));
    }

    private static string Change(string name, string when, string script, string more = "") =>
        $$"""[{"change":"set_rule","entity":"deal","rule":{"name":"{{name}}","kind":"script","when":"{{when}}","script":{{System.Text.Json.JsonSerializer.Serialize(script)}}{{more}} } }]""";

    private Task SetAsync(string name, string when, string script, string more = "") => engine.ChangeAsync(Change(name, when, script, more));
}
