using System.Collections.Immutable;
using Crm.Metadata;
using Crm.Sdk;

namespace Crm.Records;

/// <summary>Whether somebody may do something, and what decides it.</summary>
/// <param name="IsAllowed">The verdict, the same the doors give.</param>
/// <param name="Rule">The rule that decides, in words.</param>
/// <param name="Facts">What it was decided by, in words.</param>
public sealed record AccessVerdict(bool IsAllowed, string Rule, ImmutableArray<string> Facts);

/// <summary>Says why somebody may or may not do something. The verdict comes from the very conditions the doors ask.</summary>
public sealed class AccessExplainer(RecordEngine engine)
{
    private const string FactsSql =
        """
        SELECT coalesce(o.name, t.name, ''), r.owner = ANY($1), r.owner = $4,
               EXISTS (SELECT 1 FROM crm.record_restriction AS x WHERE x.record_id = r.id),
               coalesce((SELECT max(s.level) FROM crm.record_share AS s WHERE s.record_id = r.id AND s.principal_id = ANY($2)), 0)::integer,
               EXISTS (SELECT 1 FROM records."user" AS m WHERE m.id = r.owner AND m."team_id" = ANY($5)) OR EXISTS (SELECT 1 FROM records."user_teams" AS m WHERE m."user_id" = r.owner AND m."team_id" = ANY($5)),
               t.id IS NOT NULL, r.owner = ANY($6)
        FROM {0} AS r LEFT JOIN records."user" AS o ON o.id = r.owner LEFT JOIN records."team" AS t ON t.id = r.owner WHERE r.id = $3
        """;

    /// <summary>Why a user may or may not do something.</summary>
    /// <param name="asking">Who asks; about others only administrators may.</param>
    /// <param name="user">About whom.</param>
    /// <param name="entity">The entity.</param>
    /// <param name="id">The record; null for the entity as a whole.</param>
    /// <param name="operation">What is to be done.</param>
    /// <param name="field">The field it is to be done with; null for the record.</param>
    /// <param name="scope">What narrows the user, such as one of their API keys; null for what narrows whoever asks about themselves.</param>
    /// <param name="ct">Cancels.</param>
    /// <exception cref="QueryException">There is no such entity, field, user or record, or it is not for the asking to know.</exception>
    public async Task<AccessVerdict> WhyAsync(Actor asking, Guid user, string entity, Guid? id, AccessOperation operation, string? field, AccessScope? scope = null, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(asking);
        if (user != asking.UserId && !asking.IsAdministrator)
        {
            throw new QueryException(ErrorCodes.Access, Texts.Of("WhyOthers"), "user");
        }

        await using var session = new SaveSession(engine, asking);
        await session.BeginAsync(ct);
        var definition = QueryCompiler.TableOf(session.Access.View.Seen, entity).Entity;
        if (field is not null && !(definition.TryField(field, out var known) && !known.IsHidden))
        {
            throw new QueryException(ErrorCodes.UnknownField, Texts.Of("UnknownField", definition.Label, field), field);
        }

        if (id is { } asked && !(await AccessPolicy.VerdictsAsync(session, definition, [asked], ct, AccessOperation.Read)).GetValueOrDefault(asked, [false])[0])
        {
            throw new QueryException(ErrorCodes.NotFound, Texts.Of("NotFound", definition.Label, asked), "id");
        }

        var actor = user == asking.UserId ? asking : await Actors.FindAsync(session.Connection, user, ct) ?? throw new QueryException(ErrorCodes.NotFound, Texts.Of("WhyNobody"), "user");
        actor = scope is null ? actor : actor with { Scope = scope };
        var access = await engine.Access.OfAsync(actor, session.Snapshot, session.Access.Version < 0 ? await VersionAsync(session, ct) : session.Access.Version, session.Connection, session.Transaction, ct);
        return access.View.IsLimited
            ? await ExplainAsync(session, actor, access, session.Snapshot.Entity(entity), id, operation, field, ct)
            : new AccessVerdict(true, Texts.Of("WhyAdministrator", actor.Name), []);
    }

