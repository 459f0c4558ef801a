using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>
/// Takes back what one version changed, property by property; names and types of fields with their values. A property that was changed again later is not touched: that is said,
/// and nothing is reverted. What the version added is hidden, because it may hold data by now.
/// </summary>
internal sealed class RevertEdit(LayerEdit edit)
{
    private static readonly string[] Merges = ["merge_choices", "split_stage"];

    private static readonly string[] Irreversible = ["purge_field", "purge_entity"];

    private readonly List<MetadataChange> later = [];

    /// <summary>Why a version can never be reverted; null when it depends on what came later.</summary>
    public static string? Refusal(string changes, ImmutableArray<DefinitionRow>? rows)
    {
        var kinds = JsonNode.Parse(changes)!["changes"]!.AsArray().Select(c => c!["change"]!.GetValue<string>()).ToHashSet(StringComparer.Ordinal);
        return kinds.Overlaps(Irreversible) ? MetadataTexts.Of("RevertPurge")
            : kinds.Overlaps(Merges) ? MetadataTexts.Of("RevertMerge")
            : rows is null ? MetadataTexts.Of("RevertUnrecorded")
            : rows.Value.Any(r => r.Layer != Origins.Custom) ? MetadataTexts.Of("RevertModule")
            : null;
    }

    public void Apply(MetadataChange.Revert revert)
    {
        var target = "version " + revert.Version.ToString(System.Globalization.CultureInfo.InvariantCulture);
        if (revert.Changes is null)
        {
            edit.Error(ErrorCodes.NotFound, target, "RevertUnknown", revert.Version);
            return;
        }

        if (Refusal(revert.Changes, revert.Rows) is { } refusal)
        {
            edit.Errors.Add(new PlanMessage(ErrorCodes.ReadOnly, refusal, target));
            return;
        }

        var entities = revert.Rows!.Value.Where(r => r.Kind == "entity").ToList();
        var errors = edit.Errors.Count;
        foreach (var renamed in entities.Where(IsAnother))
        {
            edit.Error(ErrorCodes.Conflict, renamed.Name, "RevertLater", "name", renamed.Name);
        }

        var after = Rename(entities, revert.Changes);
        if (edit.Errors.Count > errors)
        {
            return;
        }

        foreach (var row in entities)
        {
            Revert(row with { After = after.GetValueOrDefault(row.Name) ?? row.After });
        }

        foreach (var row in revert.Rows.Value.Where(r => r.Kind == "area"))
        {
            RevertArea(row);
        }

        foreach (var row in revert.Rows.Value.Where(r => r.Kind == SettingsJson.Name))
        {
            RevertSettings(row);
        }

        // Last, when nobody reads them any more.
        later.ForEach(edit.Apply);
        RenameBack([.. entities.Where(r => r.From is not null)]);
        edit.Step(Origins.Custom, "StepRevert", revert.Version);
    }

    /// <summary>Whether the name is meant to go back and is another one since, or belongs to another entity by now.</summary>
    private bool IsAnother(DefinitionRow row) =>
        (row.From is not null && row.Then is { } then && then != row.Name) || ((row.Before ?? row.After)?["id"]?.GetValue<string>() is { } id && edit.Custom(row.Name).Id is { } now && now.ToString() != id);

    private void RenameBack(List<DefinitionRow> open)
    {
        while (open.Count > 0)
        {
            // Of names that moved on, the last one first. Where none is free, the first one says why.
            var next = open.Find(r => SnapshotBuilder.Bare(edit.Layers, r.From!) is null) ?? open[0];
            open.Remove(next);
            var (label, plural, errors) = (edit.Custom(next.Name).Label, edit.Custom(next.Name).PluralLabel, edit.Errors.Count);
            edit.Apply(new MetadataChange.RenameEntity(next.Name, next.From!));
            if (edit.Errors.Count == errors)
            {
                // The labels people knew were kept when it was renamed; here they are what they were already.
                edit.Put(edit.Custom(next.From!) with { Label = label, PluralLabel = plural });
            }
        }
    }

    /// <summary>
    /// Gives fields back the names they had, with everything that names them; gives what the version made of the entities in those names, so that what only followed a new
    /// name counts as unchanged.
    /// </summary>
    private Dictionary<string, JsonObject> Rename(List<DefinitionRow> rows, string changes)
    {
        using var document = JsonDocument.Parse(changes);
        var named = MetadataJson.ReadChanges(document.RootElement).Changes;
        var renames = rows.Where(r => r is { Before: not null, After: not null }).SelectMany(r => Renames(r, named)).ToList();
        if (renames.Count == 0)
        {
            return [];
        }

        var back = new FieldRenames(SnapshotBuilder.Build(edit.Layers), renames);
        var made = rows.Where(r => r.After is not null).Aggregate(Layer.Empty(edit.Layers.Custom.Module), (layer, row) => layer.With(DefinitionRow.ShapeOf(row.After!)));
        var open = renames.ToList();
        while (open.Count > 0)
        {
            // Of names that moved on, the last one first. Where none is free, the first one says why.
            var next = open.Find(r => SnapshotBuilder.Bare(edit.Layers, r.Entity) is { } entity && !entity.TryField(r.To, out _)) ?? open[0];
            open.Remove(next);
            var label = edit.Custom(next.Entity).Field(next.From)?.Label;
            edit.Apply(new MetadataChange.RenameField(next.Entity, next.From, next.To));
            if (edit.Custom(next.Entity).Field(next.To) is { } renamed)
            {
                // The label people knew was kept when the field was renamed; here it goes back to what it was.
                edit.Put(edit.Custom(next.Entity).With(renamed with { Label = label }));
            }
        }

        return back.Follow(made).Entities.ToDictionary(e => e.Key, e => ShapeJson.Write(e.Value), StringComparer.Ordinal);
    }

