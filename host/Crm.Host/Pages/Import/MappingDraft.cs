using System.Collections.Immutable;
using System.Text.Json;
using Crm.Records.Importing;
using Crm.Sdk;

namespace Crm.Host.Pages.Import;

/// <summary>A mapping while it is edited: seen from the columns of the file, as people read it.</summary>
public sealed class MappingDraft
{
    private readonly EntityDefinition entity;

    // What a template says that has no place on the page goes on as it is.
    private readonly ImportMapping kept;

    /// <summary>Begins with a template, or with what the headings say.</summary>
    public MappingDraft(EntityDefinition entity, FileInspection file, ImportTemplate? template = null)
    {
        this.entity = entity;
        kept = template?.Mapping ?? new ImportMapping();
        var guess = template?.Mapping ?? MappingGuess.Guess(entity, file.Headers);
        Columns =
        [
            .. file.Headers.Select((header, i) => new ColumnDraft(header, [.. file.Sample.Select(r => r.Values[i]).Where(v => v.Length > 0).Distinct(StringComparer.Ordinal).Take(3)])
            {
                Field = guess.Fields.FirstOrDefault(f => string.Equals(f.Value.Column, header, StringComparison.OrdinalIgnoreCase)).Key ?? "",
            }),
        ];
        Fixed = template is null
            ? Missing().Select(f => new FixedDraft { Field = f.Name }).ToList()
            : kept.Fields.Where(f => f.Value.Column is null).Select(f => new FixedDraft { Field = f.Key, Text = FixedText(f.Value) }).ToList();
        // Records are recognised by what is unique; without that the title is the best there is.
        Match = Matchable().FirstOrDefault(f => f.IsUnique)?.Name ?? entity.TitleFields.FirstOrDefault(t => Mapped().Any(f => f.Name == t)) ?? "";
        if (template is not null)
        {
            (Mode, AcceptsDuplicates, Culture, IsMonthFirst) = (template.Mode, template.AcceptsDuplicates, kept.Culture ?? "", kept.DateFormats is [['M', ..], ..]);
            Match = template.Match.IsEmpty ? Match : string.Join(',', template.Match);
            MatchesTogether = template.Match.Length > 1 ? Match : null;
            foreach (var column in Columns.Where(c => c.Field.Length > 0))
            {
                column.Take(kept.Fields[column.Field]);
            }
        }
    }

    /// <summary>Columns of the file, in order.</summary>
    public IReadOnlyList<ColumnDraft> Columns { get; }

    /// <summary>Fields that get the same value, or text made of columns, in every row.</summary>
    public IList<FixedDraft> Fixed { get; }

    public ImportMode Mode { get; set; }

    /// <summary>Whether rows are imported that look like records that are there.</summary>
    public bool AcceptsDuplicates { get; set; }

    /// <summary>The field rows and records have in common; several of a template with commas between them.</summary>
    public string Match { get; set; }

    /// <summary>Several such fields that a template names; null without them.</summary>
    public string? MatchesTogether { get; }

    /// <summary>How numbers are written.</summary>
    public string Culture { get; set; } = "";

    /// <summary>Whether 01/02/2026 is the second of January.</summary>
    public bool IsMonthFirst { get; set; }

    /// <summary>Fields and parts of fields that can be given values.</summary>
    public IEnumerable<ImportTarget> Targets => ImportTarget.Of(entity);

    public ImmutableArray<string> MatchFields => Mode == ImportMode.Create || Match.Length == 0 ? [] : [.. Match.Split(',')];

    /// <summary>The field of a target.</summary>
    public FieldDefinition? Field(string key) => Targets.FirstOrDefault(t => t.Key == key)?.Field;

    /// <summary>Fields some column or fixed value fills.</summary>
    public IEnumerable<FieldDefinition> Mapped() => Columns.Select(c => c.Field).Concat(Fixed.Where(f => f.Text.Length > 0).Select(f => f.Field)).Select(Field).OfType<FieldDefinition>().Distinct();

    /// <summary>Required fields nothing fills.</summary>
    public IEnumerable<FieldDefinition> Missing() => Targets.Select(t => t.Field).Distinct().Where(f => f.IsRequired && f.Default is null && !Columns.Any(c => ReferenceEquals(Field(c.Field), f)));

