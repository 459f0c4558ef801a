using System.Text.Json.Nodes;
using Crm.Host.Api.OData;
using Microsoft.OpenApi;

namespace Crm.Host.Api.OpenApi;

/// <summary>Describes the whole API as an OpenAPI document: the records of every visible entity, and the host's other endpoints.</summary>
internal sealed class OpenApiBuilder
{
    private const string Json = "application/json";

    private readonly OpenApiDocument document = new()
    {
        Info = new OpenApiInfo { Title = "CRM", Description = "Records as OData 4.01, metadata, modules and jobs. Made from the current metadata.", Version = "v1" },
        Paths = [],
        Components = new OpenApiComponents
        {
            Schemas = new Dictionary<string, IOpenApiSchema>(),
            Parameters = new Dictionary<string, IOpenApiParameter>(),
            Responses = new Dictionary<string, IOpenApiResponse>(),
            SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>(),
        },
        Tags = new HashSet<OpenApiTag>(),
    };

    /// <summary>Makes the document.</summary>
    /// <param name="model">The entities.</param>
    /// <param name="endpoints">Endpoints besides the records.</param>
    public static OpenApiDocument Build(ODataModel model, IEnumerable<ApiEndpoint> endpoints)
    {
        var builder = new OpenApiBuilder();
        builder.AddShared();
        foreach (var set in model.Sets.Values.OrderBy(s => s.Entity.SetName, StringComparer.Ordinal))
        {
            builder.AddEntity(set);
        }

        foreach (var endpoint in endpoints.OrderBy(e => e.Path, StringComparer.Ordinal).ThenBy(e => e.Method, StringComparer.Ordinal))
        {
            builder.AddEndpoint(endpoint);
        }

        // References find their targets only once everything is registered.
        builder.document.RegisterComponents();
        return builder.document;
    }

