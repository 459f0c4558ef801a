using System.Collections.Immutable;

namespace Crm.Sdk.Web;

/// <summary>Pages without what was laid out for them: useful when a view or a form is broken.</summary>
public static class SafeMode
{
    /// <summary>The part of an address that asks for it, as in <c>/e/company?safe-mode=1</c>.</summary>
    public const string Query = "safe-mode";

    // As many columns as a view may have; a table with every field of a wide entity would itself be a page that does not open.
    private const int MaxColumns = 50;

    /// <summary>The entity with one view of all records and all fields (the first fifty), and a form made from its fields.</summary>
    public static EntityDefinition Of(EntityDefinition entity)
    {
        ArgumentNullException.ThrowIfNull(entity);
        var fields = entity.Fields.Where(f => !f.IsHidden && !f.IsSystem).Select(f => f.Name);
        ImmutableArray<string> columns = [.. entity.TitleFields.Where(t => t != "id").Concat(fields).Distinct(StringComparer.Ordinal).Take(MaxColumns - 1), "owner"];
        return entity with
        {
            Views = [new ViewDefinition("all", Texts.Of("AllFields"), columns, Sort: [], Origin: Origins.Platform)],
            Form = FormDefinition.Empty,
            Holes = [],
        };
    }
}
