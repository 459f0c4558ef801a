using System.Collections.Immutable;
using Crm.Records.Bin;
using Crm.Sdk;
using Npgsql;

namespace Crm.Records;

/// <summary>Takes many changes through the write path in one transaction: in their order, as far as possible together, one by one where one of them fails.</summary>
internal static class SaveBatch
{
    /// <summary>Most changes that take the write path together.</summary>
    public const int MaxRun = 1000;

    private const int Attempts = 4;

    /// <summary>In a transaction of its own, tried again when the database gave it up because of others.</summary>
    public static async Task<ImmutableArray<SaveResult>> SaveAsync(
        Func<SaveSession> open,
        IReadOnlyList<RecordChange> changes,
        SaveOptions options,
        Func<NpgsqlConnection, NpgsqlTransaction, ImmutableArray<SaveResult>, CancellationToken, Task>? beforeCommit,
        CancellationToken ct)
    {
        var trusts = true;
        for (var attempt = 1; ; attempt++)
        {
            await using var session = open();
            session.TrustsConstraints = trusts;
            try
            {
                var results = AccessResults.Seen(session, await SaveInAsync(session, changes, options, beforeCommit, ct));
                // What is not known here may be known to another host, of which this one has not heard yet.
                if (attempt > 1 || !results.Any(r => r.Errors.Any(e => e.Code is ErrorCodes.UnknownField or ErrorCodes.UnknownEntity)) || !await session.Engine.Metadata.CatchUpAsync(session.Snapshot.Version, ct))
                {
                    return results;
                }
            }
            catch (RefusedUnaskedException)
            {
                await session.DisposeAsync();
                trusts = false;
            }
            catch (OldDefinitionsException) when (attempt < Attempts)
            {
                await session.DisposeAsync();
                await session.Engine.Metadata.CatchUpAsync(session.Snapshot.Version, ct);
            }
            catch (Exception problem) when (PostgresErrors.IsOfOldDefinitions(problem) && attempt < Attempts)
            {
                await session.DisposeAsync();
                // Fails for a reason, unless the table changed.
                if (!await session.Engine.Metadata.CatchUpAsync(session.Snapshot.Version, ct) && !PostgresErrors.IsOfOldStatement(problem))
                {
                    throw;
                }
            }
            catch (PostgresException problem) when (PostgresErrors.IsTransient(problem) && attempt < Attempts)
            {
                // Locks go first. The pause differs between those who collided.
                await session.DisposeAsync();
                await Task.Delay(TimeSpan.FromMilliseconds(10 * attempt * (1 + Random.Shared.NextDouble())), session.Engine.Time, ct);
            }
            catch (PostgresException problem) when (PostgresErrors.ForAll(problem) is { } error)
            {
                return [.. changes.Select(_ => SaveResult.Refused(error))];
            }
        }
    }

    /// <summary>Within another save.</summary>
    public static async Task<ImmutableArray<SaveResult>> SaveInsideAsync(
        SaveSession outer,
        IReadOnlyList<RecordChange> changes,
        SaveOptions options,
        Func<NpgsqlConnection, NpgsqlTransaction, ImmutableArray<SaveResult>, CancellationToken, Task>? beforeCommit,
        CancellationToken ct)
    {
        await using var session = outer.Nest();
        var results = await SaveInAsync(session, changes, options, beforeCommit, ct);
        foreach (var record in results.Select(r => r.Record).OfType<Record>())
        {
            outer.Written[(record.Entity, record.Id)] = record;
        }

        return results;
    }

