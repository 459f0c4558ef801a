using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Records.Webhooks;

/// <summary>An address that is told of changes of records.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Name">For people.</param>
/// <param name="Url">Where it is told.</param>
/// <param name="Entities">Whose records; empty for all entities.</param>
/// <param name="Kinds">Which changes.</param>
/// <param name="IsActive">One that is not is told nothing, and nothing is kept for it.</param>
/// <param name="CreatedByName">Who made it: what it is told is what they may read.</param>
/// <param name="CreatedAt">Since when.</param>
/// <param name="Waiting">Events it must still be told of.</param>
/// <param name="Failed">Events it was not told of in spite of all attempts.</param>
public sealed record Webhook(
    Guid Id, string Name, Uri Url, ImmutableArray<string> Entities, ImmutableArray<ChangeKind> Kinds, bool IsActive, string CreatedByName, DateTimeOffset CreatedAt, long Waiting, long Failed);

/// <summary>What an administrator says of a webhook.</summary>
/// <param name="Name">For people.</param>
/// <param name="Url">Where it is told.</param>
/// <param name="Entities">Whose records; empty for all entities.</param>
/// <param name="Kinds">Which changes.</param>
/// <param name="IsActive">Whether it is told.</param>
public sealed record WebhookInput(string Name, Uri Url, ImmutableArray<string> Entities, ImmutableArray<ChangeKind> Kinds, bool IsActive);

/// <summary>One event for one webhook.</summary>
/// <param name="Id">The same for each attempt, so that the receiver can tell that it has it.</param>
/// <param name="Event">What happened.</param>
/// <param name="State"><c>waiting</c>, <c>delivered</c> or <c>failed</c>.</param>
/// <param name="Attempts">How often it was sent.</param>
/// <param name="NextAt">When it is sent again, while it waits.</param>
/// <param name="Status">HTTP status of the last answer; null when there was none.</param>
/// <param name="Answer">Beginning of the last answer, or why there was none.</param>
/// <param name="FinishedAt">When it ended.</param>
public sealed record WebhookDelivery(Guid Id, RecordChanged Event, string State, int Attempts, DateTimeOffset NextAt, int? Status, string? Answer, DateTimeOffset? FinishedAt);

/// <summary>A delivery somebody is sending now.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Event">What happened.</param>
/// <param name="Payload">What is sent; null before the first attempt.</param>
/// <param name="Attempt">Which attempt this is, from 1.</param>
public sealed record LeasedDelivery(Guid Id, RecordChanged Event, string? Payload, int Attempt);

/// <summary>Where and as whom to send.</summary>
/// <param name="Url">Where.</param>
/// <param name="Secret">The sealed secret.</param>
/// <param name="CreatedBy">Whose rights decide what is told.</param>
public sealed record WebhookTarget(Uri Url, string Secret, Guid CreatedBy);
