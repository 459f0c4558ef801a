using System.Collections.Immutable;
using Crm.Sdk;
using Npgsql;

namespace Crm.Records;

/// <content>Pages of what belongs to several records.</content>
internal sealed partial class RecordReads
{
    // The place of the row within its page, and whose page it is.
    private const int BehindEach = 2;

    public Task<ImmutableDictionary<Guid, RecordPage>> QueryEachAsync(RecordQuery query, string by, IReadOnlyCollection<Guid> of, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentNullException.ThrowIfNull(by);
        ArgumentNullException.ThrowIfNull(of);
        if (query.After is not null)
        {
            throw new ArgumentException("Pages of several records begin at their start.", nameof(query));
        }

        return ReadAsync(async access =>
        {
            TableOf(access, query.Entity);
            query = query with { Filter = Now(access.View, query.Entity, query.Filter, query.TimeZone) };
            var shape = QueryShape.Of(query, null);
            var compiled = QueryCompiler.Compile(access.View, query, shape, null, by: by);
            Guid[] ids = [.. of.Distinct()];
            if (ids.Length == 0)
            {
                return ImmutableDictionary<Guid, RecordPage>.Empty;
            }

            var commands = query.Count ? new[] { compiled.ToEach(access, shape.Values, ids), compiled.ToEachCount(access, shape.Values, ids) } : [compiled.ToEach(access, shape.Values, ids)];
            return await RunAsync(access, commands, reader => ReadEachAsync(reader, compiled, query, ids, ct), ct, QueryShape.ModeOf(query) == SearchMode.Similar);
        }, ct);
    }

    private static async Task<ImmutableDictionary<Guid, RecordPage>> ReadEachAsync(NpgsqlDataReader reader, CompiledQuery compiled, RecordQuery query, Guid[] ids, CancellationToken ct)
    {
        var pages = ids.ToDictionary(id => id, _ => new EachPage());
        var rows = 0;
        while (await reader.ReadAsync(ct))
        {
            var page = pages[reader.GetGuid(reader.FieldCount - 1)];
            if (page.Records.Count == query.Top)
            {
                page.HasMore = true;
                continue;
            }

            if (++rows > QueryLimits.MaxEach)
            {
                throw new QueryException(ErrorCodes.BadRequest, Texts.Of("TooManyEach", QueryLimits.MaxEach, query.Entity));
            }

            page.Records.Add(compiled.Read(reader));
            page.Last = page.Records.Count == query.Top ? compiled.CursorOf(reader, BehindEach) : null;
        }

        if (query.Count && await reader.NextResultAsync(ct))
        {
            while (await reader.ReadAsync(ct))
            {
                pages[reader.GetGuid(0)].Count = reader.GetInt64(1);
            }
        }

        return pages.ToImmutableDictionary(p => p.Key, p => new RecordPage([.. p.Value.Records], query.Count ? p.Value.Count : null, p.Value.HasMore ? p.Value.Last?.Write(query) : null));
    }

    private sealed class EachPage
    {
        public List<Record> Records { get; } = [];

        public Cursor? Last { get; set; }

        public bool HasMore { get; set; }

        public long Count { get; set; }
    }
}
