using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Records;

/// <summary>Changes of one entity that take the write path together, with set-based reads and writes. No record is in it twice.</summary>
internal sealed class ChangeRun : IAsyncDisposable
{
    private readonly bool isAllOrNothing;
    private readonly bool needsSavepoint;
    private int? savepoint;

    public ChangeRun(SaveSession session, EntityTable table, IReadOnlyList<RecordChange> changes, bool isAllOrNothing, bool needsSavepoint)
    {
        (Session, Table, this.isAllOrNothing, this.needsSavepoint) = (session, table, isAllOrNothing, needsSavepoint);
        Changes = [.. changes.Select(c => new PendingChange(c, table, session))];
    }

    public SaveSession Session { get; }

    public EntityTable Table { get; }

    public ImmutableArray<PendingChange> Changes { get; }

    /// <summary>Changes about which there is more to say, refused or not.</summary>
    public IEnumerable<PendingChange> Going => Changes.Where(c => !c.IsStopped);

    /// <summary>Changes that are written.</summary>
    public IEnumerable<PendingChange> Writes => Changes.Where(c => c.IsWrite);

    /// <summary>What a constraint refuses anyway is not asked before it is written: most changes are good, and a question is a way to the database and back.</summary>
    public bool TrustsConstraints { get; set; }

    /// <summary>Something was left to the constraints.</summary>
    public bool HasUnasked { get; set; }

    /// <summary>Records locked because changes point to them.</summary>
    public HashSet<Guid> Held { get; } = [];

    /// <summary>Values of the records that changes point to; null when nothing asks for them.</summary>
    public LookedUp? LookedUp { get; set; }

    public bool HasRefusals => Changes.Any(c => c.IsRefused);

    /// <summary>Whether one was refused after it was written.</summary>
    public bool HasLateRefusals => Changes.Any(c => c is { IsRefused: true, IsWritten: true } or { HasRefusedLinks: true });

    /// <summary>Whether the path ends after validation.</summary>
    public bool WritesNothing => (isAllOrNothing && HasRefusals) || !(Writes.Any() || Going.Any(c => c.Links.Count > 0));

    /// <summary>What an expression sees of a change.</summary>
    public object? ValueOf(PendingChange change, FieldPath path) => path.IsLookedUp ? LookedUp!.ValueOf(change, path) : change.ValueAt(path);

    public void ReadInput()
    {
        foreach (var change in Changes)
        {
            change.ReadInput();
        }
    }

    public async ValueTask BeginAsync(CancellationToken ct)
    {
        if (!Going.Any())
        {
            return;
        }

        await Session.BeginAsync(ct);
        if (needsSavepoint)
        {
            await Session.LimitAsync(ct);
            savepoint = await Session.SavepointAsync(ct);
        }
    }

    public void ApplyInput()
    {
        foreach (var change in Going)
        {
            change.ApplyInput();
        }
    }

    public void Seal()
    {
        foreach (var change in Going)
        {
            change.Seal();
        }
    }

    /// <summary>Where something is wrong, what was left to the constraints is asked after all: everything wrong is said at once.</summary>
    public void AskWhatWasLeft()
    {
        if (HasUnasked && HasRefusals)
        {
            throw new RefusedUnaskedException();
        }
    }

    /// <summary>Keeps what was written.</summary>
    public Task KeepAsync(CancellationToken ct) => savepoint is { } place ? Session.ForgetAsync(place, ct) : Task.CompletedTask;

    /// <summary>Undoes what was written.</summary>
    public Task UndoAsync(CancellationToken ct) => savepoint is { } place ? Session.BackToAsync(place, ct) : Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (var change in Changes)
        {
            if (change.Interceptors is { } interceptors)
            {
                await interceptors.DisposeAsync();
            }
        }
    }
}
