using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Host.Pages.Designer;

/// <summary>Something that can be inserted into an expression.</summary>
/// <param name="Text">What is inserted.</param>
/// <param name="Caret">Where in it one goes on typing.</param>
/// <param name="Title">What people know it as.</param>
/// <param name="Hint">What it does, or its name.</param>
internal sealed record ExpressionOption(string Text, int Caret, string Title, string Hint)
{
    private const int Most = 60;

    /// <summary>Fields, those one lookup away, and functions; only what the expression may name.</summary>
    public static ImmutableArray<ExpressionOption> All(ExpressionScope scope)
    {
        var own = Of(scope, scope.Entity, "", "");
        var lookedUp = scope.Entity.Fields
            .Where(f => f is { IsHidden: false, IsSystem: false, Type: ReferenceType } && scope.MaxLookups > 0)
            .SelectMany(f => scope.Snapshot.TryEntity(((ReferenceType)f.Type).TargetOf(f) ?? "", out var target) ? Of(scope, target, f.Name + ".", f.Label + " › ") : []);
        var functions = Expression.Functions
            .Where(f => scope.AllowsNow || f.Name is not ("today" or "now"))
            .Select(f => new ExpressionOption(f.Name + "()", f.Name.Length + (f.Usage == f.Name + "()" ? 2 : 1), f.Usage, DesignerTexts.Of("Function_" + f.Name)));
        return [.. own, .. lookedUp, .. functions];
    }

    /// <summary>Those somebody means who typed this: each word somewhere in title, name or hint; names that begin with it first.</summary>
    public static ImmutableArray<ExpressionOption> Find(ImmutableArray<ExpressionOption> options, string typed)
    {
        var words = typed.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return
        [
            .. options
                .Where(o => words.All(w => $"{o.Title} {o.Text} {o.Hint}".Contains(w, StringComparison.CurrentCultureIgnoreCase)))
                .OrderBy(o => words.Length > 0 && !o.Text.StartsWith(words[0], StringComparison.OrdinalIgnoreCase) && !o.Title.StartsWith(words[0], StringComparison.CurrentCultureIgnoreCase))
                .Take(Most),
        ];
    }

    private static IEnumerable<ExpressionOption> Of(ExpressionScope scope, EntityDefinition entity, string way, string before) =>
        from field in entity.Fields
        where !field.IsHidden && (scope.AllowsNow || !field.IsSystem || field.Name is not ("version" or "modified_at" or "modified_by"))
        from column in field.Type.Columns
        let suffix = column == field.Type.Columns[0] ? "" : column.Suffix
        let path = way + field.Name + suffix
        where Expression.TryParse(path, scope, out _, out _)
        select new ExpressionOption(path, path.Length, before + field.Label + (suffix.Length == 0 ? "" : " (" + Names.ToLabel(suffix.TrimStart('_')) + ")"), path);
}
