using System.Collections.Immutable;

namespace Crm.Sdk.Web.Forms;

/// <summary>What was typed into a form and not saved, as the browser keeps it: the raw text of the inputs, so that it is written without asking the server.</summary>
/// <param name="Version">Version of the record it was typed on; 0 for a new one.</param>
/// <param name="Fields">Text by part by field.</param>
public sealed record FormDraft(long Version, ImmutableDictionary<string, ImmutableDictionary<string, string>> Fields);

public sealed partial class FormModel
{
    /// <summary>Takes inputs as they stand in the browser: a draft after a reload, or what was typed but not left yet.</summary>
    /// <returns>Whether anything differs from what is stored.</returns>
    public bool Take(IReadOnlyDictionary<string, ImmutableDictionary<string, string>> fields)
    {
        ArgumentNullException.ThrowIfNull(fields);
        foreach (var (name, texts) in fields)
        {
            if (Entity.TryField(name, out var field) && CanType(field) && !field.IsHidden)
            {
                Type(field, Parts(field).With(new FieldParts(texts)));
            }
        }

        return IsChanged;
    }

    /// <summary>Takes a draft. Typed on an older version it is a conflict at once, so that what happened in between is seen before it is overwritten.</summary>
    public bool Restore(FormDraft draft)
    {
        ArgumentNullException.ThrowIfNull(draft);
        if (draft.Fields.Count == 0 || !Take(draft.Fields))
        {
            return false;
        }

        if (Stored is not null && draft.Version != Stored.Version)
        {
            Conflict = new FormConflict(
                Stored,
                [.. edits.Select(e => new FieldConflict(Entity.Field(e.Key), null, e.Value.IsReadable ? e.Value.Value : e.Value.Parts, start.GetValueOrDefault(e.Key)))],
                [],
                []);
        }

        return true;
    }

    /// <summary>What the inputs of the changed fields hold.</summary>
    public FormDraft ToDraft() =>
        new(DraftVersion, edits.ToImmutableDictionary(e => e.Key, e => e.Value.Parts.Texts, StringComparer.Ordinal));
}
