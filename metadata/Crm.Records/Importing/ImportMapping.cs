using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Crm.Records.Importing;

/// <summary>
/// Which column of a file becomes which field of a record. As JSON:
/// <code>
/// {
///   "fields": {
///     "name": { "column": "account" },
///     "industry": { "column": "sector", "values": { "technolgy": "technology" }, "unknown": "error" },
///     "relationship_type": { "value": "client" },
///     "title": { "template": "{product}[ – {account}]" },
///     "owner": { "column": "sales_agent", "by": "name", "unknown": "create", "create": { "user_name": "{value|user_name}" } }
///   },
///   "culture": "de-DE", "date_formats": ["MM/dd/yyyy"], "time_zone": "Europe/Berlin", "empty": "keep"
/// }
/// </code>
/// </summary>
public sealed record ImportMapping
{
    /// <summary>How the JSON is read and written: snake_case, unknown names refused.</summary>
    public static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) },
    };

    /// <summary>By field name, or by property name for one part of a field (<c>budget_currency</c>, <c>company_id</c>).</summary>
    public ImmutableSortedDictionary<string, FieldMapping> Fields { get; init; } = ImmutableSortedDictionary<string, FieldMapping>.Empty;

    /// <summary>Language numbers and dates are written in, for example <c>de-DE</c>; none means 1,054.00 and ISO dates or day/month/year.</summary>
    public string? Culture { get; init; }

    /// <summary>How dates are written, tried first; .NET patterns such as <c>MM/dd/yyyy</c>.</summary>
    public ImmutableArray<string>? DateFormats { get; init; }

    /// <summary>Time zone of instants without an offset; UTC when not given.</summary>
    public string? TimeZone { get; init; }

    /// <summary>What an empty cell does to a record that exists.</summary>
    public EmptyCell Empty { get; init; }

    /// <summary>Reads the JSON.</summary>
    /// <exception cref="ImportFileException">It is not a mapping.</exception>
    public static ImportMapping Parse(string json)
    {
        try
        {
            return JsonSerializer.Deserialize<ImportMapping>(json, Json) is { Fields: not null } mapping && mapping.Fields.Values.All(f => f is not null)
                ? mapping
                : throw new ImportFileException(ImportCodes.Mapping, Texts.Of("MappingUnreadable", "null"), "mapping");
        }
        catch (JsonException e)
        {
            throw new ImportFileException(ImportCodes.Mapping, Texts.Of("MappingUnreadable", e.Message), "mapping");
        }
    }

    /// <summary>Writes the JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <inheritdoc/>
    public bool Equals(ImportMapping? other) => ReferenceEquals(this, other) || (other is not null && ToJson() == other.ToJson());

    /// <inheritdoc/>
    public override int GetHashCode() => Fields.Count;
}

/// <summary>Where one field's value comes from: exactly one of column, template and value.</summary>
public sealed record FieldMapping
{
    /// <summary>Header of the column.</summary>
    public string? Column { get; init; }

    /// <summary>Text with columns in braces, see <see cref="TextTemplate"/>.</summary>
    public string? Template { get; init; }

    /// <summary>The same value for every row.</summary>
    public JsonElement? Value { get; init; }

    /// <summary>Values of the file and what is meant by them; null means no value.</summary>
    public ImmutableSortedDictionary<string, string?>? Values { get; init; }

    /// <summary>What happens to a choice, stage or record nobody knows.</summary>
    public UnknownValue Unknown { get; init; }

    /// <summary>For a lookup: field of the other entity the value names; its title when not given, for users also the user name and e-mail.</summary>
    public string? By { get; init; }

    /// <summary>For a lookup with <see cref="UnknownValue.Create"/>: further values of the new record; templates over the columns and <c>{value}</c>.</summary>
    public ImmutableSortedDictionary<string, string>? Create { get; init; }

    /// <summary>A mapping that takes a column as it is.</summary>
    public static FieldMapping Of(string column) => new() { Column = column };
}

/// <summary>What happens to a value nobody knows.</summary>
public enum UnknownValue
{
    /// <summary>The row is left out and reported.</summary>
    Error,

    /// <summary>The field stays empty; reported as a warning.</summary>
    Empty,

    /// <summary>A record is made for it; only for lookups.</summary>
    Create,
}

/// <summary>What an empty cell does to a record that exists.</summary>
public enum EmptyCell
{
    /// <summary>Nothing.</summary>
    Keep,

    /// <summary>Empties the field.</summary>
    Clear,
}

/// <summary>What happens to rows whose record exists or does not.</summary>
public enum ImportMode
{
    /// <summary>New records; with match fields, rows whose record exists are skipped.</summary>
    Create,

    /// <summary>Existing records only; other rows are skipped.</summary>
    Update,

    /// <summary>Both.</summary>
    Upsert,
}

/// <summary>An import as it was asked for; the payload of its job.</summary>
/// <param name="Entity">The entity.</param>
/// <param name="File">Id of the stored file.</param>
/// <param name="FileName">Its name, for users.</param>
/// <param name="Encoding">How it is written.</param>
/// <param name="Delimiter">What separates its columns.</param>
/// <param name="Mapping">What becomes what.</param>
/// <param name="Mode">What happens to rows whose record exists or does not.</param>
/// <param name="Match">Fields a row and its record have in common; needed to update.</param>
/// <param name="DryRun">Whether everything is rolled back.</param>
public sealed record ImportRequest(
    string Entity,
    Guid File,
    string FileName,
    string Encoding,
    char Delimiter,
    ImportMapping Mapping,
    ImportMode Mode,
    ImmutableArray<string> Match,
    bool DryRun)
{
    /// <summary>The sheet of a workbook; null for a text.</summary>
    public string? Sheet { get; init; }

    /// <summary>Whether new records may be like some that are there, by rules that leave it to whoever makes them.</summary>
    public bool AcceptsDuplicates { get; init; }
}
