using System.Collections.Immutable;
using Crm.Sdk;
using Crm.Sdk.Web.Forms;

namespace Crm.Host.Exporting;

/// <summary>What records that a query cannot join are called: those a many-to-many field links, or the one an any-lookup leads to.</summary>
/// <param name="Titles">Their titles, with semicolons between them, as an import reads them.</param>
internal sealed record ExportLinks(string Titles)
{
    /// <summary>Adds them to some records: a few questions for all of them.</summary>
    public static async Task<ImmutableArray<Record>> AddAsync(IRecordService records, MetadataSnapshot metadata, ImmutableArray<FieldDefinition> fields, ImmutableArray<Record> page, CancellationToken ct)
    {
        foreach (var field in fields)
        {
            var titles = field.Link is { } link ? await LinkedAsync(records, metadata, field, link, page, ct) : await FollowedAsync(records, metadata, field, page, ct);
            page = [.. page.Select(r => r with { Values = new Dictionary<string, object?>(r.Values, StringComparer.Ordinal) { [field.Name] = titles.TryGetValue(r.Id, out var found) ? new ExportLinks(found) : null } })];
        }

        return page;
    }

    private static async Task<Dictionary<Guid, string>> FollowedAsync(IRecordService records, MetadataSnapshot metadata, FieldDefinition field, ImmutableArray<Record> page, CancellationToken ct)
    {
        var pointers = page.Select(r => (r.Id, To: r[field.Name] as RecordRef)).Where(p => p.To is not null).ToList();
        var titles = new RecordTitles();
        await titles.LearnAsync(records, metadata, pointers.Select(p => ((string?)p.To!.Entity, (object?)p.To.Id)), ct);
        return pointers.Where(p => titles[p.To!.Id] is not null).ToDictionary(p => p.Id, p => titles[p.To!.Id]!);
    }

    private static async Task<Dictionary<Guid, string>> LinkedAsync(IRecordService records, MetadataSnapshot metadata, FieldDefinition field, LinkView link, ImmutableArray<Record> page, CancellationToken ct)
    {
        if (!metadata.TryEntity(link.Entity, out var links) || links.IsHidden || !metadata.TryEntity(field.Target!, out var target) || target.IsHidden || page.IsEmpty)
        {
            return [];
        }

        var query = new RecordQuery
        {
            Entity = links.Name,
            Select = [link.Near, link.Far, .. target.TitleFields.Select(t => $"{link.Far}.{t}")],
            Filter = new Filter.In(link.Near, [.. page.Select(r => (object?)r.Id)]),
            Top = RecordQuery.MaxTop,
        };
        var titles = new Dictionary<Guid, List<string>>();
        for (string? after = null; ;)
        {
            var found = await records.QueryAsync(query with { After = after }, ct);
            foreach (var one in found.Records)
            {
                var near = one.Get<Guid>(link.Near);
                (titles.TryGetValue(near, out var known) ? known : titles[near] = []).Add(RecordTitles.Of(target, t => one[$"{link.Far}.{t}"]));
            }

            after = found.Next;
            if (after is null)
            {
                return titles.ToDictionary(t => t.Key, t => string.Join("; ", t.Value.Order(StringComparer.CurrentCulture)));
            }
        }
    }
}
