using Crm.Sdk;

namespace Crm.Host.Security;

/// <summary>Who acts in this scope: set from the request's or the circuit's sign-in. Unset means nobody, and nobody may do anything.</summary>
public sealed class CurrentActor
{
    private Actor? actor;

    /// <summary>Whether somebody is signed in.</summary>
    public bool IsSet => actor is not null;

    /// <summary>Who acts; <see cref="InvalidOperationException"/> when nobody is signed in.</summary>
    public Actor Value => actor ?? throw new InvalidOperationException("Nobody is signed in.");

    /// <summary>Says who acts.</summary>
    public void Set(Actor value) => actor = value;

    /// <summary>From now on nobody does.</summary>
    public void Clear() => actor = null;
}
