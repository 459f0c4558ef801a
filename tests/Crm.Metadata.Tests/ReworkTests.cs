using Crm.Sdk;

namespace Crm.Metadata.Tests;

/// <summary>Other names and other types of fields that hold values.</summary>
public sealed class ReworkTests : NodeTests
{
    public static TheoryData<string, string, string, string> Conversions => new()
    {
        { """ "type":"text" """, """ "type":"long_text" """, "'abc'", "abc" },
        { """ "type":"text" """, """ "type":"integer" """, "' 42 '", "42" },
        { """ "type":"text" """, """ "type":"decimal","scale":1 """, "'-1.25'", "-1.3" },
        { """ "type":"text" """, """ "type":"date" """, "'2028-02-29'", "2028-02-29" },
        { """ "type":"text" """, """ "type":"choice","choices":["web","fair"] """, "'fair'", "fair" },
        { """ "type":"integer" """, """ "type":"decimal" """, "9007199254740993", "9007199254740993" },
        { """ "type":"integer" """, """ "type":"text" """, "7", "7" },
        { """ "type":"decimal" """, """ "type":"integer" """, "7.00", "7" },
        { """ "type":"decimal" """, """ "type":"percent" """, "12.5", "12.5" },
        { """ "type":"date" """, """ "type":"date_time" """, "'2026-01-02'", "2026-01-02 00:00:00+00" },
        { """ "type":"date_time" """, """ "type":"date" """, "'2026-01-02T00:00:00Z'", "2026-01-02" },
        { """ "type":"date" """, """ "type":"text" """, "'2026-01-02'", "2026-01-02" },
        { """ "type":"choice","choices":["web","fair"] """, """ "type":"text" """, "'web'", "web" },
        { """ "type":"choice","choices":["web","fair"] """, """ "type":"multi_choice" """, "'web'", "{web}" },
        { """ "type":"multi_choice","choices":["web","fair"] """, """ "type":"choice" """, "'{fair}'", "fair" },
    };

    public static TheoryData<string, string, string> Misfits => new()
    {
        { """ "type":"text" """, """ "type":"integer" """, "'many'" },
        { """ "type":"text" """, """ "type":"integer" """, "'1234567890123456789012'" },
        { """ "type":"text" """, """ "type":"decimal" """, "'1,5'" },
        { """ "type":"text" """, """ "type":"date" """, "'2026-02-30'" },
        { """ "type":"text" """, """ "type":"date" """, "'yesterday'" },
        { """ "type":"text" """, """ "type":"choice","choices":["it's"] """, "'its'" },
        { """ "type":"long_text" """, """ "type":"text" """, "E'one\\ntwo'" },
        { """ "type":"text" """, """ "type":"long_text","max_length":3 """, "'four'" },
        { """ "type":"decimal" """, """ "type":"integer" """, "1.5" },
        { """ "type":"date_time" """, """ "type":"date" """, "'2026-01-02T10:00:00Z'" },
        { """ "type":"multi_choice","choices":["web","fair"] """, """ "type":"choice" """, "'{web,fair}'" },
    };

    [Theory]
    [MemberData(nameof(Conversions))]
    public async Task Values_become_those_of_the_new_type(string from, string to, string value, string expected)
    {
        await AddAsync(from, value);
        await node.InsertAsync("company", "name", "'Without'");

        Assert.Empty((await node.ChangeAsync(Change(to))).Errors);

        Assert.Equal(expected, await node.ScalarAsync<string>("SELECT x_it::text FROM (SELECT *, set_config('TimeZone', 'UTC', true) FROM records.company) AS c WHERE x_it IS NOT NULL"));
        Assert.Equal(1, await node.ScalarAsync<long>("SELECT count(*) FROM records.company WHERE x_it IS NULL"));
    }

