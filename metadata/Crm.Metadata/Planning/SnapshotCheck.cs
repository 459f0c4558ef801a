using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>What is wrong with definitions as a whole, whoever made them so. The planner refuses what is new in this list.</summary>
internal static class SnapshotCheck
{
    /// <summary>Most entities; each is a table, and all definitions are held in memory by every host.</summary>
    public const int MaxEntities = 1000;

    private const int MaxViews = 100;
    private const int MaxSetLength = 32;
    private const int MaxHelpLength = 500;

    // PostgreSQL refuses an index entry of more than about 2,700 bytes; a character can take four.
    private const int MaxUniqueLength = 600;

    public static ImmutableArray<PlanMessage> Problems(MetadataLayers layers, MetadataSnapshot snapshot)
    {
        var problems = new List<PlanMessage>();
        var shapes = layers.Items.SelectMany(l => l.Entities.Values.Select(e => (Layer: l, Shape: e))).ToLookup(s => s.Shape.Name, StringComparer.Ordinal);
        if (snapshot.Entities.Count > MaxEntities)
        {
            Add(problems, PlanCodes.Limit, null, "TooManyEntities", MaxEntities);
        }

        foreach (var set in snapshot.Entities.Values.GroupBy(e => e.SetName, StringComparer.Ordinal).Where(g => g.Skip(1).Any()))
        {
            Add(problems, PlanCodes.Exists, set.Last().Name, "SetTwice", set.Key, string.Join(", ", set.Select(e => e.Name).Order(StringComparer.Ordinal)));
        }

        CalculationCheck.Problems(problems, snapshot);
        var parts = RecordParts.All(layers);
        foreach (var entity in snapshot.Entities.Values.OrderBy(e => e.Name, StringComparer.Ordinal))
        {
            Entity(problems, snapshot, entity);
            RuleCheck.Problems(problems, snapshot, entity);
            GrantCheck.Problems(problems, snapshot, entity);
            LinkCheck.Problems(problems, snapshot, entity);
            RecordParts.Problems(problems, entity, [.. shapes[entity.Name].Select(s => s.Shape)], parts);
            LayoutCheck.Problems(problems, snapshot, entity, [.. shapes[entity.Name].Select(s => s.Shape)]);
        }

        return [.. problems];
    }

    public static void Add(List<PlanMessage> problems, string code, string? target, string text, params ReadOnlySpan<object?> arguments) =>
        problems.Add(new PlanMessage(code, MetadataTexts.Of(text, arguments), target));

    public static void Label(List<PlanMessage> problems, string target, string label)
    {
        if (string.IsNullOrWhiteSpace(label))
        {
            Add(problems, ErrorCodes.Required, target, "LabelMissing", target);
        }
        else if (label.Length > Names.MaxLabelLength)
        {
            Add(problems, ErrorCodes.Length, target, "LabelTooLong", target, Names.MaxLabelLength);
        }
        else if (label.Any(char.IsControl))
        {
            Add(problems, PlanCodes.Option, target, "LabelControl", target);
        }
    }

    private static void Entity(List<PlanMessage> problems, MetadataSnapshot snapshot, EntityDefinition entity)
    {
        Label(problems, entity.Name, entity.Label);
        Label(problems, entity.Name, entity.PluralLabel);
        if (Names.Problem(entity.SetName, MaxSetLength) is { } problem)
        {
            problems.Add(new PlanMessage(PlanCodes.Name, problem, entity.Name));
        }

        if (entity.Icon.Length is 0 or > 64 || entity.Icon.Any(c => c is not ((>= 'a' and <= 'z') or (>= '0' and <= '9') or '_')))
        {
            Add(problems, PlanCodes.Option, entity.Name, "IconName", entity.Label);
        }

        var own = entity.Fields.Count(f => !f.IsSystem);
        if (own > Names.MaxFields)
        {
            Add(problems, PlanCodes.Limit, entity.Name, "TooManyFields", entity.Label, own, Names.MaxFields);
        }

        if (entity.Views.Length > MaxViews)
        {
            Add(problems, PlanCodes.Limit, entity.Name, "TooManyViews", entity.Label, MaxViews);
        }

        if (entity.Fields.Count(f => f.Type is StageType && !f.IsHidden) > 1)
        {
            Add(problems, PlanCodes.Limit, entity.Name, "TwoStages", entity.Label);
        }

        foreach (var field in entity.Fields.Where(f => !f.IsSystem))
        {
            Field(problems, snapshot, entity, field);
        }

        Collisions(problems, entity);
    }

