namespace Crm.Sdk.Web.Forms;

using FieldPath = Crm.Sdk.FieldPath;

public sealed partial class FormModel
{
    private readonly Dictionary<(string Lookup, Guid Id), Record?> lookedUp = [];

    /// <summary>
    /// Reads what formulas and rules ask of the records the lookups lead to now, one query for each that was not read yet. It is read as the user: a value they may
    /// not see is taken as empty here, and the server has the last word.
    /// </summary>
    /// <returns>Whether anything was read, so that the form may look different.</returns>
    public async Task<bool> LookUpAsync(IRecordService records, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(records);
        var isRead = false;
        foreach (var group in LookedUpPaths().GroupBy(p => p.Steps[0].Name, StringComparer.Ordinal))
        {
            // Noted first: while one answer is awaited the next change must not ask again.
            if (this[group.Key] is not Guid id || !lookedUp.TryAdd((group.Key, id), null))
            {
                continue;
            }

            var lookup = group.First().Steps[0];
            var query = new RecordQuery { Entity = ((ReferenceType)lookup.Type).TargetOf(lookup)!, Select = [.. group.Select(Candidates.PathOf).Distinct(StringComparer.Ordinal)], Filter = Filter.Equal("id", id), Top = 1 };
            lookedUp[(group.Key, id)] = (await records.QueryAsync(query, ct)).Records.FirstOrDefault();
            isRead = true;
        }

        if (isRead)
        {
            AskAgain();
        }

        return isRead;
    }

    private IEnumerable<FieldPath> LookedUpPaths() => Expressions is not { } known ? []
        : known.LookedUpByRules.Concat(known.Formulas.SelectMany(f => f.Expression.Paths).Where(p => p.IsLookedUp));

    private object? LookedUp(FieldPath path) =>
        this[path.Steps[0].Name] is Guid id && lookedUp.GetValueOrDefault((path.Steps[0].Name, id)) is { } record ? path.ValueOf(record[Candidates.PathOf(path)]) : null;

    private bool IsKnown(FieldPath path) => !path.IsLookedUp || this[path.Steps[0].Name] is not Guid id || lookedUp.GetValueOrDefault((path.Steps[0].Name, id)) is not null;
}
