using System.Collections.Immutable;
using Npgsql;

namespace Crm.Metadata;

/// <summary>Tables outside of the definitions that hold names of entities. Whoever keeps such a table says so here; an entity that is renamed is renamed in all of them.</summary>
public interface IEntityNames
{
    /// <summary>Their columns.</summary>
    ImmutableArray<EntityNameColumn> Columns { get; }

    /// <summary>
    /// Lets follow what no column holds by itself. Called twice: before tables are locked, and once more when nobody writes by the old name, for what came meanwhile; the
    /// transaction may be long, so that only rows may be locked that nobody waits for.
    /// </summary>
    /// <param name="connection">The connection.</param>
    /// <param name="transaction">The one the definitions change in.</param>
    /// <param name="rename">The rename.</param>
    /// <param name="ct">Cancels.</param>
    Task FollowAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, EntityRename rename, CancellationToken ct) => Task.CompletedTask;
}

/// <summary>A column that holds names of entities.</summary>
/// <param name="Table">Its table, in the schema <c>crm</c>.</param>
/// <param name="Name">Its name.</param>
/// <param name="Kind">How the names stand in it.</param>
public sealed record EntityNameColumn(string Table, string Name, EntityNameKind Kind = EntityNameKind.Name)
{
    /// <summary>Whether a row means nothing without the entity it names, and goes when the entity is gone.</summary>
    public bool GoesWithEntity { get; init; }
}

/// <summary>How names of entities stand in a column.</summary>
public enum EntityNameKind
{
    /// <summary>The name alone.</summary>
    Name,

    /// <summary>A list of names.</summary>
    List,

    /// <summary>A list of names, or of names with a field: <c>x_visit.about</c>.</summary>
    Uses,

    /// <summary>An allow-list of entities as JSON, named in its <c>entities</c>: see <see cref="Crm.Sdk.AccessScope"/>.</summary>
    Scope,

    /// <summary>As it was when it was written, for good: who reads it asks <c>crm.entity_rename</c>, or a step of the plan or <see cref="IEntityNames.FollowAsync"/> sees to it.</summary>
    Kept,
}

/// <summary>An entity cannot be renamed at the moment; the message says why.</summary>
/// <param name="message">For the administrator.</param>
public sealed class EntityBusyException(string message) : Exception(message);
