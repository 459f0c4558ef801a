using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>
/// Fields that are called otherwise now, and everything that names them: views, forms, titles, formulas, roll-ups and rules. All renames at once, because the words are
/// understood by the definitions as they were.
/// </summary>
internal sealed class FieldRenames(MetadataSnapshot before, IReadOnlyCollection<FieldRename> renames)
{
    /// <summary>A layer that means the same fields by their new names.</summary>
    public Layer Follow(Layer layer) => layer.Entities.Values
        .Where(s => before.TryEntity(s.Name, out _))
        .Aggregate(layer, (all, shape) => all.With(Follow(shape)));

    /// <summary>The new name of a field.</summary>
    public string Name(string entity, string field) => renames.FirstOrDefault(r => r.Entity == entity && r.From == field)?.To ?? field;

    /// <summary>The name a field had before.</summary>
    public string Former(string entity, string field) => renames.FirstOrDefault(r => r.Entity == entity && r.To == field)?.From ?? field;

    /// <summary>An expression with the new names. One that could not be read before stays as it is; the check of the definitions names it.</summary>
    /// <param name="entity">The entity it is about.</param>
    /// <param name="text">What somebody wrote.</param>
    public string Expression(string entity, string text)
    {
        if (!before.TryEntity(entity, out var home) || !Crm.Sdk.Expression.TryParse(text, new ExpressionScope(before, home), out var expression, out _))
        {
            return text;
        }

        // From the end, so that the places of those before stay right.
        foreach (var field in expression.Fields.OrderByDescending(f => f.Position))
        {
            var (start, end) = (field.Position - 1, field.Position - 1 + field.Path.Text.Length);
            var renamed = Path(field.Path.Text, field.Path.Along(home));
            text = renamed == field.Path.Text ? text : text[..start] + renamed + text[end..];
        }

        return text;
    }

    /// <summary>A roll-up with the new names.</summary>
    public RollUpDefinition? RollUp(RollUpDefinition? rollUp) => rollUp is null ? null : rollUp with
    {
        Lookup = Name(rollUp.Entity, rollUp.Lookup),
        Value = rollUp.Value is null ? null : Expression(rollUp.Entity, rollUp.Value),
        Condition = rollUp.Condition is null ? null : Expression(rollUp.Entity, rollUp.Condition),
        OrderBy = rollUp.OrderBy is null ? null : Name(rollUp.Entity, rollUp.OrderBy),
    };

    private ScriptDefinition? Script(string entity, ScriptDefinition? script) => script is null ? null : script with
    {
        Text = renames.Where(r => r.Entity == entity && before.Entity(entity).TryField(r.From, out _)).Aggregate(script.Text, (text, r) => ScriptNames.Renamed(text, before.Entity(entity).Field(r.From), r.To)),
    };

    private EntityShape Follow(EntityShape shape)
    {
        var home = before.Entity(shape.Name);
        return DeclareEdit.Renamed(shape, path => Path(home, path), filter => Filter(home, filter)) with
        {
            Fields = [.. shape.Fields.Select(f => f with { Name = Name(shape.Name, f.Name), Formula = f.Formula is null ? null : Expression(shape.Name, f.Formula), RollUp = RollUp(f.RollUp) })],
            Rules = [.. shape.Rules.Select(r => r with { Condition = Expression(shape.Name, r.Condition), Script = Script(shape.Name, r.Script), Fields = [.. r.Fields.Select(f => Name(shape.Name, f))] })],
            Grants = [.. shape.Grants.Select(g => g with { Fields = g.Fields.Clear().AddRange(g.Fields.Select(f => KeyValuePair.Create(Name(shape.Name, f.Key), f.Value))) })],
        };
    }

    /// <summary>A path with the new names.</summary>
    public string Path(EntityDefinition home, string path) => Path(path, Paths.Along(before, home, path).Select(a => (a.Entity.Name, a.Field)));

    /// <summary>A filter with the new names.</summary>
    public Filter Filter(EntityDefinition home, Filter filter) => Paths.Map(before, home, filter, Path);

    private string Path(string path, IEnumerable<(string Entity, FieldDefinition Field)> along)
    {
        var segments = path.Split('.');
        foreach (var ((entity, field), index) in along.Select((a, i) => (a, i)))
        {
            // A segment may be a property of the field: rent_currency.
            segments[index] = Name(entity, field.Name) + segments[index][field.Name.Length..];
        }

        return string.Join('.', segments);
    }
}
