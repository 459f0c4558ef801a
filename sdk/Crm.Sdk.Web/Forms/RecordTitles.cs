using System.Collections.Immutable;

namespace Crm.Sdk.Web.Forms;

/// <summary>What the records pointed to are called; read once per page and entity.</summary>
public sealed class RecordTitles
{
    private readonly Dictionary<Guid, string> known = [];

    /// <summary>Title of a record; null when it was not read.</summary>
    public string? this[Guid id] => known.GetValueOrDefault(id);

    /// <summary>Remembers a title.</summary>
    public void Learn(Guid id, string title) => known[id] = title;

    /// <summary>What a record is called: its title fields, or the entity when all are empty.</summary>
    public static string Of(EntityDefinition entity, Record record)
    {
        ArgumentNullException.ThrowIfNull(entity);
        ArgumentNullException.ThrowIfNull(record);
        return Of(entity, field => record[field]);
    }

    /// <summary>What a record with these values is called.</summary>
    public static string Of(EntityDefinition entity, Func<string, object?> value)
    {
        ArgumentNullException.ThrowIfNull(entity);
        ArgumentNullException.ThrowIfNull(value);
        var words = entity.TitleFields
            .Select(name => entity.TryField(name, out var field) ? field.Type.Format(field, value(name), System.Globalization.CultureInfo.CurrentCulture) : "")
            .Where(word => word.Length > 0);
        var title = string.Join(' ', words);
        return title.Length > 0 ? title : entity.Label;
    }

    /// <summary>Entity a field points to; null when it points nowhere.</summary>
    public static string? TargetOf(FieldDefinition field) => field?.Type is ReferenceType type ? type.TargetOf(field) : null;

    /// <summary>Reads the titles of everything the values of a record point to, one query per entity.</summary>
    public Task LearnAsync(IRecordService records, MetadataSnapshot metadata, EntityDefinition entity, Func<string, object?> value, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(entity);
        ArgumentNullException.ThrowIfNull(value);
        return LearnAsync(records, metadata, entity.Fields.Where(f => !f.IsHidden).Select(f => value(f.Name) is RecordRef any ? (any.Entity, any.Id) : (TargetOf(f), value(f.Name))), ct);
    }

    /// <summary>Reads the titles of the given records that are not known yet, one query per entity.</summary>
    public async Task LearnAsync(IRecordService records, MetadataSnapshot metadata, IEnumerable<(string? Entity, object? Id)> wanted, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(records);
        ArgumentNullException.ThrowIfNull(metadata);
        var missing = wanted
            .Where(w => w is { Entity: not null, Id: Guid id } && !known.ContainsKey(id))
            .Select(w => (Entity: w.Entity!, Id: (Guid)w.Id!))
            .Distinct()
            .GroupBy(w => w.Entity, StringComparer.Ordinal);
        foreach (var group in missing)
        {
            if (!metadata.TryEntity(group.Key, out var target))
            {
                continue;
            }

            foreach (var ids in group.Select(w => (object?)w.Id).Chunk(500))
            {
                var page = await records.QueryAsync(
                    new RecordQuery { Entity = target.Name, Select = target.TitleFields, Filter = new Filter.In("id", [.. ids]), Top = ids.Length }, ct);
                foreach (var record in page.Records)
                {
                    known[record.Id] = Of(target, record);
                }
            }
        }
    }
}
