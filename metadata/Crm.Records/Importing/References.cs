using System.Collections.Immutable;
using Crm.Sdk;
using Npgsql;

namespace Crm.Records.Importing;

/// <summary>Gives the references of a batch their records: found, to be found later in the file, made, left empty or refused.</summary>
/// <param name="entity">The entity the rows go into.</param>
/// <param name="metadata">The definitions the import works with.</param>
/// <param name="resolver">Finds names.</param>
/// <param name="records">Makes records.</param>
/// <param name="isDryRun">Whether nothing is made.</param>
internal sealed class References(EntityDefinition entity, MetadataSnapshot metadata, LookupResolver resolver, RecordService records, bool isDryRun)
{
    // On a dry run: names a record would have been made for.
    private readonly HashSet<(string Key, string Name)> wouldBeMade = [];

    /// <summary>What the rows of the file are called, when some refer to others of the same file.</summary>
    public HashSet<string> NamesInFile { get; set; } = [];

    /// <summary>Records made for names nobody knew.</summary>
    public long Made { get; set; }

    /// <summary>Writes the number of records made, in the transaction that makes them.</summary>
    public required Func<NpgsqlConnection, NpgsqlTransaction, long, IReadOnlyList<Record>, CancellationToken, Task> Commit { get; init; }

    /// <summary>Finds the names of one field.</summary>
    public Task<IReadOnlyDictionary<string, Named>> FindAsync(FieldPlan plan, IReadOnlyCollection<string> names, CancellationToken ct) => resolver.FindAsync(plan, names, ct);

    /// <summary>Label of the entity, or the entities, a reference points to.</summary>
    public string TargetLabel(FieldPlan plan) => string.Join(" / ", plan.Targets.Select(t => metadata.Entity(t).Label));

    /// <summary>A name that several records have.</summary>
    public RowIssue Ambiguous(FieldPlan plan, bool isError, string name, Named named) =>
        Issue(plan, isError, ImportCodes.Ambiguous, name, named.IsMixed ? "MixedReference" : "AmbiguousReference", named.Count);

    /// <summary>Resolves all references of a batch, with few queries per field.</summary>
    public async Task ResolveAsync(IReadOnlyList<MappedRow> batch, RowMapper mapper, CancellationToken ct)
    {
        var byPlan = batch.SelectMany(row => row.References.Select(reference => (Row: row, Reference: reference))).GroupBy(r => r.Reference.Plan);
        foreach (var group in byPlan)
        {
            var plan = group.Key;
            var found = await resolver.FindAsync(plan, [.. group.Select(r => r.Reference.Name).Distinct(StringComparer.Ordinal)], ct);
            var unknown = new List<(MappedRow Row, string Name)>();
            foreach (var (row, reference) in group)
            {
                var named = found.GetValueOrDefault(reference.Name);
                if (named?.Id is { } id)
                {
                    row.Refer(plan, id);
                }
                else if (named is not null)
                {
                    row.Issues.Add(Ambiguous(plan, isError: true, reference.Name, named));
                }
                else if (plan.Target == entity.Name && NamesInFile.Contains(reference.Name))
                {
                    row.Pending.Add(reference);
                }
                else
                {
                    unknown.Add((row, reference.Name));
                }
            }

            await HandleUnknownAsync(plan, unknown, mapper, ct);
        }
    }

    /// <summary>Something to say about a reference.</summary>
    public RowIssue Issue(FieldPlan plan, bool isError, string code, string name, string text, object? detail = null) =>
        new(isError, code, plan.Key, plan.ColumnName, name, Texts.Of(text, plan.Field.Label, TargetLabel(plan), name, detail));

