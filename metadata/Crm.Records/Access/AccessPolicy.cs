using Crm.Sdk;

namespace Crm.Records;

/// <summary>Who may write what. What is not allowed here is denied, with the rule that decides in words.</summary>
internal static class AccessPolicy
{
    /// <summary>What is decided without the rows: whether somebody may do such a thing at all, and with which fields.</summary>
    public static void CheckOperation(ChangeRun run)
    {
        foreach (var change in run.Going)
        {
            if (ModuleOff(run.Session, run.Table.Entity) is { } off)
            {
                change.Stop(off.Code, off.Message);
            }
            else if (run.Session.Actor.UserId == Guid.Empty)
            {
                change.Stop(ErrorCodes.Access, Texts.Of("AccessDenied", run.Session.Actor.Name, run.Table.Entity.PluralLabel));
            }
            else if (run.Session.Access.View is { IsLimited: true } view)
            {
                CheckOperation(run, change, view);
            }
        }
    }

    /// <summary>Whether somebody may read at all: everybody who is signed in.</summary>
    public static bool MayRead(Actor actor) => actor.UserId != Guid.Empty;

    /// <summary>What is decided by the rows as they are in this transaction.</summary>
    public static async Task CheckRowsAsync(ChangeRun run, CancellationToken ct)
    {
        if (run.Session.Access.View is not { IsLimited: true } view)
        {
            return;
        }

        var entity = run.Table.Entity;
        foreach (var change in run.Going)
        {
            CheckLocked(run, change, view);
        }

        // Those that were stopped because somebody changed the record meanwhile would show it.
        foreach (var group in run.Changes.Where(c => c.Stored is not null && !GoesWithWhole(run, c)).GroupBy(c => Operation(c.Kind)))
        {
            if (view.Condition(entity, AccessOperation.Read, "r") is null && view.Condition(entity, group.Key, "r") is null)
            {
                continue;
            }

            var verdicts = await VerdictsAsync(run.Session, entity, [.. group.Select(c => c.Id)], ct, AccessOperation.Read, group.Key);
            foreach (var change in group)
            {
                var verdict = verdicts.GetValueOrDefault(change.Id) ?? [false, false];
                if (!verdict[0])
                {
                    change.Deny(ErrorCodes.NotFound, Texts.Of("NotFound", entity.Label, change.Id));
                }
                else if (!verdict[1])
                {
                    change.Deny(ErrorCodes.Access, AccessWords.Denied(view, entity, group.Key, run.Session.Actor.Name));
                }
            }
        }

        await CheckEndsAsync(run, view, ct);
    }

    /// <summary>New records of somebody else's, when only own ones may be made; and parts that are new at a record, which takes the right to change that one.</summary>
    public static async Task CheckCreatedAsync(ChangeRun run, CancellationToken ct)
    {
        var view = run.Session.Access.View;
        var entity = run.Table.Entity;
        var whole = entity.PartOf is { } name && run.Table.TryField(name, out var field) ? field : null;
        var created = run.Changes.Where(c => c.IsWritten && (c.Kind == ChangeKind.Create || (c.Kind == ChangeKind.Update && whole is not null && c.Changed.Contains(whole.Index))) && !GoesWithWhole(run, c)).ToList();
        if (created.Count == 0 || view.Condition(entity, AccessOperation.Create, "r") is null)
        {
            return;
        }

        var verdicts = await VerdictsAsync(run.Session, entity, [.. created.Select(c => c.Id)], ct, AccessOperation.Create, AccessOperation.Write);
        foreach (var change in created.Where(c => !verdicts[c.Id][c.Kind == ChangeKind.Create ? 0 : 1]))
        {
            change.Refuse(whole?.Name ?? "owner", ErrorCodes.Access, AccessWords.Denied(view, entity, Operation(change.Kind), run.Session.Actor.Name));
        }
    }

    /// <summary>Statements that read users, roles or teams must not go on with what was known of them before.</summary>
    public static async Task AnnounceAsync(ChangeRun run, CancellationToken ct)
    {
        if (run.Table.Entity.IsOfAccess && run.Changes.Any(c => c.IsWritten))
        {
            await AnnounceAsync(run.Session, ct);
        }
    }

