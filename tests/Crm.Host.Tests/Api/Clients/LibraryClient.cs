using System.Net;
using System.Xml;
using Microsoft.OData;
using Microsoft.OData.Edm;
using Microsoft.OData.Edm.Csdl;
using Microsoft.OData.Edm.Validation;

namespace Crm.Host.Tests.Api.Clients;

/// <summary>
/// A client made of the readers and writers of the OData library, which the clients of .NET are built on. It knows of the service only what
/// <c>$metadata</c> says, and refuses every answer that does not keep to it.
/// </summary>
internal sealed class LibraryClient
{
    private readonly HttpClient http;
    private readonly ODataVersion version;

    private LibraryClient(HttpClient http, ODataVersion version, IEdmModel model)
    {
        this.http = http;
        this.version = version;
        Model = model;
    }

    public IEdmModel Model { get; }

    public static async Task<LibraryClient> OpenAsync(HttpClient http, ODataVersion version)
    {
        await using var metadata = await http.GetStreamAsync(new Uri("odata/v4/$metadata", UriKind.Relative));
        using var xml = XmlReader.Create(metadata, new XmlReaderSettings { Async = true });
        Assert.True(CsdlReader.TryParse(xml, out var model, out var errors), string.Join("; ", errors));
        Assert.True(model.Validate(out errors), string.Join("; ", errors));
        return new LibraryClient(http, version, model);
    }

    public Uri Address(string path) => new(new Uri(http.BaseAddress!, "odata/v4/"), path);

    public IEdmEntitySet Set(string name) => Model.FindDeclaredEntitySet(name) ?? throw new ArgumentException($"There is no set {name}.", nameof(name));

    /// <summary>The sets the service document names.</summary>
    public async Task<IReadOnlyList<string>> SetsAsync()
    {
        using var reader = await SendAsync(HttpMethod.Get, Address(""));
        return [.. reader.ReadServiceDocument().EntitySets.Select(s => s.Name)];
    }

    /// <summary>One page.</summary>
    public async Task<(List<Dictionary<string, object?>> Rows, long? Count, Uri? Next)> PageAsync(string set, Uri address, params (string Name, string Value)[] headers)
    {
        using var reader = await SendAsync(HttpMethod.Get, address, null, headers);
        return LibraryRows.Page(reader.CreateODataResourceSetReader(Set(set), Set(set).EntityType()));
    }

    /// <summary>Creates a record; the answer is the record.</summary>
    public async Task<Dictionary<string, object?>> CreateAsync(string set, ODataResource record, params (string Navigation, Uri Target)[] links)
    {
        using var request = new WireMessage(HttpMethod.Post, Address(set));
        Write(request, set, record, links);
        using var reader = await SendAsync(HttpMethod.Post, Address(set), request);
        return LibraryRows.One(reader.CreateODataResourceReader(Set(set), Set(set).EntityType()));
    }

    /// <summary>Changes a record; the answer is the record, or null when the tag is old.</summary>
    public async Task<Dictionary<string, object?>?> UpdateAsync(string set, Uri address, ODataResource record, string tag)
    {
        using var request = new WireMessage(HttpMethod.Patch, address);
        Write(request, set, record, []);
        request.SetHeader("If-Match", tag);
        using var answer = await RawAsync(HttpMethod.Patch, address, request);
        using var reader = Reader(answer);
        if (answer.StatusCode == (int)HttpStatusCode.PreconditionFailed)
        {
            Assert.Equal("conflict", reader.ReadError().ErrorCode);
            return null;
        }

        Assert.Equal(200, answer.StatusCode);
        return LibraryRows.One(reader.CreateODataResourceReader(Set(set), Set(set).EntityType()));
    }

    public async Task<int> DeleteAsync(Uri address, string tag)
    {
        using var request = new WireMessage(HttpMethod.Delete, address);
        request.SetHeader("If-Match", tag);
        using var answer = await RawAsync(HttpMethod.Delete, address, request);
        return answer.StatusCode;
    }

    /// <summary>Sends a batch; each answer with its Content-ID, status, address and text.</summary>
    public async Task<List<(string? Id, int Status, string? Location, string Text)>> BatchAsync(bool asJson, Action<ODataBatchWriter> write)
    {
        using var request = new WireMessage(HttpMethod.Post, Address("$batch"));
        var settings = WriterSettings();
        settings.SetContentType(asJson ? ODataFormat.Json : ODataFormat.Batch);
        using (var message = new ODataMessageWriter((IODataRequestMessage)request, settings, Model))
        {
            var batch = message.CreateODataBatchWriter();
            batch.WriteStartBatch();
            write(batch);
            batch.WriteEndBatch();
            batch.Flush();
        }

        using var answer = await RawAsync(HttpMethod.Post, Address("$batch"), request);
        Assert.True(answer.StatusCode == 200, answer.Text);
        using var reader = Reader(answer);
        var answers = new List<(string?, int, string?, string)>();
        var parts = reader.CreateODataBatchReader();
        while (parts.Read())
        {
            if (parts.State == ODataBatchReaderState.Operation)
            {
                var part = parts.CreateOperationResponseMessage();
                using var text = new StreamReader(part.GetStream());
                answers.Add((part.ContentId, part.StatusCode, part.GetHeader("Location"), await text.ReadToEndAsync()));
            }
        }

        return answers;
    }

    /// <summary>Writes a record as the body of a request.</summary>
    public void Write(IODataRequestMessage request, string set, ODataResource record, params (string Navigation, Uri Target)[] links)
    {
        using var message = new ODataMessageWriter(request, WriterSettings(), Model);
        var writer = message.CreateODataResourceWriter(Set(set), Set(set).EntityType());
        writer.WriteStart(record);
        foreach (var (navigation, target) in links)
        {
            writer.WriteStart(new ODataNestedResourceInfo { Name = navigation, IsCollection = false });
            if (version == ODataVersion.V4)
            {
                writer.WriteEntityReferenceLink(new ODataEntityReferenceLink { Url = target });
            }
            else
            {
                writer.WriteStart(new ODataResource { Id = target });
                writer.WriteEnd();
            }

            writer.WriteEnd();
        }

        writer.WriteEnd();
        writer.Flush();
    }

    private ODataMessageWriterSettings WriterSettings() => new() { Version = version, BaseUri = Address("") };

    private ODataMessageReader Reader(WireMessage answer) =>
        new((IODataResponseMessage)answer, new ODataMessageReaderSettings(version) { BaseUri = Address(""), MaxProtocolVersion = version, Validations = ValidationKinds.All }, Model);

    private async Task<ODataMessageReader> SendAsync(HttpMethod method, Uri address, WireMessage? body = null, params (string Name, string Value)[] headers)
    {
        var answer = await RawAsync(method, address, body, headers);
        Assert.True(answer.StatusCode is 200 or 201, $"{method} {address}: {answer.StatusCode} {answer.Text}");
        return Reader(answer);
    }

    private async Task<WireMessage> RawAsync(HttpMethod method, Uri address, WireMessage? body, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, address);
        request.Headers.Add("OData-MaxVersion", version == ODataVersion.V4 ? "4.0" : "4.01");
        if (body is { Bytes.Length: > 0 })
        {
            request.Content = new ByteArrayContent(body.Bytes);
        }

        foreach (var (name, value) in headers.Concat((body?.Headers ?? []).Select(h => (h.Key, h.Value))))
        {
            if (!request.Headers.TryAddWithoutValidation(name, value))
            {
                request.Content?.Headers.TryAddWithoutValidation(name, value);
            }
        }

        using var response = await http.SendAsync(request);
        return await WireMessage.ReadAsync(response);
    }
}
