using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Crm.Metadata;
using Crm.Sdk;

namespace Crm.Records;

/// <summary>What a set of roles sees and may do, narrowed or not, worked out once for it and a version of the definitions: everything a compiled statement depends on.</summary>
internal sealed class AccessView
{
    /// <summary>Some records of an entity are shared.</summary>
    public const string ShareMark = "share";

    /// <summary>Some records of an entity are restricted.</summary>
    public const string RestrictionMark = "restriction";

    // Sets of roles are few; somebody who tries them all only costs the others a moment.
    private const int MaxViews = 500;

    private static readonly ConditionalWeakTable<MetadataSnapshot, AccessView> Whole = [];
    private static readonly ConditionalWeakTable<MetadataSnapshot, ConcurrentDictionary<string, AccessView>> Views = [];

    private readonly FrozenDictionary<string, EntityAccess> entities;
    private readonly ImmutableArray<string> marks;
    private readonly ConcurrentDictionary<string, string> finds = new(StringComparer.Ordinal);

    private AccessView(MetadataSnapshot full, ImmutableArray<string>? roles, ImmutableArray<string> marks, bool isAdministrator = false, AccessScope? scope = null)
    {
        this.marks = marks;
        Full = full;
        Roles = roles ?? [];
        IsAdministrator = isAdministrator;
        Scope = scope;
        var scopes = scope is null ? null : ScopeLinks.Of(full, scope);
        entities = roles is null
            ? FrozenDictionary<string, EntityAccess>.Empty
            : full.Entities.Values.ToFrozenDictionary(e => e.Name, e => new EntityAccess(e, Roles, isAdministrator, scopes is null ? null : scopes.GetValueOrDefault(e.Name, ScopeLinks.Nothing)), StringComparer.Ordinal);
        IsLimited = roles is not null;
        Seen = roles is null ? full : SnapshotView.Of(full, e => [.. Enum.GetValues<AccessOperation>().Where(o => entities[e.Name][o] == Reach.None)], (e, f) => entities[e.Name][f]);
    }

    /// <summary>All definitions.</summary>
    public MetadataSnapshot Full { get; }

    /// <summary>The definitions without what may not be seen.</summary>
    public MetadataSnapshot Seen { get; }

    /// <summary>In order, without the one everybody has.</summary>
    public ImmutableArray<string> Roles { get; }

    /// <summary>Whether an administrator is narrowed.</summary>
    public bool IsAdministrator { get; }

    /// <summary>What narrows; null without it.</summary>
    public AccessScope? Scope { get; }

    /// <summary>False for administrators and the product itself: no condition is ever asked of them.</summary>
    public bool IsLimited { get; }

    /// <summary>Statements made for this view.</summary>
    public ConcurrentDictionary<string, CompiledQuery> Queries { get; } = new(StringComparer.Ordinal);

    /// <summary>How many parameters of a statement say who asks; they are its first ones.</summary>
    public int Parameters => IsLimited ? ActorAccess.ParameterCount : 0;

    /// <summary>The first parameter after them.</summary>
    public string Next => IsLimited ? ActorAccess.Next : "$1";

    /// <summary>The view of administrators.</summary>
    public static AccessView All(MetadataSnapshot full) => Whole.GetValue(full, static s => new AccessView(s, null, []));

    /// <summary>The view of somebody who is limited.</summary>
    /// <param name="full">All definitions.</param>
    /// <param name="facts">What is known of them; unknown roles give nothing, and being an administrator counts only for whoever is narrowed.</param>
    /// <param name="scope">What narrows them; null without it.</param>
    public static AccessView Of(MetadataSnapshot full, ActorFacts facts, AccessScope? scope)
    {
        var (marks, isAdministrator) = (facts.Marks, facts.IsAdministrator && scope is not null);
        ImmutableArray<string> known = [.. facts.Roles.Where(RoleNames.Of(full).ContainsKey).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        var views = Views.GetValue(full, static _ => new(StringComparer.Ordinal));
        var key = string.Join(',', known) + ';' + string.Join(',', marks) + (isAdministrator ? ";*" : ";") + scope;
        if (views.TryGetValue(key, out var view))
        {
            return view;
        }

        if (views.Count >= MaxViews)
        {
            views.Clear();
        }

        return views.GetOrAdd(key, static (_, of) => new AccessView(of.full, of.known, of.marks, of.isAdministrator, of.scope), (full, known, marks, isAdministrator, scope));
    }

    /// <summary>What may be done with an entity; null when everything may.</summary>
    public EntityAccess? Of(EntityDefinition entity) => entities.GetValueOrDefault(entity.Name);

    /// <summary>How far an operation goes.</summary>
    public Reach ReachOf(EntityDefinition entity, AccessOperation operation) => Of(entity) is { } access ? access[operation] : Reach.All;

    /// <summary>Finds a record by its id, which follows the parameters that say who asks. Whoever is limited is told the version of the rights behind the columns.</summary>
    public string FindSql(EntityTable table)
    {
        if (!IsLimited)
        {
            return table.FindSql;
        }

        var condition = Condition(table.Entity, AccessOperation.Read, "r");
        return finds.GetOrAdd(table.Entity.Name, _ => $"SELECT {table.SelectList}, {ActorAccess.VersionSql} FROM {table.Name} AS r WHERE r.id = {Next}{(condition is null ? "" : " AND " + condition)}");
    }

    /// <summary>The condition a row has to meet, for the rows of <paramref name="alias"/>; null when all rows do.</summary>
    public string? Condition(EntityDefinition entity, AccessOperation operation, string alias) => AccessSql.Condition(this, entity, operation, alias);

    /// <summary>As <see cref="Condition"/>, for the rows of the recycle bin that stand for records of the entity.</summary>
    public string? BinCondition(EntityDefinition entity, AccessOperation operation, string alias) => AccessSql.Condition(this, entity, operation, alias, isInBin: true);

    /// <summary>Whether single records of any entity are marked.</summary>
    public bool HasMarks => !marks.IsEmpty;

    /// <summary>Whether some records of an entity are shared.</summary>
    public bool HasShares(EntityDefinition entity) => marks.Contains(ShareMark + ":" + entity.Name);

    /// <summary>Whether some records of an entity are restricted.</summary>
    public bool HasRestrictions(EntityDefinition entity) => marks.Contains(RestrictionMark + ":" + entity.Name);
}
