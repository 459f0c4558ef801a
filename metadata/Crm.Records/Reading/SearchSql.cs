using Crm.Sdk;

namespace Crm.Records;

/// <summary>Quick search as SQL: which records hold the words, and which of them fit best.</summary>
internal static class SearchSql
{
    /// <summary>How similar two words have to be, from 0 to 1. Half of a short word may be wrong: "gluk" finds Gluck, but "berlin" does not find Bergen.</summary>
    public const string Threshold = "0.44";

    /// <summary>One of the search fields holds a word.</summary>
    public static string Word(EntityTable table, FilterWriter filters, SearchMode mode)
    {
        var word = filters.Parameter(ParameterSlot.Word);
        var conditions = table.Entity.SearchFields
            .Select(name => table.TryField(name, out var field) && (field.Columns[0].Storage == StorageKind.Text || field.Type == Fields.Emails || field.Type is AddressesType) ? field : null)
            .OfType<TableField>()
            .Select(f => f.Identity is { Key.IsList: true } mail ? $"r.{mail.Quoted} @> ARRAY[lower({word})]"
                : mode == SearchMode.Similar ? $"{Folded(f)} LIKE crm.fold_like({word}) OR crm.is_similar(crm.fold({word}), {Folded(f)})"
                : $"{Folded(f)} LIKE crm.fold_like({word})")
            .ToList();
        // Without search fields nothing can be found; the parameter is named so that its type is known.
        return conditions.Count == 0 ? $"({word}::text IS NULL)" : "(" + string.Join(" OR ", conditions) + ")";
    }

    // As PhysicalShape writes it, so that its index answers.
    private static string Folded(TableField field) =>
        field.Type is AddressesType ? $"crm.fold(crm.texts_in(r.{field.Columns[0].Quoted}))" : $"crm.fold(r.{field.Columns[0].Quoted})";

    /// <summary>The search as a whole is a phone number of one of the search fields.</summary>
    public static string Phone(EntityTable table, FilterWriter filters)
    {
        TableField[] phones = [.. table.Entity.SearchFields.Select(name => table.TryField(name, out var field) && (field.Type == Fields.Phone || field.Type == Fields.Phones) ? field : null).OfType<TableField>()];
        var keys = filters.Parameter(ParameterSlot.KeysOf([.. phones]));
        return phones.Length == 0 ? $"({keys}::text[] IS NULL)" : string.Join(" OR ", phones.Select(f => f.Identity).OfType<KeyColumn>().Select(k => k.Key.IsList ? $"r.{k.Quoted} && {keys}" : $"r.{k.Quoted} = ANY({keys})"));
    }

    /// <summary>How well a record's name fits the search: the smaller the better.</summary>
    public static string Rank(EntityTable table, FilterWriter filters, SearchMode mode)
    {
        var search = filters.Parameter(ParameterSlot.Word);
        string[] parts = [.. table.Entity.TitleFields.Select(name => table.TryField(name, out var field) && field.Columns is [{ Storage: StorageKind.Text }] ? $"r.{field.Columns[0].Quoted}" : null).OfType<string>()];
        if (parts.Length == 0)
        {
            return $"(({search}::text IS NULL)::integer)::bigint";
        }

        // Anna Keller is called so as a whole, and by either name.
        string[] names = [.. (parts.Length == 1 ? parts : [.. parts, $"concat_ws(' ', {string.Join(", ", parts)})"]).Select(p => $"crm.fold({p})")];
        return mode == SearchMode.Similar
            ? $"(1000 - round(1000 * greatest({string.Join(", ", names.Select(n => $"crm.search_fit(crm.fold({search}), {n})"))}, 0)))::bigint"
            : $"(CASE WHEN {Any("= crm.fold(" + search + ")")} THEN 0 WHEN {Any($"LIKE substr(crm.fold_like({search}), 2)")} THEN 1 ELSE 2 END)::bigint";

        string Any(string condition) => string.Join(" OR ", names.Select(n => $"{n} {condition}"));
    }
}
