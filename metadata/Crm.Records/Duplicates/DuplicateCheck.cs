using System.Collections.Immutable;
using System.Globalization;
using Crm.Sdk;
using Npgsql;

namespace Crm.Records;

/// <summary>
/// Looks whether new records are like some that are there, by the entity's rules about duplicates: one statement for a rule and all new records of a run, by the
/// indexes of match keys and trigrams. Only records that may be read count, so that nobody learns of others.
/// </summary>
internal static class DuplicateCheck
{
    // More than somebody wants to look through.
    private const int MaxNamed = 5;

    public static async Task CheckAsync(ChangeRun run, CancellationToken ct)
    {
        if (run.Table.Duplicates.IsEmpty)
        {
            return;
        }

        foreach (var rule in run.Table.Duplicates)
        {
            var asking = run.Going.Where(c => c.Kind == ChangeKind.Create && !c.IsRefused && (rule.Definition.Duplicate!.IsRefused || c.Change.AsksAboutDuplicates) && rule.Matches(c.Values)).ToList();
            if (asking.Count > 0)
            {
                await CheckAsync(run, rule, asking, ct);
            }
        }
    }

    private static async Task CheckAsync(ChangeRun run, DuplicateRule rule, List<PendingChange> asking, CancellationToken ct)
    {
        var found = new Dictionary<int, List<(Guid Id, string Title)>>();
        await using (var batch = run.Session.Batch())
        {
            if (rule.Parts.Any(p => p.IsSimilar))
            {
                batch.BatchCommands.Add(new NpgsqlBatchCommand($"SELECT set_config('pg_trgm.word_similarity_threshold', '{rule.Threshold}', true)"));
            }

            batch.BatchCommands.Add(Command(run, rule, asking));
            await using var reader = await batch.ExecuteReaderAsync(ct);
            do
            {
                while (reader.FieldCount == 3 && await reader.ReadAsync(ct))
                {
                    var place = reader.GetInt32(0);
                    (found.TryGetValue(place, out var known) ? known : found[place] = []).Add((reader.GetGuid(1), reader.GetString(2)));
                }
            }
            while (await reader.NextResultAsync(ct));
        }

        // Those that are made together do not find each other in the table.
        var made = new Dictionary<string, PendingChange>(StringComparer.Ordinal);
        for (var i = 0; i < asking.Count; i++)
        {
            var records = found.GetValueOrDefault(i) ?? [];
            if (rule.KeyOf(asking[i].Values) is { } key && !made.TryAdd(key, asking[i]))
            {
                records.Add((made[key].Id, Title(run.Table, made[key].Values)));
            }

            if (records.Count > 0)
            {
                Refuse(run, rule.Definition, asking[i], records);
            }
        }
    }

    private static NpgsqlBatchCommand Command(ChangeRun run, DuplicateRule rule, List<PendingChange> asking)
    {
        var command = new NpgsqlBatchCommand();
        run.Session.Access.Bind(command.Parameters);
        var first = command.Parameters.Count + 1;
        foreach (var part in rule.Parts)
        {
            command.Parameters.Add(part.Parameter(asking.ConvertAll(c => c.Values[part.Field.Index])));
        }

        var condition = run.Session.Access.View.Condition(run.Table.Entity, AccessOperation.Read, "r");
        command.CommandText =
            $"""
            SELECT u.place::integer - 1, r.id, r.title
            FROM unnest({string.Join(", ", rule.Parts.Select((p, i) => p.Input(string.Create(CultureInfo.InvariantCulture, $"${first + i}"))))}) WITH ORDINALITY AS u({string.Join(", ", rule.Parts.Select(p => p.Alias))}, place)
            JOIN LATERAL (
                SELECT r.id, {TitleOf(run)} AS title FROM {run.Table.Name} AS r
                WHERE {string.Join(" AND ", rule.Parts.Select(p => p.LikeGiven("u." + p.Alias, "r")))}{(condition is null ? "" : " AND " + condition)}
                LIMIT {MaxNamed}
            ) AS r ON true
            """;
        return command;
    }

    private static void Refuse(ChangeRun run, RuleDefinition rule, PendingChange change, List<(Guid Id, string Title)> records)
    {
        var entity = run.Table.Entity;
        var names = string.Join(", ", records.Select(r => r.Title.Length > 0 ? $"“{r.Title}”" : r.Id.ToString()));
        var message = rule.Message ?? Texts.Of(rule.Duplicate!.IsRefused ? "Duplicate" : "PossibleDuplicate", entity.Label, names);
        change.Refuse(new ValidationError(null, rule.Duplicate!.IsRefused ? ErrorCodes.Duplicate : ErrorCodes.PossibleDuplicate, message)
        {
            Records = [.. records.Select(r => new RecordRef(entity.Name, r.Id))],
        });
    }

    /// <summary>What a record is called, as far as its name may be read.</summary>
    private static string TitleOf(ChangeRun run)
    {
        var view = run.Session.Access.View;
        string[] parts =
        [
            .. run.Table.Entity.TitleFields
                .Select(name => run.Table.TryField(name, out var field) && !field.Columns.IsEmpty && view.Of(run.Table.Entity)?[field.Definition] != FieldAccess.None ? $"r.{field.Columns[0].Quoted}::text" : null)
                .OfType<string>(),
        ];
        return parts.Length == 0 ? "''" : $"concat_ws(' ', {string.Join(", ", parts)})";
    }

    private static string Title(EntityTable table, object?[] values) =>
        string.Join(' ', table.Entity.TitleFields.Select(name => table.TryField(name, out var field) ? field.Type.Format(field.Definition, values[field.Index], CultureInfo.CurrentCulture) : "").Where(w => w.Length > 0));
}
