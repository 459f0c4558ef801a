using System.Collections.Immutable;
using Crm.Metadata;
using Crm.Rules;
using Crm.Sdk;

namespace Crm.Records;

/// <summary>Runs a rule's script, published or not, on the records changed last, and says what it would do. Nothing is saved, and no other rule runs.</summary>
public sealed class ScriptReplay(RecordEngine engine)
{
    /// <summary>Most records it is run on.</summary>
    public const int MaxRecords = RecordQuery.MaxTop;

    private const int Shown = 20;

    /// <summary>Replays a script as if somebody saved each record as it is, with every field the rule listens to changed.</summary>
    /// <param name="entity">Name of the entity.</param>
    /// <param name="script">The script.</param>
    /// <param name="actor">For whom; records they may not see are left out.</param>
    /// <param name="ct">Ends it.</param>
    /// <exception cref="QueryException">The entity does not exist.</exception>
    public async Task<ReplayReport> RunAsync(string entity, ScriptDefinition script, Actor actor, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(script);
        ArgumentNullException.ThrowIfNull(actor);
        var page = await engine.As(actor).QueryAsync(new RecordQuery { Entity = entity, Sort = [new Sort("modified_at", Descending: true)], Top = MaxRecords }, ct);
        var table = EntityTable.Of(engine.Metadata.Current.Entity(entity));
        var call = new ScriptCall(script.Text, TimeSpan.FromMilliseconds(script.Budget), actor.UserId, actor.Name, actor.IsAdministrator, engine.Time.GetUtcNow());
        var answers = await engine.Scripts.RunAsync(call, [.. page.Records.Select(r => ScriptInput.Of(table, r))], ct);
        var items = page.Records.Zip(answers, (record, answer) => Item(table, record, answer)).ToList();
        var times = answers.Where(a => a.Took > TimeSpan.Zero).Select(a => a.Took.TotalMilliseconds).Order().ToList();
        return new ReplayReport(
            items.Count,
            items.Count(i => !i.Sets.IsEmpty),
            items.Count(i => !i.Refusals.IsEmpty),
            items.Count(i => i.Failure is not null),
            Percentile(times, 0.5), Percentile(times, 0.99),
            [.. items.Where(i => i.Failure is not null).Take(Shown), .. items.Where(i => !i.Refusals.IsEmpty).Take(Shown), .. items.Where(i => !i.Sets.IsEmpty && i.Refusals.IsEmpty).Take(Shown)]);
    }

    private static ReplayItem Item(EntityTable table, Record record, ScriptAnswer answer) => new(
        record.Id,
        string.Join(' ', table.Entity.TitleFields.Select(f => record[f]?.ToString()).Where(t => !string.IsNullOrEmpty(t))),
        [.. answer.Set.Select(s => KeyValuePair.Create(s.Key, s.Value.GetRawText()))],
        [.. answer.Refused.Select(r => r.Message)],
        answer.Failure is { } failure ? ScriptTexts.Say(failure) : null);

    private static double Percentile(List<double> sorted, double part) => sorted.Count == 0 ? 0 : Math.Round(sorted[(int)Math.Min(sorted.Count * part, sorted.Count - 1)], 3);
}

/// <summary>What a script would do.</summary>
/// <param name="Records">How many records it ran on.</param>
/// <param name="Changed">In how many it would set a value.</param>
/// <param name="Refused">How many it would refuse.</param>
/// <param name="Failed">In how many it failed.</param>
/// <param name="Median">Half of the records took no longer, in milliseconds.</param>
/// <param name="Slowest">Of a hundred records 99 took no longer, in milliseconds.</param>
/// <param name="Items">Some of each: failures first, then refusals, then changes.</param>
public sealed record ReplayReport(int Records, int Changed, int Refused, int Failed, double Median, double Slowest, ImmutableArray<ReplayItem> Items);

/// <summary>What a script would do to one record.</summary>
/// <param name="Id">The record.</param>
/// <param name="Title">What it is called.</param>
/// <param name="Sets">Properties it would set, with the value as JSON.</param>
/// <param name="Refusals">Why it would refuse.</param>
/// <param name="Failure">How it failed; null when it did not.</param>
public sealed record ReplayItem(Guid Id, string Title, ImmutableArray<KeyValuePair<string, string>> Sets, ImmutableArray<string> Refusals, string? Failure);