    /// <summary>Fields a row's record can be recognised by.</summary>
    public IEnumerable<FieldDefinition> Matchable() => Mapped().Where(f => f.Type.Columns.Length == 1 && f.Type.Operators.Contains(FilterOperator.Equal));

    /// <summary>Whether a field has a list to choose from or points to other records.</summary>
    public static bool HasList(FieldDefinition? field) => field is not null && (field.Type is ReferenceType or ManyToManyType or StageType || !field.Choices.IsEmpty);

    /// <summary>Names and labels a value of the field may have; empty for lookups.</summary>
    public static IEnumerable<(string Name, string Label)> Options(FieldDefinition field) => field.Type is StageType
        ? field.Stages!.Stages.Select(s => (s.Name, s.Label))
        : field.Choices.Select(c => (c.Name, c.Label));

    /// <summary>The mapping as it will be used. Of two columns for one field the first counts.</summary>
    public ImportMapping ToMapping()
    {
        var fields = ImmutableSortedDictionary.CreateBuilder<string, FieldMapping>(StringComparer.Ordinal);
        foreach (var column in Columns.Where(c => c.Field.Length > 0))
        {
            var hasList = HasList(Field(column.Field));
            fields.TryAdd(column.Field, Kept(column.Field) with
            {
                Column = column.Header,
                Template = null,
                Value = null,
                Unknown = hasList ? column.Unknown : UnknownValue.Error,
                Values = hasList && column.Values.Values.Any(v => v.Length > 0)
                    ? column.Values.Where(v => v.Value.Length > 0).ToImmutableSortedDictionary(v => v.Key, v => v.Value == ColumnDraft.NoValue ? null : (string?)v.Value)
                    : null,
            });
        }

        foreach (var item in Fixed.Where(f => f.Field.Length > 0 && f.Text.Trim().Length > 0))
        {
            var text = item.Text.Trim();
            var before = Kept(item.Field);
            fields.TryAdd(item.Field, before.Column is null && FixedText(before) == text ? before
                : text.Contains('{', StringComparison.Ordinal) ? new FieldMapping { Template = text } : new FieldMapping { Value = JsonSerializer.SerializeToElement(text) });
        }

        return kept with
        {
            Fields = fields.ToImmutable(),
            Culture = Culture.Length > 0 ? Culture : null,
            DateFormats = IsMonthFirst ? ["MM/dd/yyyy", "M/d/yyyy", "MM/dd/yyyy HH:mm", "MM/dd/yyyy HH:mm:ss"] : kept.DateFormats is [['M', ..], ..] ? null : kept.DateFormats,
        };
    }

    private static string FixedText(FieldMapping mapping) => mapping.Template ?? mapping.Value?.ToString() ?? "";

    private FieldMapping Kept(string field) => kept.Fields.GetValueOrDefault(field) ?? new FieldMapping();
}

/// <summary>One column of the file.</summary>
public sealed class ColumnDraft(string header, ImmutableArray<string> samples)
{
    /// <summary>Stands for leaving a value out; no name of a choice or record looks like it.</summary>
    public const string NoValue = "\uE000";

    public string Header => header;

    public ImmutableArray<string> Samples => samples;

    /// <summary>The field; empty for a column that is not imported.</summary>
    public string Field { get; set; } = "";

    public UnknownValue Unknown { get; set; }

    /// <summary>Values nobody knows and what is meant by them; empty for nothing yet.</summary>
    public IDictionary<string, string> Values { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Takes what a template says of values.</summary>
    public void Take(FieldMapping mapping)
    {
        ArgumentNullException.ThrowIfNull(mapping);
        Unknown = mapping.Unknown;
        foreach (var (value, meant) in mapping.Values ?? ImmutableSortedDictionary<string, string?>.Empty)
        {
            Values[value] = meant ?? NoValue;
        }
    }
}

/// <summary>A field with the same value in every row.</summary>
public sealed class FixedDraft
{
    public string Field { get; set; } = "";

    public string Text { get; set; } = "";
}