    /// <summary>Two fields must not claim the same column or the same word in a query.</summary>
    private static void Collisions(List<PlanMessage> problems, EntityDefinition entity)
    {
        var taken = new Dictionary<string, FieldDefinition>(StringComparer.Ordinal);
        foreach (var field in entity.Fields.Where(f => f.IsSystem).Concat(entity.Fields.Where(f => !f.IsSystem)))
        {
            var words = field.Type.Columns.Select(c => field.Name + c.Suffix).Append(field.Name);
            if (field.Type.NavigationProperty(field) is { } navigation)
            {
                words = words.Append(navigation);
            }

            foreach (var word in words.Distinct(StringComparer.Ordinal))
            {
                if (!taken.TryAdd(word, field) && taken[word] != field)
                {
                    Add(problems, PlanCodes.Exists, entity.Name + "." + field.Name, "PropertyTwice", entity.Label, field.Name, taken[word].Name, word);
                }
            }
        }
    }

    private static void Field(List<PlanMessage> problems, MetadataSnapshot snapshot, EntityDefinition entity, FieldDefinition field)
    {
        var target = entity.Name + "." + field.Name;
        Label(problems, target, field.Label);
        if (field.Help?.Length > MaxHelpLength)
        {
            Add(problems, ErrorCodes.Length, target, "HelpTooLong", field.Label, MaxHelpLength);
        }

        if (field.Help?.Contains('\0', StringComparison.Ordinal) == true)
        {
            Add(problems, PlanCodes.Option, target, "JsonText", "help");
        }

        // Nobody has made a role yet.
        var isWithoutRoles = field is { Origin: Origins.Platform, Name: RoleNames.Field, Choices.IsEmpty: true };
        var problemsOfType = isWithoutRoles ? [] : field.Type.Problems(field).ToList();
        foreach (var problem in problemsOfType)
        {
            problems.Add(new PlanMessage(PlanCodes.Option, problem, target));
        }

        if (field.IsUnique && !field.Type.CanBeUnique)
        {
            Add(problems, PlanCodes.Option, target, "CannotBeUnique", field.Label, field.Type.Name);
        }

        if (field.IsUnique && field.Type is SingleTextType text && (field.MaxLength ?? text.DefaultMaxLength) > MaxUniqueLength)
        {
            Add(problems, PlanCodes.Limit, target, "UniqueTooLong", field.Label, MaxUniqueLength);
        }

        if (field.IsIndexed && (!field.Type.CanSort || (field.Type is SingleTextType lines && (field.MaxLength ?? lines.DefaultMaxLength) > MaxUniqueLength)))
        {
            Add(problems, PlanCodes.Option, target, "CannotBeIndexed", field.Label, MaxUniqueLength);
        }

        if (field.Target is { } pointed && field.Type is LookupType or ManyToManyType && !snapshot.TryEntity(pointed, out _))
        {
            Add(problems, ErrorCodes.UnknownEntity, target, "UnknownTarget", field.Label, LayerEdit.Short(pointed));
        }

        foreach (var unknown in field.Targets.Where(t => !snapshot.TryEntity(t, out _)))
        {
            Add(problems, ErrorCodes.UnknownEntity, target, "UnknownTarget", field.Label, LayerEdit.Short(unknown));
        }

        foreach (var option in StrangeOptions(field))
        {
            Add(problems, PlanCodes.Option, target, "StrangeOption", field.Label, field.Type.Name, option);
        }

        foreach (var choice in field.Choices.Where(c => c.Name.Any(char.IsControl) || c.Label.Any(char.IsControl) || c.Colour is { Length: > 32 }))
        {
            Add(problems, PlanCodes.Option, target, "ChoiceText", field.Label, LayerEdit.Short(choice.Name));
        }

        if (field.Currency is { } currency && (currency.Length != 3 || !currency.All(char.IsAsciiLetterUpper)))
        {
            Add(problems, PlanCodes.Option, target, "CurrencyCode", field.Label);
        }

        if (field.Country is { } country and not MatchKeys.NoPhoneCountry && !MatchKeys.IsPhoneCountry(country))
        {
            Add(problems, PlanCodes.Option, target, "CountryCode", field.Label, LayerEdit.Short(country));
        }

        // With options that make no sense a type cannot be asked about values.
        if (problemsOfType.Count == 0 && field.Default is { } input)
        {
            if (input is string { Length: 0 })
            {
                Add(problems, PlanCodes.Option, target, "DefaultEmpty", field.Label);
            }
            else if (!field.Type.TryNormalize(field, input, out _, out var error))
            {
                problems.Add(new PlanMessage(error.Code, MetadataTexts.Of("DefaultWrong", field.Label, error.Message), target));
            }
        }
    }