    /// <summary>Fields that the version called otherwise: known by their ids, and by the changes where there were no ids yet.</summary>
    private IEnumerable<FieldRename> Renames(DefinitionRow row, ImmutableArray<MetadataChange> changes)
    {
        var before = DefinitionDifference.Items(row.Before!, "fields").Values.Where(f => f["id"] is not null).ToDictionary(f => f["id"]!.GetValue<string>(), f => f["name"]!.GetValue<string>(), StringComparer.Ordinal);
        foreach (var (name, field) in DefinitionDifference.Items(row.After!, "fields").Where(f => f.Value["type"] is not null))
        {
            var id = field["id"]?.GetValue<string>();
            if ((id is null ? Former(changes, row.Name, name) : before.GetValueOrDefault(id)) is not { } former || former == name)
            {
                continue;
            }

            var now = edit.Custom(row.Name).Fields.FirstOrDefault(f => id is null ? f.Name == name : f.Id?.ToString() == id);
            if (now?.Name == name)
            {
                yield return new FieldRename(row.Name, name, former);
            }
            else
            {
                edit.Error(ErrorCodes.Conflict, row.Name, "RevertLater", "fields " + name, row.Name);
            }
        }
    }

    /// <summary>The name a field had before all of some changes.</summary>
    private static string Former(ImmutableArray<MetadataChange> changes, string entity, string name) =>
        changes.OfType<MetadataChange.RenameField>().Reverse().Aggregate(name, (now, rename) => rename.Entity == entity && rename.To == now ? rename.Field : now);

    private void Revert(DefinitionRow row)
    {
        if (row.Before is null && row.After!["owner"] is not null)
        {
            later.Add(new MetadataChange.HideEntity(row.Name));
            return;
        }

        var empty = new JsonObject { ["name"] = row.Name };
        var body = ShapeJson.Write(edit.Custom(row.Name));
        foreach (var (path, before, after) in DefinitionDifference.Between(row.Before ?? empty, row.After ?? empty))
        {
            if (path is ["fields", var added] && before is null && after!["type"] is not null)
            {
                later.Add(new MetadataChange.HideField(row.Name, added));
            }
            else if (!TrySet(body, path, before, after))
            {
                edit.Error(ErrorCodes.Conflict, row.Name, "RevertLater", string.Join(" ", path), row.Name);
            }
        }

        var reverted = DefinitionRow.ShapeOf(body);
        foreach (var field in reverted.Fields.Where(f => f.Type is not null && edit.Custom(row.Name).Field(f.Name) is { Type: { } type } && type != f.Type))
        {
            // Checked as every other new type, then exactly as it was.
            edit.Apply(new MetadataChange.ChangeType(row.Name, field));
        }

        edit.Put(reverted);
    }

    private void RevertSettings(DefinitionRow row)
    {
        var body = SettingsJson.Write(edit.Layers.Custom.Settings);
        foreach (var (path, before, after) in DefinitionDifference.Between(row.Before ?? [], row.After ?? []))
        {
            if (!TrySet(body, path, before, after))
            {
                edit.Error(ErrorCodes.Conflict, row.Name, "RevertLater", string.Join(" ", path), row.Name);
            }
        }

        using var document = JsonDocument.Parse(body.ToJsonString());
        edit.Apply(MetadataChange.ChangeSettings.To(SettingsJson.Read(document.RootElement, "", edit.Errors)));
    }

    private void RevertArea(DefinitionRow row)
    {
        var areas = edit.Layers.Custom.Areas;
        var at = areas.Select(a => a.Name).ToList().IndexOf(row.Name);
        if (!JsonNode.DeepEquals(at < 0 ? null : ShapeJson.Write(areas[at]), row.After))
        {
            edit.Error(ErrorCodes.Conflict, row.Name, "RevertLater", row.Name, row.Name);
            return;
        }

        areas = at < 0 ? areas : areas.RemoveAt(at);
        if (row.Before is not null)
        {
            using var document = JsonDocument.Parse(row.Before.ToJsonString());
            areas = areas.Insert(at < 0 ? areas.Length : at, ShapeJson.ReadArea(document.RootElement, "", edit.Errors, Origins.Custom));
        }

        edit.Put(areas);
    }

    /// <summary>Sets a property back when it still is what the version made of it.</summary>
    private static bool TrySet(JsonObject body, ImmutableArray<string> path, JsonNode? before, JsonNode? after)
    {
        switch (path)
        {
            case [var property]:
                if (!JsonNode.DeepEquals(body[property], after))
                {
                    return false;
                }

                body.Remove(property);
                if (before is not null)
                {
                    body[property] = before.DeepClone();
                }

                return true;
            case [var list, var name, .. var rest]:
                var items = body[list] as JsonArray;
                var item = items?.FirstOrDefault(i => i!["name"]!.GetValue<string>() == name) as JsonObject;
                if (rest.Length > 0)
                {
                    return item is not null && TrySet(item, [.. rest], before, after);
                }

                if (!JsonNode.DeepEquals(item, after))
                {
                    return false;
                }

                if (item is not null)
                {
                    items!.Remove(item);
                }

                if (before is not null)
                {
                    (items ?? (JsonArray)(body[list] = new JsonArray())).Add(before.DeepClone());
                }

                return true;
            default:
                throw new InvalidOperationException("A difference is about a property.");
        }
    }
}