    private static async Task<AccessVerdict> ExplainAsync(
        SaveSession session, Actor actor, ActorAccess access, EntityDefinition entity, Guid? id, AccessOperation operation, string? field, CancellationToken ct)
    {
        var view = access.View;
        var roles = view.IsAdministrator ? Texts.Of("WhyAdministrator", actor.Name) : view.Roles.IsEmpty ? Texts.Of("WhyNoRoles", actor.Name) : Texts.Of("WhyRoles", actor.Name, string.Join(", ", view.Roles.Select(r => RoleNames.Label(view.Full, r))));
        if (field is not null && view.Of(entity)!.IsNarrowed(entity.Field(field)))
        {
            return new AccessVerdict(false, Texts.Of("WhyFieldNarrowed", view.Scope!.Name, entity.Field(field).Label, entity.PluralLabel), [roles]);
        }

        if (field is not null && view.Of(entity)?.Deciding(entity.Field(field)) is { } named && (named.Access == FieldAccess.None || (named.Access == FieldAccess.Read && operation != AccessOperation.Read)))
        {
            return new AccessVerdict(false, Texts.Of(named.Access == FieldAccess.None ? "WhyFieldHidden" : "WhyFieldLocked", AccessWords.Rule(view, entity, named.Role), entity.Field(field).Label, entity.PluralLabel), [roles]);
        }

        var rule = AccessWords.Says(view, entity, operation);
        if (id is not { } record || operation is AccessOperation.Create or AccessOperation.Import)
        {
            return new AccessVerdict(view.ReachOf(entity, operation) != Reach.None, rule, [roles]);
        }

        var verdicts = await AccessPolicy.VerdictsAsync(session, access, entity, [record], ct, AccessOperation.Read, operation);
        var allowed = view.ReachOf(entity, AccessOperation.Read) != Reach.None && verdicts[record][0] && verdicts[record][1];
        return new AccessVerdict(allowed, rule, [roles, .. await FactsAsync(session, actor, access, entity, record, ct)]);
    }

    private static async Task<ImmutableArray<string>> FactsAsync(SaveSession session, Actor actor, ActorAccess access, EntityDefinition entity, Guid id, CancellationToken ct)
    {
        await using var command = session.Command(FactsSql.Replace("{0}", Sql.Table(entity.Name), StringComparison.Ordinal));
        command.Parameters.Add(ActorAccess.Ids(access.Facts.Owners));
        command.Parameters.Add(ActorAccess.Ids(access.Facts.Principals));
        command.Parameters.Add(new() { Value = id });
        command.Parameters.Add(new() { Value = actor.UserId });
        command.Parameters.Add(ActorAccess.Ids(access.Facts.Teams));
        command.Parameters.Add(ActorAccess.Ids(access.Facts.OwningTeams));
        await using var reader = await command.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        var owner = reader.GetString(0);
        var facts = ImmutableArray.CreateBuilder<string>();
        if (reader.GetBoolean(6))
        {
            facts.Add(Texts.Of(reader.GetBoolean(1) ? "WhyTeam" : reader.GetBoolean(7) ? "WhyTeamBelow" : "WhyOtherTeam", owner, actor.Name));
        }
        else
        {
            facts.Add(reader.GetBoolean(2) ? Texts.Of("WhyOwn", actor.Name) : reader.GetBoolean(1) ? Texts.Of("WhyBelow", owner, actor.Name) : Texts.Of("WhyOwner", owner));
        }

        if (!reader.GetBoolean(1) && reader.GetBoolean(5))
        {
            facts.Add(Texts.Of("WhyMates", owner, actor.Name));
        }

        facts.Add(reader.GetInt32(4) is var level and > 0 ? Texts.Of("WhyShared" + (ShareLevel)level, actor.Name) : Texts.Of("WhyNotShared", actor.Name));
        if (reader.GetBoolean(3))
        {
            facts.Add(Texts.Of("WhyRestricted"));
        }

        return facts.DrainToImmutable();
    }

    private static async Task<long> VersionAsync(SaveSession session, CancellationToken ct)
    {
        await using var command = session.Command("SELECT version FROM crm.access_version");
        return (long)(await command.ExecuteScalarAsync(ct))!;
    }
}