    /// <summary>As <see cref="AnnounceAsync(ChangeRun, CancellationToken)"/>, whatever was written.</summary>
    public static async Task AnnounceAsync(SaveSession session, CancellationToken ct)
    {
        await using var command = session.Command("UPDATE crm.access_version SET version = version + 1");
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Teams that are given a record for the first time are principals from then on; nobody deletes them meanwhile.</summary>
    public static async Task AdmitAsync(SaveSession session, IReadOnlyCollection<Guid> teams, CancellationToken ct)
    {
        await using var command = session.Command("INSERT INTO crm.principal (id) SELECT id FROM (SELECT id FROM records.team WHERE id = ANY($1) ORDER BY id FOR KEY SHARE) AS t ON CONFLICT DO NOTHING");
        command.Parameters.Add(ActorAccess.Ids([.. teams]));
        await command.ExecuteNonQueryAsync(ct);
        session.Admit(teams);
    }

    private static AccessOperation Operation(ChangeKind kind) => kind switch
    {
        ChangeKind.Create => AccessOperation.Create,
        ChangeKind.Update => AccessOperation.Write,
        _ => AccessOperation.Delete,
    };

    /// <summary>Whoever may delete a record deletes its parts with it, and brings them back with it.</summary>
    private static bool GoesWithWhole(ChangeRun run, PendingChange change) =>
        run.Table.Entity.PartOf is not null && ((change.Kind == ChangeKind.Delete && run.Session.GoesAlong) || change.Remains is { GoesAlong: true });

    private static void CheckOperation(ChangeRun run, PendingChange change, AccessView view)
    {
        var entity = run.Table.Entity;
        if (GoesWithWhole(run, change))
        {
            return;
        }

        var operation = Operation(change.Kind);
        if (view.Seen.Entity(entity.Name).IsHidden)
        {
            change.Stop(ErrorCodes.UnknownEntity, Texts.Of("UnknownEntity", entity.Name));
        }
        else if (view.ReachOf(entity, operation) == Reach.None)
        {
            change.Stop(ErrorCodes.Access, AccessWords.Denied(view, entity, operation, run.Session.Actor.Name));
        }

        foreach (var field in change.Given.Where(f => view.Of(entity)?[f.Definition] == FieldAccess.None))
        {
            change.Refuse(field.Name, ErrorCodes.UnknownField, Texts.Of("UnknownField", entity.Label, field.Name));
        }
    }

    /// <summary>Fields that may be seen only: giving them the value they have changes nothing.</summary>
    private static void CheckLocked(ChangeRun run, PendingChange change, AccessView view)
    {
        if (change.Kind == ChangeKind.Delete)
        {
            return;
        }

        foreach (var field in change.Given.Where(f => view.Of(run.Table.Entity)?[f.Definition] == FieldAccess.Read && change.DiffersFromStart(f.Name)))
        {
            change.Refuse(field.Name, ErrorCodes.Access, AccessWords.DeniedField(view, run.Table.Entity, field.Definition, run.Session.Actor.Name));
        }
    }

    /// <summary>A link is part of both its records: to make one takes the right to change both, to take it away from one of them the right to change that one.</summary>
    private static async Task CheckEndsAsync(ChangeRun run, AccessView view, CancellationToken ct)
    {
        if (run.Table.Entity.Link is not { } link)
        {
            return;
        }

        var (may, mayNot) = (new HashSet<PendingChange>(), new HashSet<PendingChange>());
        foreach (var name in new[] { link.Left, link.Right })
        {
            if (!run.Table.TryField(name, out var field) || field.Definition.Target is not { } target || !view.Full.TryEntity(target, out var end))
            {
                continue;
            }

            var pointing = run.Going.Where(c => c.Values[field.Index] is Guid).ToLookup(c => (Guid)c.Values[field.Index]!);
            var verdicts = await VerdictsAsync(run.Session, end, [.. pointing.Select(p => p.Key)], ct, AccessOperation.Read, AccessOperation.Write, AccessOperation.Delete);
            foreach (var (id, change) in pointing.SelectMany(p => p.Select(change => (p.Key, change))))
            {
                // One that is not there, or not to be seen, is unknown; that is found where all such fields are.
                if (verdicts.TryGetValue(id, out var verdict) && (verdict[0] || change.Kind == ChangeKind.Delete))
                {
                    (verdict[1] || (verdict[2] && GoesWith(change)) ? may : mayNot).Add(change);
                }
            }
        }

        foreach (var change in mayNot.Where(c => !GoesWith(c) || !may.Contains(c)))
        {
            change.Stop(ErrorCodes.Access, Texts.Of("AccessLink", run.Session.Actor.Name, run.Table.Entity.PluralLabel));
        }
    }

    /// <summary>What one of the records takes with it, it brings back.</summary>
    private static bool GoesWith(PendingChange link) => link.Kind == ChangeKind.Delete || link.Remains is not null;

    /// <summary>Of rows that are there: whether the actor may do each of the operations.</summary>
    public static Task<Dictionary<Guid, bool[]>> VerdictsAsync(SaveSession session, EntityDefinition entity, Guid[] ids, CancellationToken ct, params AccessOperation[] operations) =>
        VerdictsAsync(session, session.Access, entity, ids, ct, operations);

    /// <summary>Of rows that are there: whether somebody may do each of the operations.</summary>
    public static async Task<Dictionary<Guid, bool[]>> VerdictsAsync(
        SaveSession session, ActorAccess access, EntityDefinition entity, Guid[] ids, CancellationToken ct, params AccessOperation[] operations)
    {
        var verdicts = new Dictionary<Guid, bool[]>(ids.Length);
        await using var command = session.Command(AccessSql.Verdicts(access.View, entity, operations));
        access.Bind(command.Parameters);
        command.Parameters.Add(ActorAccess.Ids(ids));
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            verdicts[reader.GetGuid(0)] = [.. operations.Select((_, i) => reader.GetBoolean(i + 1))];
        }

        return verdicts;
    }

    /// <summary>A link changes both records: it needs that the modules of both run.</summary>
    private static ValidationError? ModuleOff(SaveSession session, EntityDefinition entity) =>
        OwnModuleOff(session, entity) ?? (entity.Link is not { } ends ? null : new[] { ends.Left, ends.Right }
            .Select(name => entity.Field(name).Target is { } target && session.Snapshot.TryEntity(target, out var end) ? OwnModuleOff(session, end) : null)
            .FirstOrDefault(denial => denial is not null));

    private static ValidationError? OwnModuleOff(SaveSession session, EntityDefinition entity) =>
        session.Behaviors.Runs(entity.Origin) ? null : new ValidationError(null, ErrorCodes.Module, Texts.Of("ModuleOff", entity.PluralLabel, entity.Origin));
}
