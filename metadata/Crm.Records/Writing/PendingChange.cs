using System.Collections.Immutable;
using Crm.Records.Bin;
using Crm.Sdk;

namespace Crm.Records;

/// <summary>One change on its way through the write path; what interceptors see.</summary>
internal sealed class PendingChange(RecordChange change, EntityTable table, SaveSession session) : ChangeContext
{
    private readonly object?[] values = new object?[table.Fields.Length];
    private List<ChangeInput> inputs = [];
    private List<ValidationError>? errors;
    private bool isSealed;
    private bool isConflict;
    private object?[]? started;

    /// <summary>What a change without errors is told when those it belongs to were refused.</summary>
    public static ValidationError NotAlone => new(null, ErrorCodes.Batch, Texts.Of("Batch"));

    public override ChangeKind Kind => change.Kind;

    public override Guid Id => change.Id;

    public override EntityDefinition Entity => table.Entity;

    public override Record? Before => Stored is null ? null : field ??= table.ToRecord(Stored);

    public override IRecordService Records => session.Inside;

    public override DateTimeOffset Now => session.Now;

    public RecordChange Change => change;

    public EntityTable Table => table;

    /// <summary>Values by place of the field, as they will be stored.</summary>
    public object?[] Values => values;

    /// <summary>Values as they were; null on create.</summary>
    public object?[]? Stored { get; private set; }

    /// <summary>What the record held when it was deleted; null when it is not being restored.</summary>
    public Remains? Remains => session.Remains?.GetValueOrDefault(change.Id);

    /// <summary>Places of the fields whose value changes; known once sealed.</summary>
    public ImmutableArray<int> Changed { get; private set; } = [];

    /// <summary>What is wanted of links, by many-to-many field.</summary>
    public Dictionary<TableField, LinkChanges> Links { get; } = [];

    /// <summary>Whether nothing of the record itself is to change, nor can: only its links.</summary>
    public bool IsOfLinksOnly => Kind == ChangeKind.Update && inputs.Count > 0 && inputs.TrueForAll(i => i.Field.Type is ManyToManyType) && table.Scripts.IsEmpty && session.Behaviors.InterceptorsOf(Entity.Name).IsEmpty;

    /// <summary>Links were written or were to be written, and one of them was refused.</summary>
    public bool HasRefusedLinks { get; set; }

    /// <summary>The interceptors of this change; null when its entity has none.</summary>
    public InterceptorSet? Interceptors { get; set; }

    /// <summary>Rules whose script set a value, by place of the field; null for none.</summary>
    public Dictionary<int, string>? SetBy { get; private set; }

    /// <summary>Its row is written.</summary>
    public bool IsWritten { get; set; }

    /// <summary>No later step can say anything of use about this change.</summary>
    public bool IsStopped { get; private set; }

    public bool IsRefused => errors is not null;

    /// <summary>Whether there is something to write.</summary>
    public bool IsWrite => isSealed && !IsRefused && (Kind != ChangeKind.Update || !Changed.IsEmpty);

    public override object? this[string field]
    {
        get
        {
            var found = Find(field, out var part);
            return part < 0 ? values[found.Index] : PartOf(found, part, values[found.Index]);
        }

        set
        {
            var found = Find(field, out var part);
            if (isSealed)
            {
                throw new InvalidOperationException($"'{field}' of {Entity.Name} can no longer be set: values are final after validation. Set it in BeforeAsync.");
            }

            if (found.Type is ManyToManyType)
            {
                throw new InvalidOperationException($"'{field}' of {Entity.Name} holds links; write the records of {found.Definition.Link!.Entity} in AfterAsync.");
            }

            if (found.IsStamp || found.IsCalculated)
            {
                throw new InvalidOperationException($"'{field}' of {Entity.Name} is set by the product only.");
            }

            if (ChangeInput.Of(found, part, value).TryValue(values[found.Index], out var stored, out var error))
            {
                values[found.Index] = stored;
            }
            else
            {
                Refuse(found.Name + error.At, error.Code, error.Message);
            }
        }
    }

    public override bool Changes(string field)
    {
        var found = Find(field, out var part);
        var (now, before) = (values[found.Index], Stored?[found.Index]);
        return Kind != ChangeKind.Delete
            && (Links.ContainsKey(found) || !(part < 0 ? found.Type.AreEqual(now, before) : Equals(PartOf(found, part, now), PartOf(found, part, before))));
    }

    public override void Refuse(string? field, string code, string message)
    {
        ArgumentException.ThrowIfNullOrEmpty(code);
        ArgumentException.ThrowIfNullOrEmpty(message);
        (errors ??= []).Add(new ValidationError(field, code, message));
    }

    /// <summary>As <see cref="Refuse(string?, string, string)"/>, naming the records that are the reason.</summary>
    public void Refuse(ValidationError error) => (errors ??= []).Add(error);

    /// <summary>Gives a field the value a rule's script wants; one it cannot hold is refused like anybody else's.</summary>
    public void SetByRule(string rule, ChangeInput input)
    {
        var field = input.Field;
        if (!input.TryValue(values[field.Index], out var value, out var error))
        {
            Refuse(field.Name + error.At, error.Code, error.Message);
        }
        else if (!field.Type.AreEqual(value, values[field.Index]))
        {
            values[field.Index] = value;
            (SetBy ??= [])[field.Index] = rule;
        }
    }

    /// <summary>Refuses, and leaves out the steps that follow.</summary>
    public void Stop(string code, string message)
    {
        Refuse(null, code, message);
        IsStopped = true;
    }

