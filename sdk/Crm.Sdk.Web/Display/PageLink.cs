namespace Crm.Sdk.Web;

/// <summary>A link to a page.</summary>
/// <param name="Label">Shown.</param>
/// <param name="Href">Where it leads.</param>
public sealed record PageLink(string Label, string Href);
