using System.Collections.Immutable;

namespace Crm.Sdk.Web.Forms;

/// <summary>Finds records of an entity by what they are called, for a field that points to them.</summary>
internal static class RecordSearch
{
    private const int Offered = 8;

    // Where a query cannot say which records are allowed, as many are read to find some.
    private const int Looked = 200;

    /// <param name="records">Who asks.</param>
    /// <param name="target">Of which entity.</param>
    /// <param name="text">What was typed; nothing for all.</param>
    /// <param name="candidates">Which of them a rule allows; null for all.</param>
    /// <param name="isTaken">Which of them are not to be offered again; null for none.</param>
    /// <param name="ct">Cancels.</param>
    public static async Task<ImmutableArray<FoundRecord>> FindAsync(
        IRecordService records, EntityDefinition target, string text, Candidates? candidates, Func<Guid, bool>? isTaken, CancellationToken ct)
    {
        var inUse = Filter.Equal("is_active", true);
        var hints = target.SearchFields.Where(f => !target.TitleFields.Contains(f)).Take(1).ToImmutableArray();
        var page = await records.QueryAsync(
            new RecordQuery
            {
                Entity = target.Name,
                Select = [.. target.TitleFields.Concat(hints).Concat(candidates?.Select ?? []).Distinct(StringComparer.Ordinal)],
                Search = string.IsNullOrWhiteSpace(text) ? null : text.Trim(),
                SearchMode = SearchMode.BestFirst,
                Filter = candidates is null ? inUse : Filter.AllOf(inUse, candidates.Filter),
                Sort = [.. target.TitleFields.Take(1).Select(f => new Sort(f))],
                Top = candidates?.IsExact == false || isTaken is not null ? Looked : Offered,
            },
            ct);
        return
        [
            .. page.Records
                .Where(r => candidates?.Allows(r) != false && isTaken?.Invoke(r.Id) != true)
                .Take(Offered)
                .Select(r => new FoundRecord(r.Id, RecordTitles.Of(target, r), string.Join(' ', hints.Select(h => target.Field(h).Type.Format(target.Field(h), r[h], System.Globalization.CultureInfo.CurrentCulture))), target)),
        ];
    }
}

/// <summary>A record that was found.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Title">What it is called.</param>
/// <param name="Hint">Something more about it.</param>
/// <param name="Entity">Its entity.</param>
internal sealed record FoundRecord(Guid Id, string Title, string Hint, EntityDefinition Entity);