    private void AddShared()
    {
        var components = document.Components!;
        components.SecuritySchemes!.Add("bearer", new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.Http,
            Scheme = "bearer",
            Description = "A token from POST /api/auth/token.",
        });
        document.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference("bearer", document)] = [] }];
        var one = new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Properties = new Dictionary<string, IOpenApiSchema>
            {
                ["code"] = Text("Stable code, for example required, unique, type, conflict."),
                ["message"] = Text("For people."),
                ["target"] = Text("The property or parameter at fault."),
            },
        };
        var error = new OpenApiSchema { Type = JsonSchemaType.Object, Properties = new Dictionary<string, IOpenApiSchema>(one.Properties) };
        error.Properties.Add("details", new OpenApiSchema { Type = JsonSchemaType.Array, Items = one, Description = "Every reason at once." });
        components.Schemas!.Add("error", new OpenApiSchema { Type = JsonSchemaType.Object, Properties = new Dictionary<string, IOpenApiSchema> { ["error"] = error } });
        components.Responses!.Add("error", new OpenApiResponse
        {
            Description = "The request was refused, and why.",
            Content = Content(new OpenApiSchemaReference("error", document)),
        });

        AddQuery("filter", "Which records: comparisons, and, or, not, contains, startswith, endswith, in, paths through lookups such as company/name.", Text(null));
        AddQuery("orderby", "Order, for example close_date desc,name.", Text(null));
        AddQuery("select", "Properties to return, for example name,owner.", Text(null));
        AddQuery("expand", "Lookups and collections to follow, for example company($select=name) or contacts($top=5).", Text(null));
        AddQuery("search", "Words that must all be found.", Text(null));
        AddQuery("apply", "Groups and aggregates, for example groupby((stage),aggregate($count as number)).", Text(null));
        AddQuery("top", "Records at most.", new OpenApiSchema { Type = JsonSchemaType.Integer, Minimum = "0" });
        AddQuery("skip", "Records to leave out.", new OpenApiSchema { Type = JsonSchemaType.Integer, Minimum = "0" });
        AddQuery("count", "Whether to count all records that match.", new OpenApiSchema { Type = JsonSchemaType.Boolean });
        components.Parameters!.Add("if_match", new OpenApiParameter { Name = "If-Match", In = ParameterLocation.Header, Description = "The ETag the change is based on; 412 when the record has changed since.", Schema = Text(null) });
    }

    private void AddQuery(string name, string description, OpenApiSchema schema) =>
        document.Components!.Parameters!.Add(name, new OpenApiParameter { Name = "$" + name, In = ParameterLocation.Query, Description = description, Schema = schema });

    private void AddEntity(ODataSet set)
    {
        var entity = set.Entity;
        document.Tags!.Add(new OpenApiTag { Name = entity.SetName, Description = entity.PluralLabel });
        var schemas = document.Components!.Schemas!;
        schemas.Add(entity.Name, EntitySchemas.Record(set));
        schemas.Add(entity.Name + ".changes", EntitySchemas.Changes(set));
        schemas.Add(entity.Name + ".new", new OpenApiSchema
        {
            AllOf = [new OpenApiSchemaReference(entity.Name + ".changes", document)],
            Required = EntitySchemas.Required(set),
        });
        var record = new OpenApiSchemaReference(entity.Name, document);
        var page = new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Properties = new Dictionary<string, IOpenApiSchema>
            {
                ["@odata.count"] = new OpenApiSchema { Type = JsonSchemaType.Integer, Format = "int64", Description = "All records that match, with $count=true." },
                ["value"] = new OpenApiSchema { Type = JsonSchemaType.Array, Items = record },
                ["@odata.nextLink"] = Text("Where the next page is; absent on the last one."),
            },
        };

        string[] options = ["filter", "orderby", "select", "expand", "top", "skip", "count", "search", "apply"];
        var list = Operation(set.Entity.SetName, $"list_{entity.SetName}", $"Lists {entity.PluralLabel}", "200", Answer("One page.", page));
        list.Parameters = [.. options.Select(o => new OpenApiParameterReference(o, document))];
        var create = Operation(entity.SetName, $"create_{entity.Name}", $"Creates {entity.Label}", "201", Answer("The record as stored.", record));
        create.RequestBody = Body(new OpenApiSchemaReference(entity.Name + ".new", document));
        document.Paths.Add($"{Urls.Path}/{entity.SetName}", Item((HttpMethod.Get, list), (HttpMethod.Post, create)));

        var read = Operation(entity.SetName, $"get_{entity.Name}", $"Reads one {entity.Label}", "200", Answer("The record.", record));
        read.Parameters = [Id(), new OpenApiParameterReference("select", document), new OpenApiParameterReference("expand", document)];
        var update = Operation(entity.SetName, $"update_{entity.Name}", $"Changes {entity.Label}", "200", Answer("The record as stored.", record));
        update.Parameters = [Id(), new OpenApiParameterReference("if_match", document)];
        update.RequestBody = Body(new OpenApiSchemaReference(entity.Name + ".changes", document));
        var delete = Operation(entity.SetName, $"delete_{entity.Name}", $"Deletes {entity.Label}", "204", new OpenApiResponse { Description = "Deleted." });
        delete.Parameters = [Id(), new OpenApiParameterReference("if_match", document)];
        document.Paths.Add($"{Urls.Path}/{entity.SetName}({{id}})", Item((HttpMethod.Get, read), (HttpMethod.Patch, update), (HttpMethod.Delete, delete)));
    }

    private void AddEndpoint(ApiEndpoint endpoint)
    {
        var tag = endpoint.Tag;
        if (document.Tags!.All(t => t.Name != tag))
        {
            document.Tags!.Add(new OpenApiTag { Name = tag });
        }

        var operation = Operation(tag, null, endpoint.Summary, "200", new OpenApiResponse { Description = "Done." });
        operation.Description = endpoint.Description;
        operation.Parameters = [.. endpoint.Parameters.Select(name => new OpenApiParameter { Name = name, In = ParameterLocation.Path, Required = true, Schema = Text(null) })];
        if (endpoint.Example is not null)
        {
            operation.RequestBody = new OpenApiRequestBody
            {
                Required = true,
                Content = new Dictionary<string, OpenApiMediaType>
                {
                    [Json] = new OpenApiMediaType { Schema = new OpenApiSchema { Type = JsonSchemaType.Object }, Example = JsonNode.Parse(endpoint.Example) },
                },
            };
        }

        if (!document.Paths.TryGetValue(endpoint.Path, out var item))
        {
            document.Paths.Add(endpoint.Path, item = new OpenApiPathItem());
        }

        ((OpenApiPathItem)item).AddOperation(new HttpMethod(endpoint.Method), operation);
    }

    private OpenApiOperation Operation(string tag, string? id, string? summary, string status, OpenApiResponse answer) => new()
    {
        OperationId = id,
        Summary = summary,
        Tags = new HashSet<OpenApiTagReference> { new(tag, document) },
        Responses = new OpenApiResponses { [status] = answer, ["default"] = new OpenApiResponseReference("error", document) },
    };

    private static OpenApiPathItem Item(params ReadOnlySpan<(HttpMethod Method, OpenApiOperation Operation)> operations)
    {
        var item = new OpenApiPathItem();
        foreach (var (method, operation) in operations)
        {
            item.AddOperation(method, operation);
        }

        return item;
    }

    private static OpenApiParameter Id() =>
        new() { Name = "id", In = ParameterLocation.Path, Required = true, Schema = new OpenApiSchema { Type = JsonSchemaType.String, Format = "uuid" } };

    private static OpenApiRequestBody Body(IOpenApiSchema schema) => new() { Required = true, Content = Content(schema) };

    private static OpenApiResponse Answer(string description, IOpenApiSchema schema) => new() { Description = description, Content = Content(schema) };

    private static Dictionary<string, OpenApiMediaType> Content(IOpenApiSchema schema) => new() { [Json] = new OpenApiMediaType { Schema = schema } };

    private static OpenApiSchema Text(string? description) => new() { Type = JsonSchemaType.String, Description = description };
}

/// <summary>An endpoint that is not about records.</summary>
/// <param name="Method">HTTP method.</param>
/// <param name="Path">Path with its parameters in braces.</param>
/// <param name="Tag">Group it is shown in.</param>
/// <param name="Summary">What it does.</param>
/// <param name="Description">More about it.</param>
/// <param name="Parameters">Names of the parameters of the path.</param>
/// <param name="Example">A body that works, as JSON; null when it takes none.</param>
internal sealed record ApiEndpoint(string Method, string Path, string Tag, string? Summary, string? Description, IReadOnlyList<string> Parameters, string? Example);
