namespace Crm.Sdk.Web;

/// <summary>A question with yes and no.</summary>
/// <param name="Title">The question.</param>
/// <param name="Text">What yes does; empty for nothing to add.</param>
/// <param name="ConfirmLabel">The verb that says yes.</param>
/// <param name="IsDestructive">Yes loses something: its button is red and not the one Enter presses.</param>
public sealed record Confirmation(string Title, string Text, string ConfirmLabel, bool IsDestructive = false);

/// <summary>Asks the user. Scoped: one per circuit; the shell shows the question.</summary>
public sealed class Dialogs
{
    private TaskCompletionSource<bool>? answer;

    /// <summary>The question shown now.</summary>
    public Confirmation? Current { get; private set; }

    /// <summary>Raised when <see cref="Current"/> changed.</summary>
    public event Action? Changed;

    /// <summary>Asks; true for yes. Closing the dialog is a no, and so is a question asked while another one is open.</summary>
    public Task<bool> ConfirmAsync(Confirmation question)
    {
        ArgumentNullException.ThrowIfNull(question);
        if (Current is not null)
        {
            return Task.FromResult(false);
        }

        answer = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        Current = question;
        Changed?.Invoke();
        return answer.Task;
    }

    /// <summary>Answers the question shown; called by the dialog.</summary>
    public void Answer(bool confirmed)
    {
        Current = null;
        Changed?.Invoke();
        answer?.TrySetResult(confirmed);
    }
}
