using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>The JSON of <c>/api/metadata</c>: changes in; plans, results and effective definitions out.</summary>
public static class MetadataJson
{
    /// <summary>Most changes in one plan.</summary>
    public const int MaxChanges = 1000;

    /// <summary>Reads <c>{"changes":[…]}</c>. What cannot be read is an error that names its place; changes are only meant to be used when there is none.</summary>
    public static (ImmutableArray<MetadataChange> Changes, ImmutableArray<PlanMessage> Errors) ReadChanges(JsonElement body)
    {
        var errors = new List<PlanMessage>();
        var changes = ImmutableArray.CreateBuilder<MetadataChange>();
        using (var json = new JsonInput(body, "", errors))
        {
            var items = json.Items("changes");
            if (items.Count == 0 && errors.Count == 0)
            {
                json.Error(ErrorCodes.BadRequest, "changes", MetadataTexts.Of("NoChanges"));
            }

            if (items.Count > MaxChanges)
            {
                json.Error(PlanCodes.Limit, "changes", MetadataTexts.Of("TooManyChanges", MaxChanges));
                return ([], [.. errors]);
            }

            foreach (var (element, path) in items)
            {
                if (ReadChange(element, path, errors) is { } change)
                {
                    changes.Add(change);
                }
            }
        }

        return (changes.ToImmutable(), [.. errors]);
    }

    /// <summary>Changes as <see cref="ReadChanges"/> takes them; a module's declaration is written for history only.</summary>
    public static JsonObject Write(IEnumerable<MetadataChange> changes) => new() { ["changes"] = new JsonArray([.. changes.Select(Write)]) };

    /// <summary>A plan, as the contract shows it.</summary>
    public static JsonObject Write(ChangePlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return new JsonObject
        {
            ["id"] = plan.Id,
            ["version"] = plan.Version,
            ["errors"] = Write(plan.Errors),
            ["warnings"] = Write(plan.Warnings),
            ["steps"] = WriteSteps(plan.Steps),
            ["uses"] = Write(plan.Uses),
            ["confirm"] = ShapeJson.Texts(plan.Confirm),
            ["no_undo"] = plan.NoUndo,
        };
    }

    /// <summary>What uses something.</summary>
    public static JsonArray Write(ImmutableArray<PlanUse> uses) =>
        new([.. uses.Select(u => new JsonObject { ["kind"] = u.Kind, ["of"] = u.Of, ["target"] = u.Target, ["text"] = u.Text })]);

    /// <summary>Errors or warnings.</summary>
    public static JsonArray Write(ImmutableArray<PlanMessage> messages) =>
        new([.. messages.Select(Write)]);

    private static JsonObject Write(PlanMessage message)
    {
        var json = new JsonObject { ["code"] = message.Code, ["message"] = message.Message, ["target"] = message.Target };
        if (!message.Values.IsEmpty)
        {
            json["values"] = new JsonArray([.. message.Values.Select(v => new JsonObject { ["value"] = v.Text, ["records"] = v.Records })]);
        }

        return json;
    }

    /// <summary>All effective definitions and the version they belong to.</summary>
    public static JsonObject WriteMetadata(MetadataState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        return new JsonObject
        {
            ["version"] = state.Snapshot.Version,
            ["settings"] = SettingsJson.Write(state.Layers.Custom.Settings),
            ["areas"] = new JsonArray([.. state.Snapshot.Areas.Select(ShapeJson.Write)]),
            ["entities"] = new JsonArray([.. state.Snapshot.Entities.Values.OrderBy(e => e.Name, StringComparer.Ordinal).Select(e => DefinitionJson.Write(state, e))]),
        };
    }

