using System.Collections.Immutable;
using Crm.Sdk;
using Dapper;
using Npgsql;

namespace Crm.Metadata;

/// <summary>What saved views have to do with a change of definitions: they are named among its uses and follow renames.</summary>
internal static class SavedViewUses
{
    /// <summary>All paths a view names, each with the entity it begins at.</summary>
    public static IEnumerable<(EntityDefinition Home, string Path)> Named(MetadataSnapshot snapshot, EntityDefinition entity, ViewDefinition view) =>
        view.Columns.Select(p => (entity, p))
            .Concat(view.Filter is null ? [] : Paths.Of(snapshot, entity, view.Filter))
            .Concat((view.Sort.IsDefault ? [] : view.Sort).Select(s => (entity, s.Path)));

    /// <summary>Saved views that use what is named, as by a plan. Whose the personal ones are and what they show is nobody else's business: they are counted.</summary>
    /// <param name="connection">Inside the plan's transaction, if there is a plan.</param>
    /// <param name="transaction">The plan's; null without one.</param>
    /// <param name="snapshot">The definitions as they are.</param>
    /// <param name="touched">Fields, and entities as a whole.</param>
    /// <param name="ct">Gives up.</param>
    public static async Task<ImmutableArray<PlanUse>> OfAsync(
        NpgsqlConnection connection, NpgsqlTransaction? transaction, MetadataSnapshot snapshot, ImmutableArray<(string Entity, string? Field)> touched, CancellationToken ct)
    {
        if (touched.IsEmpty)
        {
            return [];
        }

        var views = await AllAsync(connection, transaction, ct);
        var uses = ImmutableArray.CreateBuilder<PlanUse>();
        foreach (var (entity, field) in touched)
        {
            var of = field is null ? entity : entity + "." + field;
            var found = views.Where(v => snapshot.TryEntity(v.Entity, out var home) && Uses(snapshot, home, v.Definition, entity, field)).ToList();
            uses.AddRange(found.Where(v => v.IsShared).Select(v => new PlanUse("saved_view", of, v.Entity + "." + v.Id.ToString("N"), MetadataTexts.Of("UseSavedView", v.Name, snapshot.Entity(v.Entity).PluralLabel))));
            uses.AddRange(found.Where(v => !v.IsShared).GroupBy(v => v.Entity, StringComparer.Ordinal).Select(g =>
                new PlanUse("saved_view", of, g.Key, MetadataTexts.Of("UsePersonalViews", g.Count(), snapshot.Entity(g.Key).PluralLabel))));
        }

        return uses.ToImmutable();
    }

    /// <summary>Lets saved views mean the same fields by their new names.</summary>
    public static async Task FollowAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, MetadataSnapshot before, ImmutableArray<FieldRename> renames, CancellationToken ct)
    {
        if (renames.IsEmpty)
        {
            return;
        }

        var names = new FieldRenames(before, renames);
        await FollowColumnsAsync(connection, transaction, before, names, ct);
        foreach (var view in (await AllAsync(connection, transaction, ct)).Where(v => before.TryEntity(v.Entity, out _)))
        {
            var home = before.Entity(view.Entity);
            var query = SavedViewJson.Write(view).ToJsonString();
            var renamed = SavedViewJson.Write(view with
            {
                Columns = [.. view.Columns.Select(c => names.Path(home, c))],
                Filter = view.Filter is null ? null : names.Filter(home, view.Filter),
                Sort = [.. view.Sort.Select(s => s with { Path = names.Path(home, s.Path) })],
            }).ToJsonString();
            if (renamed != query)
            {
                await connection.ExecuteAsync(new CommandDefinition("UPDATE crm.saved_view SET query = @renamed::jsonb WHERE id = @Id", new { renamed, view.Id }, transaction, cancellationToken: ct));
            }
        }
    }

    /// <summary>Lets filters of saved views mean an entity by its new name.</summary>
    public static async Task FollowAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, EntityRename rename, CancellationToken ct)
    {
        foreach (var view in (await AllAsync(connection, transaction, ct)).Where(v => v.Filter is not null))
        {
            var renamed = SavedViewJson.Write(view with { Filter = EntityRenames.Follow(view.Filter!, rename) }).ToJsonString();
            if (renamed != SavedViewJson.Write(view).ToJsonString())
            {
                await connection.ExecuteAsync(new CommandDefinition("UPDATE crm.saved_view SET query = @renamed::jsonb WHERE id = @Id", new { renamed, view.Id }, transaction, cancellationToken: ct));
            }
        }
    }

    private static async Task FollowColumnsAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, MetadataSnapshot before, FieldRenames names, CancellationToken ct)
    {
        var chosen = await connection.QueryAsync<(Guid UserId, string Entity, string View, string Columns)>(new CommandDefinition(
            "SELECT user_id, entity, view, array_to_string(columns, ',') FROM crm.list_columns", transaction: transaction, cancellationToken: ct));
        foreach (var (userId, entity, view, columns) in chosen.AsList().Where(c => before.TryEntity(c.Entity, out _)))
        {
            var renamed = columns.Split(',').Select(c => names.Path(before.Entity(entity), c)).ToArray();
            if (string.Join(',', renamed) != columns)
            {
                await connection.ExecuteAsync(new CommandDefinition(
                    "UPDATE crm.list_columns SET columns = @renamed WHERE user_id = @userId AND entity = @entity AND view = @view", new { renamed, userId, entity, view }, transaction, cancellationToken: ct));
            }
        }
    }

    private static bool Uses(MetadataSnapshot snapshot, EntityDefinition home, ViewDefinition view, string entity, string? field) =>
        (field is null && home.Name == entity)
        || Named(snapshot, home, view).Any(p => Paths.Along(snapshot, p.Home, p.Path).Any(a => a.Entity.Name == entity && (field is null || a.Field.Name == field)));

    private static async Task<List<SavedView>> AllAsync(NpgsqlConnection connection, NpgsqlTransaction? transaction, CancellationToken ct) =>
        [.. (await connection.QueryAsync<(Guid Id, string Entity, string Name, bool IsShared, Guid Owner, string Query)>(new CommandDefinition(
            "SELECT id, entity, name, is_shared, owner, query::text FROM crm.saved_view ORDER BY entity, name", transaction: transaction, cancellationToken: ct)))
            .Select(r => SavedViewJson.Stored(new SavedView(r.Id, r.Entity, r.Name, r.IsShared, r.Owner, [], null, []), r.Query))];
}
