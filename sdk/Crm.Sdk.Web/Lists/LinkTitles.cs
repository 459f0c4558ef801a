using System.Collections.Immutable;

namespace Crm.Sdk.Web;

/// <summary>What a list shows of a field whose records it cannot join: the first of them by their titles, and how many there are.</summary>
/// <param name="First">Some of them.</param>
/// <param name="Count">How many there are.</param>
public sealed record LinkTitles(ImmutableArray<LinkTitle> First, long Count)
{
    /// <summary>Most titles of one cell.</summary>
    public const int MaxTitles = 3;

    /// <summary>
    /// Adds to each record what its many-to-many fields link it with, two questions per field, and what its any-lookups lead to, one per entity, however many records there are.
    /// </summary>
    /// <param name="records">Reads for the user.</param>
    /// <param name="metadata">The definitions.</param>
    /// <param name="fields">The fields.</param>
    /// <param name="page">The records.</param>
    /// <param name="ct">Gives up.</param>
    public static async Task<ImmutableArray<Record>> AddAsync(IRecordService records, MetadataSnapshot metadata, IEnumerable<FieldDefinition> fields, ImmutableArray<Record> page, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(records);
        ArgumentNullException.ThrowIfNull(metadata);
        ArgumentNullException.ThrowIfNull(fields);
        foreach (var field in fields.Where(f => (f.Link is not null || f.Type is AnyLookupType) && !page.IsEmpty))
        {
            var titles = field.Link is null ? await FollowAsync(records, metadata, field, page, ct) : await ReadAsync(records, metadata, field, page, ct);
            page = [.. page.Select(r => titles.TryGetValue(r.Id, out var found) ? r with { Values = new Dictionary<string, object?>(r.Values, StringComparer.Ordinal) { [field.Name] = found } } : r)];
        }

        return page;
    }

    private static async Task<Dictionary<Guid, LinkTitles>> FollowAsync(IRecordService records, MetadataSnapshot metadata, FieldDefinition field, ImmutableArray<Record> page, CancellationToken ct)
    {
        var pointers = page.Select(r => (r.Id, To: r[field.Name] as RecordRef)).Where(p => p.To is not null).ToList();
        var titles = new Forms.RecordTitles();
        await titles.LearnAsync(records, metadata, pointers.Select(p => ((string?)p.To!.Entity, (object?)p.To.Id)), ct);
        return pointers.Where(p => titles[p.To!.Id] is not null).ToDictionary(p => p.Id, p => new LinkTitles([new LinkTitle(p.To!.Entity, p.To.Id, titles[p.To.Id]!)], 1));
    }

    private static async Task<Dictionary<Guid, LinkTitles>> ReadAsync(IRecordService records, MetadataSnapshot metadata, FieldDefinition field, ImmutableArray<Record> page, CancellationToken ct)
    {
        if (field.Link is not { } link || !metadata.TryEntity(link.Entity, out var links) || links.IsHidden || !metadata.TryEntity(field.Target!, out var target))
        {
            return [];
        }

        var filter = new Filter.In(link.Near, [.. page.Select(r => (object?)r.Id)]);
        var found = await records.QueryAsync(
            new RecordQuery { Entity = links.Name, Select = [link.Near, link.Far, .. target.TitleFields.Select(t => $"{link.Far}.{t}")], Filter = filter, Top = RecordQuery.MaxTop }, ct);
        var counts = found.Next is null
            ? found.Records.CountBy(r => r.Get<Guid>(link.Near)).ToDictionary(c => c.Key, c => (long)c.Value)
            : (await records.AggregateAsync(new AggregateQuery { Entity = links.Name, GroupBy = [link.Near], Aggregates = [new Aggregate(AggregateFunction.Count, null, "links")], Filter = filter }, ct))
                .ToDictionary(r => (Guid)r.Values[link.Near]!, r => (long)r.Values["links"]!);
        var first = found.Records.ToLookup(r => r.Get<Guid>(link.Near));
        return counts.ToDictionary(c => c.Key, c => new LinkTitles(
            [.. first[c.Key].Take(MaxTitles).Select(r => new LinkTitle(target.Name, r.Get<Guid>(link.Far), Forms.RecordTitles.Of(target, t => r[$"{link.Far}.{t}"])))], c.Value));
    }
}

/// <summary>A linked record.</summary>
/// <param name="Entity">Its entity.</param>
/// <param name="Id">Its id.</param>
/// <param name="Title">What it is called.</param>
public sealed record LinkTitle(string Entity, Guid Id, string Title);