    /// <summary>Refuses instead of whatever else there was to say: nothing of the record may be shown.</summary>
    public void Deny(string code, string message)
    {
        errors = null;
        isConflict = false;
        Stop(code, message);
    }

    /// <summary>Fields the caller gives a value.</summary>
    public IEnumerable<TableField> Given => inputs.Select(i => i.Field);

    /// <summary>What an expression sees of a field.</summary>
    public object? ValueAt(FieldPath path) => table.TryField(path.Field.Name, out var field) ? path.ValueOf(values[field.Index]) : null;

    /// <summary>The value the caller gives a field of one column; null for none.</summary>
    public object? Wanted(string field) =>
        inputs.Find(i => i.Field.Name == field) is { } input && input.TryValue(null, out var value, out _) ? value : null;

    /// <summary>Whether the caller gives one of the fields a value.</summary>
    public bool WantsAny(IReadOnlySet<string> fields) => inputs.Exists(i => fields.Contains(i.Field.Name));

    /// <summary>Whether a field is to hold something else than before; on create, than what a new record starts with.</summary>
    public bool DiffersFromStart(string name) =>
        table.TryField(name, out var field) && (Links.ContainsKey(field) || !field.Type.AreEqual(values[field.Index], Kind == ChangeKind.Create ? started?[field.Index] : Stored?[field.Index]));

    public bool HasError(string field) => errors?.Exists(e => e.Field == field || e.Field?.StartsWith(field + "[", StringComparison.Ordinal) == true) == true;

    /// <summary>Names and types of the caller's values; what needs the stored row waits for <see cref="ApplyInput"/>.</summary>
    public void ReadInput() => inputs = ChangeInput.Read(change, table, Refuse);

    /// <summary>Takes the stored row; a record that is gone or was changed by somebody else stops the change.</summary>
    public void Load(object?[]? row)
    {
        if (row is null)
        {
            Stop(ErrorCodes.NotFound, Texts.Of("NotFound", Entity.Label, change.Id));
            return;
        }

        Stored = row;
        row.CopyTo(values, 0);
        if (change.ExpectedVersion is { } expected && expected != (long)row[table.Version]!)
        {
            isConflict = true;
            Stop(ErrorCodes.Conflict, Texts.Of("Conflict", Entity.Label));
        }
    }

    /// <summary>Puts the caller's values over the stored ones, or over what a new record starts with.</summary>
    public void ApplyInput()
    {
        if (Kind == ChangeKind.Create)
        {
            Start();
            started = table.Entity.Rules.IsEmpty && !session.Access.View.IsLimited ? null : [.. values];
        }

        values[table.Id] = change.Id;
        foreach (var input in inputs)
        {
            var field = input.Field;
            if (!input.TryValue(values[field.Index], out var value, out var error))
            {
                Refuse(field.Name + error.At, error.Code, error.Message);
            }
            else if (field.Type is ManyToManyType && !field.IsProtected)
            {
                Links[field] = value as LinkChanges ?? new LinkChanges([], [], IsComplete: true);
            }
            else if (!field.IsProtected)
            {
                // A new record without a stage or an owner starts with the default one; only a stored one can be emptied, and that is refused.
                var keepsDefault = value is null && Kind == ChangeKind.Create && field is { IsRequired: true, Definition.IsRequired: false };
                values[field.Index] = keepsDefault ? values[field.Index] : value;
            }
            else if (!field.Type.AreEqual(value, values[field.Index]))
            {
                Refuse(field.Name, ErrorCodes.ReadOnly, Texts.Of("ReadOnly", field.Definition.Label));
            }
        }
    }

    /// <summary>A new record starts with its defaults, a restored one with what it held.</summary>
    private void Start()
    {
        foreach (var (name, value) in Remains?.Values ?? ImmutableDictionary<string, object?>.Empty)
        {
            if (table.TryField(name, out var field))
            {
                values[field.Index] = value;
            }
        }

        if (Remains is null)
        {
            Defaults.Apply(table, values, session.Actor, Refuse);
        }

        (values[table.System("created_at").Index], values[table.System("created_by").Index]) = (Remains?.CreatedAt ?? session.Now, Remains?.CreatedBy ?? session.Actor.UserId);
    }

    /// <summary>From here on nobody can change a value.</summary>
    public void Seal()
    {
        isSealed = true;
        if (Kind != ChangeKind.Delete && !IsOfLinksOnly)
        {
            Changed = [.. Enumerable.Range(0, values.Length).Where(i => !table.Fields[i].Type.AreEqual(values[i], Stored?[i]))];
        }
    }

    /// <summary>What the caller is told.</summary>
    public SaveResult ToResult()
    {
        if (IsRefused)
        {
            return SaveResult.Refused([.. errors!.OrderBy(e => e.Field is { } name && table.TryField(name, out var field) ? field.Index : -1)]) with { Stored = isConflict ? Before : null };
        }

        if (IsWrite && !IsWritten)
        {
            return SaveResult.Refused(NotAlone);
        }

        return new SaveResult(Kind == ChangeKind.Create || IsWritten && Kind == ChangeKind.Update ? table.ToRecord(values) : Before, []);
    }

    private TableField Find(string name, out int part) =>
        table.TryResolve(name, out var field, out part) ? field : throw new KeyNotFoundException($"{Entity.Name} has no visible field '{name}'.");

    private static object? PartOf(TableField field, int part, object? value)
    {
        var columns = new object?[field.Columns.Length];
        field.Type.ToColumns(value, columns);
        return columns[part];
    }
}
