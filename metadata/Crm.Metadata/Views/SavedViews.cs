using System.Collections.Immutable;
using Crm.Sdk;
using Dapper;
using Npgsql;

namespace Crm.Metadata;

/// <summary>Keeps the lists that users saved.</summary>
public sealed class SavedViews(CrmDatabase database, IMetadata metadata, TimeProvider time)
{
    // So many are found by nobody; the list's menu shows them all.
    private const int MaxViews = 200;

    /// <summary>The views of an entity that somebody sees, and the one they want to see first.</summary>
    public async Task<SavedViewList> ListAsync(string entity, Actor actor, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(actor);
        await using var connection = await database.OpenAsync(ct);
        var rows = (await connection.QueryAsync<Row>(new CommandDefinition(
            """
            SELECT id, entity, name, is_shared AS IsShared, owner, query::text AS query, NULL::text AS view, NULL::text AS columns FROM crm.saved_view WHERE entity = @entity AND (is_shared OR owner = @UserId)
            UNION ALL
            SELECT NULL, entity, NULL, NULL, NULL, NULL, view, NULL FROM crm.default_view WHERE entity = @entity AND user_id = @UserId
            UNION ALL
            SELECT NULL, entity, NULL, NULL, NULL, NULL, view, array_to_string(columns, ',') FROM crm.list_columns WHERE entity = @entity AND user_id = @UserId
            """,
            new { entity, actor.UserId },
            cancellationToken: ct))).AsList();
        return new SavedViewList(
            [.. rows.Where(r => r.Id is not null).Select(r => r.ToView()).OrderByDescending(v => v.IsShared).ThenBy(v => v.Name, StringComparer.CurrentCultureIgnoreCase)],
            rows.FirstOrDefault(r => r.View is not null && r.Columns is null)?.View)
        {
            Columns = rows.Where(r => r.Columns is not null).ToImmutableDictionary(r => r.View!, r => r.Columns!.Split(',').ToImmutableArray(), StringComparer.Ordinal),
        };
    }

    /// <summary>A view that somebody sees; null when there is none.</summary>
    public async Task<SavedView?> FindAsync(Guid id, Actor actor, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(actor);
        await using var connection = await database.OpenAsync(ct);
        var row = await connection.QuerySingleOrDefaultAsync<(string Entity, string Name, bool IsShared, Guid Owner, string Query)?>(new CommandDefinition(
            "SELECT entity, name, is_shared, owner, query::text FROM crm.saved_view WHERE id = @id AND (is_shared OR owner = @UserId)", new { id, actor.UserId }, cancellationToken: ct));
        return row is var (entity, name, isShared, owner, query) ? SavedViewJson.Stored(new SavedView(id, entity, name, isShared, owner, [], null, []), query) : null;
    }

    /// <summary>Saves a view, a new one or one that is there; all reasons against it at once.</summary>
    public async Task<ImmutableArray<PlanMessage>> SaveAsync(SavedView view, Actor actor, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(view);
        ArgumentNullException.ThrowIfNull(actor);
        var problems = Problems(view, actor);
        if (!problems.IsEmpty)
        {
            return problems;
        }

        await using var connection = await database.OpenAsync(ct);
        try
        {
            // Whoever may not change the view that is there changes nothing.
            var saved = await connection.ExecuteAsync(new CommandDefinition(
                """
                INSERT INTO crm.saved_view AS v (id, entity, name, is_shared, owner, query, modified_at)
                SELECT @Id, @Entity, @name, @IsShared, @Owner, @query::jsonb, @now
                WHERE EXISTS (SELECT 1 FROM crm.saved_view WHERE id = @Id) OR (SELECT count(*) FROM crm.saved_view WHERE entity = @Entity AND is_shared = @IsShared AND (is_shared OR owner = @Owner)) < @MaxViews
                ON CONFLICT (id) DO UPDATE SET name = excluded.name, is_shared = excluded.is_shared, query = excluded.query, modified_at = excluded.modified_at
                WHERE v.entity = excluded.entity AND CASE WHEN v.is_shared THEN @IsAdministrator ELSE v.owner = @UserId END
                """,
                new { view.Id, view.Entity, name = view.Name.Trim(), view.IsShared, view.Owner, query = SavedViewJson.Write(view).ToJsonString(), now = time.GetUtcNow(), MaxViews, actor.IsAdministrator, actor.UserId },
                cancellationToken: ct));
            return saved == 1 ? [] : [await connection.ExecuteScalarAsync<bool>(new CommandDefinition("SELECT EXISTS (SELECT 1 FROM crm.saved_view WHERE id = @Id)", new { view.Id }, cancellationToken: ct))
                ? new PlanMessage(ErrorCodes.Access, MetadataTexts.Of("ViewOfOther", view.Name))
                : new PlanMessage(PlanCodes.Limit, MetadataTexts.Of("TooManySaved", MaxViews))];
        }
        catch (PostgresException problem) when (problem.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            return [new PlanMessage(ErrorCodes.Unique, MetadataTexts.Of("ViewNameTaken", view.Name.Trim()), "name")];
        }
    }

