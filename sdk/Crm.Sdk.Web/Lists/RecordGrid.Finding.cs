using Crm.Sdk.Web.Finding;

namespace Crm.Sdk.Web;

/// <summary>Advanced find in a list: which of the view's records are shown.</summary>
public sealed partial class RecordGrid
{
    private bool isFinding;
    private string criterion = "";
    private string? refusal;

    private async Task<string> CriterionAsync(CancellationToken ct)
    {
        if (loader.Find(State) is not { } filter)
        {
            return "";
        }

        var words = new FilterWords(loader.Metadata, Display);
        await words.LearnAsync(Records, entity, filter, ct);
        return words.Of(entity, filter);
    }

    private Task FindAsync(Filter? filter) => ShowAsync(loader.WithFind(State, filter));

    private async Task ClearFindAsync()
    {
        var before = loader.Find(State);
        await FindAsync(null);
        toasts.Undoable(FindTexts.Of("Cleared"), () => isDisposed ? Task.CompletedTask : InvokeAsync(() => FindAsync(before)));
    }
}