    private static async Task<ImmutableArray<SaveResult>> SaveInAsync(
        SaveSession session,
        IReadOnlyList<RecordChange> changes,
        SaveOptions options,
        Func<NpgsqlConnection, NpgsqlTransaction, ImmutableArray<SaveResult>, CancellationToken, Task>? beforeCommit,
        CancellationToken ct)
    {
        var all = new List<SaveResult>(changes.Count);
        foreach (var run in Runs(changes, session.Remains))
        {
            all.AddRange(session.Snapshot.TryEntity(run[0].Entity, out var entity) && !entity.IsHidden
                ? await SaveRunAsync(session, EntityTable.Of(entity), run, options, isAlone: run.Count == changes.Count, ct)
                : run.Select(c => SaveResult.Refused(new ValidationError(null, ErrorCodes.UnknownEntity, Texts.Of("UnknownEntity", c.Entity)))));
            if (options.AllOrNothing && all.Exists(r => !r.Succeeded))
            {
                break;
            }
        }

        var isRefused = options.AllOrNothing && all.Exists(r => !r.Succeeded);
        if (isRefused)
        {
            var notAlone = SaveResult.Refused(PendingChange.NotAlone);
            return [.. changes.Select((_, i) => i < all.Count && !all[i].Succeeded ? all[i] : notAlone)];
        }

        ImmutableArray<SaveResult> results = [.. all.Select(r => Latest(session, r))];
        if (!options.DryRun && results.Any(r => r.Succeeded))
        {
            if (beforeCommit is not null)
            {
                await session.BeginAsync(ct);
                await session.IdentifyAsync(ct);
                await beforeCommit(session.Connection, session.Transaction, results, ct);
            }

            await session.CommitAsync(ct);
        }

        return results;
    }

    private static async Task<IEnumerable<SaveResult>> SaveRunAsync(
        SaveSession session, EntityTable table, ArraySegment<RecordChange> changes, SaveOptions options, bool isAlone, CancellationToken ct)
    {
        // A single change that fails takes its transaction with it; a delete's refusal is explained by a query.
        var needsSavepoint = !isAlone || changes.Count > 1 || changes[0].Kind == ChangeKind.Delete;
        await using var run = new ChangeRun(session, table, changes, options.AllOrNothing, needsSavepoint);
        run.TrustsConstraints = session is { TrustsConstraints: true, Depth: 0 } && !needsSavepoint;
        try
        {
            await RecordService.WriteAsync(run, ct);
            var results = run.Changes.Select(c => c.ToResult()).ToList();
            if (!run.HasLateRefusals)
            {
                await run.KeepAsync(ct);
                return results;
            }

            await run.UndoAsync(ct);
            if (options.AllOrNothing || changes.Count == 1)
            {
                return results;
            }
        }
        catch (PostgresException problem) when (PostgresErrors.IsRefusal(problem))
        {
            if (run.HasUnasked)
            {
                throw new RefusedUnaskedException();
            }

            await run.UndoAsync(ct);
            if (changes.Count == 1)
            {
                return [SaveResult.Refused(await PostgresErrors.ExplainAsync(problem, table, changes[0], session, ct))];
            }
        }
        catch (SavesTooDeepException) when (session.Depth == 0)
        {
            await run.UndoAsync(ct);
            if (changes.Count == 1)
            {
                return [SaveResult.Refused(new ValidationError(null, ErrorCodes.Rule, Texts.Of("TooDeep", SaveSession.MaxDepth)))];
            }
        }

        // Which of them it was is found by halving: those without fault are saved in few statements.
        var half = changes.Count / 2;
        return
        [
            .. await SaveRunAsync(session, table, changes[..half], options, isAlone: false, ct),
            .. await SaveRunAsync(session, table, changes[half..], options, isAlone: false, ct),
        ];
    }

    /// <summary>Neighbours of one entity, deletions apart, no record twice: in such a run the order makes no difference.</summary>
    private static IEnumerable<ArraySegment<RecordChange>> Runs(IReadOnlyList<RecordChange> changes, IReadOnlyDictionary<Guid, Remains>? remains)
    {
        var all = changes.ToArray();
        var seen = new HashSet<Guid>();
        var start = 0;
        for (var i = 0; i < all.Length; i++)
        {
            var isNext = i > start
                && (all[i].Entity != all[start].Entity
                    || all[i].Kind == ChangeKind.Delete != (all[start].Kind == ChangeKind.Delete)
                    // What is restored comes after what makes room for it.
                    || (remains is not null && remains.ContainsKey(all[i].Id) != remains.ContainsKey(all[start].Id))
                    || i - start == MaxRun
                    || seen.Contains(all[i].Id));
            if (isNext)
            {
                yield return new ArraySegment<RecordChange>(all, start, i - start);
                start = i;
                seen.Clear();
            }

            seen.Add(all[i].Id);
        }

        if (start < all.Length)
        {
            yield return new ArraySegment<RecordChange>(all, start, all.Length - start);
        }
    }

    private static SaveResult Latest(SaveSession session, SaveResult result) =>
        result.Succeeded && session.Written.TryGetValue((result.Record.Entity, result.Record.Id), out var written) && written.Version > result.Record.Version
            ? result with { Record = written }
            : result;
}
