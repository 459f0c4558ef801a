using System.Globalization;
using Crm.Sdk;

namespace Crm.Records;

/// <summary>
/// Gives new records their numbers without gaps: one counter row per field, raised once for all records of a save and locked until the save ends, so that a
/// save that is rolled back takes its numbers back with it.
/// </summary>
internal static class AutoNumbers
{
    public static async Task AssignAsync(ChangeRun run, CancellationToken ct)
    {
        foreach (var field in run.Table.Fields.Where(f => ReferenceEquals(f.Type, Fields.AutoNumber)))
        {
            // A restored record keeps the number it had.
            var creates = run.Writes.Where(c => c.Kind == ChangeKind.Create && !(c.Remains is not null && c.Values[field.Index] is not null)).ToList();
            if (creates.Count == 0)
            {
                continue;
            }

            var format = field.Definition.Number ?? new NumberFormat("", 1);
            var number = await TakeAsync(run, field, format, creates.Count, ct);
            foreach (var change in creates)
            {
                change.Values[field.Index] = format.Prefix + number.ToString(CultureInfo.InvariantCulture).PadLeft(format.Width, '0');
                number++;
            }
        }
    }

    private static async Task<long> TakeAsync(ChangeRun run, TableField field, NumberFormat format, int count, CancellationToken ct)
    {
        // A start that was raised later counts from there; one that was lowered changes nothing, because numbers are not given twice.
        await run.Session.LimitAsync(ct);
        await using var command = run.Session.Command(
            """
            INSERT INTO crm.counter AS c (entity, field, next) VALUES ($1, $2, $3 + $4)
            ON CONFLICT (entity, field) DO UPDATE SET next = greatest(c.next, $3) + $4
            RETURNING next - $4
            """);
        command.Parameters.Add(new() { Value = run.Table.Entity.Name });
        command.Parameters.Add(new() { Value = field.Name });
        command.Parameters.Add(new() { Value = format.Start });
        command.Parameters.Add(new() { Value = (long)count });
        return (long)(await command.ExecuteScalarAsync(ct))!;
    }
}
