using Npgsql;

namespace Crm.Records;

/// <summary>Under which name a field is found today that an entry of the history knows by the name it had.</summary>
internal sealed class FieldNames
{
    private readonly List<(string From, string To, long Last)> renames = [];

    /// <summary>Asks for the renames of an entity.</summary>
    public static NpgsqlBatchCommand Command(string entity) =>
        new("SELECT from_name, to_name, last_history FROM crm.field_rename WHERE entity = $1 ORDER BY id") { Parameters = { new() { Value = entity } } };

    /// <summary>Reads the answer, and goes on to the next one.</summary>
    public static async Task<FieldNames> ReadAsync(NpgsqlDataReader reader, CancellationToken ct)
    {
        var names = new FieldNames();
        while (await reader.ReadAsync(ct))
        {
            names.renames.Add((reader.GetString(0), reader.GetString(1), reader.GetInt64(2)));
        }

        await reader.NextResultAsync(ct);
        return names;
    }

    /// <summary>The names as an entry knows them, to those of today.</summary>
    public Func<string, string> Of(long entry) =>
        name => renames.Aggregate(name, (now, rename) => entry <= rename.Last && now == rename.From ? rename.To : now);
}
