using System.Collections.Immutable;

namespace Crm.Sdk.Web;

/// <summary>What a combobox offers while somebody types: a fast typist asks once, newer words take over from older ones, and what was offered for other words is never chosen.</summary>
/// <typeparam name="T">What is offered.</typeparam>
public sealed class TypeAhead<T> : IDisposable
    where T : class
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(120);

    private CancellationTokenSource? search;

    /// <summary>What was typed last.</summary>
    public string Text { get; private set; } = "";

    /// <summary>What was found for it; while <see cref="IsSearching"/>, for what was typed before.</summary>
    public ImmutableArray<T> Options { get; private set; } = [];

    /// <summary>Place of the option the arrow keys are at; -1 for none.</summary>
    public int Active { get; private set; } = -1;

    /// <summary>Whether the options are shown.</summary>
    public bool IsOpen { get; private set; }

    /// <summary>Whether an answer is on its way.</summary>
    public bool IsSearching { get; private set; }

    /// <summary>The option the arrow keys are at; null when there is none, or when it belongs to other words.</summary>
    public T? Chosen => IsOpen && !IsSearching && Active >= 0 ? Options[Active] : null;

    /// <summary>Searches, and opens. Ends without an answer when somebody goes on typing, or closes.</summary>
    /// <param name="text">What was typed; nothing offers what there is without a pause, and puts the arrow keys nowhere.</param>
    /// <param name="find">Finds the options; may be cancelled.</param>
    public async Task FindAsync(string? text, Func<CancellationToken, Task<ImmutableArray<T>>> find)
    {
        ArgumentNullException.ThrowIfNull(find);
        Text = text ?? "";
        search?.Cancel();
        search?.Dispose();
        search = new CancellationTokenSource();
        var ct = search.Token;
        (IsOpen, IsSearching) = (true, true);
        try
        {
            if (Text.Length > 0)
            {
                await Task.Delay(Pause, ct);
            }

            var found = await find(ct);
            ct.ThrowIfCancellationRequested();
            (Options, Active, IsSearching) = (found, found.IsEmpty || Text.Length == 0 ? -1 : 0, false);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // A newer search took over.
        }
    }

    /// <summary>Shows what was found again.</summary>
    public void Open() => IsOpen = true;

    /// <summary>Moves the arrow keys' place, around the ends.</summary>
    /// <param name="step">1 for the next one, -1 for the one before.</param>
    public void Move(int step) => Active = Options.IsEmpty ? -1 : Active < 0 ? (step > 0 ? 0 : Options.Length - 1) : (Active + step + Options.Length) % Options.Length;

    /// <summary>Hides the options; what was found for what is typed stays known.</summary>
    public void Close()
    {
        if (IsSearching)
        {
            search?.Cancel();
            (Options, Active) = ([], -1);
        }

        (IsOpen, IsSearching) = (false, false);
    }

    /// <summary>Forgets what was typed and found.</summary>
    public void Clear()
    {
        Close();
        (Text, Options, Active) = ("", [], -1);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        search?.Cancel();
        search?.Dispose();
    }
}