    /// <summary>One effective definition.</summary>
    public static JsonObject WriteEntity(MetadataState state, EntityDefinition entity)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(entity);
        var json = DefinitionJson.Write(state, entity);
        json["version"] = state.Snapshot.Version;
        return json;
    }

    /// <summary>A version of the history.</summary>
    public static JsonObject Write(MetadataVersion version)
    {
        ArgumentNullException.ThrowIfNull(version);
        return new JsonObject
        {
            ["version"] = version.Version,
            ["at"] = version.At.UtcDateTime,
            ["user_id"] = version.UserId,
            ["user_name"] = version.UserName,
            ["comment"] = version.Comment,
            ["steps"] = ShapeJson.Texts(version.Steps),
            ["no_revert"] = version.NoRevert,
        };
    }

    /// <summary>What differs between two versions.</summary>
    public static JsonArray Write(ImmutableArray<DefinitionDifference> differences) => new([.. differences.Select(d => new JsonObject
    {
        ["layer"] = d.Layer,
        ["kind"] = d.Kind,
        ["name"] = d.Name,
        ["path"] = ShapeJson.Texts(d.Path),
        ["before"] = d.Before is null ? null : JsonNode.Parse(d.Before),
        ["after"] = d.After is null ? null : JsonNode.Parse(d.After),
    })]);

    /// <summary>Whether two filters say the same.</summary>
    public static bool IsSame(Filter? one, Filter? other) => (one, other) switch
    {
        (null, null) => true,
        (null, _) or (_, null) => false,
        _ => JsonNode.DeepEquals(FilterJson.Write(one), FilterJson.Write(other)),
    };

    /// <summary>What an upgrade of a module left to a person; <c>take</c> is the change that takes what the module says.</summary>
    public static JsonObject Write(UpgradeNote note)
    {
        ArgumentNullException.ThrowIfNull(note);
        static JsonNode? Value(string? json) => json is null ? null : JsonNode.Parse(json);
        return new JsonObject
        {
            ["id"] = note.Id,
            ["version"] = note.Version,
            ["at"] = note.At.UtcDateTime,
            ["module"] = note.Module,
            ["from"] = note.FromVersion,
            ["to"] = note.ToVersion,
            ["kind"] = ShapeJson.Word(note.Kind),
            ["entity"] = note.Entity,
            ["path"] = ShapeJson.Texts(note.Path),
            ["before"] = Value(note.Before),
            ["after"] = Value(note.After),
            ["yours"] = Value(note.Yours),
            ["text"] = note.Text,
            ["state"] = ShapeJson.Word(note.State),
            ["decided_by"] = note.DecidedBy,
            ["take"] = note.CanTake ? Write(new MetadataChange.ResetProperty(note.Entity, note.Path)) : null,
        };
    }

    /// <summary>Work that goes on after a change.</summary>
    public static JsonArray Write(ImmutableArray<MetadataStep> steps) => new([.. steps.Select(s => new JsonObject
    {
        ["id"] = s.Id,
        ["version"] = s.Version,
        ["entity"] = s.Entity,
        ["text"] = s.Text,
        ["sql"] = s.Sql,
        ["state"] = ShapeJson.Word(s.State),
        ["error"] = s.Error,
        ["percent"] = s.Percent,
    })]);

    internal static JsonArray WriteSteps(IEnumerable<PlanStep> steps) => new([.. steps.Select(s => new JsonObject
    {
        ["text"] = s.Text,
        ["sql"] = s.Sql,
        ["lock"] = ShapeJson.Word(s.Lock),
        ["entity"] = s.Entity,
        ["rows"] = s.Rows,
        ["seconds"] = s.Estimate is { } estimate ? Math.Round((decimal)estimate.TotalSeconds, 2) : null,
        ["background"] = s.IsBackground,
        ["destructive"] = s.IsDestructive,
        ["undo"] = s.CanUndo,
    })]);

    private static MetadataChange? ReadChange(JsonElement element, string path, List<PlanMessage> errors)
    {
        using var json = new JsonInput(element, path, errors);
        var kind = json.RequiredText("change");
        if (kind.Length == 0)
        {
            json.TakeAll();
            return null;
        }

        switch (kind)
        {
            case "create_entity":
                return new MetadataChange.CreateEntity(ShapeJson.ReadEntity(json, errors, json.RequiredText("name"), Origins.Custom, isStored: false, out _) with { IsOwner = true });
            case "change_entity":
                var changed = ShapeJson.ReadEntity(json, errors, Entity(json), Origins.Custom, isStored: false, out var resetEntity);
                return new MetadataChange.ChangeEntity(changed, resetEntity);
            case "hide_entity":
                return new MetadataChange.HideEntity(Entity(json));
            case "show_entity":
                return new MetadataChange.ShowEntity(Entity(json));
            case "rename_entity":
                return new MetadataChange.RenameEntity(Entity(json), json.RequiredText("to"));
            case "add_field":
                return json.RequiredElement("field") is { } added
                    ? new MetadataChange.AddField(Entity(json), ShapeJson.ReadField(added, json.At("field"), errors, isStored: false, out _))
                    : Nothing(json);
            case "change_field":
                if (json.RequiredElement("field") is not { } field)
                {
                    return Nothing(json);
                }

                var shape = ShapeJson.ReadField(field, json.At("field"), errors, isStored: false, out var reset);
                return new MetadataChange.ChangeField(Entity(json), shape, reset);
            case "hide_field":
                return new MetadataChange.HideField(Entity(json), json.RequiredText("field"));
            case "show_field":
                return new MetadataChange.ShowField(Entity(json), json.RequiredText("field"));
            case "rename_field":
                return new MetadataChange.RenameField(Entity(json), json.RequiredText("field"), json.RequiredText("to"));
            case "change_type":
                return json.RequiredElement("field") is { } typed
                    ? new MetadataChange.ChangeType(Entity(json), ShapeJson.ReadField(typed, json.At("field"), errors, isStored: false, out _))
                    : Nothing(json);
            case "merge_choices":
                return new MetadataChange.MergeChoices(Entity(json), json.RequiredText("field"), json.RequiredText("from"), json.RequiredText("into"));
            case "split_stage":
                return json.RequiredElement("to") is { } to
                    ? new MetadataChange.SplitStage(Entity(json), json.RequiredText("field"), json.RequiredText("stage"), ShapeJson.ReadStage(to, json.At("to"), errors), json.RequiredText("condition"))
                    : Nothing(json);
            case "purge_field":
                return new MetadataChange.PurgeField(Entity(json), json.RequiredText("field"));
            case "purge_entity":
                return new MetadataChange.PurgeEntity(Entity(json));
            case "revert":
                var version = json.Long("version");
                if (version is null && !json.Has("version"))
                {
                    json.Error(ErrorCodes.BadRequest, "version", MetadataTexts.Of("JsonMissing", "version"));
                }

                return new MetadataChange.Revert(version ?? 0);
            case "set_view":
                return json.RequiredElement("view") is { } view
                    ? new MetadataChange.SetView(Entity(json), ShapeJson.ReadView(view, json.At("view"), errors, Origins.Custom))
                    : Nothing(json);
            case "remove_view":
                return new MetadataChange.RemoveView(Entity(json), json.RequiredText("view"));
            case "set_rule":
                return json.RequiredElement("rule") is { } rule
                    ? new MetadataChange.SetRule(Entity(json), RuleJson.Read(rule, json.At("rule"), errors, Origins.Custom))
                    : Nothing(json);
            case "remove_rule":
                return new MetadataChange.RemoveRule(Entity(json), json.RequiredText("rule"));
            case "set_grant":
                return json.RequiredElement("grant") is { } grant
                    ? new MetadataChange.SetGrant(Entity(json), GrantJson.Read(grant, json.At("grant"), errors, Origins.Custom))
                    : Nothing(json);
            case "remove_grant":
                return new MetadataChange.RemoveGrant(Entity(json), json.RequiredText("role"));
            case "set_form":
                return new MetadataChange.SetForm(Entity(json), json.Element("form") is { } form ? ShapeJson.ReadForm(form, json.At("form"), errors) : null);
            case "change_settings":
                return SettingsJson.ReadChange(json);
            case "reset":
                return new MetadataChange.ResetProperty(Entity(json), json.Texts("path") ?? []);
            case "import":
                return PackageJson.Read(json, errors);
            default:
                json.TakeAll();
                json.Error(ErrorCodes.Unknown, "change", MetadataTexts.Of("UnknownChange", kind.Length > 60 ? kind[..60] : kind));
                return null;
        }
    }

    private static string Entity(JsonInput json) => json.RequiredText("entity");

    private static MetadataChange? Nothing(JsonInput json)
    {
        json.TakeAll();
        return null;
    }

    private static JsonObject Write(MetadataChange change)
    {
        switch (change)
        {
            case MetadataChange.CreateEntity create:
                var created = ShapeJson.Write(create.Entity with { IsOwner = false });
                created["change"] = "create_entity";
                return created;
            case MetadataChange.ChangeEntity changed:
                var json = ShapeJson.Write(changed.Entity);
                json.Remove("name");
                json["change"] = "change_entity";
                json["entity"] = changed.Entity.Name;
                AddNulls(json, changed.Reset);
                return json;
            case MetadataChange.HideEntity hide:
                return Make("hide_entity", hide.Entity);
            case MetadataChange.ShowEntity show:
                return Make("show_entity", show.Entity);
            case MetadataChange.RenameEntity rename:
                return Make("rename_entity", rename.Entity, "to", rename.To);
            case MetadataChange.AddField add:
                return Make("add_field", add.Entity, "field", ShapeJson.Write(add.Field));
            case MetadataChange.ChangeField field:
                var fieldJson = ShapeJson.Write(field.Field);
                AddNulls(fieldJson, field.Reset);
                return Make("change_field", field.Entity, "field", fieldJson);
            case MetadataChange.HideField hide:
                return Make("hide_field", hide.Entity, "field", hide.Field);
            case MetadataChange.ShowField show:
                return Make("show_field", show.Entity, "field", show.Field);
            case MetadataChange.RenameField rename:
                var renamed = Make("rename_field", rename.Entity, "field", rename.Field);
                renamed["to"] = rename.To;
                return renamed;
            case MetadataChange.ChangeType type:
                return Make("change_type", type.Entity, "field", ShapeJson.Write(type.Field));
            case MetadataChange.MergeChoices merge:
                var merged = Make("merge_choices", merge.Entity, "field", merge.Field);
                merged["from"] = merge.From;
                merged["into"] = merge.Into;
                return merged;
            case MetadataChange.SplitStage split:
                var divided = Make("split_stage", split.Entity, "field", split.Field);
                divided["stage"] = split.Stage;
                divided["to"] = ShapeJson.Write(split.To);
                divided["condition"] = split.Condition;
                return divided;
            case MetadataChange.PurgeField purge:
                return Make("purge_field", purge.Entity, "field", purge.Field);
            case MetadataChange.PurgeEntity purge:
                return Make("purge_entity", purge.Entity);
            case MetadataChange.SetView set:
                return Make("set_view", set.Entity, "view", ShapeJson.Write(set.View));
            case MetadataChange.RemoveView remove:
                return Make("remove_view", remove.Entity, "view", remove.View);
            case MetadataChange.SetRule set:
                return Make("set_rule", set.Entity, "rule", RuleJson.Write(set.Rule));
            case MetadataChange.RemoveRule remove:
                return Make("remove_rule", remove.Entity, "rule", remove.Rule);
            case MetadataChange.SetGrant set:
                return Make("set_grant", set.Entity, "grant", GrantJson.Write(set.Grant));
            case MetadataChange.RemoveGrant remove:
                return Make("remove_grant", remove.Entity, "role", remove.Role);
            case MetadataChange.SetForm set:
                return Make("set_form", set.Entity, "form", set.Form is null ? null : ShapeJson.Write(set.Form));
            case MetadataChange.ChangeSettings settings:
                return SettingsJson.Write(settings);
            case MetadataChange.ResetProperty reset:
                return Make("reset", reset.Entity, "path", ShapeJson.Texts(reset.Path));
            case MetadataChange.Import import:
                return PackageJson.Write(import);
            case MetadataChange.Revert revert:
                return new JsonObject { ["change"] = "revert", ["version"] = revert.Version };
            case MetadataChange.Declare declare:
                return new JsonObject { ["change"] = "declare", ["module"] = declare.Module.Id };
            default:
                throw new InvalidOperationException($"Unknown change {change.GetType().Name}.");
        }
    }

    private static JsonObject Make(string kind, string entity) => new() { ["change"] = kind, ["entity"] = entity };

    private static JsonObject Make(string kind, string entity, string name, JsonNode? value)
    {
        var json = Make(kind, entity);
        json[name] = value;
        return json;
    }

    private static void AddNulls(JsonObject json, ImmutableArray<string> names)
    {
        foreach (var name in names)
        {
            json[name] = null;
        }
    }
}
