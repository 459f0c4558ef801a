using System.Collections.Immutable;
using Crm.Host.Security;

namespace Crm.Host.Pages.Shell;

/// <summary>What administrators see beyond everybody else.</summary>
internal static class Administrators
{
    /// <summary>Role an administrator's sign-in carries.</summary>
    public const string Role = Roles.Administrator;

    /// <summary>Pages of administration, in the order of the navigation.</summary>
    public static ImmutableArray<NavigationItem> Links =>
    [
        new(Texts.Of("AdminDesigner"), "design_services", "/admin/designer", null),
        new(Texts.Of("AdminGeneral"), "tune", "/admin/general", null),
        new(Texts.Of("AdminImport"), "upload_file", "/admin/import", null),
        new(Texts.Of("AdminUsers"), "group", "/e/user", "user"),
        new(Texts.Of("AdminRoles"), "shield_person", "/admin/roles", null),
        new(Texts.Of("AdminModules"), "extension", "/admin/modules", null),
        new(Texts.Of("AdminWebhooks"), "webhook", "/admin/webhooks", null),
        new(Texts.Of("AdminWorkflows"), "account_tree", "/admin/workflows", null),
        new(Texts.Of("AdminConsistency"), "fact_check", "/admin/consistency", null),
    ];
}
