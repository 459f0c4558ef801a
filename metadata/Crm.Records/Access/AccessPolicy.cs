using Crm.Sdk;

namespace Crm.Records;

/// <summary>Who may write what. What is not allowed here is denied.</summary>
internal static class AccessPolicy
{
    public static void CheckWrite(ChangeRun run)
    {
        foreach (var change in run.Changes)
        {
            if (Denial(run.Session, run.Table.Entity) is { } denial)
            {
                change.Stop(denial.Code, denial.Message);
            }
        }
    }

    /// <summary>Whether somebody may read an entity: everybody who is signed in, until roles say more.</summary>
    public static bool MayRead(Actor actor) => actor.UserId != Guid.Empty;

    /// <summary>A link changes both records: it needs what a change of each of them needs.</summary>
    private static ValidationError? Denial(SaveSession session, EntityDefinition entity) =>
        Own(session, entity) ?? (entity.Link is not { } ends ? null : new[] { ends.Left, ends.Right }
            .Select(name => entity.Field(name).Target is { } target && session.Snapshot.TryEntity(target, out var end) ? Own(session, end) : null)
            .FirstOrDefault(denial => denial is not null));

    private static ValidationError? Own(SaveSession session, EntityDefinition entity)
    {
        if (!session.Behaviors.Runs(entity.Origin))
        {
            return new ValidationError(null, ErrorCodes.Module, Texts.Of("ModuleOff", entity.PluralLabel, entity.Origin));
        }

        return session.Actor switch
        {
            { IsAdministrator: true } actor when actor.UserId != Guid.Empty => null,
            { } actor when actor.UserId != Guid.Empty && entity.Name != "user" => null,
            _ => new ValidationError(null, ErrorCodes.Access, Texts.Of("AccessDenied", session.Actor.Name, entity.PluralLabel)),
        };
    }
}