    [Theory]
    [MemberData(nameof(Misfits))]
    public async Task A_value_that_cannot_be_converted_is_named_and_stops_the_plan(string from, string to, string value)
    {
        await AddAsync(from, value);

        var plan = await node.Editor.PlanAsync(Samples.Read(Change(to)), Node.Admin);

        var error = Assert.Single(plan.Errors);
        Assert.Equal(("type", "company.x_it"), (error.Code, error.Target));
        Assert.Contains(": 1, for example '", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""[{"change":"change_type","entity":"company","field":{"name":"x_it","type":"integer"}},{"change":"rename_field","entity":"company","field":"x_it","to":"x_that"}]""")]
    [InlineData("""[{"change":"rename_field","entity":"company","field":"x_it","to":"x_that"},{"change":"change_type","entity":"company","field":{"name":"x_that","type":"integer"}}]""")]
    [InlineData("""[{"change":"change_type","entity":"company","field":{"name":"x_it","type":"decimal"}},{"change":"rename_field","entity":"company","field":"x_it","to":"x_this"},{"change":"change_type","entity":"company","field":{"name":"x_this","type":"integer"}},{"change":"rename_field","entity":"company","field":"x_this","to":"x_that"}]""")]
    public async Task A_new_name_and_a_new_type_go_in_one_plan_and_back(string changes)
    {
        await AddAsync(""" "type":"text","unique":true,"max_length":40 """, "' 42 '");

        var changed = await node.ChangeAsync(changes);
        Assert.Empty(changed.Errors);

        Assert.Equal(42, await node.ScalarAsync<long>("SELECT x_that FROM records.company"));
        // A decimal number cannot be unique, also not on the way to a whole one.
        Assert.Equal(!changes.Contains("decimal", StringComparison.Ordinal), node.Store.Current.Entity("company").Field("x_that").IsUnique);

        Assert.Empty((await node.ChangeAsync($$"""[{"change":"revert","version":{{changed.Version}}}]""")).Errors);

        Assert.Equal("42", await node.ScalarAsync<string>("SELECT x_it FROM records.company"));
        var field = node.Store.Current.Entity("company").Field("x_it");
        Assert.Equal((Fields.Text, 40, true), (field.Type, field.MaxLength, field.IsUnique));
        Assert.False(node.Store.Current.Entity("company").TryField("x_that", out _));
        Assert.Empty((await node.Consistency.RunAsync()).Differences);
    }

    [Fact]
    public async Task All_values_that_cannot_be_converted_are_listed_with_how_many_records_have_them()
    {
        await AddAsync(""" "type":"text" """, "'42'");
        await node.ExecuteAsync("INSERT INTO records.company (id, created_at, modified_at, name, x_it) SELECT gen_random_uuid(), now(), now(), 'C', 'no ' || n % 7 FROM generate_series(1, 21) AS n");

        var error = Assert.Single((await node.Editor.PlanAsync(Samples.Read(Change(""" "type":"integer" """)), Node.Admin)).Errors);

        Assert.Equal(Enumerable.Range(0, 7).Select(n => new PlanValue($"no {n}", 3)), error.Values);
        Assert.Contains(": 21, for example 'no 0'", error.Message, StringComparison.Ordinal);
        Assert.Equal("""{"value":"no 0","records":3}""", MetadataJson.Write([error])[0]!["values"]![0]!.ToJsonString());
    }

    [Fact]
    public async Task A_new_type_is_reverted_with_its_options_and_values()
    {
        await AddAsync(""" "type":"text","max_length":40,"label":"It" """, "'42'");
        var changed = await node.ChangeAsync(Change(""" "type":"integer","minimum":1 """));
        Assert.Equal("It", node.Store.Current.Entity("company").Field("x_it").Label);

        Assert.Empty((await node.ChangeAsync($$"""[{"change":"revert","version":{{changed.Version}}}]""")).Errors);

        var field = node.Store.Current.Entity("company").Field("x_it");
        Assert.Equal((Fields.Text, 40, null), (field.Type, field.MaxLength, field.Minimum));
        Assert.Equal("42", await node.ScalarAsync<string>("SELECT x_it FROM records.company"));
    }

    [Fact]
    public async Task A_value_saved_after_the_plan_that_cannot_be_converted_stops_it_and_nothing_is_changed()
    {
        await AddAsync(""" "type":"text" """, "'42'");
        var plan = await node.Editor.PlanAsync(Samples.Read(Change(""" "type":"integer" """)), Node.Admin);
        Assert.Equal(StepLock.All, plan.Steps.Single(s => s.Sql is not null).Lock);
        await node.InsertAsync("company", "name, x_it", "'B', 'many'");

        Assert.Equal("type", Assert.Single((await node.Editor.ApplyAsync(plan.Id, Node.Admin)).Errors).Code);
        Assert.Equal(Fields.Text, node.Store.Current.Entity("company").Field("x_it").Type);
    }

    [Fact]
    public async Task A_renamed_field_takes_its_data_and_places_along_and_can_be_renamed_back()
    {
        Assert.Empty((await node.Editor.DeclareAsync(Samples.Sales, Samples.SalesShape())).Errors);
        await node.ChangeAsync("""
            [{"change":"add_field","entity":"company","field":{"name":"x_limit","type":"money","label":"Credit","unique":false}},
             {"change":"add_field","entity":"company","field":{"name":"x_code","type":"text","unique":true}},
             {"change":"change_entity","entity":"company","search":["name","x_code"],"title":["name","x_code"]},
             {"change":"set_view","entity":"opportunity","view":{"name":"limits","columns":["title","company.x_limit","company.x_limit_currency"],"filter":{"path":"company.x_code","value":"A1"},"sort":[{"path":"company.x_limit"}]}},
             {"change":"set_form","entity":"company","form":{"sections":[{"label":"Main","fields":["name","x_code","x_limit"]}]}}]
            """);
        await node.InsertAsync("company", "name, x_limit, x_limit_currency, x_code", "'Acme', 10, 'EUR', 'A1'");

        var one = await node.ChangeAsync("""[{"change":"rename_field","entity":"company","field":"x_limit","to":"x_credit"}]""");
        Assert.Empty(one.Errors);
        Assert.Empty((await node.ChangeAsync("""[{"change":"rename_field","entity":"company","field":"x_code","to":"x_number"}]""")).Errors);

        Assert.Equal("10 EUR A1", await node.ScalarAsync<string>("SELECT concat_ws(' ', x_credit, x_credit_currency, x_number) FROM records.company"));
        var company = node.Store.Current.Entity("company");
        Assert.Equal(("Credit", "Code"), (company.Field("x_credit").Label, company.Field("x_number").Label));
        Assert.Equal(["name", "x_number"], company.TitleFields.AsEnumerable());
        Assert.Equal(["name", "x_number", "x_credit"], company.Form.Sections[0].Fields.AsEnumerable());
        var view = node.Store.Current.Entity("opportunity").Views.Single(v => v.Name == "limits");
        Assert.Equal(["title", "company.x_credit", "company.x_credit_currency"], view.Columns.AsEnumerable());
        Assert.Equal(("company.x_number", "company.x_credit"), (Assert.Single(Paths.Of(node.Store.Current, node.Store.Current.Entity("opportunity"), view.Filter!)).Path, Assert.Single(view.Sort).Path));
        Assert.NotNull(await node.ScalarAsync<string>("SELECT to_regclass('records.company__x_number_u')::text"));

        Assert.Empty((await node.ChangeAsync($$"""[{"change":"revert","version":{{one.Version}}}]""")).Errors);
        Assert.Equal(10, await node.ScalarAsync<decimal>("SELECT x_limit FROM records.company"));
    }

    [Theory]
    [InlineData("""{"change":"rename_field","entity":"company","field":"website","to":"x_page"}""", "read_only", "company.website")]
    [InlineData("""{"change":"rename_field","entity":"company","field":"x_it","to":"it"}""", "name", "company.x_it")]
    [InlineData("""{"change":"rename_field","entity":"company","field":"x_it","to":"x_\"; drop"}""", "name", "company.x_it")]
    [InlineData("""{"change":"rename_field","entity":"company","field":"x_it","to":"x_other"}""", "exists", "company.x_it")]
    [InlineData("""{"change":"rename_field","entity":"company","field":"x_it","to":"x_price_currency"}""", "exists", "company.x_price")]
    [InlineData("""{"change":"rename_field","entity":"company","field":"x_moon","to":"x_sun"}""", "unknown_field", "company.x_moon")]
    [InlineData("""{"change":"rename_field","entity":"company","field":"x_it","to":"x_t"},{"change":"rename_field","entity":"company","field":"x_other","to":"x_it"},{"change":"rename_field","entity":"company","field":"x_t","to":"x_other"}""", "conflict", "company.x_t")]
    [InlineData("""{"change":"change_type","entity":"company","field":{"name":"x_it","type":"money"}}""", "type", "company.x_it")]
    [InlineData("""{"change":"change_type","entity":"company","field":{"name":"x_it","type":"choice"}}""", "option", "company.x_it")]
    [InlineData("""{"change":"change_type","entity":"company","field":{"name":"website","type":"text"}}""", "read_only", "company.website")]
    [InlineData("""{"change":"change_type","entity":"company","field":{"name":"x_twice","type":"decimal"}}""", "read_only", "company.x_twice")]
    public void What_cannot_be_renamed_or_converted_is_refused_with_the_reason(string change, string code, string target)
    {
        var layers = Samples.After("""
            [{"change":"add_field","entity":"company","field":{"name":"x_it","type":"text"}},{"change":"add_field","entity":"company","field":{"name":"x_other","type":"text"}},
             {"change":"add_field","entity":"company","field":{"name":"x_price","type":"money"}},{"change":"add_field","entity":"company","field":{"name":"x_used","type":"integer"}},
             {"change":"add_field","entity":"company","field":{"name":"x_twice","type":"formula","result":"integer","formula":"x_used * 2"}}]
            """);

        var draft = Samples.PlanJson($"[{change}]", layers);

        Assert.Contains(draft.Errors, e => (e.Code, e.Target) == (code, target));
        Assert.Empty(draft.Steps);
    }

    private static string Change(string to) => $$"""[{"change":"change_type","entity":"company","field":{"name":"x_it",{{to}} } }]""";

    private async Task AddAsync(string type, string value)
    {
        await node.ChangeAsync($$"""[{"change":"add_field","entity":"company","field":{"name":"x_it",{{type}} } }]""");
        await node.InsertAsync("company", "name, x_it", $"'Acme', {value}");
    }
}
