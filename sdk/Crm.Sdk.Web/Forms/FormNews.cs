using System.Collections.Immutable;

namespace Crm.Sdk.Web.Forms;

public sealed partial class FormModel
{
    // By field, with who gave it the other value.
    private readonly Dictionary<string, object?> disputes = new(StringComparer.Ordinal);
    private long undecidedSince;

    /// <summary>Fields that somebody else changed with the version taken last.</summary>
    public ImmutableHashSet<string> Fresh { get; private set; } = [];

    /// <summary>Grows with every version taken over, so that each shows its changes anew.</summary>
    public int FreshTurn { get; private set; }

    /// <summary>Fields that the user and somebody else gave different values; the user is still to say whose counts.</summary>
    public IReadOnlyCollection<string> Disputes => disputes.Keys;

    /// <summary>The version that what was typed is on top of. While something is in dispute, the one before: a page that is loaded again asks again.</summary>
    public long DraftVersion => disputes.Count > 0 ? undecidedSince : Stored?.Version ?? 0;

    /// <summary>Who gave a field another value than the user, which is <see cref="Before"/> now; null when the field is not in dispute.</summary>
    public string? DisputedBy(string field) => disputes.TryGetValue(field, out var user) ? NameOf(user) : null;

    /// <summary>Says at each field in dispute that it is to be decided before anything is saved.</summary>
    public void AskAboutDisputes()
    {
        foreach (var name in disputes.Keys)
        {
            errors[name] = new ValidationError(name, ErrorCodes.Conflict, FormTexts.Text("DecideFirst"));
        }

        Changed?.Invoke();
    }

    /// <summary>
    /// Goes on with a newer version that somebody else stored while the form is open. Fields that were not touched take its values, what was typed stays typed; where both gave a field
    /// another value it is in dispute. A conflict that is already being asked about is left to its answer.
    /// </summary>
    /// <returns>The fields of the form that hold another value now.</returns>
    public ImmutableArray<FieldDefinition> TakeOver(Record newer)
    {
        ArgumentNullException.ThrowIfNull(newer);
        if (Stored is not { } known || newer.Version <= known.Version || Conflict is not null)
        {
            return [];
        }

        ImmutableArray<FieldDefinition> changed = [.. OwnFields.Where(f => !f.Type.AreEqual(start.GetValueOrDefault(f.Name), newer[f.Name]))];
        var refused = errors.Where(e => changed.All(f => f.Name != e.Key)).ToList();
        var (whole, open, since) = (RecordErrors, disputes.ToList(), DraftVersion);
        Rebase(newer, _ => true);
        foreach (var (name, error) in refused)
        {
            errors.TryAdd(name, error);
        }

        RecordErrors = whole;
        undecidedSince = since;
        foreach (var (name, user) in open.Concat(changed.Select(f => KeyValuePair.Create(f.Name, newer["modified_by"]))).Where(d => edits.ContainsKey(d.Key)))
        {
            disputes[name] = user;
        }

        Fresh = [.. changed.Select(f => f.Name).Where(name => !edits.ContainsKey(name))];
        FreshTurn++;
        Changed?.Invoke();
        return changed;
    }

    /// <summary>Says whose value of a field in dispute counts.</summary>
    /// <param name="field">The field.</param>
    /// <param name="keepMine">Whether what the user typed stays, to be saved over the other's value.</param>
    public void Decide(FieldDefinition field, bool keepMine)
    {
        ArgumentNullException.ThrowIfNull(field);
        disputes.Remove(field.Name);
        if (!keepMine)
        {
            edits.Remove(field.Name);
            AskAgain();
        }

        errors.Remove(field.Name);
        if (edits.TryGetValue(field.Name, out var kept) && !kept.IsReadable)
        {
            errors[field.Name] = kept.Refusal!;
        }

        Changed?.Invoke();
    }

    /// <summary>What a user is called, for those who may know it.</summary>
    public string NameOf(object? user) => (user is Guid id ? Titles[id] : null) ?? FormTexts.Text("Somebody");

    /// <summary>A value in words.</summary>
    internal string Say(DisplayContext display, FieldDefinition field, object? value) => value switch
    {
        null => FormTexts.Text("NoValue"),
        FieldParts parts => string.Join(' ', parts.Texts.Values),
        Guid id when RecordTitles.TargetOf(field) is not null => Titles[id] ?? id.ToString(),
        _ => display.Format(field, value),
    };

    // What the user sees and changes; the stamps of the store change with every save.
    private IEnumerable<FieldDefinition> OwnFields => Entity.Fields.Where(f => !f.IsHidden && (!f.IsSystem || f.Name is "owner" or "is_active"));
}
