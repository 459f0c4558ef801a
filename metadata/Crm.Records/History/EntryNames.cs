using Npgsql;

namespace Crm.Records;

/// <summary>Under which names fields and entities are found today that an entry of the history knows by those they had.</summary>
internal sealed class EntryNames
{
    private readonly List<(string From, string To, long Last)> fields = [];
    private readonly List<(string From, string To, long Last)> entities = [];

    /// <summary>Asks for the renames that concern the history of an entity.</summary>
    public static NpgsqlBatchCommand Command(string entity) => new(
        """
        SELECT is_field, from_name, to_name, last_history FROM (
            SELECT true AS is_field, from_name, to_name, last_history, id AS place FROM crm.field_rename WHERE entity = $1
            UNION ALL
            SELECT false, from_name, entity, last_history, row_number() OVER (ORDER BY last_history, id) FROM crm.entity_rename) AS r
        ORDER BY is_field, place
        """)
    {
        Parameters = { new() { Value = entity } },
    };

    /// <summary>Reads the answer, and goes on to the next one.</summary>
    public static async Task<EntryNames> ReadAsync(NpgsqlDataReader reader, CancellationToken ct)
    {
        var names = new EntryNames();
        while (await reader.ReadAsync(ct))
        {
            (reader.GetBoolean(0) ? names.fields : names.entities).Add((reader.GetString(1), reader.GetString(2), reader.GetInt64(3)));
        }

        await reader.NextResultAsync(ct);
        return names;
    }

    /// <summary>The name of today of a field of the entity.</summary>
    /// <param name="entry">The entry that names it.</param>
    /// <param name="name">The name there.</param>
    public string Field(long entry, string name) => fields.Aggregate(name, (now, rename) => entry <= rename.Last && now == rename.From ? rename.To : now);

    /// <summary>The name of today of any entity, as <c>crm.entity_now</c> says it.</summary>
    /// <param name="entry">The entry that names it.</param>
    /// <param name="name">The name there.</param>
    public string Entity(long entry, string name) => entities.Where(r => r.From == name && entry <= r.Last).Select(r => r.To).FirstOrDefault(name);
}
