using System.Collections.Immutable;
using System.Globalization;
using Crm.Sdk;
using Crm.Sdk.Web.Forms;

namespace Crm.Host.Search;

/// <summary>One search over the records of every entity that has search fields, as far as the user may read them.</summary>
public sealed class GlobalSearch(IRecordService records, IMetadata metadata, TimeProvider time)
{
    /// <summary>Shortest text worth searching for, in characters.</summary>
    public const int MinLength = 2;

    /// <summary>Longest text that is searched for, in characters.</summary>
    public const int MaxLength = 200;

    /// <summary>Most records of one entity.</summary>
    public const int MaxTop = 50;

    private const int MaxWords = 10;

    private const int MaxHint = 160;

    private const CompareOptions Loosely = CompareOptions.IgnoreCase | CompareOptions.IgnoreNonSpace;

    // An entity that takes longer is left out and named: the others do not wait for it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Finds records whose search fields hold every word, in any case and with or without accents; when there are none at all, those that are spelt similarly.</summary>
    /// <param name="text">What somebody typed; a phone number in any notation finds who has it.</param>
    /// <param name="top">Most records of one entity, up to <see cref="MaxTop"/>.</param>
    /// <param name="ct">Cancels.</param>
    /// <returns>Groups with something in them, the best first; nothing for a text shorter than <see cref="MinLength"/>.</returns>
    public async Task<SearchResult> FindAsync(string text, int top, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        var search = Clean(text);
        if (search.Length < MinLength)
        {
            return new SearchResult([], IsSimilar: false, []);
        }

        var found = await FindAsync(search, top, SearchMode.BestFirst, ct);
        // Similar to two letters is nearly everything.
        return found.Groups.IsEmpty && found.Unfinished.IsEmpty && search.Length > MinLength ? await FindAsync(search, top, SearchMode.Similar, ct) : found;
    }

    private async Task<SearchResult> FindAsync(string search, int top, SearchMode mode, CancellationToken ct)
    {
        var groups = ImmutableArray.CreateBuilder<SearchGroup>();
        var unfinished = ImmutableArray.CreateBuilder<EntityDefinition>();
        var entities = metadata.Current.Entities.Values
            .Where(e => !e.IsHidden && e.Link is null && !e.SearchFields.IsEmpty && e.Allows(AccessOperation.Read))
            .OrderBy(e => e.PluralLabel, StringComparer.CurrentCulture);
        foreach (var entity in entities)
        {
            using var patience = new CancellationTokenSource(Patience, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, patience.Token);
            try
            {
                if (await OfAsync(entity, search, Math.Clamp(top, 1, MaxTop), mode, either.Token) is { } group)
                {
                    groups.Add(group);
                }
            }
            catch (OperationCanceledException) when (!ct.IsCancellationRequested)
            {
                unfinished.Add(entity);
            }
        }

        // What is called so comes before what merely mentions it.
        return new SearchResult([.. groups.OrderBy(g => g.Records[0].Fit)], mode == SearchMode.Similar && groups.Count > 0, unfinished.ToImmutable());
    }

    private async Task<SearchGroup?> OfAsync(EntityDefinition entity, string search, int top, SearchMode mode, CancellationToken ct)
    {
        FieldDefinition[] hints = [.. entity.SearchFields.Where(name => !entity.TitleFields.Contains(name)).Select(name => entity.TryField(name, out var field) && !field.IsHidden ? field : null).OfType<FieldDefinition>()];
        var page = await records.QueryAsync(
            new RecordQuery
            {
                Entity = entity.Name,
                Select = [.. entity.TitleFields.Concat(hints.Select(h => h.Name)).Concat(entity.PartOf is { } whole ? [whole] : []).Distinct(StringComparer.Ordinal)],
                Search = search,
                SearchMode = mode,
                Sort = [.. entity.TitleFields.Take(1).Select(name => new Sort(name))],
                Top = top + 1,
            },
            ct);
        return page.Records.Length == 0 ? null : new SearchGroup(entity, [.. page.Records.Take(top).Select(r => Hit(entity, hints, r, search, mode))], page.Records.Length > top);
    }