    /// <summary>Deletes a view; false when there is none that the actor may delete.</summary>
    public async Task<bool> DeleteAsync(Guid id, Actor actor, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(actor);
        await using var connection = await database.OpenAsync(ct);
        return await connection.ExecuteAsync(new CommandDefinition(
            "DELETE FROM crm.saved_view WHERE id = @id AND CASE WHEN is_shared THEN @IsAdministrator ELSE owner = @UserId END",
            new { id, actor.IsAdministrator, actor.UserId },
            cancellationToken: ct)) == 1;
    }

    /// <summary>Chooses the view somebody wants to see first.</summary>
    /// <param name="entity">The entity listed.</param>
    /// <param name="view">Name of a view; null for the entity's first.</param>
    /// <param name="actor">Who.</param>
    /// <param name="ct">Gives up.</param>
    public async Task SetDefaultAsync(string entity, string? view, Actor actor, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(actor);
        await using var connection = await database.OpenAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition(
            view is null
                ? "DELETE FROM crm.default_view WHERE user_id = @UserId AND entity = @entity"
                : "INSERT INTO crm.default_view (user_id, entity, view) VALUES (@UserId, @entity, @view) ON CONFLICT (user_id, entity) DO UPDATE SET view = excluded.view",
            new { actor.UserId, entity, view },
            cancellationToken: ct));
    }

    /// <summary>Chooses the columns somebody wants to see of a view, for themselves alone.</summary>
    /// <param name="entity">The entity listed.</param>
    /// <param name="view">The view, with the columns; with none it is shown with its own again.</param>
    /// <param name="actor">Who.</param>
    /// <param name="ct">Gives up.</param>
    /// <returns>What is wrong with the columns.</returns>
    public async Task<ImmutableArray<PlanMessage>> SetColumnsAsync(EntityDefinition entity, ViewDefinition view, Actor actor, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(entity);
        ArgumentNullException.ThrowIfNull(view);
        ArgumentNullException.ThrowIfNull(actor);
        if (!view.Columns.IsEmpty && LayoutCheck.OfSaved(metadata.Current, entity, view with { Filter = null, Sort = [] }) is { Count: > 0 } problems)
        {
            return [.. problems];
        }

        await using var connection = await database.OpenAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition(
            view.Columns.IsEmpty
                ? "DELETE FROM crm.list_columns WHERE user_id = @UserId AND entity = @entity AND view = @view"
                : "INSERT INTO crm.list_columns (user_id, entity, view, columns) VALUES (@UserId, @entity, @view, @columns) ON CONFLICT (user_id, entity, view) DO UPDATE SET columns = excluded.columns",
            new { actor.UserId, entity = entity.Name, view = view.Name, columns = view.Columns.ToArray() },
            cancellationToken: ct));
        return [];
    }

    /// <summary>What a saved view misses: fields that are hidden or gone.</summary>
    public static ImmutableArray<LayoutHole> Holes(MetadataSnapshot snapshot, EntityDefinition entity, ViewDefinition view)
    {
        ArgumentNullException.ThrowIfNull(view);
        return
        [
            .. SavedViewUses.Named(snapshot, entity, view)
                .Where(p => Paths.Find(snapshot, p.Home, p.Path) is not { IsHidden: false })
                .Select(p => new LayoutHole(p.Path, Layout.OwnerOf(snapshot, p.Home, p.Path), view))
                .DistinctBy(h => h.Path),
        ];
    }

    private ImmutableArray<PlanMessage> Problems(SavedView view, Actor actor)
    {
        if (!metadata.Current.TryEntity(view.Entity, out var entity) || entity.IsHidden)
        {
            return [new PlanMessage(ErrorCodes.UnknownEntity, MetadataTexts.Of("UnknownEntity", LayerEdit.Short(view.Entity)), "entity")];
        }

        var problems = LayoutCheck.OfSaved(metadata.Current, entity, view.Definition with { Label = view.Name.Trim() });
        if (view.Name.Trim() is not { Length: > 0 and <= SavedView.MaxName })
        {
            problems.Add(new PlanMessage(ErrorCodes.Length, MetadataTexts.Of("ViewNameLength", SavedView.MaxName), "name"));
        }

        if (view.IsShared && !actor.IsAdministrator)
        {
            problems.Add(new PlanMessage(ErrorCodes.Access, MetadataTexts.Of("ViewShared"), "shared"));
        }

        if (!view.IsShared && view.Owner != actor.UserId)
        {
            problems.Add(new PlanMessage(ErrorCodes.Access, MetadataTexts.Of("ViewOfOther", view.Name)));
        }

        return [.. problems];
    }

    private sealed record Row(Guid? Id, string Entity, string? Name, bool? IsShared, Guid? Owner, string? Query, string? View, string? Columns)
    {
        public SavedView ToView() => SavedViewJson.Stored(new SavedView(Id!.Value, Entity, Name!, IsShared == true, Owner!.Value, [], null, []), Query!);
    }
}
