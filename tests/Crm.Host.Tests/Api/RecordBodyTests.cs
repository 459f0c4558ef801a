using System.Text;
using System.Text.Json;
using Crm.Host.Api;
using Crm.Host.Api.OData;
using Microsoft.AspNetCore.Http;

namespace Crm.Host.Tests.Api;

/// <summary>From the JSON of a write to input for the record service.</summary>
public sealed class RecordBodyTests
{
    private static readonly Guid Acme = new("01890a5d-ac96-774b-bcce-b302099a8057");

    [Fact]
    public async Task Values_arrive_as_input_the_field_types_take()
    {
        var body = await ReadAsync("""
            {"title":"Big \u00e4","seats":12,"weight":0.1234,"budget":{"amount":1054.10,"currency":"EUR"},"budget_currency":null,
             "is_urgent":true,"tags":["hot","cold"],"close_date":"2026-11-21","huge":1e300}
            """);
        Assert.Equal("Big ä", body.Values["title"]);
        Assert.Equal(12L, body.Values["seats"]);
        Assert.Equal(0.1234m, body.Values["weight"]);
        Assert.Equal(1054.10m, Assert.IsType<Dictionary<string, object?>>(body.Values["budget"])["amount"]);
        Assert.Null(body.Values["budget_currency"]);
        Assert.Equal(true, body.Values["is_urgent"]);
        Assert.Equal(["hot", "cold"], Assert.IsType<List<object?>>(body.Values["tags"]));
        Assert.Equal("2026-11-21", body.Values["close_date"]);
        Assert.Equal(1e300, body.Values["huge"]);
    }

    [Theory]
    [InlineData("{\"company@odata.bind\":\"companies(01890a5d-ac96-774b-bcce-b302099a8057)\"}")]
    [InlineData("{\"company@odata.bind\":\"/odata/v4/companies/01890a5d-ac96-774b-bcce-b302099a8057\"}")]
    [InlineData("{\"company@odata.bind\":\"http://crm.example/odata/v4/companies(01890a5d-ac96-774b-bcce-b302099a8057)\"}")]
    [InlineData("{\"company\":{\"@id\":\"companies(01890a5d-ac96-774b-bcce-b302099a8057)\"}}")]
    public async Task A_lookup_can_be_bound_by_address(string json) =>
        Assert.Equal(Acme, (await ReadAsync(json)).Values["company_id"]);

    [Fact]
    public async Task Annotations_a_client_sends_back_are_no_input()
    {
        var body = await ReadAsync("""
            {"@odata.context":"x","@odata.etag":"W/\"3\"","@odata.type":"#crm.deal","seats@odata.type":"#Int64","company@odata.navigationLink":"x",
             "id":"01890a5d-ac96-774b-bcce-b302099a8057","version":3,"owner_user@odata.bind":null}
            """);
        Assert.Equal((Acme, 3L), (body.Id!.Value, body.Version!.Value));
        Assert.Equal("owner", Assert.Single(body.Values).Key);
    }

    [Theory]
    [InlineData("[]", null)]
    [InlineData("null", null)]
    [InlineData("\"x\"", null)]
    [InlineData("{\"title\":\"a\",\"title\":\"b\"}", "title")]
    [InlineData("{\"budget\":{\"amount\":1,\"amount\":2}}", "amount")]
    [InlineData("{\"company\":null,\"company_id\":null}", "company_id")]
    [InlineData("{\"company@odata.bind\":null,\"company_id\":null}", "company_id")]
    [InlineData("{\"company@odata.bind\":\"contacts(01890a5d-ac96-774b-bcce-b302099a8057)\"}", "company")]
    [InlineData("{\"company@odata.bind\":\"companies(7)\"}", "company")]
    [InlineData("{\"company@odata.bind\":7}", "company")]
    [InlineData("{\"title@odata.bind\":\"x\"}", "title")]
    [InlineData("{\"company\":{\"name\":\"Acme\"}}", "company")]
    [InlineData("{\"id\":\"seven\"}", "id")]
    [InlineData("{\"id\":7}", "id")]
    [InlineData("{\"version\":\"seven\"}", "version")]
    [InlineData("{\"title\":\"\\ud800\"}", "title")]
    [InlineData("{\"@odata.type\":\"#System.Diagnostics.Process\"}", "@odata.type")]
    [InlineData("{\"@odata.type\":\"System.Windows.Data.ObjectDataProvider, PresentationFramework\"}", "@odata.type")]
    [InlineData("{\"title@odata.type\":\"#System.String\"}", "title@odata.type")]
    [InlineData("{\"@odata.deltaLink\":\"x\"}", "@odata.deltaLink")]
    public async Task A_body_that_makes_no_sense_is_refused_with_the_name_at_fault(string json, string? target)
    {
        var error = (await Assert.ThrowsAsync<ApiException>(() => ReadAsync(json))).Error;
        Assert.Equal(400, error.Status);
        Assert.Equal(target, error.Target);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("{\"title\":\"a\"} x")]
    [InlineData("{'title':'a'}")]
    [InlineData("{\"title\":NaN}")]
    public async Task Text_that_is_no_JSON_is_refused(string json) =>
        await Assert.ThrowsAnyAsync<JsonException>(() => ReadAsync(json));

    [Fact]
    public async Task Deep_JSON_is_refused() =>
        await Assert.ThrowsAnyAsync<JsonException>(() => ReadAsync("{\"title\":" + new string('[', 100_000) + new string(']', 100_000) + "}"));

    [Theory]
    [InlineData(null)]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("application/json;charset=windows-1251")]
    public async Task Only_JSON_in_UTF_8_is_read(string? contentType) =>
        Assert.Equal(415, (await Assert.ThrowsAsync<ApiException>(() => ReadAsync("{}", contentType))).Error.Status);

    [Fact]
    public async Task Unknown_names_stay_in_so_that_all_mistakes_are_reported_at_once() =>
        Assert.Equal(["titel", "secret", "$type"], (await ReadAsync("{\"titel\":1,\"secret\":2,\"$type\":\"System.Object\"}")).Values.Keys);

    private static async Task<RecordBody> ReadAsync(string json, string? contentType = "application/json")
    {
        var context = new DefaultHttpContext();
        context.Request.ContentType = contentType;
        context.Request.Body = new MemoryStream(Encoding.UTF8.GetBytes(json));
        return await RecordBody.ReadAsync(context.Request, ApiModel.Deals, isUpdate: true);
    }
}
