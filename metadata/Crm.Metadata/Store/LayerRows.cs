using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Crm.Sdk;
using Dapper;
using Npgsql;

namespace Crm.Metadata;

/// <summary>Layers as rows of <c>crm.definition</c>.</summary>
internal static class LayerRows
{
    /// <summary>Reads all layers.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="transaction">One that sees a single version.</param>
    /// <param name="known">Layers in memory: given back when the database is at their version, because reading hundreds of entities is most of what a small change costs.</param>
    /// <param name="ct">Cancels.</param>
    public static async Task<MetadataLayers> LoadAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, MetadataLayers? known, CancellationToken ct)
    {
        var version = await connection.ExecuteScalarAsync<long>(new CommandDefinition("SELECT version FROM crm.metadata_version", transaction: transaction, cancellationToken: ct));
        var modules = await connection.QueryAsync<(string Id, string Name, string[] DependsOn)>(
            new CommandDefinition("SELECT id, name, depends_on FROM crm.module", transaction: transaction, cancellationToken: ct));
        var infos = modules.ToDictionary(m => m.Id, m => new ModuleInfo(m.Id, m.Name, [.. m.DependsOn]), StringComparer.Ordinal);
        // What a module is called and builds on may change without a new version.
        if (known?.Version == version && known.Items.All(l => infos.GetValueOrDefault(l.Name) is not { } now || IsSame(now, l.Module)))
        {
            return known;
        }

        var rows = await connection.QueryAsync<(string Layer, string Kind, string Name, string Body)>(
            new CommandDefinition("SELECT layer, kind, name, body::text FROM crm.definition ORDER BY layer, kind, name", transaction: transaction, cancellationToken: ct));
        var layers = rows
            .GroupBy(r => r.Layer, StringComparer.Ordinal)
            .Select(g => g.Aggregate(Layer.Empty(infos.GetValueOrDefault(g.Key) ?? new ModuleInfo(g.Key, Names.ToLabel(g.Key))), (layer, row) => Add(layer, row.Kind, row.Name, row.Body)));
        return MetadataLayers.Of(version, layers);
    }

    /// <summary>Stores what differs.</summary>
    public static async Task SaveAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, MetadataLayers before, MetadataLayers after, CancellationToken ct)
    {
        var (old, changed) = (Of(before, after), Of(after, before));
        foreach (var (layer, kind, name) in old.Keys.Except(changed.Keys))
        {
            await connection.ExecuteAsync(new CommandDefinition(
                "DELETE FROM crm.definition WHERE layer = @layer AND kind = @kind AND name = @name", new { layer, kind, name }, transaction, cancellationToken: ct));
        }

        foreach (var ((layer, kind, name), body) in changed.Where(row => old.GetValueOrDefault(row.Key) != row.Value))
        {
            await connection.ExecuteAsync(new CommandDefinition(
                """
                INSERT INTO crm.definition (layer, kind, name, body) VALUES (@layer, @kind, @name, @body::jsonb)
                ON CONFLICT (layer, kind, name) DO UPDATE SET body = excluded.body
                """,
                new { layer, kind, name, body },
                transaction,
                cancellationToken: ct));
        }
    }

    /// <summary>The rows that differ, as history keeps them.</summary>
    /// <param name="before">The layers before, with entities by the names they have after.</param>
    /// <param name="after">The layers after.</param>
    /// <param name="renames">Entities that had another name.</param>
    public static JsonArray Differences(MetadataLayers before, MetadataLayers after, ImmutableArray<EntityRename> renames)
    {
        var (old, changed) = (Of(before, after), Of(after, before));
        foreach (var renamed in renames.Select(r => (Origins.Custom, "entity", r.To)).Where(k => !changed.ContainsKey(k) && after.Custom.Entities.ContainsKey(k.To)))
        {
            // A new name is a difference, also where everything else stays.
            old[renamed] = changed[renamed] = ShapeJson.Write(after.Custom.Entity(renamed.To)).ToJsonString();
        }

        static JsonObject? Body(string? json) => json is null ? null : JsonNode.Parse(json) as JsonObject;
        return new([.. old.Keys.Union(changed.Keys)
            .Where(k => old.GetValueOrDefault(k) != changed.GetValueOrDefault(k) || From(k) is not null)
            .Order()
            .Select(k => new DefinitionRow(k.Layer, k.Kind, k.Name, Body(old.GetValueOrDefault(k)), Body(changed.GetValueOrDefault(k))) { From = From(k) }.Write())]);

        string? From((string Layer, string Kind, string Name) key) => key is (Origins.Custom, "entity", _) ? renames.FirstOrDefault(r => r.To == key.Name)?.From : null;
    }

    /// <summary>The rows of layers.</summary>
    /// <param name="layers">The layers.</param>
    /// <param name="other">Layers to compare with: entities that are the very same object there are left out, because writing hundreds of them is most of what a small change costs.</param>
    public static Dictionary<(string Layer, string Kind, string Name), string> Of(MetadataLayers layers, MetadataLayers? other = null)
    {
        var rows = new Dictionary<(string, string, string), string>();
        foreach (var layer in layers.Items)
        {
            var same = other?.Find(layer.Name)?.Entities;
            foreach (var entity in layer.Entities.Values.Where(e => same is null || !ReferenceEquals(same.GetValueOrDefault(e.Name), e)))
            {
                var json = ShapeJson.Write(entity);
                // An override that says nothing any more leaves no trace.
                if (json.Count > 1)
                {
                    rows.Add((layer.Name, "entity", entity.Name), json.ToJsonString());
                }
            }

            if (layer.Settings != InstallationSettings.None)
            {
                rows.Add((layer.Name, SettingsJson.Name, SettingsJson.Name), SettingsJson.Write(layer.Settings).ToJsonString());
            }

            foreach (var area in layer.Areas)
            {
                rows.Add((layer.Name, "area", area.Name), ShapeJson.Write(area).ToJsonString());
            }
        }

        return rows;
    }

    private static bool IsSame(ModuleInfo left, ModuleInfo right) =>
        left.Id == right.Id && left.Name == right.Name && left.DependsOn.SequenceEqual(right.DependsOn, StringComparer.Ordinal);

    private static Layer Add(Layer layer, string kind, string name, string body)
    {
        using var document = JsonDocument.Parse(body);
        var errors = new List<PlanMessage>();
        if (kind == "area")
        {
            layer = layer with { Areas = layer.Areas.Add(ShapeJson.ReadArea(document.RootElement, "", errors, layer.Name)) };
        }
        else if (kind == SettingsJson.Name)
        {
            layer = layer with { Settings = SettingsJson.Read(document.RootElement, "", errors) };
        }
        else
        {
            using var json = new JsonInput(document.RootElement, "", errors);
            layer = layer.With(ShapeJson.ReadEntity(json, errors, json.RequiredText("name"), layer.Name, isStored: true, out _));
        }

        return errors.Count == 0
            ? layer
            : throw new InvalidOperationException($"The stored definition of {kind} '{name}' in layer '{layer.Name}' cannot be read: {errors[0].Target}: {errors[0].Message}");
    }
}
