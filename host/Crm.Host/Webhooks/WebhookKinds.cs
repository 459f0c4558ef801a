using Crm.Sdk;

namespace Crm.Host.Webhooks;

/// <summary>Kinds of changes by the names receivers know them by.</summary>
internal static class WebhookKinds
{
    public static ReadOnlySpan<ChangeKind> All => [ChangeKind.Create, ChangeKind.Update, ChangeKind.Delete];

    public static string NameOf(ChangeKind kind) => kind switch
    {
        ChangeKind.Create => "created",
        ChangeKind.Update => "updated",
        _ => "deleted",
    };
}