    /// <summary>Options that mean nothing for the field's type: somebody expects what will not happen.</summary>
    private static IEnumerable<string> StrangeOptions(FieldDefinition field)
    {
        if (!field.Choices.IsEmpty && field.Type != Fields.Choice && field.Type != Fields.MultiChoice && field.Type is not KindsType)
        {
            yield return "choices";
        }

        if (!field.Merged.IsEmpty && field.Choices.IsEmpty && field.Type is not (StageType or TagsType))
        {
            yield return "merged";
        }

        if (field.Stages is not null && field.Type is not StageType)
        {
            yield return "stages";
        }

        if (field.Number is not null && field.Type != Fields.AutoNumber)
        {
            yield return "prefix";
        }

        if (field.Target is not null && field.Type is not (ReferenceType or ManyToManyType))
        {
            yield return "target";
        }

        if (field.Link is not null && field.Type is not ManyToManyType)
        {
            yield return "link";
        }

        if (field.IsRequired && field.Type is ManyToManyType)
        {
            yield return "required";
        }

        if (!field.Targets.IsEmpty && field.Type is not AnyLookupType)
        {
            yield return "targets";
        }

        if (!field.Accept.IsEmpty && field.Type != Fields.File)
        {
            yield return "accept";
        }

        if (field.MaxLength is not null && (field.Type is not SingleTextType || field.Type == Fields.AutoNumber || field.Type == Fields.Colour))
        {
            yield return "max_length";
        }

        if ((field.Minimum is not null || field.Maximum is not null) && field.Type is not (NumberType or FileType))
        {
            yield return "minimum";
        }

        if (field.Scale is not null && (field.Type is not NumberType || field.Type is DurationType or RatingType || field.Type == Fields.Integer))
        {
            yield return "scale";
        }

        if (field.Currency is not null && field.Type is not MoneyType)
        {
            yield return "currency";
        }

        if (field.Country is not null && field.Type != Fields.Phone && field.Type != Fields.Phones)
        {
            yield return "country";
        }

        if (field.IsCalculated)
        {
            foreach (var option in FormulaOptions(field))
            {
                yield return option;
            }
        }

        if (field.Default is not null && (field.Type == Fields.AutoNumber || field.Type is ManyToManyType))
        {
            yield return "default";
        }
    }

    private static IEnumerable<string> FormulaOptions(FieldDefinition field)
    {
        (string Name, bool IsGiven)[] options =
        [
            ("required", field.IsRequired), ("unique", field.IsUnique), ("default", field.Default is not null),
            ("roll_up", field is { Formula: not null, RollUp: not null }), ("minimum", field.Minimum is not null), ("maximum", field.Maximum is not null),
        ];
        return options.Where(o => o.IsGiven).Select(o => o.Name);
    }
}
