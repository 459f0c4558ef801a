using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>What is wrong with titles, search fields, views and forms, as layers say them. Fields hidden later are no fault: the snapshot leaves them out.</summary>
internal static class LayoutCheck
{
    private const int MaxColumns = 50;
    private const int MaxSections = 50;

    public static void Problems(List<PlanMessage> problems, MetadataSnapshot snapshot, EntityDefinition entity, IReadOnlyList<EntityShape> shapes)
    {
        foreach (var shape in shapes)
        {
            foreach (var name in shape.TitleFields ?? [])
            {
                if (Known(problems, entity, name, "title") is { } field && (field.Type is ReferenceType or ManyToManyType || field.Type == Fields.MultiChoice || field.Type == Fields.LongText))
                {
                    SnapshotCheck.Add(problems, PlanCodes.Layout, entity.Name, "NoTitle", entity.Label, field.Name, field.Type.Name);
                }
            }

            foreach (var name in shape.SearchFields ?? [])
            {
                if (Known(problems, entity, name, "search") is { } field && field.Type is not (SingleTextType or AddressesType) && field.Type != Fields.Phones && field.Type != Fields.Emails)
                {
                    SnapshotCheck.Add(problems, PlanCodes.Layout, entity.Name, "NoSearch", entity.Label, field.Name, field.Type.Name);
                }
            }

            foreach (var view in shape.Views)
            {
                View(problems, snapshot, entity, view);
            }

            if (shape.Form is { } form)
            {
                Form(problems, entity, form);
            }
        }

        // A field added without a type over nothing: an override whose field is gone with its module.
        foreach (var shape in shapes)
        {
            foreach (var field in shape.Fields.Where(f => f.Type is null && !entity.TryField(f.Name, out _)))
            {
                SnapshotCheck.Add(problems, ErrorCodes.UnknownField, entity.Name + "." + LayerEdit.Short(field.Name), "UnknownField", entity.Label, LayerEdit.Short(field.Name));
            }
        }
    }

    private static FieldDefinition? Known(List<PlanMessage> problems, EntityDefinition entity, string name, string where)
    {
        if (entity.TryField(name, out var field))
        {
            return field;
        }

        SnapshotCheck.Add(problems, ErrorCodes.UnknownField, entity.Name, "UnknownFieldIn", entity.Label, LayerEdit.Short(name), where);
        return null;
    }

    /// <summary>What is wrong with a view somebody saves; it has no name beside its label.</summary>
    public static List<PlanMessage> OfSaved(MetadataSnapshot snapshot, EntityDefinition entity, ViewDefinition view)
    {
        var problems = new List<PlanMessage>();
        View(problems, snapshot, entity, view with { Name = "saved" });
        return problems;
    }

    private static void View(List<PlanMessage> problems, MetadataSnapshot snapshot, EntityDefinition entity, ViewDefinition view)
    {
        var target = entity.Name + "." + LayerEdit.Short(view.Name);
        if (Names.Problem(view.Name, Names.MaxFieldLength) is { } problem)
        {
            problems.Add(new PlanMessage(PlanCodes.Name, problem, target));
            return;
        }

        SnapshotCheck.Label(problems, target, view.Label);
        if (view.Columns.IsDefaultOrEmpty)
        {
            SnapshotCheck.Add(problems, ErrorCodes.Required, target, "ViewWithoutColumns", view.Label);
            return;
        }

        if (view.Columns.Length > MaxColumns)
        {
            SnapshotCheck.Add(problems, PlanCodes.Limit, target, "TooManyColumns", view.Label, MaxColumns);
        }

        foreach (var column in view.Columns.Where(c => Paths.Find(snapshot, entity, c) is null))
        {
            SnapshotCheck.Add(problems, ErrorCodes.UnknownField, target, "UnknownColumn", view.Label, LayerEdit.Short(column));
        }

        foreach (var twice in view.Columns.GroupBy(c => c, StringComparer.Ordinal).Where(g => g.Skip(1).Any()))
        {
            SnapshotCheck.Add(problems, PlanCodes.Exists, target, "ColumnTwice", view.Label, LayerEdit.Short(twice.Key));
        }

        foreach (var sort in view.Sort.IsDefault ? [] : view.Sort)
        {
            if (Paths.Find(snapshot, entity, sort.Path) is not { } field)
            {
                SnapshotCheck.Add(problems, ErrorCodes.UnknownField, target, "UnknownColumn", view.Label, LayerEdit.Short(sort.Path));
            }
            else if (!field.Type.CanSort)
            {
                SnapshotCheck.Add(problems, PlanCodes.Layout, target, "CannotSort", view.Label, field.Label);
            }
        }

        if (view.Filter is not null)
        {
            Filter(problems, snapshot, entity, view, target, view.Filter);
        }
    }

