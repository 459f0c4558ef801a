using Crm.Sdk;
using NpgsqlTypes;

namespace Crm.Records;

/// <summary>
/// Values of the records that changes point to, for formulas and rules: one query per entity and step of the way, however many changes there are. A record of the
/// same run is seen as it will be.
/// </summary>
internal sealed class LookedUp
{
    private readonly ChangeRun run;
    private readonly Dictionary<Guid, PendingChange> own;
    private readonly Dictionary<string, Dictionary<Guid, Row>> rows = new(StringComparer.Ordinal);

    private LookedUp(ChangeRun run)
    {
        this.run = run;
        own = run.Going.Where(c => c.Kind != ChangeKind.Delete).ToDictionary(c => c.Id);
    }

    /// <summary>Reads what paths lead to.</summary>
    /// <param name="run">The changes.</param>
    /// <param name="paths">Paths that begin with a lookup of their entity.</param>
    /// <param name="changes">Changes whose values matter.</param>
    /// <param name="ct">Cancels.</param>
    public static async Task<LookedUp> LoadAsync(ChangeRun run, IReadOnlyCollection<FieldPath> paths, IReadOnlyCollection<PendingChange> changes, CancellationToken ct)
    {
        var found = new LookedUp(run);
        var entity = run.Table.Entity;
        for (var step = 0; paths.Any(p => p.Steps.Length > step); step++)
        {
            foreach (var group in paths.Where(p => p.Steps.Length > step).GroupBy(p => TargetOf(p, step), StringComparer.Ordinal))
            {
                var ids = changes.SelectMany(c => group.Select(p => found.Follow(c, p, step + 1))).OfType<Guid>().ToHashSet();
                await found.LoadAsync(group.Key, [.. group.Select(p => (step + 1 < p.Steps.Length ? p.Steps[step + 1] : p.Field).Name)], ids, ct);
            }
        }

        return found;
    }

    /// <summary>What an expression sees at the end of a path.</summary>
    public object? ValueOf(PendingChange change, FieldPath path) =>
        Follow(change, path, path.Steps.Length) is { } id ? path.ValueOf(Value(TargetOf(path, path.Steps.Length - 1), id, path.Field.Name)) : null;

    /// <summary>Whether a change of the same run is among what the paths of another one lead to.</summary>
    public bool ReadsOwn(PendingChange change, IEnumerable<FieldPath> paths) =>
        paths.Any(p => TargetOf(p, 0) == run.Table.Entity.Name && Follow(change, p, 1) is { } id && own.ContainsKey(id));

    private static string TargetOf(FieldPath path, int step) => ((ReferenceType)path.Steps[step].Type).TargetOf(path.Steps[step])!;

    /// <summary>The record the first steps of a path lead to.</summary>
    private Guid? Follow(PendingChange change, FieldPath path, int steps)
    {
        var at = run.Table.TryField(path.Steps[0].Name, out var first) ? change.Values[first.Index] as Guid? : null;
        for (var step = 1; step < steps && at is { } id; step++)
        {
            at = Value(TargetOf(path, step - 1), id, path.Steps[step].Name) as Guid?;
        }

        return at;
    }

    private object? Value(string entity, Guid id, string field)
    {
        // What was refused is not going to be there.
        if (entity == run.Table.Entity.Name && own.TryGetValue(id, out var change) && !change.IsRefused)
        {
            return run.Table.TryField(field, out var found) ? change.Values[found.Index] : null;
        }

        return rows.TryGetValue(entity, out var known) && known.TryGetValue(id, out var row) && row.Fields.TryGetValue(field, out var place) ? row.Values[place] : null;
    }

    private async Task LoadAsync(string name, HashSet<string> fields, HashSet<Guid> ids, CancellationToken ct)
    {
        if (!rows.TryGetValue(name, out var known))
        {
            rows.Add(name, known = []);
        }

        ids.RemoveWhere(id => known.TryGetValue(id, out var row) && fields.All(row.Fields.ContainsKey));
        if (ids.Count == 0 || !run.Session.Snapshot.TryEntity(name, out var entity))
        {
            return;
        }

        var table = EntityTable.Of(entity);
        var wanted = known.Values.SelectMany(r => r.Fields.Keys).Concat(fields).Distinct(StringComparer.Ordinal).Select(f => table.TryField(f, out var found) ? found : null).OfType<TableField>().ToList();
        var places = wanted.Select((f, i) => (f.Name, Place: i)).ToDictionary(p => p.Name, p => p.Place, StringComparer.Ordinal);
        await using var command = run.Session.Command($"SELECT r.id{string.Concat(wanted.SelectMany(f => f.Columns).Select(c => ", r." + c.Quoted))} FROM {table.Name} AS r WHERE r.id = ANY($1)");
        command.Parameters.Add(new() { Value = ids.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid });
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            var ordinal = 1;
            known[reader.GetGuid(0)] = new Row(places, [.. wanted.Select(f => RowReader.Field(reader, f.Type, f.Columns, ref ordinal))]);
        }
    }

    private sealed record Row(Dictionary<string, int> Fields, object?[] Values);
}
