using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>Shapes of entities and fields as JSON: the same words in the API, in the tables of definitions and in history.</summary>
internal static class ShapeJson
{
    private const string FormulaWord = "formula";
    private const string RollUpWord = "roll_up";

    /// <summary>Properties of an entity that one change sets.</summary>
    public static readonly string[] EntityOptions = ["label", "plural", "set", "icon", "title", "search", "parts", "visibility", "view_log", "placements"];

    private static readonly string[] FieldOptions =
        ["label", "help", "required", "unique", "indexed", "read_only", "default", "max_length", "minimum", "maximum", "scale", "currency", "country", "choices", "targets", "accept", "stages", "moves", "prefix", "width", "start"];

    public static JsonObject Write(EntityShape entity)
    {
        var json = new JsonObject { ["name"] = entity.Name };
        Put(json, "id", entity.Id?.ToString());
        Put(json, "owner", entity.IsOwner ? true : null);
        Put(json, "label", entity.Label);
        Put(json, "plural", entity.PluralLabel);
        Put(json, "set", entity.SetName);
        Put(json, "icon", entity.Icon);
        Put(json, "hidden", entity.IsHidden);
        Put(json, "link", entity.Link is { } ends ? Texts([ends.Left, ends.Right]) : null);
        Put(json, "part_of", entity.PartOf);
        Put(json, "parts", Texts(entity.Parts));
        Put(json, "title", Texts(entity.TitleFields));
        Put(json, "search", Texts(entity.SearchFields));
        Put(json, "fields", entity.Fields.IsEmpty ? null : new JsonArray([.. entity.Fields.Select(Write)]));
        Put(json, "views", entity.Views.IsEmpty ? null : new JsonArray([.. entity.Views.Select(Write)]));
        Put(json, "removed_views", entity.RemovedViews.IsEmpty ? null : Texts(entity.RemovedViews));
        Put(json, "rules", entity.Rules.IsEmpty ? null : new JsonArray([.. entity.Rules.Select(RuleJson.Write)]));
        Put(json, "removed_rules", entity.RemovedRules.IsEmpty ? null : Texts(entity.RemovedRules));
        Put(json, "visibility", entity.Visibility is { } visibility ? Word(visibility) : null);
        Put(json, "view_log", entity.HasViewLog);
        Put(json, "grants", entity.Grants.IsEmpty ? null : new JsonArray([.. entity.Grants.Select(GrantJson.Write)]));
        Put(json, "form", entity.Form is null ? null : Write(entity.Form));
        Put(json, "placements", entity.Placements is { } places ? new JsonArray([.. places.Select(Write)]) : null);
        return json;
    }

    public static JsonObject Write(FieldShape field)
    {
        var json = new JsonObject { ["name"] = field.Name };
        Put(json, "id", field.Id?.ToString());
        WriteType(json, field);
        Put(json, "label", field.Label);
        Put(json, "help", field.Help);
        Put(json, "required", field.IsRequired);
        Put(json, "unique", field.IsUnique);
        Put(json, "indexed", field.IsIndexed);
        Put(json, "read_only", field.IsReadOnly);
        Put(json, "hidden", field.IsHidden);
        Put(json, "default", Value(field.Default));
        Put(json, "max_length", field.MaxLength);
        Put(json, "minimum", field.Minimum);
        Put(json, "maximum", field.Maximum);
        Put(json, "scale", field.Scale);
        Put(json, "currency", field.Currency);
        Put(json, "country", field.Country);
        Put(json, "choices", field.Choices is { } choices ? new JsonArray([.. choices.Select(Write)]) : null);
        Put(json, "merged", field.Merged is { } merged ? new JsonArray([.. merged.Select(m => new JsonObject { ["name"] = m.Name, ["label"] = m.Label, ["into"] = m.Into })]) : null);
        Put(json, "target", field.Target ?? (field.Type as LookupType)?.DeclaredTarget ?? (field.Type as ManyToManyType)?.DeclaredTarget);
        LinkJson.Write(json, field);
        Put(json, "targets", Texts(field.Targets));
        Put(json, "accept", Texts(field.Accept));
        Write(json, field.Stages);
        Write(json, field.Number);
        Put(json, "formula", field.Formula);
        Put(json, "roll_up", RollUpJson.Write(field.RollUp));
        Put(json, "renamed_from", field.RenamedFrom);
        return json;
    }

