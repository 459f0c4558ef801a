using System.Runtime.CompilerServices;
using System.Text;
using System.Xml;
using Crm.Host.Api.OData;
using Crm.Host.Api.OpenApi;
using Microsoft.AspNetCore.Http;
using Microsoft.OData.Edm;
using Microsoft.OData.Edm.Csdl;
using Microsoft.OData.Edm.Validation;
using Microsoft.OpenApi;

namespace Crm.Host.Tests.Api;

/// <summary>The documents other programs read the model from.</summary>
public sealed class DocumentTests
{
    [Fact]
    public async Task The_CSDL_of_the_model_can_be_read_back_and_is_valid()
    {
        using var reader = XmlReader.Create(new StringReader(await MetadataAsync("")));
        Assert.True(CsdlReader.TryParse(reader, out var model, out var errors), string.Join("; ", errors));
        Assert.True(model.Validate(out errors), string.Join("; ", errors));
        var deal = Assert.IsType<IEdmEntityType>(model.FindDeclaredType("crm.deal"), exactMatch: false);
        Assert.Equal("Edm.Guid", Assert.Single(deal.Key()).Type.FullName());
        Assert.Equal("Edm.Date", deal.FindProperty("close_date").Type.FullName());
        Assert.Equal("Edm.Decimal", deal.FindProperty("budget").Type.FullName());
        Assert.Equal("Edm.String", deal.FindProperty("budget_currency").Type.FullName());
        Assert.Equal("Collection(Edm.String)", deal.FindProperty("tags").Type.FullName());
        Assert.Equal("crm.company", deal.FindProperty("company").Type.FullName());
        Assert.Equal("crm.user", deal.FindProperty("owner_user").Type.FullName());
        Assert.Null(deal.FindProperty("secret"));
        Assert.Null(model.FindDeclaredType("crm.hidden"));
        Assert.NotNull(model.FindDeclaredEntitySet("deals").FindNavigationTarget((IEdmNavigationProperty)deal.FindProperty("company")));
    }

    [Theory]
    [InlineData("?$format=json", null)]
    [InlineData("?$format=application/json", null)]
    [InlineData("", "application/json")]
    public async Task The_CSDL_comes_as_JSON_when_asked_for(string query, string? accept)
    {
        using var json = System.Text.Json.JsonDocument.Parse(await MetadataAsync(query, accept));
        Assert.Equal("Edm.Guid", json.RootElement.GetProperty("crm").GetProperty("deal").GetProperty("id").GetProperty("$Type").GetString());
    }

    [Fact]
    public async Task The_OpenAPI_document_of_a_fixed_model_is_the_approved_one()
    {
        ApiEndpoint[] endpoints = [new("POST", "/api/metadata/apply", "metadata", "Applies a plan", null, [], """{"plan":"01890a5d-ac96-774b-bcce-b302099a8057"}"""), new("GET", "/api/jobs/{id}", "jobs", null, null, ["id"], null)];
        using var stream = new MemoryStream();
        await OpenApiBuilder.Build(ApiModel.Model, endpoints).SerializeAsJsonAsync(stream, OpenApiSpecVersion.OpenApi3_0);
        var made = Encoding.UTF8.GetString(stream.ToArray()).ReplaceLineEndings("\n") + "\n";
        var approved = Path.Combine(Path.GetDirectoryName(ThisFile())!, "openapi.approved.txt");
        if (!File.Exists(approved) || await File.ReadAllTextAsync(approved) != made)
        {
            // Beside the approved file, so that the difference can be looked at and moved over.
            await File.WriteAllTextAsync(approved.Replace(".approved.", ".received.", StringComparison.Ordinal), made);
            Assert.Fail("The OpenAPI document changed: compare openapi.received.txt with openapi.approved.txt.");
        }

        var read = await OpenApiDocument.LoadAsync(new MemoryStream(stream.ToArray()), "json");
        Assert.Empty(read.Diagnostic!.Errors);
    }

    private static string ThisFile([CallerFilePath] string path = "") => path;

    private static async Task<string> MetadataAsync(string query, string? accept = null)
    {
        var context = new DefaultHttpContext();
        using var body = new MemoryStream();
        context.Response.Body = body;
        context.Request.QueryString = new QueryString(query);
        context.Request.Headers.Accept = accept;
        await MetadataDocument.WriteAsync(context, ApiModel.Model);
        return Encoding.UTF8.GetString(body.ToArray());
    }
}
