using System.Collections.Immutable;

namespace Crm.Sdk.Web.Forms;

/// <summary>Finds records of an entity by what they are called, while somebody types.</summary>
internal sealed class RecordSearch(IRecordService records) : IDisposable
{
    private const int Offered = 8;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(120);

    private CancellationTokenSource? search;

    /// <summary>Where to search; null for nowhere.</summary>
    public EntityDefinition? Target { get; set; }

    /// <summary>Records not to be offered.</summary>
    public Func<Guid, bool> IsTaken { get; set; } = _ => false;

    public string Text { get; private set; } = "";

    public ImmutableArray<FoundRecord> Options { get; private set; } = [];

    /// <summary>Place of the option the arrow keys chose; -1 for none.</summary>
    public int Active { get; private set; } = -1;

    public bool IsOpen { get; private set; }

    public bool IsSearching { get; private set; }

    /// <summary>The chosen option; null when there is none.</summary>
    public FoundRecord? Chosen => IsOpen && !IsSearching && Active >= 0 && Active < Options.Length ? Options[Active] : null;

    public async Task FindAsync(string? text)
    {
        Text = text ?? "";
        if (Target is not { } target)
        {
            return;
        }

        search?.Cancel();
        search?.Dispose();
        search = new CancellationTokenSource();
        var ct = search.Token;
        (IsOpen, IsSearching) = (true, true);
        try
        {
            if (Text.Length > 0)
            {
                // A fast typist asks once.
                await Task.Delay(Pause, ct);
            }

            var hints = target.SearchFields.Where(f => !target.TitleFields.Contains(f)).Take(1).ToImmutableArray();
            var page = await records.QueryAsync(
                new RecordQuery
                {
                    Entity = target.Name,
                    Select = [.. target.TitleFields, .. hints],
                    Search = string.IsNullOrWhiteSpace(Text) ? null : Text.Trim(),
                    SearchMode = SearchMode.BestFirst,
                    Filter = Filter.Equal("is_active", true),
                    Sort = [.. target.TitleFields.Take(1).Select(f => new Sort(f))],
                    Top = Offered * 2,
                },
                ct);
            ct.ThrowIfCancellationRequested();
            Options = [.. page.Records.Where(r => !IsTaken(r.Id)).Take(Offered).Select(r => new FoundRecord(r.Id, RecordTitles.Of(target, r), string.Join(' ', hints.Select(h => target.Field(h).Type.Format(target.Field(h), r[h], System.Globalization.CultureInfo.CurrentCulture)))))];
            Active = Options.IsEmpty || Text.Length == 0 ? -1 : 0;
            IsSearching = false;
        }
        catch (OperationCanceledException)
        {
            // A newer search took over.
        }
    }

    public void Move(int step) => Active = Options.IsEmpty ? -1 : Active < 0 ? (step > 0 ? 0 : Options.Length - 1) : (Active + step + Options.Length) % Options.Length;

    public void Close()
    {
        search?.Cancel();
        (Text, Options, IsOpen, IsSearching, Active) = ("", [], false, false, -1);
    }

    public void Dispose()
    {
        search?.Cancel();
        search?.Dispose();
    }
}

/// <summary>A record that was found.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Title">What it is called.</param>
/// <param name="Hint">Something more about it.</param>
internal sealed record FoundRecord(Guid Id, string Title, string Hint);