    /// <summary>A calculated field says so where others say their type; what it holds is its result.</summary>
    private static void WriteType(JsonObject json, FieldShape field)
    {
        var word = field switch { { Type: null } => null, { Formula: not null } => FormulaWord, { RollUp: not null } => RollUpWord, _ => null };
        Put(json, "type", word ?? field.Type?.Name);
        Put(json, "result", word is null ? null : field.Type!.Name);
    }

    public static JsonObject Write(ViewDefinition view)
    {
        var json = new JsonObject { ["name"] = view.Name, ["label"] = view.Label, ["columns"] = Texts(view.Columns) };
        Put(json, "filter", view.Filter is null ? null : FilterJson.Write(view.Filter));
        Put(json, "sort", view.Sort.IsDefaultOrEmpty ? null : new JsonArray([.. view.Sort.Select(s => new JsonObject { ["path"] = s.Path, ["descending"] = s.Descending })]));
        return json;
    }

    public static JsonObject Write(FormDefinition form) => new()
    {
        ["sections"] = new JsonArray([.. form.Sections.Select(s => new JsonObject { ["label"] = s.Label, ["fields"] = Texts(s.Fields) })]),
    };

    public static JsonObject Write(Placement place) => new() { ["area"] = place.Area, ["section"] = place.Section, ["order"] = place.Order };

    public static JsonObject Write(ChoiceDefinition choice)
    {
        var json = new JsonObject { ["name"] = choice.Name, ["label"] = choice.Label };
        Put(json, "colour", choice.Colour);
        return json;
    }

    public static JsonObject Write(AreaDefinition area)
    {
        var json = new JsonObject { ["name"] = area.Name, ["label"] = area.Label, ["order"] = area.Order };
        Put(json, "icon", area.Icon);
        json["sections"] = new JsonArray([.. area.Sections.Select(s => new JsonObject { ["name"] = s.Name, ["label"] = s.Label, ["order"] = s.Order })]);
        return json;
    }

    public static JsonObject Write(StageDefinition stage) =>
        new() { ["name"] = stage.Name, ["label"] = stage.Label, ["kind"] = Word(stage.Kind), ["probability"] = stage.Probability };

    public static void Write(JsonObject json, StagesDefinition? stages)
    {
        if (stages is null)
        {
            return;
        }

        json["stages"] = new JsonArray([.. stages.Stages.Select(Write)]);
        Put(json, "moves", stages.Moves.IsEmpty ? null : new JsonArray([.. stages.Moves.Select(m => new JsonObject { ["from"] = m.From, ["to"] = m.To })]));
    }

    public static void Write(JsonObject json, NumberFormat? number)
    {
        if (number is not null)
        {
            json["prefix"] = number.Prefix;
            json["width"] = number.Width;
            json["start"] = number.Start;
        }
    }

