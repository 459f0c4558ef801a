using System.Collections.Immutable;
using System.Text.Json;
using Crm.Sdk;

namespace Crm.Host.Api.OData;

/// <summary>
/// A many-to-many field in <c>$expand</c>: the records at its far side, each with what the link itself says in the annotation <c>@crm.link</c>. The links of a
/// whole page are read together.
/// </summary>
internal sealed class LinkExpansion
{
    /// <summary>Most links of one answer.</summary>
    public const int MaxLinks = 20_000;

    private readonly LinkNavigation navigation;
    private readonly JsonEncodedText name;
    private readonly Projection far;
    private readonly Projection own;
    private readonly string nearPath;
    private readonly ILookup<Guid, Record>? links;

    /// <param name="navigation">The field.</param>
    /// <param name="far">What is written of a record, with paths from the link.</param>
    public LinkExpansion(LinkNavigation navigation, Projection far)
    {
        var view = navigation.Field.Link!;
        this.navigation = navigation;
        this.far = far;
        name = JsonEncodedText.Encode(navigation.Field.Name);
        nearPath = view.Near;
        own = Projection.Of(
            navigation.Links.Entity.Fields
                .Where(f => !f.IsHidden && f.Name != view.Near && f.Name != view.Far && (!f.IsSystem || f.Name is "id" or "version"))
                .SelectMany(f => f.Type.Columns.Select(c => new PropertyDefinition(f.Name + c.Suffix, f, c))),
            "");
    }

    private LinkExpansion(LinkExpansion other, ILookup<Guid, Record> links)
    {
        (navigation, name, far, own, nearPath) = (other.navigation, other.name, other.far, other.own, other.nearPath);
        this.links = links;
    }

    /// <summary>A projection that knows the links of the records it will write.</summary>
    public static async Task<Projection> LoadAsync(Projection projection, IRecordService records, ImmutableArray<Record> of, CancellationToken ct)
    {
        if (projection.Links.IsEmpty)
        {
            return projection;
        }

        var loaded = ImmutableArray.CreateBuilder<LinkExpansion>();
        foreach (var expansion in projection.Links)
        {
            loaded.Add(await expansion.LoadAsync(records, of, ct));
        }

        return projection.WithLinks(loaded.DrainToImmutable());
    }

    /// <summary>Writes the field of one record into the object that is open.</summary>
    public void Write(Utf8JsonWriter json, Guid record)
    {
        json.WriteStartArray(name);
        foreach (var link in links?[record] ?? [])
        {
            json.WriteStartObject();
            far.Write(json, link);
            json.WriteStartObject("@crm.link");
            own.Write(json, link);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private async Task<LinkExpansion> LoadAsync(IRecordService records, ImmutableArray<Record> of, CancellationToken ct)
    {
        var query = new RecordQuery
        {
            Entity = navigation.Links.Entity.Name,
            Select = [.. far.Paths.Concat(own.Paths).Append(nearPath).Distinct()],
            Filter = new Filter.In(nearPath, [.. of.Select(r => (object?)r.Id)]),
            Top = RecordQuery.MaxTop,
        };
        var all = new List<Record>();
        while (!of.IsEmpty)
        {
            var page = await records.QueryAsync(query, ct);
            all.AddRange(page.Records);
            if (page.Next is null)
            {
                break;
            }

            if (all.Count >= MaxLinks)
            {
                throw new ApiException(ApiError.BadRequest($"'{navigation.Field.Name}' of these records has more than {MaxLinks} links. Ask for fewer records, or read {navigation.Links.Entity.SetName} page by page.", "$expand"));
            }

            query = query with { After = page.Next };
        }

        return new LinkExpansion(this, all.ToLookup(r => r.Get<Guid>(nearPath)));
    }
}
