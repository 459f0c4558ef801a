using System.Collections.Immutable;

namespace Crm.Sdk.Web.Forms;

/// <summary>What the records pointed to are called; read once per page and entity.</summary>
public sealed class RecordTitles
{
    private readonly Dictionary<Guid, (string? Entity, string Title)> known = [];

    /// <summary>Title of a record; null when it was not read.</summary>
    public string? this[Guid id] => known.GetValueOrDefault(id).Title;

    /// <summary>The entity of a record, where a field may point to records of several; null when it was not read.</summary>
    public string? EntityOf(Guid id) => known.GetValueOrDefault(id).Entity;

    /// <summary>Remembers a title.</summary>
    public void Learn(Guid id, string title, string? entity = null) => known[id] = (entity, title);

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

    /// <summary>The records a value may be of: one of each entity the field may point to.</summary>
    public static IEnumerable<(string? Entity, object? Id)> Pointers(FieldDefinition field, object? value) => value switch
    {
        RecordRef any => [(any.Entity, any.Id)],
        Guid id when field?.Type is ReferenceType type => type.WaysOf(field).Select(w => ((string?)w.Target, (object?)id)),
        _ => [],
    };

    /// <summary>Reads the titles of everything the values of a record point to, one query per entity.</summary>
    public Task LearnAsync(IRecordService records, MetadataSnapshot metadata, EntityDefinition entity, Func<string, object?> value, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(entity);
        ArgumentNullException.ThrowIfNull(value);
        return LearnAsync(records, metadata, entity.Fields.Where(f => !f.IsHidden).SelectMany(f => Pointers(f, value(f.Name))), ct);
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
            if (!metadata.TryEntity(group.Key, out var target) || target.IsHidden)
            {
                continue;
            }

            // Found in the entity before, where a field may point to either.
            foreach (var ids in group.Where(w => !known.ContainsKey(w.Id)).Select(w => (object?)w.Id).Chunk(500))
            {
                var page = await records.QueryAsync(
                    new RecordQuery { Entity = target.Name, Select = target.TitleFields, Filter = new Filter.In("id", [.. ids]), Top = ids.Length }, ct);
                foreach (var record in page.Records)
                {
                    known[record.Id] = (target.Name, Of(target, record));
                }
            }
        }
    }
}
