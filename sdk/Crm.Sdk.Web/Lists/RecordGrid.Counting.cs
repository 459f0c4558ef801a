namespace Crm.Sdk.Web;

/// <summary>How many records the list has: an estimate where there are many, until somebody wants to know.</summary>
public sealed partial class RecordGrid
{
    // What was counted: the same on all its pages and in any order.
    private (string View, string Search, Filter? Find)? isExactOf;

    private async Task<GridPage> WithCountAsync(GridPage read, CancellationToken ct) =>
        read.Page.IsEstimate && isExactOf == Counted(read.State)
            ? read with { Page = read.Page with { Count = await loader.CountAsync(read.State, Within, ct), IsEstimate = false } }
            : read;

    /// <summary>Counts what the list shows; false, and said why, when that takes too long.</summary>
    private async Task<bool> CountExactlyAsync()
    {
        if (page is not { IsEstimate: true } || isSimilar)
        {
            return true;
        }

        var (wanted, ct) = (State, loading.Token);
        try
        {
            var count = await loader.CountAsync(wanted, Within, ct);
            if (wanted == State)
            {
                isExactOf = Counted(wanted);
                page = page with { Count = count, IsEstimate = false };
                StateHasChanged();
            }

            return true;
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return false;
        }
        catch (QueryException problem)
        {
            toasts.Error(problem.Message);
            return false;
        }
    }

    private (string View, string Search, Filter? Find) Counted(GridState state) => (loader.View(state).Name, state.Search, loader.Find(state));
}
