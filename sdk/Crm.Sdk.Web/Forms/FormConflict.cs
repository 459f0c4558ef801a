using System.Collections.Immutable;

namespace Crm.Sdk.Web.Forms;

/// <summary>Somebody saved the record while the user was typing.</summary>
/// <param name="Theirs">The record as it is stored now.</param>
/// <param name="Fields">Fields both gave another value; each needs a choice.</param>
/// <param name="OnlyTheirs">Fields only the other one changed; they stay as stored.</param>
/// <param name="OnlyMine">Fields only the user changed; they are kept.</param>
public sealed record FormConflict(Record Theirs, ImmutableArray<FieldConflict> Fields, ImmutableArray<string> OnlyTheirs, ImmutableArray<string> OnlyMine);

/// <summary>One field with two values.</summary>
/// <param name="Field">The field.</param>
/// <param name="Before">Its value when the user opened the form.</param>
/// <param name="Mine">What the user gave.</param>
/// <param name="Theirs">What is stored now.</param>
public sealed record FieldConflict(FieldDefinition Field, object? Before, object? Mine, object? Theirs);

public sealed partial class FormModel
{
    /// <summary>Continues on the other's version: named fields keep what the user typed, the others take what is stored. Nothing is saved yet.</summary>
    /// <param name="keepMine">Fields in conflict whose own value is kept.</param>
    public void Resolve(IReadOnlySet<string> keepMine)
    {
        ArgumentNullException.ThrowIfNull(keepMine);
        if (Conflict is not { } conflict)
        {
            return;
        }

        Continue(
            conflict.Theirs,
            name => !conflict.Fields.Any(f => f.Field.Name == name) || keepMine.Contains(name));
    }

    /// <summary>Continues on a newer version of the record that the user made themselves elsewhere on the page; what was typed stays typed.</summary>
    public void Continue(Record newer) => Continue(newer, _ => true);

    private void Continue(Record newer, Func<string, bool> keep)
    {
        Rebase(newer, keep);
        Changed?.Invoke();
    }

    private void Rebase(Record newer, Func<string, bool> keep)
    {
        var kept = edits.Where(e => keep(e.Key)).ToImmutableArray();
        Reset(newer);
        foreach (var (name, edit) in kept)
        {
            if (!edit.IsReadable)
            {
                edits[name] = edit;
                AskAgain();
                errors[name] = edit.Refusal!;
            }
            else if (Entity.TryField(name, out var field))
            {
                Keep(field, edit.Value);
            }
        }
    }

    /// <summary>Goes back to typing; the next save meets the conflict again.</summary>
    public void PostponeConflict()
    {
        Conflict = null;
        Changed?.Invoke();
    }

    private FormConflict FindConflict(Record theirs)
    {
        var both = ImmutableArray.CreateBuilder<FieldConflict>();
        var mine = ImmutableArray.CreateBuilder<string>();
        var onlyTheirs = ImmutableArray.CreateBuilder<string>();
        foreach (var field in OwnFields)
        {
            var before = start.GetValueOrDefault(field.Name);
            var stored = theirs[field.Name];
            var changedThere = !field.Type.AreEqual(before, stored);
            if (edits.TryGetValue(field.Name, out var edit))
            {
                if (edit.IsReadable && field.Type.AreEqual(edit.Value, stored))
                {
                    continue;
                }

                if (changedThere)
                {
                    both.Add(new FieldConflict(field, before, edit.IsReadable ? edit.Value : edit.Parts, stored));
                }
                else
                {
                    mine.Add(field.Name);
                }
            }
            else if (changedThere)
            {
                onlyTheirs.Add(field.Name);
            }
        }

        return new FormConflict(theirs, both.ToImmutable(), onlyTheirs.ToImmutable(), mine.ToImmutable());
    }
}
