using System.Collections.Immutable;

namespace Crm.Sdk.Web.Forms;

/// <summary>What a user is doing to one record: the values it started from, what was typed, what was refused. Holds no component and reads no database.</summary>
public sealed partial class FormModel
{
    private readonly FieldText text;
    private readonly Dictionary<string, Edit> edits = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ValidationError> errors = new(StringComparer.Ordinal);
    private IReadOnlyDictionary<string, object?> start;

    /// <summary>A form on a stored record, or on a new one.</summary>
    /// <param name="entity">The entity.</param>
    /// <param name="stored">The record; null for a new one.</param>
    /// <param name="text">The user's formats.</param>
    /// <param name="given">Values a new record starts with, on top of the fields' defaults.</param>
    public FormModel(EntityDefinition entity, Record? stored, FieldText text, IReadOnlyDictionary<string, object?>? given = null)
    {
        ArgumentNullException.ThrowIfNull(entity);
        Entity = entity;
        Stored = stored;
        this.text = text;
        start = stored?.Values ?? Initial(entity, given);
        Id = stored?.Id ?? Guid.CreateVersion7();
    }

    /// <summary>The entity.</summary>
    public EntityDefinition Entity { get; }

    /// <summary>The record as last read; null while it is new.</summary>
    public Record? Stored { get; private set; }

    /// <summary>Id of the record, of the new one too: sending the same creation twice cannot make two records.</summary>
    public Guid Id { get; }

    /// <summary>Whether the record is not stored yet.</summary>
    public bool IsNew => Stored is null;

    /// <summary>Why nothing can be changed; null when it can.</summary>
    public string? ReadOnlyReason { get; set; }

    /// <summary>Whether something was typed that is not stored.</summary>
    public bool IsChanged => edits.Count > 0;

    /// <summary>Names of the fields typed into.</summary>
    public IEnumerable<string> ChangedFields => edits.Keys;

    /// <summary>Errors of the record as a whole, or of fields the form does not show.</summary>
    public ImmutableArray<ValidationError> RecordErrors { get; private set; } = [];

    /// <summary>Two versions of the record to choose from, after somebody else saved in between.</summary>
    public FormConflict? Conflict { get; private set; }

    /// <summary>Raised after anything changed.</summary>
    public event Action? Changed;

    /// <summary>The value a field would be saved with.</summary>
    public object? this[string field] =>
        edits.TryGetValue(field, out var edit) ? edit.Value
        : Expressions is { Formulas.IsEmpty: false } && IsChanged && Entity.TryField(field, out var found) && found.Formula is not null ? Calculated().GetValueOrDefault(field)
        : start.GetValueOrDefault(field);

    /// <summary>The value a field had when the form was opened.</summary>
    public object? Before(string field) => start.GetValueOrDefault(field);

    /// <summary>What the inputs of a field show.</summary>
    public FieldParts Parts(FieldDefinition field)
    {
        ArgumentNullException.ThrowIfNull(field);
        return edits.TryGetValue(field.Name, out var edit) ? edit.Parts : text.Write(field, start.GetValueOrDefault(field.Name));
    }

    /// <summary>What the inputs of a field showed when the form was opened.</summary>
    public FieldParts StartParts(FieldDefinition field)
    {
        ArgumentNullException.ThrowIfNull(field);
        return text.Write(field, start.GetValueOrDefault(field.Name));
    }

    /// <summary>What records pointed to are called.</summary>
    public RecordTitles Titles { get; init; } = new();

    /// <summary>The error at a field; null when there is none.</summary>
    public string? Error(string field) => errors.TryGetValue(field, out var error) ? error.Message : null;

    /// <summary>Whether the user may change a field.</summary>
    public bool CanEdit(FieldDefinition field)
    {
        ArgumentNullException.ThrowIfNull(field);
        return CanType(field) && !IsKept(field.Name);
    }

    // Rules may change their mind with the next field; what was typed is kept meanwhile.
    private bool CanType(FieldDefinition field) =>
        ReadOnlyReason is null && !field.IsReadOnly && field.Type.Name is not ("auto_number" or "key") && (!field.IsSystem || field.Name is "owner" or "is_active");

    /// <summary>Takes what a user typed into the inputs of a field. What cannot be read stays as typed, with an error.</summary>
    public void Type(FieldDefinition field, FieldParts parts)
    {
        ArgumentNullException.ThrowIfNull(field);
        ArgumentNullException.ThrowIfNull(parts);
        errors.Remove(field.Name);
        if (!text.TryRead(field, parts, out var value, out var error))
        {
            var refusal = new ValidationError(field.Name, error.Code, error.Message);
            edits[field.Name] = new Edit(parts, null, refusal);
            AskAgain();
            if (!IsHalf(field, parts))
            {
                errors[field.Name] = refusal;
            }
        }
        else
        {
            Keep(field, value);
        }

        Changed?.Invoke();
    }

    /// <summary>Takes a value chosen, not typed.</summary>
    public void Set(FieldDefinition field, object? value)
    {
        ArgumentNullException.ThrowIfNull(field);
        errors.Remove(field.Name);
        Keep(field, value);
        Changed?.Invoke();
    }

