using System.Collections.Frozen;
using System.Collections.Immutable;
using Crm.Host.Pages.Shell;
using Crm.Sdk;

namespace Crm.Host.Pages;

/// <summary>What the start page shows.</summary>
/// <param name="Entities">Entities of the navigation, in its order.</param>
/// <param name="Counts">How many records each has.</param>
/// <param name="Recent">Records the user changed last, newest first.</param>
internal sealed record HomeFigures(ImmutableArray<EntityDefinition> Entities, FrozenDictionary<string, Sdk.RecordPage> Counts, ImmutableArray<RecentRecord> Recent)
{
    private const int RecentLength = 8;

    /// <summary>Whether there is no record yet.</summary>
    public bool IsEmpty => Counts.Values.All(c => c.Count is null or 0);

    public static async Task<HomeFigures> ReadAsync(IRecordService records, MetadataSnapshot metadata, NavigationModel navigation, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(records);
        ArgumentNullException.ThrowIfNull(metadata);
        ArgumentNullException.ThrowIfNull(navigation);
        // Users are there from the first start; they are no sign that somebody works with the product.
        ImmutableArray<EntityDefinition> entities =
            [.. Groups(navigation).SelectMany(g => g.Items).Select(i => i.Entity).OfType<string>().Select(metadata.Entity)];
        var counts = await Task.WhenAll(entities.Select(e => CountAsync(records, e, ct)));
        var recent = await Task.WhenAll(entities.Where((_, i) => counts[i].Count > 0).Select(e => RecentAsync(records, e, ct)));
        return new HomeFigures(
            entities,
            entities.Zip(counts).ToFrozenDictionary(p => p.First.Name, p => p.Second),
            [.. recent.SelectMany(r => r).OrderByDescending(r => r.At).Take(RecentLength)]);
    }

    /// <summary>What the navigation leads to, each thing once, under the first area that has it.</summary>
    public static IEnumerable<NavigationSection> Groups(NavigationModel navigation)
    {
        ArgumentNullException.ThrowIfNull(navigation);
        var seen = new HashSet<string>(StringComparer.Ordinal) { "/e/user" };
        return navigation.Areas
            .Select(a => new NavigationSection(a.Label, [.. a.Sections.SelectMany(s => s.Items).Where(i => seen.Add(i.Href))]))
            .Where(g => !g.Items.IsEmpty);
    }

    private static Task<Sdk.RecordPage> CountAsync(IRecordService records, EntityDefinition entity, CancellationToken ct) =>
        records.QueryAsync(new RecordQuery { Entity = entity.Name, Select = ["id"], Top = 1, Count = true, Estimate = true }, ct);

    private static async Task<IEnumerable<RecentRecord>> RecentAsync(IRecordService records, EntityDefinition entity, CancellationToken ct)
    {
        var page = await records.QueryAsync(
            new RecordQuery
            {
                Entity = entity.Name,
                Select = [.. entity.TitleFields, "modified_at"],
                Filter = Filter.Equal("modified_by", records.Actor.UserId),
                Sort = [new Sort("modified_at", Descending: true)],
                Top = RecentLength,
            },
            ct);
        return page.Records.Select(r => new RecentRecord(entity, r, Title(entity, r), r.Get<DateTimeOffset>("modified_at")));
    }

    private static string Title(EntityDefinition entity, Record record)
    {
        var title = string.Join(' ', entity.TitleFields.Select(f => record[f] as string).Where(t => !string.IsNullOrEmpty(t)));
        return title.Length == 0 ? entity.Label : title;
    }
}

/// <summary>A record the user changed.</summary>
internal sealed record RecentRecord(EntityDefinition Entity, Record Record, string Title, DateTimeOffset At);
