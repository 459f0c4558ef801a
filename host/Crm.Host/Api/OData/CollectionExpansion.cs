using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Crm.Records;
using Crm.Sdk;

namespace Crm.Host.Api.OData;

/// <summary>
/// A collection in <c>$expand</c>: the records that point to each record of an answer, or those it is linked with, each of these with what the link itself says in the annotation
/// <c>@crm.link</c>. Those of a whole answer are read together.
/// </summary>
/// <param name="navigation">The collection.</param>
/// <param name="query">What is read for each record.</param>
/// <param name="items">What is written of those that belong to it.</param>
/// <param name="keyPath">Path to the id of the record they belong to; null for the one that is written itself.</param>
/// <param name="wanted">How many of each the client wants; null for all.</param>
/// <param name="text">How the client asked.</param>
internal sealed class CollectionExpansion(CollectionNavigation navigation, RecordQuery query, Projection items, string? keyPath, int? wanted, ExpandText? text)
{
    /// <summary>How many of one record are in an answer at least, however many records it has.</summary>
    public const int Least = QueryLimits.MaxEach / RecordQuery.MaxTop;

    private readonly string name = navigation.Name;
    private string root = "";
    private ImmutableDictionary<Guid, RecordPage> pages = ImmutableDictionary<Guid, RecordPage>.Empty;
    private Projection items = items;

    /// <summary>The path a query must select for it; null when it needs none.</summary>
    public string? KeyPath => keyPath;

    /// <summary>A projection that knows what belongs to the records it will write: one question for each collection, however many records there are.</summary>
    public static async Task<Projection> LoadAsync(Projection projection, IRecordService records, IReadOnlyCollection<Record> of, string root, CancellationToken ct)
    {
        if (!projection.HasCollections)
        {
            return projection;
        }

        var (expansions, collections) = (ImmutableArray.CreateBuilder<Projection.Expansion>(), ImmutableArray.CreateBuilder<CollectionExpansion>());
        foreach (var expansion in projection.Expansions)
        {
            expansions.Add(expansion with { Content = await LoadAsync(expansion.Content, records, of, root, ct) });
        }

        foreach (var collection in projection.Collections)
        {
            collections.Add(await collection.LoadAsync(records, of, root, ct));
        }

        return projection.With(expansions.DrainToImmutable(), collections.DrainToImmutable());
    }

    /// <summary>Writes the collection of one record into the object that is open.</summary>
    public void Write(Utf8JsonWriter json, Record record)
    {
        var page = KeyOf(record) is { } key ? pages[key] : new RecordPage([], query.Count ? 0 : null, null);
        if (page.Count is { } count)
        {
            json.WriteNumber(name + "@odata.count", count);
        }

        json.WriteStartArray(name);
        foreach (var item in page.Records)
        {
            json.WriteStartObject();
            if (!navigation.IsLinked)
            {
                json.WriteString("@odata.etag", Urls.Tag(item.Version));
            }

            items.Write(json, item);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        var left = wanted - page.Records.Length;
        if (page.Next is { } next && left is not <= 0)
        {
            json.WriteString(name + "@odata.nextLink", NextLink(KeyOf(record)!.Value, next, left));
        }
    }

    private Guid? KeyOf(Record record) => keyPath is null ? record.Id : record[keyPath] as Guid?;

    private async Task<CollectionExpansion> LoadAsync(IRecordService records, IReadOnlyCollection<Record> of, string to, CancellationToken ct)
    {
        Guid[] ids = [.. of.Select(KeyOf).OfType<Guid>().Distinct()];
        // A page of fifty records has room for more of each than one of a thousand.
        var most = Math.Clamp(QueryLimits.MaxEach / Math.Max(ids.Length, 1), Least, RecordQuery.MaxTop);
        var read = await records.QueryEachAsync(query with { Top = Math.Min(wanted ?? most, most) }, navigation.By, ids, ct);
        var loaded = await LoadAsync(items, records, [.. read.Values.SelectMany(p => p.Records)], to, ct);
        return new CollectionExpansion(navigation, query, loaded, keyPath, wanted, text) { root = to, pages = read };
    }

    private string NextLink(Guid id, string after, int? left)
    {
        var link = new StringBuilder(root).Append('/').Append(navigation.Owner.Entity.SetName).Append(CultureInfo.InvariantCulture, $"({id})/{name}?");
        foreach (var (option, value) in text?.Options ?? [])
        {
            if (option is not ("$top" or "$skip"))
            {
                link.Append(option).Append('=').Append(Uri.EscapeDataString(value)).Append('&');
            }
        }

        if (left is { } rest)
        {
            link.Append(CultureInfo.InvariantCulture, $"$top={rest}&");
        }

        return link.Append("$skiptoken=").Append(Uri.EscapeDataString(after)).ToString();
    }
}
