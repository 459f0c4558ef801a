using System.Collections.Immutable;

namespace Crm.Sdk.Web;

/// <summary>What a toast reports.</summary>
public enum ToastKind
{
    /// <summary>Something was done.</summary>
    Success,

    /// <summary>Something could not be done; stays until it is dismissed.</summary>
    Error,

    /// <summary>Something worth knowing.</summary>
    Info,
}

/// <summary>A short message at the edge of the page.</summary>
/// <param name="Kind">What it reports.</param>
/// <param name="Text">One sentence.</param>
/// <param name="ActionLabel">Label of its button; null for none.</param>
/// <param name="Action">What the button does.</param>
public sealed record Toast(ToastKind Kind, string Text, string? ActionLabel = null, Func<Task>? Action = null)
{
    /// <summary>Two toasts with the same text are still two.</summary>
    public Guid Id { get; } = Guid.CreateVersion7();
}

/// <summary>Short messages at the edge of the page. Scoped: one per circuit; the shell shows them on every page, so one may be shown right before leaving a page.</summary>
/// <param name="time">Measures how long a message stays.</param>
public sealed class Toasts(TimeProvider time) : IDisposable
{
    // Long enough to read and to reach the button of an undo; messages of errors stay.
    private static readonly TimeSpan Stay = TimeSpan.FromSeconds(8);
    private readonly Lock guard = new();
    private readonly List<ITimer> timers = [];

    /// <summary>Messages shown now, oldest first.</summary>
    public ImmutableArray<Toast> Current { get; private set; } = [];

    /// <summary>Raised when <see cref="Current"/> changed, on an arbitrary thread.</summary>
    public event Action? Changed;

    /// <summary>Says that something was done.</summary>
    public void Success(string text) => Show(new Toast(ToastKind.Success, text));

    /// <summary>Says that something could not be done.</summary>
    public void Error(string text) => Show(new Toast(ToastKind.Error, text));

    /// <summary>Says that something was done and offers to take it back.</summary>
    /// <param name="text">What was done.</param>
    /// <param name="undo">Takes it back.</param>
    public void Undoable(string text, Func<Task> undo) => Show(new Toast(ToastKind.Success, text, Texts.Of("Undo"), undo));

    /// <summary>Shows a message.</summary>
    public void Show(Toast toast)
    {
        ArgumentNullException.ThrowIfNull(toast);
        lock (guard)
        {
            Current = Current.Add(toast);
            if (toast.Kind != ToastKind.Error)
            {
                timers.Add(time.CreateTimer(_ => Dismiss(toast), null, Stay, Timeout.InfiniteTimeSpan));
            }
        }

        Changed?.Invoke();
    }

    /// <summary>Takes a message away.</summary>
    public void Dismiss(Toast toast)
    {
        lock (guard)
        {
            Current = Current.Remove(toast);
        }

        Changed?.Invoke();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (guard)
        {
            timers.ForEach(t => t.Dispose());
            timers.Clear();
        }
    }
}
