using System.Collections.Frozen;
using System.Collections.Immutable;
using Crm.Sdk.Web.Forms.Editors;
using Microsoft.AspNetCore.Components;

namespace Crm.Sdk.Web.Forms;

/// <summary>Which component edits which field type. Modules replace one with <see cref="ModuleWeb.AddEditor"/>; the set is swapped whole when modules come and go.</summary>
public sealed class FieldEditors
{
    private static readonly FrozenDictionary<string, Type> Own = new Dictionary<string, Type>
    {
        ["text"] = typeof(TextEditor),
        ["long_text"] = typeof(LongTextEditor),
        ["email"] = typeof(TextEditor),
        ["phone"] = typeof(TextEditor),
        ["url"] = typeof(TextEditor),
        ["phones"] = typeof(SeveralEditor),
        ["emails"] = typeof(SeveralEditor),
        ["urls"] = typeof(SeveralEditor),
        ["integer"] = typeof(NumberEditor),
        ["decimal"] = typeof(NumberEditor),
        ["percent"] = typeof(NumberEditor),
        ["money"] = typeof(MoneyEditor),
        ["yes_no"] = typeof(YesNoEditor),
        ["date"] = typeof(DateEditor),
        ["date_time"] = typeof(DateTimeEditor),
        ["time"] = typeof(TimeEditor),
        ["duration"] = typeof(DurationEditor),
        ["rating"] = typeof(RatingEditor),
        ["colour"] = typeof(ColourEditor),
        ["rich_text"] = typeof(RichTextEditor),
        ["tags"] = typeof(TagsEditor),
        ["address"] = typeof(AddressEditor),
        ["addresses"] = typeof(AddressesEditor),
        ["geolocation"] = typeof(GeolocationEditor),
        ["json"] = typeof(JsonEditor),
        ["choice"] = typeof(ChoiceEditor),
        ["multi_choice"] = typeof(MultiChoiceEditor),
        ["stage"] = typeof(ChoiceEditor),
        ["lookup"] = typeof(LookupEditor),
        ["owner"] = typeof(LookupEditor),
        ["user"] = typeof(LookupEditor),
        ["file"] = typeof(FileEditor),
        ["image"] = typeof(FileEditor),
        ["any_lookup"] = typeof(LookupEditor),
        ["many_to_many"] = typeof(LinksEditor),
        ["team"] = typeof(LookupEditor),
        ["hierarchy"] = typeof(LookupEditor),
    }.ToFrozenDictionary();

    private volatile FrozenDictionary<string, Type> current = Own;

    /// <summary>Puts the editors of the running modules in place of our own; a later one wins.</summary>
    public void Replace(IEnumerable<EditorRegistration> registrations)
    {
        ArgumentNullException.ThrowIfNull(registrations);
        var editors = new Dictionary<string, Type>(Own, StringComparer.Ordinal);
        foreach (var registration in registrations)
        {
            editors[registration.FieldType] = registration.Component;
        }

        current = editors.ToFrozenDictionary(StringComparer.Ordinal);
    }

    /// <summary>The component for a type; a type nobody knows is edited as text.</summary>
    public Type For(FieldType type)
    {
        ArgumentNullException.ThrowIfNull(type);
        return current.GetValueOrDefault(type.Name, typeof(TextEditor));
    }
}

/// <summary>What every editor is given. Its inputs carry <c>data-part</c>, so that what is typed survives a lost connection.</summary>
public abstract class FieldEditorComponent : ComponentBase
{
    /// <summary>The form.</summary>
    [Parameter, EditorRequired]
    public FormModel Form { get; set; } = null!;

    /// <summary>The field to edit.</summary>
    [Parameter, EditorRequired]
    public FieldDefinition Field { get; set; } = null!;

    /// <summary>Id of the first input, which the label points to.</summary>
    protected string InputId => IdOf(Field);

    /// <summary>What ties the input to its error, its help and its state, for all inputs of the field.</summary>
    protected IReadOnlyDictionary<string, object> Aria
    {
        get
        {
            var attributes = new Dictionary<string, object>(StringComparer.Ordinal);
            var describedBy = string.Join(' ', new[] { Form.Error(Field.Name) is null ? null : InputId + "-error", Field.Help is null ? null : InputId + "-help" }.OfType<string>());
            if (describedBy.Length > 0)
            {
                attributes["aria-describedby"] = describedBy;
            }

            if (Form.Error(Field.Name) is not null)
            {
                attributes["aria-invalid"] = "true";
            }

            if (Form.IsRequired(Field))
            {
                attributes["aria-required"] = "true";
            }

            return attributes;
        }
    }

    /// <summary>Id of the first input of a field.</summary>
    public static string IdOf(FieldDefinition field) => "f-" + field?.Name;

    /// <summary>What an input shows.</summary>
    protected string Text(string part = FieldParts.Main) => Form.Parts(Field)[part];

    /// <summary>Takes what was typed into an input.</summary>
    protected void Type(string? text, string part = FieldParts.Main) => Form.Type(Field, Form.Parts(Field).With(part, text ?? ""));
}

/// <summary>Replaces the editor of a field type.</summary>
/// <param name="FieldType">Name of the type.</param>
/// <param name="Component">A <see cref="FieldEditorComponent"/>.</param>
public sealed record EditorRegistration(string FieldType, Type Component);