    private async Task HandleUnknownAsync(FieldPlan plan, List<(MappedRow Row, string Name)> unknown, RowMapper mapper, CancellationToken ct)
    {
        switch (plan.Mapping.Unknown)
        {
            case UnknownValue.Error:
                unknown.ForEach(u => u.Row.Issues.Add(Issue(plan, isError: true, ErrorCodes.Unknown, u.Name, "UnknownReference")));
                break;
            case UnknownValue.Empty:
                unknown.ForEach(u => u.Row.Issues.Add(Issue(plan, isError: false, ImportCodes.LeftEmpty, u.Name, "LeftEmptyReference")));
                break;
            case UnknownValue.Create:
                await MakeAsync(plan, unknown, mapper, ct);
                break;
            default:
                throw new InvalidOperationException($"Unknown way to handle unknown values: {plan.Mapping.Unknown}.");
        }
    }

    private async Task MakeAsync(FieldPlan plan, List<(MappedRow Row, string Name)> unknown, RowMapper mapper, CancellationToken ct)
    {
        // A row that is left out for another reason makes nothing.
        var byName = unknown
            .Where(u => !u.Row.HasErrors)
            .GroupBy(u => u.Name, StringComparer.OrdinalIgnoreCase)
            .Where(g => !wouldBeMade.Contains((plan.Key, g.Key.ToUpperInvariant())))
            .ToList();
        ImmutableArray<RecordChange> changes = [.. byName.Select(g => New(plan, g.Key, g.First().Row, mapper))];
        var results = changes.IsEmpty ? [] : await records.SaveManyAsync(
            changes,
            new SaveOptions(AllOrNothing: false, isDryRun),
            (connection, transaction, saved, token) => Commit(connection, transaction, Made + saved.Count(r => r.Succeeded), [.. saved.Where(r => r.Succeeded).Select(r => r.Record!)], token),
            ct);
        Made += results.Count(r => r.Succeeded);
        var failures = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        for (var i = 0; i < results.Length; i++)
        {
            if (!results[i].Succeeded)
            {
                failures[byName[i].Key] = string.Join(' ', results[i].Errors.Select(e => e.Message));
            }
            else if (isDryRun)
            {
                wouldBeMade.Add((plan.Key, byName[i].Key.ToUpperInvariant()));
            }
            else
            {
                foreach (var spelling in byName[i].Select(u => u.Name).Distinct(StringComparer.Ordinal))
                {
                    resolver.Remember(plan, spelling, changes[i].Id);
                }
            }
        }

        foreach (var (row, name) in unknown.Where(u => !u.Row.HasErrors))
        {
            Place(plan, row, name, failures, byName.FindIndex(g => string.Equals(g.Key, name, StringComparison.OrdinalIgnoreCase)) is var i and >= 0 ? changes[i].Id : null);
        }
    }

    private void Place(FieldPlan plan, MappedRow row, string name, Dictionary<string, string> failures, Guid? made)
    {
        if (failures.TryGetValue(name, out var reason))
        {
            row.Issues.Add(Issue(plan, isError: true, ErrorCodes.Unknown, name, "CreateFailed", reason));
        }
        else if (isDryRun)
        {
            row.WouldExist.Add(plan.Field.Name);
            row.Issues.Add(Issue(plan, isError: false, ImportCodes.Created, name, "WouldCreateReference"));
        }
        else
        {
            row.Refer(plan, made);
            row.Issues.Add(Issue(plan, isError: false, ImportCodes.Created, name, "CreatedReference"));
        }
    }

    private RecordChange New(FieldPlan plan, string name, MappedRow row, RowMapper mapper)
    {
        var target = metadata.Entity(plan.Target);
        var values = new Dictionary<string, object?>(StringComparer.Ordinal) { [plan.Mapping.By ?? target.TitleFields[0]] = name };
        foreach (var (field, template) in plan.CreateTemplates)
        {
            values[field] = template.Fill(column => column == "value" ? name : mapper.ValueOf(row.Source, column)) is { Length: > 0 } text ? text : null;
        }

        return RecordChange.Create(target.Name, values) with { Source = "import" };
    }
}
