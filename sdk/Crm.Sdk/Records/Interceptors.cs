using System.Collections.Immutable;
using Microsoft.Extensions.DependencyInjection;

namespace Crm.Sdk;

/// <summary>Takes part in the writes of the entities it is registered for. Made anew for every save.</summary>
public interface IRecordInterceptor
{
    /// <summary>May set values and refuse. Runs before validation.</summary>
    ValueTask BeforeAsync(ChangeContext change, CancellationToken ct) => ValueTask.CompletedTask;

    /// <summary>May write other records in the same transaction. Values are final.</summary>
    ValueTask AfterAsync(ChangeContext change, CancellationToken ct) => ValueTask.CompletedTask;
}

/// <summary>One change on its way to the database.</summary>
public abstract class ChangeContext
{
    /// <summary>What is being done.</summary>
    public abstract ChangeKind Kind { get; }

    /// <summary>Which record.</summary>
    public abstract Guid Id { get; }

    /// <summary>The entity, from the snapshot this change was started with.</summary>
    public abstract EntityDefinition Entity { get; }

    /// <summary>The record before the change; null on create.</summary>
    public abstract Record? Before { get; }

    /// <summary>The value as it will be stored. Setting takes input as <see cref="FieldType.TryNormalize"/> does and throws <see cref="InvalidOperationException"/> after validation.</summary>
    public abstract object? this[string field] { get; set; }

    /// <summary>Whether the change gives the field another value than it had.</summary>
    public abstract bool Changes(string field);

    /// <summary>Refuses the change.</summary>
    /// <param name="field">The field at fault; null for the whole record.</param>
    /// <param name="code">Stable code; <see cref="ErrorCodes.Rule"/> unless another fits.</param>
    /// <param name="message">For the user.</param>
    public abstract void Refuse(string? field, string code, string message);

    /// <summary>Reads and writes inside this transaction, for the same actor.</summary>
    public abstract IRecordService Records { get; }

    /// <summary>The time of the change, the same for everything in its transaction.</summary>
    public abstract DateTimeOffset Now { get; }
}

/// <summary>
/// Told of committed changes, later, at least once, in order per record; also of calculated fields that changed because another record was saved
/// (<see cref="RecordChanged.Cause"/>). Made anew for every event.
/// </summary>
public interface IRecordListener
{
    /// <summary>Handles one event; an exception means it is told again later.</summary>
    Task HandleAsync(RecordChanged change, CancellationToken ct);
}

/// <summary>A committed change.</summary>
/// <param name="EventId">The same when the event is told again.</param>
/// <param name="Kind">What was done.</param>
/// <param name="Entity">On which entity.</param>
/// <param name="Id">On which record.</param>
/// <param name="Version">Its version after the change.</param>
/// <param name="Fields">Fields that changed.</param>
/// <param name="At">When.</param>
/// <param name="UserId">Who.</param>
public sealed record RecordChanged(long EventId, ChangeKind Kind, string Entity, Guid Id, long Version, ImmutableArray<string> Fields, DateTimeOffset At, Guid UserId)
{
    /// <summary>
    /// Nobody saved this record: calculated fields of it (roll-ups, formulas over looked-up fields) followed from the save of this one. Its version is what it was. Null when it was
    /// saved itself.
    /// </summary>
    public RecordRef? Cause { get; init; }
}

/// <summary>Registers behaviour.</summary>
public static class CrmServices
{
    /// <summary>Adds an interceptor to the given entities; within a module they run in the order of registration.</summary>
    public static IServiceCollection AddInterceptor<T>(this IServiceCollection services, params ReadOnlySpan<string> entities)
        where T : class, IRecordInterceptor
    {
        foreach (var entity in entities)
        {
            services.AddSingleton(new InterceptorRegistration(entity, typeof(T)));
        }

        return services.AddScoped<T>();
    }

    /// <summary>Adds a listener to the given entities.</summary>
    public static IServiceCollection AddListener<T>(this IServiceCollection services, params ReadOnlySpan<string> entities)
        where T : class, IRecordListener
    {
        foreach (var entity in entities)
        {
            services.AddSingleton(new ListenerRegistration(entity, typeof(T)));
        }

        return services.AddScoped<T>();
    }
}

/// <summary>Binds an interceptor to an entity.</summary>
/// <param name="Entity">The entity.</param>
/// <param name="Type">The interceptor, registered as a scoped service.</param>
public sealed record InterceptorRegistration(string Entity, Type Type);

/// <summary>Binds a listener to an entity.</summary>
/// <param name="Entity">The entity.</param>
/// <param name="Type">The listener, registered as a scoped service.</param>
public sealed record ListenerRegistration(string Entity, Type Type);
