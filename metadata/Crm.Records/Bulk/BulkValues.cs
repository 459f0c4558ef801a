using System.Collections.Immutable;
using System.Text.Json;
using Crm.Sdk;

namespace Crm.Records.Bulk;

/// <summary>The values of a bulk change: checked before it starts, kept as JSON, and read again by the job.</summary>
internal static class BulkValues
{
    /// <summary>What is wrong with a request whatever its records are.</summary>
    public static ImmutableArray<ValidationError> Problems(EntityTable table, BulkJob job)
    {
        var errors = new List<ValidationError>();
        var named = new HashSet<string>(StringComparer.Ordinal);
        var inputs = ChangeInput.Read(new RecordChange(ChangeKind.Update, table.Entity.Name, Guid.Empty, Inputs(job)), table, (field, code, message) => errors.Add(new ValidationError(field, code, message)));
        foreach (var field in inputs.Select(i => i.Field))
        {
            named.Add(field.Name);
            if (field.IsProtected || field.IsCalculated || field.Columns.IsEmpty)
            {
                errors.Add(new ValidationError(field.Name, ErrorCodes.ReadOnly, Records.Texts.Of("ReadOnly", field.Definition.Label)));
            }
            else if (field.Definition.IsUnique && job.Set.Any(s => s.Key == field.Name && s.Value.ValueKind != JsonValueKind.Null))
            {
                errors.Add(new ValidationError(field.Name, ErrorCodes.Unique, Texts.Of("UniqueField", field.Definition.Label)));
            }
        }

        foreach (var name in job.Add.Keys.Concat(job.Remove.Keys).Distinct(StringComparer.Ordinal))
        {
            if (!table.TryField(name, out var field))
            {
                errors.Add(new ValidationError(name, ErrorCodes.UnknownField, Records.Texts.Of("UnknownField", table.Entity.Label, name)));
            }
            else if (field.Type is not TextListType || field.IsProtected)
            {
                errors.Add(new ValidationError(name, ErrorCodes.Type, Texts.Of("NotAList", field.Definition.Label)));
            }
            else if (!named.Add(name))
            {
                errors.Add(new ValidationError(name, ErrorCodes.BadRequest, Texts.Of("SetAndAdded", field.Definition.Label)));
            }
            else if (!field.Type.TryNormalize(field.Definition, job.Add.GetValueOrDefault(name, []).AddRange(job.Remove.GetValueOrDefault(name, [])), out _, out var error))
            {
                errors.Add(new ValidationError(name, error.Code, error.Message));
            }
        }

        if (errors.Count == 0 && job.Action == BulkAction.Update && named.Count == 0)
        {
            errors.Add(new ValidationError(null, ErrorCodes.BadRequest, Texts.Of("NothingToChange")));
        }

        if (named.Count > BulkRequest.MaxFields)
        {
            errors.Add(new ValidationError(null, BulkRefusedException.TooMany, Texts.Of("TooManyFields", named.Count, BulkRequest.MaxFields)));
        }

        return [.. errors];
    }

    /// <summary>The values as the record service takes them.</summary>
    public static Dictionary<string, object?> Inputs(BulkJob job) => job.Set.ToDictionary(v => v.Key, v => Input(v.Value), StringComparer.Ordinal);

    /// <summary>The values a record gets, from those it has.</summary>
    public static Dictionary<string, object?> For(BulkJob job, Dictionary<string, object?> set, Record current)
    {
        var values = new Dictionary<string, object?>(set, StringComparer.Ordinal);
        foreach (var name in job.Add.Keys.Concat(job.Remove.Keys).Distinct(StringComparer.Ordinal))
        {
            var had = current[name] is ImmutableArray<string> list ? list : [];
            var without = job.Remove.GetValueOrDefault(name, []);
            var more = job.Add.GetValueOrDefault(name, []);
            ImmutableArray<string> now = [.. had.Where(t => !without.Contains(t, StringComparer.OrdinalIgnoreCase)), .. more.Where(t => !had.Contains(t, StringComparer.OrdinalIgnoreCase))];
            values[name] = now.IsEmpty ? null : now;
        }

        return values;
    }

    /// <summary>A request as it is kept.</summary>
    public static BulkJob Keep(BulkRequest request) => new(request.Entity, request.Action)
    {
        Set = request.Set.ToImmutableSortedDictionary(v => v.Key, v => Json(v.Value), StringComparer.Ordinal),
        Add = request.Add.ToImmutableSortedDictionary(StringComparer.Ordinal),
        Remove = request.Remove.ToImmutableSortedDictionary(StringComparer.Ordinal),
    };

    /// <summary>Texts that nothing in the database can hold, and that could not even be kept until a job reads them.</summary>
    public static ImmutableArray<ValidationError> Unreadable(BulkRequest request) =>
    [
        .. request.Set.Where(v => !IsStorable(v.Value)).Select(v => v.Key)
            .Concat(request.Add.Concat(request.Remove).Where(v => !IsStorable(v.Value)).Select(v => v.Key))
            .Distinct(StringComparer.Ordinal).Select(name => new ValidationError(name, ErrorCodes.Type, Texts.Of("Unreadable"))),
    ];

    private static JsonElement Json(object? value) => value switch
    {
        ImmutableArray<string> texts => JsonSerializer.SerializeToElement(texts.AsEnumerable()),
        IEnumerable<KeyValuePair<string, object?>> parts => JsonSerializer.SerializeToElement(parts.ToDictionary(p => p.Key, p => Json(p.Value), StringComparer.Ordinal)),
        IEnumerable<object?> list => JsonSerializer.SerializeToElement(list.Select(Json)),
        _ => JsonSerializer.SerializeToElement(value),
    };

    private static bool IsStorable(object? value) => value switch
    {
        string text => !text.Contains('\0', StringComparison.Ordinal) && SingleTextType.IsUnicode(text),
        ImmutableArray<string> texts => texts.All(IsStorable),
        IEnumerable<KeyValuePair<string, object?>> parts => parts.All(p => IsStorable(p.Key) && IsStorable(p.Value)),
        IEnumerable<object?> list => list.All(IsStorable),
        double number => double.IsFinite(number),
        _ => true,
    };

    private static object? Input(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number => value.TryGetInt64(out var whole) ? whole : value.TryGetDecimal(out var number) ? number : value.GetDouble(),
        JsonValueKind.Array => value.EnumerateArray().Select(Input).ToList(),
        _ => value.EnumerateObject().ToDictionary(p => p.Name, p => Input(p.Value), StringComparer.Ordinal),
    };
}
