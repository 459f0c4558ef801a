using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Records;

/// <summary>What somebody is told of records they wrote: nothing they could not read.</summary>
internal static class AccessResults
{
    public static ImmutableArray<SaveResult> Seen(SaveSession session, ImmutableArray<SaveResult> results) =>
        session.HasBegun && session.Access.View is { IsLimited: true } view
            ? [.. results.Select(r => r.Record is null && r.Stored is null ? r : r with { Record = Seen(view, r.Record), Stored = Seen(view, r.Stored) })]
            : results;

    private static Record? Seen(AccessView view, Record? record)
    {
        if (record is null || view.Seen.Entity(record.Entity) == view.Full.Entity(record.Entity))
        {
            return record;
        }

        var table = EntityTable.Of(view.Seen.Entity(record.Entity));
        return table.ToRecord([.. table.Fields.Select(f => record[f.Name])]);
    }
}
