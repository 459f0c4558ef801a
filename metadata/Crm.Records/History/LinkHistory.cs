using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Crm.Sdk;
using NpgsqlTypes;

namespace Crm.Records;

/// <summary>Says in the history of both records that they were linked or are no longer, by what the other one is called; whoever wrote the link, and by which door.</summary>
internal static class LinkHistory
{
    public static async Task AppendAsync(ChangeRun run, CancellationToken ct)
    {
        if (run.Table.Entity.Link is not { } ends)
        {
            return;
        }

        var written = run.Changes.Where(c => c.IsWritten).ToList();
        if (written.Count > 0 && run.Table.TryField(ends.Left, out var left) && run.Table.TryField(ends.Right, out var right))
        {
            var (lefts, rights) = (await EndsAsync(run, left, written, ct), await EndsAsync(run, right, written, ct));
            await AppendAsync(run, written, left, right, lefts, rights, ct);
            await AppendAsync(run, written, right, left, rights, lefts, ct);
        }
    }

    private static async Task AppendAsync(
        ChangeRun run, List<PendingChange> written, TableField near, TableField far, Dictionary<Guid, End> nears, Dictionary<Guid, End> fars, CancellationToken ct)
    {
        var entity = run.Session.Snapshot.Entity(near.Definition.Target!);
        if (entity.Fields.FirstOrDefault(f => !f.IsHidden && f.Link is { } link && link.Entity == run.Table.Entity.Name && link.Near == near.Name) is not { } field)
        {
            return;
        }

        var names = new Dictionary<Guid, (SortedSet<string> Before, SortedSet<string> After)>();
        foreach (var change in written)
        {
            Note(change.Stored, isBefore: true);
            Note(change.Kind == ChangeKind.Delete ? null : change.Values, isBefore: false);
        }

        void Note(object?[]? values, bool isBefore)
        {
            if (values?[near.Index] is Guid id && values[far.Index] is Guid other)
            {
                var (before, after) = names.TryGetValue(id, out var known) ? known : names[id] = (new(StringComparer.CurrentCulture), new(StringComparer.CurrentCulture));
                (isBefore ? before : after).Add(Text(run.Table, fars.GetValueOrDefault(other)?.Title, values));
            }
        }

        ImmutableArray<HistoryRow> rows =
        [
            .. names.Where(n => nears.ContainsKey(n.Key) && !n.Value.Before.SetEquals(n.Value.After)).Select(n => new HistoryRow(
                n.Key, ChangeKind.Update, nears[n.Key].Version, written[0].Change.Source, Json(field.Name, [.. n.Value.Before.Except(n.Value.After)], [.. n.Value.After.Except(n.Value.Before)]), field.Name)),
        ];
        if (!rows.IsEmpty)
        {
            await HistoryStore.AppendAsync(run.Session, entity.Name, rows, ct: ct);
        }
    }

    private static string Json(string field, string[] before, string[] after) =>
        JsonSerializer.Serialize(new Dictionary<string, string[]?[]>(StringComparer.Ordinal) { [field] = [before.Length == 0 ? null : before, after.Length == 0 ? null : after] });

    /// <summary>What the other record is called, with what the link itself says: <c>Anna Berg (Decider)</c>.</summary>
    private static string Text(EntityTable table, string? title, object?[] values)
    {
        var own = table.Fields
            .Where(f => !f.Definition.IsSystem && f.Name != table.Entity.Link!.Left && f.Name != table.Entity.Link.Right && f.Type is not ReferenceType)
            .Select(f => f.Type.Format(f.Definition, values[f.Index], CultureInfo.CurrentCulture))
            .Where(t => t.Length > 0)
            .ToList();
        return own.Count == 0 ? title ?? "?" : $"{title ?? "?"} ({string.Join(", ", own)})";
    }

    private static async Task<Dictionary<Guid, End>> EndsAsync(ChangeRun run, TableField lookup, List<PendingChange> written, CancellationToken ct)
    {
        var table = EntityTable.Of(run.Session.Snapshot.Entity(lookup.Definition.Target!));
        var titles = table.Entity.TitleFields.Select(name => table.TryField(name, out var field) && !field.Columns.IsEmpty ? $"r.{field.Columns[0].Quoted}::text" : null).OfType<string>().ToList();
        var title = titles.Count == 0 ? "r.id::text" : $"concat_ws(' ', {string.Join(", ", titles)})";
        await using var command = run.Session.Command($"SELECT r.id, r.version, {title} FROM {table.Name} AS r WHERE r.id = ANY($1)");
        command.Parameters.Add(new()
        {
            Value = written.SelectMany(c => new[] { c.Stored?[lookup.Index], c.Values[lookup.Index] }).OfType<Guid>().Distinct().ToArray(),
            NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid,
        });
        await using var reader = await command.ExecuteReaderAsync(ct);
        var ends = new Dictionary<Guid, End>();
        while (await reader.ReadAsync(ct))
        {
            ends[reader.GetGuid(0)] = new End(reader.GetInt64(1), reader.GetString(2));
        }

        return ends;
    }

    private sealed record End(long Version, string Title);
}
