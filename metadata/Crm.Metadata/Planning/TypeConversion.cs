using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>How the values of one type become those of another, in the database.</summary>
/// <param name="Value">The new value; <c>{0}</c> is the column.</param>
/// <param name="Fits">Which values that are there can be converted; null when all can.</param>
internal sealed record TypeConversion(string Value, string? Fits = null)
{
    private const string Whole = "{0} ~ '^\\s*[+-]?[0-9]{{1,18}}\\s*$'";
    private const string Number = "{0} ~ '^\\s*[+-]?[0-9]{{1,18}}([.][0-9]{{1,10}})?\\s*$'";

    // A day the calendar has: 2026-02-30 is asked for its month first.
    private const string Day =
        "CASE WHEN {0} ~ '^\\s*[1-9][0-9]{{3}}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])\\s*$' THEN substr(btrim({0}), 9, 2)::int <= extract(day FROM (substr(btrim({0}), 1, 8) || '01')::date + interval '1 month' - interval '1 day') ELSE false END";

    private static readonly FrozenDictionary<(FieldType From, FieldType To), TypeConversion> Known = new Dictionary<(FieldType, FieldType), TypeConversion>
    {
        [(Fields.Text, Fields.LongText)] = new("{0}"),
        [(Fields.LongText, Fields.Text)] = new("{0}", "{0} !~ '[\\n\\r]'"),
        [(Fields.Email, Fields.Text)] = new("{0}"),
        [(Fields.Phone, Fields.Text)] = new("{0}"),
        [(Fields.Url, Fields.Text)] = new("{0}"),
        [(Fields.Text, Fields.Integer)] = new("btrim({0})::bigint", Whole),
        [(Fields.Text, Fields.Decimal)] = new("round(btrim({0})::numeric, {1})", Number),
        [(Fields.Text, Fields.Date)] = new("btrim({0})::date", Day),
        [(Fields.Text, Fields.Choice)] = new("btrim({0})", "btrim({0}) IN ({2})"),
        [(Fields.Integer, Fields.Text)] = new("{0}::text"),
        [(Fields.Integer, Fields.Decimal)] = new("{0}::numeric"),
        [(Fields.Integer, Fields.Percent)] = new("{0}::numeric"),
        [(Fields.Decimal, Fields.Text)] = new("{0}::text"),
        [(Fields.Decimal, Fields.Integer)] = new("{0}::bigint", "{0} = trunc({0}) AND abs({0}) < 1e18"),
        [(Fields.Decimal, Fields.Percent)] = new("{0}", "{0} = round({0}, {1})"),
        [(Fields.Percent, Fields.Decimal)] = new("{0}", "{0} = round({0}, {1})"),
        [(Fields.Date, Fields.Text)] = new("to_char({0}, 'YYYY-MM-DD')"),
        [(Fields.Date, Fields.DateTime)] = new("({0}::timestamp AT TIME ZONE 'UTC')"),
        [(Fields.DateTime, Fields.Date)] = new("({0} AT TIME ZONE 'UTC')::date", "({0} AT TIME ZONE 'UTC')::time = '00:00'"),
        [(Fields.Choice, Fields.Text)] = new("{0}"),
        [(Fields.Choice, Fields.MultiChoice)] = new("CASE WHEN {0} IS NOT NULL THEN ARRAY[{0}] END"),
        [(Fields.MultiChoice, Fields.Choice)] = new("{0}[1]", "cardinality({0}) <= 1"),
    }.ToFrozenDictionary();

    /// <summary>Types a field can be given.</summary>
    public static ImmutableArray<FieldType> Targets(FieldType from) => [.. Known.Keys.Where(k => k.From == from).Select(k => k.To).OrderBy(t => t.Name, StringComparer.Ordinal)];

    public static bool HasChoices(FieldType type) => type == Fields.Choice || type == Fields.MultiChoice;

    /// <summary>The conversion as SQL; null where there is none, or nothing to convert.</summary>
    /// <param name="from">The field as it is.</param>
    /// <param name="to">The field as it will be.</param>
    /// <param name="column">Where the value is read; null for the column of <paramref name="from"/>.</param>
    public static TypeConversion? Of(FieldDefinition from, FieldDefinition to, string? column = null)
    {
        if (from.Type == to.Type || !Known.TryGetValue((from.Type, to.Type), out var known))
        {
            return null;
        }

        column ??= Sql.Quote(from.Name);
        // Choices are names of definitions, and parts of the statement an administrator sees.
        var choices = to.Choices.IsEmpty ? "NULL" : string.Join(", ", to.Choices.Select(c => Sql.Literal(c.Name)));
        string Fill(string sql) => string.Format(CultureInfo.InvariantCulture, sql, column, to.Scale ?? 2, choices);
        var fits = known.Fits is null ? null : Fill(known.Fits);
        if (to.Type is SingleTextType text)
        {
            var length = string.Create(CultureInfo.InvariantCulture, $"char_length({Fill(known.Value)}) <= {to.MaxLength ?? text.DefaultMaxLength}");
            fits = fits is null ? length : fits + " AND " + length;
        }

        return new TypeConversion(Fill(known.Value), fits);
    }
}
