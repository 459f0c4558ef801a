using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Crm.Sdk;

/// <summary>A record of some entity.</summary>
/// <param name="Entity">Name of the entity.</param>
/// <param name="Id">Id of the record.</param>
public sealed record RecordRef(string Entity, Guid Id)
{
    /// <summary>Entity and id, as <see cref="AnyLookupType"/> reads them: <c>company:018f…</c>.</summary>
    public override string ToString() => $"{Entity}:{Id}";
}

/// <summary>
/// A pointer to a record of one of several entities: <see cref="FieldDefinition.Targets"/>, or any when the field names none. The record must exist when it
/// is saved. The database cannot hold on to it, so that a record pointed to can still be deleted; the pointer then leads nowhere.
/// </summary>
public sealed class AnyLookupType : FieldType
{
    private static readonly ImmutableArray<FieldColumn> Parts =
        [new("id", "_id", StorageKind.Reference), new("entity", "_entity", StorageKind.Text, MaxLength: Names.MaxEntityLength)];

    /// <inheritdoc/>
    public override string Name => "any_lookup";

    /// <inheritdoc/>
    public override Type ValueType => typeof(RecordRef);

    /// <inheritdoc/>
    public override ImmutableArray<FieldColumn> Columns => Parts;

    /// <inheritdoc/>
    public override bool CanSort => false;

    /// <inheritdoc/>
    public override bool TryNormalize(FieldDefinition field, object input, out object? value, [NotNullWhen(false)] out FieldError? error)
    {
        ArgumentNullException.ThrowIfNull(field);
        value = null;
        error = null;
        var (entity, id) = input switch
        {
            RecordRef reference => (reference.Entity, reference.Id),
            Record record => (record.Entity, record.Id),
            IReadOnlyDictionary<string, object?> parts => (parts.GetValueOrDefault("entity") as string ?? "", parts.GetValueOrDefault("id") ?? ""),
            string text when text.IndexOf(':', StringComparison.Ordinal) is > 0 and var colon => (text[..colon].Trim(), text[(colon + 1)..].Trim()),
            _ => ("", (object)"?"),
        };
        if (entity.Length == 0 && id is "")
        {
            return true;
        }

        if (Inputs.ToId(id) is not { } key || Names.Problem(entity, Names.MaxEntityLength) is not null)
        {
            error = new FieldError(ErrorCodes.Type, Texts.Of("NotAnyRecord", field.Label));
        }
        else if (!field.Targets.IsEmpty && !field.Targets.Contains(entity))
        {
            error = new FieldError(ErrorCodes.Unknown, Texts.Of("NotATarget", field.Label, string.Join(", ", field.Targets)));
        }
        else
        {
            value = new RecordRef(entity, key);
        }

        return error is null;
    }

    /// <inheritdoc/>
    public override void ToColumns(object? value, Span<object?> columns)
    {
        var reference = value as RecordRef;
        (columns[0], columns[1]) = (reference?.Id, reference?.Entity);
    }

    /// <inheritdoc/>
    public override object? FromColumns(ReadOnlySpan<object?> columns) => columns[0] is Guid id && columns[1] is string entity ? new RecordRef(entity, id) : null;

    /// <inheritdoc/>
    public override string Format(FieldDefinition field, object? value, CultureInfo culture) => value is RecordRef reference ? Names.ToLabel(reference.Entity) : "";
}