    private static SearchHit Hit(EntityDefinition entity, FieldDefinition[] hints, Record record, string search, SearchMode mode)
    {
        var title = RecordTitles.Of(entity, record);
        string[] texts = [.. hints.Select(h => h.Type.Format(h, record[h.Name], CultureInfo.CurrentCulture)).Where(t => t.Length > 0)];
        // The one that was found, when it is not the name itself.
        var hint = Holds(title, search) ? texts.FirstOrDefault() : texts.FirstOrDefault(t => Holds(t, search)) ?? texts.FirstOrDefault();
        var fit = mode == SearchMode.Similar ? SearchFit.Similar
            : Compare(title, search) == 0 ? SearchFit.Exact
            : CultureInfo.CurrentCulture.CompareInfo.IsPrefix(title, search, Loosely) ? SearchFit.Start
            : SearchFit.Part;
        return new SearchHit(record.Id, title, Excerpt(hint ?? "", search), fit) { Whole = entity.PartOf is { } whole ? record[whole] as RecordRef : null };
    }

    /// <summary>A long text is shown where it holds one of the words.</summary>
    private static string Excerpt(string text, string search)
    {
        if (text.Length <= MaxHint)
        {
            return text;
        }

        var found = search.Split(' ').Select(word => CultureInfo.CurrentCulture.CompareInfo.IndexOf(text, word, Loosely)).Where(at => at >= 0).DefaultIfEmpty(0).Min();
        var start = Math.Clamp(found - (MaxHint / 4), 0, text.Length - MaxHint);
        return $"{(start > 0 ? "…" : "")}{text.AsSpan(start, MaxHint).Trim()}{(start + MaxHint < text.Length ? "…" : "")}";
    }

    private static int Compare(string left, string right) => CultureInfo.CurrentCulture.CompareInfo.Compare(left, right, Loosely);

    private static bool Holds(string text, string search) => search.Split(' ').Any(word => CultureInfo.CurrentCulture.CompareInfo.IndexOf(text, word, Loosely) >= 0);

    /// <summary>A text as it can be searched for: one line, no more words than a query takes.</summary>
    private static string Clean(string text)
    {
        var head = text[..Math.Min(text.Length, MaxLength)];
        var line = string.Join(' ', head.Split(default(char[]), StringSplitOptions.RemoveEmptyEntries).Take(MaxWords));
        // No record holds what is no text.
        return SingleTextType.IsUnicode(line) && !line.Contains('\0', StringComparison.Ordinal) ? line : "";
    }
}

/// <summary>What a search found.</summary>
/// <param name="Groups">One for each entity with something in it, the best first.</param>
/// <param name="IsSimilar">Whether nothing holds the words and these are merely spelt similarly.</param>
/// <param name="Unfinished">Entities that took too long.</param>
public sealed record SearchResult(ImmutableArray<SearchGroup> Groups, bool IsSimilar, ImmutableArray<EntityDefinition> Unfinished);

/// <summary>What was found in one entity.</summary>
/// <param name="Entity">The entity.</param>
/// <param name="Records">The best first.</param>
/// <param name="HasMore">Whether there are more.</param>
public sealed record SearchGroup(EntityDefinition Entity, ImmutableArray<SearchHit> Records, bool HasMore);

/// <summary>A record that was found.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Title">What it is called.</param>
/// <param name="Hint">The search field that holds the words, or another one; empty for none.</param>
/// <param name="Fit">How well its name fits.</param>
public sealed record SearchHit(Guid Id, string Title, string Hint, SearchFit Fit)
{
    /// <summary>The record it is a part of, as a note is; null for others.</summary>
    public RecordRef? Whole { get; init; }

    /// <summary>Where it is shown: a part where its record is.</summary>
    /// <param name="entity">Name of its entity.</param>
    public string UrlIn(string entity) => Whole is { } whole ? $"/e/{whole.Entity}/{whole.Id}?tab={entity}" : $"/e/{entity}/{Id}";
}

/// <summary>How well the name of a record fits a search, the best first.</summary>
public enum SearchFit
{
    /// <summary>It is called so.</summary>
    Exact,

    /// <summary>Its name begins so.</summary>
    Start,

    /// <summary>The words are somewhere in its search fields.</summary>
    Part,

    /// <summary>Its name is spelt similarly.</summary>
    Similar,
}
