using Crm.Sdk;
using Crm.Sdk.Web.Forms;

namespace Crm.Host.Pages.Designer;

/// <summary>A recent record that an expression is tried on: the one changed last that the person may read. Each value is read once.</summary>
internal sealed class ExpressionSample(IRecordService records, EntityDefinition entity)
{
    private readonly Dictionary<string, object?> values = new(StringComparer.Ordinal);
    private Guid? id;

    public EntityDefinition Entity => entity;

    /// <summary>What the record is called; null when there is none.</summary>
    public string? Title { get; private set; }

    /// <summary>Reads what an expression asks for.</summary>
    public async Task LoadAsync(Expression expression, CancellationToken ct)
    {
        // A field that is not applied yet holds nothing.
        var missing = expression.Paths
            .Where(p => p.IsLookedUp ? entity.TryField(p.Steps[0].Name, out _) : entity.TryField(p.Field.Name, out _))
            .Select(PathOf)
            .Where(p => !values.ContainsKey(p))
            .Distinct(StringComparer.Ordinal)
            .ToList();
        if (Title is not null && missing.Count == 0)
        {
            return;
        }

        var query = new RecordQuery
        {
            Entity = entity.Name,
            Select = [.. entity.TitleFields.Concat(missing).Distinct(StringComparer.Ordinal)],
            Filter = id is { } known ? Filter.Equal("id", known) : null,
            Sort = [new Sort("modified_at", true)],
            Top = 1,
        };
        if ((await records.QueryAsync(query, ct)).Records.FirstOrDefault() is not { } record)
        {
            return;
        }

        (id, Title) = (record.Id, RecordTitles.Of(entity, record));
        foreach (var path in missing)
        {
            values[path] = record[path];
        }
    }

    /// <summary>What the expression gives for the record.</summary>
    public object? Evaluate(Expression expression, DateTimeOffset now) => expression.Evaluate(p => p.ValueOf(values.GetValueOrDefault(PathOf(p))), now);

    private static string PathOf(FieldPath path) => string.Join('.', path.Steps.Append(path.Field).Select(f => f.Name));
}