    public static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(t => (JsonNode)t)]);

    public static JsonNode? Value(object? value) => value switch
    {
        null => null,
        string text => text,
        bool yes => yes,
        long number => number,
        int number => number,
        decimal number => number,
        object?[] list => new JsonArray([.. list.Select(Value)]),
        _ => Value(DefaultInput.Of(value)),
    };

    public static string Word(Enum value) => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());

    /// <summary>Reads an entity; <paramref name="isStored"/> also takes what only stored definitions hold.</summary>
    public static EntityShape ReadEntity(JsonInput json, List<PlanMessage> errors, string name, string origin, bool isStored, out ImmutableArray<string> reset)
    {
        reset = json.Nulls(EntityOptions);
        return new EntityShape(name)
        {
            Id = isStored ? StableIds.Read(json) : null,
            IsOwner = isStored && json.Boolean("owner") == true,
            IsHidden = isStored ? json.Boolean("hidden") : null,
            RemovedViews = (isStored ? json.Texts("removed_views") : null) ?? [],
            RemovedRules = (isStored ? json.Texts("removed_rules") : null) ?? [],
            Rules = [.. json.Items("rules").Select(r => RuleJson.Read(r.Element, r.Path, errors, origin))],
            Visibility = GrantJson.ReadWord<Visibility>(json, "visibility"),
            HasViewLog = json.Boolean("view_log"),
            Grants = [.. json.Items("grants").Select(g => GrantJson.Read(g.Element, g.Path, errors, origin))],
            Label = json.Text("label"),
            PluralLabel = json.Text("plural"),
            SetName = json.Text("set"),
            Icon = json.Text("icon"),
            Link = LinkJson.ReadEnds(json),
            // Whoever makes records parts of others says who may read them: that is for modules.
            PartOf = isStored ? json.Text("part_of") : null,
            Parts = json.Texts("parts"),
            TitleFields = json.Texts("title"),
            SearchFields = json.Texts("search"),
            Fields = [.. json.Items("fields").Select(f => ReadField(f.Element, f.Path, errors, isStored, out _))],
            Views = [.. json.Items("views").Select(v => ReadView(v.Element, v.Path, errors, origin))],
            Form = json.Element("form") is { } form ? ReadForm(form, json.At("form"), errors) : null,
            Placements = json.Element("placements") is null ? null : [.. json.Items("placements").Select(p => ReadPlacement(p.Element, p.Path, errors))],
        };
    }

    public static FieldShape ReadField(JsonElement element, string path, List<PlanMessage> errors, bool isStored, out ImmutableArray<string> reset)
    {
        using var json = new JsonInput(element, path, errors);
        reset = json.Nulls(FieldOptions);
        var typeName = json.Text("type");
        var isFormula = typeName == FormulaWord;
        var isCalculated = isFormula || typeName == RollUpWord;
        var rollUp = isCalculated && !isFormula ? json.RequiredElement("roll_up") : json.Element("roll_up");
        if (isCalculated)
        {
            typeName = json.RequiredText("result");
        }

        FieldType? type = null;
        if (typeName is { Length: > 0 } && (!Fields.TryType(typeName, out type) || (!isStored && !Fields.Designable.Contains(type))))
        {
            type = null;
            json.Error(ErrorCodes.Unknown, isCalculated ? "result" : "type", MetadataTexts.Of("UnknownType", typeName, string.Join(", ", Fields.Designable.Select(t => t.Name))));
        }

        var (link, newLink) = LinkJson.Read(json, errors);
        return new FieldShape(json.RequiredText("name"))
        {
            Id = isStored ? StableIds.Read(json) : null,
            Link = link,
            NewLink = newLink,
            Type = type,
            Label = json.Text("label"),
            Help = json.Text("help"),
            IsRequired = json.Boolean("required"),
            IsUnique = json.Boolean("unique"),
            IsIndexed = json.Boolean("indexed"),
            IsReadOnly = json.Boolean("read_only"),
            IsHidden = isStored ? json.Boolean("hidden") : null,
            Default = json.Value("default"),
            MaxLength = json.Integer("max_length"),
            Minimum = json.Decimal("minimum"),
            Maximum = json.Decimal("maximum"),
            Scale = json.Integer("scale"),
            Currency = json.Text("currency"),
            Country = json.Text("country"),
            Choices = json.Element("choices") is null ? null : [.. json.Items("choices").Select(c => ReadChoice(c.Element, c.Path, errors))],
            Merged = json.Element("merged") is null ? null : [.. json.Items("merged").Select(m => ReadMerged(m.Element, m.Path, errors))],
            Target = json.Text("target"),
            Targets = json.Texts("targets"),
            Accept = json.Texts("accept"),
            Stages = ReadStages(json, errors),
            Number = ReadNumber(json),
            Formula = isFormula ? json.RequiredText("formula") : json.Text("formula"),
            RollUp = rollUp is { } given ? RollUpJson.Read(given, json.At("roll_up"), errors) : null,
            RenamedFrom = isStored ? json.Text("renamed_from") : null,
        };
    }

    public static ViewDefinition ReadView(JsonElement element, string path, List<PlanMessage> errors, string origin)
    {
        using var json = new JsonInput(element, path, errors);
        var name = json.RequiredText("name");
        return new ViewDefinition(
            name,
            json.Text("label") ?? (name.Length > 0 ? Names.ToLabel(name) : ""),
            json.Texts("columns") ?? [],
            json.Element("filter") is { } filter ? FilterJson.Read(filter, json.At("filter"), errors) : null,
            [.. json.Items("sort").Select(s => ReadSort(s.Element, s.Path, errors))],
            origin);
    }

    public static FormDefinition ReadForm(JsonElement element, string path, List<PlanMessage> errors)
    {
        using var json = new JsonInput(element, path, errors);
        return new FormDefinition([.. json.Items("sections").Select(s => ReadSection(s.Element, s.Path, errors))]);
    }

    public static AreaDefinition ReadArea(JsonElement element, string path, List<PlanMessage> errors, string origin)
    {
        using var json = new JsonInput(element, path, errors);
        return new AreaDefinition(
            json.RequiredText("name"),
            json.Text("label") ?? "",
            json.Integer("order") ?? 100,
            json.Text("icon"),
            [.. json.Items("sections").Select(s => ReadAreaSection(s.Element, s.Path, errors))],
            origin);
    }

    private static SectionDefinition ReadAreaSection(JsonElement element, string path, List<PlanMessage> errors)
    {
        using var json = new JsonInput(element, path, errors);
        return new SectionDefinition(json.RequiredText("name"), json.Text("label") ?? "", json.Integer("order") ?? 100);
    }

    private static FormSectionDefinition ReadSection(JsonElement element, string path, List<PlanMessage> errors)
    {
        using var json = new JsonInput(element, path, errors);
        return new FormSectionDefinition(json.Text("label") ?? "", json.Texts("fields") ?? []);
    }

    private static Sort ReadSort(JsonElement element, string path, List<PlanMessage> errors)
    {
        using var json = new JsonInput(element, path, errors);
        return new Sort(json.RequiredText("path"), json.Boolean("descending") ?? false);
    }

    private static Placement ReadPlacement(JsonElement element, string path, List<PlanMessage> errors)
    {
        using var json = new JsonInput(element, path, errors);
        return new Placement(json.RequiredText("area"), json.RequiredText("section"), json.Integer("order") ?? 100);
    }

    /// <summary>A plain text is label and name of a choice at once.</summary>
    private static ChoiceDefinition ReadChoice(JsonElement element, string path, List<PlanMessage> errors)
    {
        if (element.ValueKind == JsonValueKind.String)
        {
            if (!JsonInput.TryText(element, out var text))
            {
                errors.Add(new PlanMessage(ErrorCodes.BadRequest, MetadataTexts.Of("JsonText", "choices"), path));
            }

            return new ChoiceDefinition(text, text);
        }

        using var json = new JsonInput(element, path, errors);
        var name = json.RequiredText("name");
        return new ChoiceDefinition(name, json.Text("label") ?? name, json.Text("colour"));
    }

    private static MergedChoice ReadMerged(JsonElement element, string path, List<PlanMessage> errors)
    {
        using var json = new JsonInput(element, path, errors);
        var name = json.RequiredText("name");
        return new MergedChoice(name, json.Text("label") ?? name, json.RequiredText("into"));
    }

    private static StagesDefinition? ReadStages(JsonInput json, List<PlanMessage> errors)
    {
        var stages = json.Items("stages").Select(s => ReadStage(s.Element, s.Path, errors)).ToImmutableArray();
        var moves = json.Items("moves").Select(m => ReadMove(m.Element, m.Path, errors)).ToImmutableArray();
        return json.Element("stages") is null && moves.IsEmpty ? null : new StagesDefinition(stages, moves);
    }

    public static StageDefinition ReadStage(JsonElement element, string path, List<PlanMessage> errors)
    {
        using var json = new JsonInput(element, path, errors);
        var name = json.RequiredText("name");
        var word = json.Text("kind") ?? "open";
        if (!Enum.TryParse<StageKind>(word, ignoreCase: true, out var kind) || Word(kind) != word)
        {
            json.Error(ErrorCodes.Unknown, "kind", MetadataTexts.Of("UnknownStageKind", word));
        }

        return new StageDefinition(name, json.Text("label") ?? (name.Length > 0 ? Names.ToLabel(name) : ""), kind, json.Integer("probability") ?? (kind == StageKind.Won ? 100 : 0));
    }

    private static StageMove ReadMove(JsonElement element, string path, List<PlanMessage> errors)
    {
        using var json = new JsonInput(element, path, errors);
        return new StageMove(json.RequiredText("from"), json.RequiredText("to"));
    }

    private static NumberFormat? ReadNumber(JsonInput json)
    {
        var prefix = json.Text("prefix");
        var width = json.Integer("width");
        var start = json.Long("start");
        if (prefix is null && width is null && start is null)
        {
            return null;
        }

        // The three are one property: a prefix alone would make the numbers shorter without anybody asking for it.
        if (width is null && !json.Has("width"))
        {
            json.Error(ErrorCodes.BadRequest, "width", MetadataTexts.Of("JsonMissing", "width"));
        }

        return new NumberFormat(prefix ?? "", width ?? 1, start ?? 1);
    }

    private static JsonArray? Texts(ImmutableArray<string>? texts) => texts is { } list ? Texts(list.AsEnumerable()) : null;

    private static void Put(JsonObject json, string name, JsonNode? value)
    {
        if (value is not null)
        {
            json[name] = value;
        }
    }
}
