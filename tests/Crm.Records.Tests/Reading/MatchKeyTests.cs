using Crm.Sdk;
using Npgsql;
using Record = Crm.Sdk.Record;

namespace Crm.Records.Tests.Reading;

/// <summary>Records are found by what they mean, however it is written.</summary>
public sealed class MatchKeyTests : IClassFixture<MatchKeyTests.People>
{
    private readonly People people;

    public MatchKeyTests(People people) => this.people = people;

    public static TheoryData<string, Filter, string> Filters => new()
    {
        { "phone in another notation", Filter.Equal("x_phone", "+49 (0)171 / 123 45 67"), "Anna" },
        { "phone as matches", Filter.Matches("x_phone", "0049 171 1234567"), "Anna" },
        { "other phones", new Filter.Compare("x_phone", FilterOperator.NotEqual, "+491711234567"), "Ben,Cleo" },
        { "one of several phones", new Filter.In("x_phone", ["+491711234567", "0190 1", "nonsense"]), "Anna" },
        { "one of several phones or none", new Filter.In("x_phone", ["+491711234567", null]), "Anna,Cleo" },
        { "a phone that is none", Filter.Equal("x_phone", "nonsense"), "" },
        { "part of a phone as typed", new Filter.Compare("x_phone", FilterOperator.Contains, "1234567"), "Anna" },
        { "without a phone", Filter.Equal("x_phone", null), "Cleo" },
        { "e-mail in any case", Filter.Equal("x_mail", "ANNA@MÜLLER.DE"), "Anna" },
        { "e-mail of a domain", Filter.Matches("x_mail", "@müller.de"), "Anna,Ben" },
        { "domain alone is no e-mail", Filter.Equal("x_mail", "müller.de"), "" },
        { "host of a web address", Filter.Matches("x_web", "acme.com"), "Anna" },
        { "name with another legal form", Filter.Matches("x_title", "ACME S.p.A."), "Anna,Cleo" },
        { "name exactly", Filter.Equal("x_title", "Acme GmbH"), "Anna" },
        { "not that name", new Filter.Not(Filter.Matches("x_title", "acme")), "Ben" },
        { "one of several numbers", new Filter.Compare("x_lines", FilterOperator.Contains, "+49 171 0000002"), "Ben" },
        { "with several numbers", new Filter.Compare("x_lines", FilterOperator.NotEqual, null), "Ben" },
        { "one of several addresses", new Filter.Compare("x_mails", FilterOperator.Contains, "Ben@HOME.example"), "Ben" },
        { "through a lookup", Filter.Matches("x_friend.x_phone", "0171 1234567"), "Ben" },
    };

    [Theory]
    [MemberData(nameof(Filters))]
    public async Task Filters_compare_by_keys(string name, Filter filter, string expected)
    {
        Assert.NotEmpty(name);
        var page = await people.Engine.Records.QueryAsync(new RecordQuery { Entity = "x_person", Select = ["x_nick"], Filter = filter, Sort = [new Sort("x_nick")] });
        Assert.Equal(expected, string.Join(',', page.Records.Select(r => r["x_nick"])));
    }

    [Theory]
    [InlineData("+49 171 123 4567", "Anna")]
    [InlineData("0171/1234567", "Anna")]
    [InlineData("1234567", "Anna")]
    [InlineData("+49 171 9999999", "")]
    [InlineData("acme", "Anna,Cleo")]
    [InlineData("+49 171 0000002", "Ben")]
    [InlineData("BEN@home.example", "Ben")]
    public async Task Quick_search_finds_a_phone_in_any_notation(string search, string expected)
    {
        var page = await people.Engine.Records.QueryAsync(new RecordQuery { Entity = "x_person", Select = ["x_nick"], Search = search, Sort = [new Sort("x_nick")] });
        Assert.Equal(expected, string.Join(',', page.Records.Select(r => r["x_nick"])));
        Assert.Empty((await people.Engine.Records.QueryAsync(new RecordQuery { Entity = "user", Search = "0171 1234567" })).Records);
    }

    [Fact]
    public async Task Only_a_field_with_a_key_can_be_matched()
    {
        var problem = await Assert.ThrowsAsync<QueryException>(() => people.Engine.Records.QueryAsync(new RecordQuery { Entity = "x_person", Filter = Filter.Matches("x_nick", "Anna") }));
        Assert.Equal(ErrorCodes.BadRequest, problem.Code);
    }

    [Fact]
    public async Task A_filter_by_a_key_is_answered_by_its_index()
    {
        await using var connection = await people.Engine.Database.OpenAsync();
        await using var command = new NpgsqlCommand("SET enable_seqscan = off; EXPLAIN SELECT id FROM records.x_person AS r WHERE r.x_mail__k = 'a@b.c' OR r.x_mail__d = 'a@b.c'", connection);
        var plan = new List<string>();
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            plan.Add(reader.GetString(0));
        }

        Assert.Contains(plan, line => line.Contains("x_person__x_mail__k_i", StringComparison.Ordinal));
        Assert.Contains(plan, line => line.Contains("x_person__x_mail__d_i", StringComparison.Ordinal));
    }

    public sealed class People : IAsyncLifetime
    {
        public Engine Engine { get; } = new();

        public async Task InitializeAsync()
        {
            await Engine.InitializeAsync();
            await Engine.ChangeAsync("""
                [{"change":"create_entity","name":"x_person","label":"Person","title":["x_title"],"search":["x_title","x_phone","x_mails","x_lines"],"fields":[
                    {"name":"x_title","type":"text"},{"name":"x_nick","type":"text"},{"name":"x_phone","type":"phone","country":"DE"},
                    {"name":"x_mail","type":"email"},{"name":"x_web","type":"url"},{"name":"x_mails","type":"emails"},{"name":"x_lines","type":"phones","country":"DE"},{"name":"x_friend","type":"lookup","target":"x_person"}]}]
                """);
            var anna = await SaveAsync("Anna", ("x_title", "Acme GmbH"), ("x_phone", "0171 1234567"), ("x_mail", "Anna@müller.de"), ("x_web", "https://www.acme.com/people"));
            await SaveAsync("Ben", ("x_title", "Other Ltd"), ("x_phone", "0171 7654321"), ("x_mail", "ben@xn--mller-kva.de"), ("x_friend", anna.Id), ("x_lines", "0171 0000001;0171 0000002"), ("x_mails", "ben@home.example"));
            await SaveAsync("Cleo", ("x_title", "ACME, Inc."));
        }

        public Task DisposeAsync() => Engine.DisposeAsync();

        private Task<Record> SaveAsync(string nick, params (string, object?)[] values) =>
            Engine.Records.SavedAsync(RecordChange.Create("x_person", Values.Of([("x_nick", nick), .. values])));
    }
}