    private static void Filter(List<PlanMessage> problems, MetadataSnapshot snapshot, EntityDefinition entity, ViewDefinition view, string target, Filter filter)
    {
        switch (filter)
        {
            case Filter.All all:
                foreach (var part in all.Filters)
                {
                    Filter(problems, snapshot, entity, view, target, part);
                }

                break;
            case Filter.Any any:
                foreach (var part in any.Filters)
                {
                    Filter(problems, snapshot, entity, view, target, part);
                }

                break;
            case Filter.Not not:
                Filter(problems, snapshot, entity, view, target, not.Filter);
                break;
            case Filter.In list:
                foreach (var value in list.Values)
                {
                    Compare(problems, snapshot, entity, view, target, new Filter.Compare(list.Path, FilterOperator.Equal, value));
                }

                break;
            case Filter.Linked linked:
                Linked(problems, snapshot, entity, view, target, linked);
                break;
            case Filter.Related related:
                Related(problems, snapshot, entity, view, target, related);
                break;
            case Filter.During during:
                Require(problems, snapshot, entity, view, target, during.Path, f => f.Type.Columns is [{ Storage: StorageKind.Date or StorageKind.Instant }] && during.Days is >= 1 and <= Crm.Sdk.Filter.During.MaxDays);
                break;
            case Filter.Mine mine:
                Require(problems, snapshot, entity, view, target, mine.Path, f => (f.Type as ReferenceType)?.TargetOf(f) == "user");
                break;
            case Filter.Compare compare:
                Compare(problems, snapshot, entity, view, target, compare);
                break;
            default:
                throw new InvalidOperationException($"Unknown filter {filter.GetType().Name}.");
        }
    }

    private static void Linked(List<PlanMessage> problems, MetadataSnapshot snapshot, EntityDefinition entity, ViewDefinition view, string target, Filter.Linked linked)
    {
        if (Paths.RowsOf(snapshot, entity, linked.Path) is not { } links)
        {
            SnapshotCheck.Add(problems, ErrorCodes.UnknownField, target, "UnknownColumn", view.Label, LayerEdit.Short(linked.Path));
        }
        else if (linked.Where is { } where)
        {
            Filter(problems, snapshot, links, view, target, where);
        }
    }

    private static void Related(List<PlanMessage> problems, MetadataSnapshot snapshot, EntityDefinition entity, ViewDefinition view, string target, Filter.Related related)
    {
        if (!snapshot.TryEntity(related.Entity, out var pointing) || !pointing.TryField(related.Lookup, out var lookup) || !lookup.LeadsTo(entity.Name))
        {
            SnapshotCheck.Add(problems, ErrorCodes.UnknownField, target, "UnknownColumn", view.Label, LayerEdit.Short(related.Entity + "." + related.Lookup));
        }
        else if (related.Where is { } where)
        {
            Filter(problems, snapshot, pointing, view, target, where);
        }
    }

    private static void Require(List<PlanMessage> problems, MetadataSnapshot snapshot, EntityDefinition entity, ViewDefinition view, string target, string path, Func<FieldDefinition, bool> suits)
    {
        if (Paths.Find(snapshot, entity, path) is not { } field)
        {
            SnapshotCheck.Add(problems, ErrorCodes.UnknownField, target, "UnknownColumn", view.Label, LayerEdit.Short(path));
        }
        else if (!suits(field))
        {
            SnapshotCheck.Add(problems, PlanCodes.Layout, target, "FilterUnfit", view.Label, field.Label);
        }
    }

    private static void Compare(List<PlanMessage> problems, MetadataSnapshot snapshot, EntityDefinition entity, ViewDefinition view, string target, Filter.Compare compare)
    {
        if (Paths.Find(snapshot, entity, compare.Path) is not { } field)
        {
            SnapshotCheck.Add(problems, ErrorCodes.UnknownField, target, "UnknownColumn", view.Label, LayerEdit.Short(compare.Path));
        }
        else if (field.Type.Columns.IsEmpty)
        {
            SnapshotCheck.Add(problems, PlanCodes.Layout, target, "WrongOperator", view.Label, field.Label, ShapeJson.Word(compare.Operator));
        }
        else if (compare.Value is null)
        {
            if (compare.Operator is not (FilterOperator.Equal or FilterOperator.NotEqual))
            {
                SnapshotCheck.Add(problems, PlanCodes.Layout, target, "OperatorNeedsValue", view.Label, field.Label);
            }
        }
        else if (!field.Type.Operators.Contains(compare.Operator))
        {
            SnapshotCheck.Add(problems, PlanCodes.Layout, target, "WrongOperator", view.Label, field.Label, ShapeJson.Word(compare.Operator));
        }
        else if (field.Type == Fields.Money || compare.Operator is FilterOperator.Contains or FilterOperator.StartsWith or FilterOperator.EndsWith or FilterOperator.EqualAnyCase or FilterOperator.Matches)
        {
            // A part of an e-mail address is no e-mail address; a money field is compared by its amount.
            return;
        }
        else if (!field.Type.Problems(field).Any() && !field.Type.TryNormalize(field, compare.Value, out _, out var error))
        {
            problems.Add(new PlanMessage(error.Code, MetadataTexts.Of("FilterValue", view.Label, error.Message), target));
        }
    }

    private static void Form(List<PlanMessage> problems, EntityDefinition entity, FormDefinition form)
    {
        if (form.Sections.Length > MaxSections)
        {
            SnapshotCheck.Add(problems, PlanCodes.Limit, entity.Name, "TooManySections", entity.Label, MaxSections);
        }

        foreach (var section in form.Sections.Where(s => s.Label.Length > 0))
        {
            SnapshotCheck.Label(problems, entity.Name, section.Label);
        }

        foreach (var name in form.Sections.SelectMany(s => s.Fields).Distinct(StringComparer.Ordinal))
        {
            Known(problems, entity, name, "form");
        }

        foreach (var twice in form.Sections.SelectMany(s => s.Fields).GroupBy(f => f, StringComparer.Ordinal).Where(g => g.Skip(1).Any()))
        {
            SnapshotCheck.Add(problems, PlanCodes.Exists, entity.Name, "FormTwice", entity.Label, LayerEdit.Short(twice.Key));
        }
    }
}