    /// <summary>Forgets everything typed.</summary>
    public void Discard()
    {
        edits.Clear();
        errors.Clear();
        disputes.Clear();
        RecordErrors = [];
        Conflict = null;
        AskAgain();
        Changed?.Invoke();
    }

    /// <summary>Whether everything typed could be read, so that it can be saved.</summary>
    public bool IsReadable => edits.All(e => e.Value.IsReadable || !IsShown(e.Key));

    /// <summary>The change to send: of a stored record only what differs, of a new one everything that has a value. Fields that could not be read are left out.</summary>
    public RecordChange ToChange()
    {
        var values = new Dictionary<string, object?>(StringComparer.Ordinal);
        if (Stored is null)
        {
            foreach (var (name, value) in start)
            {
                values[name] = value;
            }
        }

        foreach (var (name, edit) in edits)
        {
            if (edit.IsReadable)
            {
                values[name] = edit.Value;
            }
            else
            {
                values.Remove(name);
            }
        }

        // What a rule hides is left as it is.
        foreach (var hidden in values.Keys.Where(name => !IsShown(name)).ToList())
        {
            values.Remove(hidden);
        }

        return Stored is null
            ? new RecordChange(ChangeKind.Create, Entity.Name, Id, values) { Source = "form" }
            : RecordChange.Update(Entity.Name, Id, values, Stored.Version) with { Source = "form" };
    }

    /// <summary>Takes the answer to <see cref="ToChange"/>: the stored record, or every reason it was refused.</summary>
    public void Accept(SaveResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        if (result.Succeeded)
        {
            Reset(result.Record);
        }
        else
        {
            TakeErrors(result);
        }

        Changed?.Invoke();
    }

    /// <summary>Starts again from a record read anew.</summary>
    public void Reset(Record record)
    {
        ArgumentNullException.ThrowIfNull(record);
        Stored = record;
        start = record.Values;
        AskAgain();
        edits.Clear();
        errors.Clear();
        disputes.Clear();
        Fresh = [];
        RecordErrors = [];
        Conflict = null;
    }

    private void TakeErrors(SaveResult result)
    {
        errors.Clear();
        var whole = ImmutableArray.CreateBuilder<ValidationError>();
        foreach (var error in result.Errors)
        {
            if (error.Code == ErrorCodes.Conflict && result.Stored is { } theirs)
            {
                Conflict = FindConflict(theirs);
            }
            else if (error.Field is { } name && FieldOf(name) is { IsHidden: false } field && (!field.IsSystem || field.Name == "owner"))
            {
                errors.TryAdd(field.Name, error with { Field = field.Name });
            }
            else
            {
                whole.Add(error);
            }
        }

        foreach (var (name, edit) in edits.Where(e => !e.Value.IsReadable))
        {
            errors[name] = edit.Refusal!;
        }

        RecordErrors = whole.ToImmutable();
    }

    // What is wrong with one of several values is said at the field: phones[1].value.
    private FieldDefinition? FieldOf(string name) => name.IndexOf('[', StringComparison.Ordinal) is > 0 and var end ? FieldOf(name[..end]) :
        Entity.TryField(name, out var field) ? field : Entity.TryProperty(name, out var property) ? property.Field : null;

    private void Keep(FieldDefinition field, object? value)
    {
        AskAgain();
        if (field.Type.AreEqual(value, start.GetValueOrDefault(field.Name)))
        {
            edits.Remove(field.Name);
            disputes.Remove(field.Name);
        }
        else
        {
            edits[field.Name] = new Edit(text.Write(field, value), value, null);
        }
    }

    private static Dictionary<string, object?> Initial(EntityDefinition entity, IReadOnlyDictionary<string, object?>? given)
    {
        var values = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (var field in entity.Fields.Where(f => !f.IsHidden && !f.IsReadOnly))
        {
            object? input = given?.GetValueOrDefault(field.Name) ?? (field.Type.Columns.IsEmpty ? null : given?.GetValueOrDefault(field.Name + field.Type.Columns[0].Suffix));
            // A money field's default is its currency, not an amount.
            input ??= field.Type is MoneyType && field.Default is string ? null : field.Default;
            input ??= field.Type is StageType && field.Stages is { Stages: [var first, ..] } ? first.Name : null;
            if (input is not null and not "" && field.Type.TryNormalize(field, input, out var value, out _) && value is not null)
            {
                values[field.Name] = value;
            }
        }

        return values;
    }

    // A date without its time is not wrong while the user is on the way to the time, nor is half a place.
    private static bool IsHalf(FieldDefinition field, FieldParts parts) => field.Type.Name switch
    {
        "date_time" => (parts[FieldParts.Date].Trim().Length == 0) != (parts[FieldParts.Time].Trim().Length == 0),
        "geolocation" => (parts[FieldParts.Latitude].Trim().Length == 0) != (parts[FieldParts.Longitude].Trim().Length == 0),
        _ => false,
    };

    private sealed record Edit(FieldParts Parts, object? Value, ValidationError? Refusal)
    {
        public bool IsReadable => Refusal is null;
    }
}
