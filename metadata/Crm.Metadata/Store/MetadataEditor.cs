using System.Collections.Immutable;
using System.Text.Json;
using Crm.Rules;
using Crm.Sdk;
using Dapper;

namespace Crm.Metadata;

/// <summary>The one way definitions are changed: planned first, then applied. A module's start and an administrator's click are the same operation.</summary>
public sealed class MetadataEditor(CrmDatabase database, MetadataStore store, ScriptWorkers scripts, TimeProvider time)
{
    // Hosts that start together declare the same modules one after the other.
    internal static readonly TimeSpan StartWait = TimeSpan.FromMinutes(2);

    private const int StartTries = 5;

    internal static readonly TimeSpan ApplyWait = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan PlansAreKept = TimeSpan.FromDays(7);

    /// <summary>Says what the changes would do; changes nothing. A plan that can be applied is stored, so that any host can apply it.</summary>
    public async Task<ChangePlan> PlanAsync(IReadOnlyList<MetadataChange> changes, Actor actor, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(changes);
        ArgumentNullException.ThrowIfNull(actor);
        if (!actor.IsAdministrator)
        {
            return new ChangePlan(Guid.Empty, store.Current.Version, [NotAllowed()], [], []);
        }

        var (draft, plan) = await store.Runner.PlanAsync(changes, ct);
        if (await ScriptChecks.ProblemsAsync(scripts, store.Current, draft.Snapshot, ct) is { IsEmpty: false } problems)
        {
            plan = plan with { Errors = [.. plan.Errors, .. problems], Steps = [] };
        }

        plan = plan with { Uses = [.. plan.Uses, .. await OutsideUses.OfAsync(database, changes, ct)] };
        if (plan.CanApply)
        {
            await KeepAsync(plan, changes, draft.Statements, actor, ct);
        }

        return plan;
    }

    /// <summary>What uses an entity, or one of its fields: definitions, and what lies outside of them, as plans name it.</summary>
    /// <param name="state">The definitions.</param>
    /// <param name="entity">Name of an entity.</param>
    /// <param name="field">One of its fields; null for the entity as a whole.</param>
    /// <param name="actor">Who asks: workflows and views of others are for administrators.</param>
    /// <param name="ct">Gives up.</param>
    public async Task<ImmutableArray<PlanUse>> UsesAsync(MetadataState state, string entity, string? field, Actor actor, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(actor);
        var uses = field is null ? WhereUsed.OfEntity(state, entity) : WhereUsed.OfField(state, entity, field);
        if (!actor.IsAdministrator)
        {
            return uses;
        }

        await using var connection = await database.OpenAsync(ct);
        return
        [
            .. uses,
            .. await SavedViewUses.OfAsync(connection, transaction: null, state.Snapshot, [(entity, field)], ct),
            .. await OutsideUses.OfAsync(connection, [field is null ? entity : entity + "." + field], ct),
        ];
    }

    /// <summary>Applies a plan as it was shown, or not at all: with <see cref="ErrorCodes.Conflict"/> when the definitions changed meanwhile.</summary>
    /// <param name="planId">From <see cref="ChangePlan.Id"/>.</param>
    /// <param name="actor">Who; an administrator.</param>
    /// <param name="options">Why, and the typed names of what is lost; null for neither.</param>
    /// <param name="ct">Stops before the commit.</param>
    public async Task<ApplyResult> ApplyAsync(Guid planId, Actor actor, ApplyOptions? options = null, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(actor);
        var version = store.Current.Version;
        if (!actor.IsAdministrator)
        {
            return new ApplyResult(version, [NotAllowed()], Changed: false);
        }

        (long BaseVersion, string Changes, string Statements)? found;
        await using (var connection = await database.OpenAsync(ct))
        {
            found = await connection.QuerySingleOrDefaultAsync<(long, string, string)?>(new CommandDefinition(
                "SELECT base_version, changes::text, statements FROM crm.plan WHERE id = @planId", new { planId }, cancellationToken: ct));
        }

        if (found is not { } plan)
        {
            return new ApplyResult(version, [new PlanMessage(ErrorCodes.NotFound, MetadataTexts.Of("PlanNotFound"))], Changed: false);
        }

        using var document = JsonDocument.Parse(plan.Changes);
        var (changes, errors) = MetadataJson.ReadChanges(document.RootElement);
        return errors.IsEmpty
            ? await RunAsync(new ApplyRequest(changes, actor, options ?? ApplyOptions.None, ApplyWait) { Version = plan.BaseVersion, Statements = plan.Statements }, ct)
            : new ApplyResult(version, errors, Changed: false);
    }

    /// <summary>Makes the definitions of a module what it declares today. Nothing to do raises no version.</summary>
    /// <param name="module">The module.</param>
    /// <param name="shape">Everything it declares.</param>
    /// <param name="version">Version of its assembly, for the upgrade report; null when it is not known.</param>
    /// <param name="ct">Stops before the commit.</param>
    public async Task<ApplyResult> DeclareAsync(ModuleInfo module, DeclaredShape shape, string? version = null, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(shape);
        if (module.Id is Origins.Platform or Origins.Custom)
        {
            throw new ArgumentException($"A module cannot be called '{module.Id}'.", nameof(module));
        }

        return await ScriptChecks.ProblemsAsync(scripts, shape, ct) is { IsEmpty: false } problems
            ? new ApplyResult(store.Current.Version, problems, Changed: false)
            : await RunAsync(new ApplyRequest([new MetadataChange.Declare(module, shape) { Version = version }], Actor.System, ApplyOptions.None, StartWait) { Module = module }, ct);
    }

    private async Task<ApplyResult> RunAsync(ApplyRequest request, CancellationToken ct)
    {
        var (result, state) = await store.Runner.ApplyAsync(request, ct);
        // A person can try again; a module that starts while another host imports into its table cannot.
        for (var tries = 1; request.Module is not null && tries < StartTries && result.Errors.Any(e => e.Code == ErrorCodes.Busy); tries++)
        {
            await Task.Delay(TimeSpan.FromSeconds(tries), time, ct);
            (result, state) = await store.Runner.ApplyAsync(request, ct);
        }

        if (state is not null)
        {
            store.Accept(state);
        }

        return result.Version == 0 ? result with { Version = store.Current.Version } : result;
    }

    private async Task KeepAsync(ChangePlan plan, IReadOnlyList<MetadataChange> changes, string statements, Actor actor, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        await using var connection = await database.OpenAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition(
            """
            DELETE FROM crm.plan WHERE created_at < @old;
            INSERT INTO crm.plan (id, base_version, changes, statements, created_at, created_by) VALUES (@id, @version, @changes::jsonb, @statements, @now, @userId)
            """,
            new
            {
                old = now - PlansAreKept,
                id = plan.Id,
                version = plan.Version,
                changes = MetadataJson.Write(changes).ToJsonString(),
                statements,
                now,
                userId = actor.UserId,
            },
            cancellationToken: ct));
    }

    private static PlanMessage NotAllowed() => new(ErrorCodes.Access, MetadataTexts.Of("NotAllowed"));
}
