using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>
/// Takes back what one version changed, property by property. A property that was changed again later is not touched: that is said, and nothing is reverted.
/// What the version added is hidden, because it may hold data by now.
/// </summary>
internal sealed class RevertEdit(LayerEdit edit)
{
    private static readonly string[] Merges = ["merge_choices", "split_stage"];

    private static readonly string[] Irreversible = ["purge_field", "purge_entity"];

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

        using var document = JsonDocument.Parse(revert.Changes);
        var changes = MetadataJson.ReadChanges(document.RootElement).Changes;
        var reworks = changes.Count(c => c is MetadataChange.RenameField or MetadataChange.ChangeType);
        if (reworks > 0 && changes.Length > reworks)
        {
            edit.Error(ErrorCodes.Conflict, target, "RevertMixed");
            return;
        }

        if (reworks > 0)
        {
            Rework(changes, revert.Rows!.Value);
        }
        else
        {
            foreach (var row in revert.Rows!.Value)
            {
                Revert(row);
            }
        }

        edit.Step(Origins.Custom, "StepRevert", revert.Version);
    }

    /// <summary>The way back of new names and types, with the values: the last one first.</summary>
    private void Rework(ImmutableArray<MetadataChange> changes, ImmutableArray<DefinitionRow> rows)
    {
        for (var i = changes.Length - 1; i >= 0; i--)
        {
            if (changes[i] is MetadataChange.RenameField rename)
            {
                edit.Apply(new MetadataChange.RenameField(rename.Entity, rename.To, rename.Field));
                continue;
            }

            var type = (MetadataChange.ChangeType)changes[i];
            var former = Former(changes[..i], type.Entity, type.Field.Name);
            // Of several types one after the other, what was before the first one holds again.
            if (changes[..i].Select((c, at) => c is MetadataChange.ChangeType earlier && earlier.Entity == type.Entity && Former(changes[..at], type.Entity, earlier.Field.Name) == former).Any(isSame => isSame))
            {
                continue;
            }

            var before = rows.Single(r => r.Name == type.Entity).Before!;
            using var document = JsonDocument.Parse(DefinitionDifference.Items(before, "fields")[former].ToJsonString());
            edit.Apply(new MetadataChange.ChangeType(type.Entity, ShapeJson.ReadField(document.RootElement, "", edit.Errors, isStored: true, out _) with { Name = type.Field.Name }));
        }
    }

    /// <summary>The name a field had before all of some changes.</summary>
    private static string Former(ImmutableArray<MetadataChange> changes, string entity, string name) =>
        changes.OfType<MetadataChange.RenameField>().Reverse().Aggregate(name, (now, rename) => rename.Entity == entity && rename.To == now ? rename.Field : now);

    private void Revert(DefinitionRow row)
    {
        if (row.Before is null && row.After!["owner"] is not null)
        {
            edit.Apply(new MetadataChange.HideEntity(row.Name));
            return;
        }

        var empty = new JsonObject { ["name"] = row.Name };
        var body = ShapeJson.Write(edit.Custom(row.Name));
        var later = new List<MetadataChange>();
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

        // Stored definitions are in the words of shapes, so that reading them back cannot fail but for a fault of ours.
        using var document = JsonDocument.Parse(body.ToJsonString());
        var errors = new List<PlanMessage>();
        using var json = new JsonInput(document.RootElement, "", errors);
        edit.Put(ShapeJson.ReadEntity(json, errors, json.RequiredText("name"), Origins.Custom, isStored: true, out _));
        edit.Errors.AddRange(errors);
        later.ForEach(edit.Apply);
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
