using System.Globalization;
using Crm.Sdk;
using Microsoft.Extensions.Primitives;

namespace Crm.Host.Api.OData;

/// <summary>Addresses of the service.</summary>
internal static class Urls
{
    public const string Path = "/odata/v4";

    /// <summary>The service root as the client reached it, without a slash at the end.</summary>
    public static string Root(HttpRequest request) => $"{request.Scheme}://{request.Host.ToUriComponent()}{request.PathBase.ToUriComponent()}{Path}";

    public static string Record(HttpRequest request, ODataSet set, Guid id) => $"{Root(request)}/{set.Entity.SetName}({id})";

    /// <summary>The version of a record as an entity tag.</summary>
    public static string Tag(long version) => string.Create(CultureInfo.InvariantCulture, $"W/\"{version}\"");

    /// <summary>Reads <c>companies(id)</c> or <c>companies/id</c>, alone or at the end of an address.</summary>
    public static (string Set, Guid Id)? Reference(string text)
    {
        var path = text.TrimEnd('/');
        string key;
        int end;
        if (path.EndsWith(')'))
        {
            end = path.LastIndexOf('(');
            key = end < 0 ? "" : path[(end + 1)..^1];
        }
        else
        {
            end = path.LastIndexOf('/');
            key = path[(end + 1)..];
        }

        return end > 0 && Guid.TryParse(key, out var id) ? (path[(path.LastIndexOf('/', end - 1) + 1)..end], id) : null;
    }
}

/// <summary>What the headers of a request ask for.</summary>
internal static class Preferences
{
    /// <summary>Whether the client wants no body back.</summary>
    public static bool Minimal(HttpRequest request) => Prefers(request, "return") == "minimal";

    /// <summary>Whether an estimate will do where the client asks how many records there are.</summary>
    public static bool Estimate(HttpRequest request) => Prefers(request, "crm.count") == "estimate";

    /// <summary>Rows of a page the client wants at most.</summary>
    public static int? MaxPageSize(HttpRequest request) =>
        int.TryParse(Prefers(request, "maxpagesize") ?? Prefers(request, "odata.maxpagesize"), NumberStyles.None, CultureInfo.InvariantCulture, out var size) && size > 0 ? size : null;

    /// <summary>The versions an entity tag header names; null without the header.</summary>
    /// <param name="header"><c>If-Match</c> or <c>If-None-Match</c>.</param>
    public static Tags? Tags(StringValues header)
    {
        if (header.Count == 0)
        {
            return null;
        }

        var versions = new List<long>();
        foreach (var tag in header.SelectMany(h => (h ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)))
        {
            if (tag == "*")
            {
                return new Tags(true, []);
            }

            var bare = tag.StartsWith("W/", StringComparison.Ordinal) ? tag[2..] : tag;
            if (bare is ['"', .. var number, '"'] && long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var version))
            {
                versions.Add(version);
            }
        }

        return new Tags(false, versions);
    }

    private static string? Prefers(HttpRequest request, string name)
    {
        foreach (var header in request.Headers["Prefer"])
        {
            foreach (var preference in (header ?? "").Split([',', ';'], StringSplitOptions.TrimEntries))
            {
                var parts = preference.Split('=', 2, StringSplitOptions.TrimEntries);
                if (parts.Length == 2 && string.Equals(parts[0], name, StringComparison.OrdinalIgnoreCase))
                {
                    return parts[1].Trim('"');
                }
            }
        }

        return null;
    }
}

/// <summary>Versions a client names in a header.</summary>
/// <param name="Any">Whether every version will do.</param>
/// <param name="Versions">Versions named; tags that are none of ours match nothing.</param>
internal sealed record Tags(bool Any, IReadOnlyList<long> Versions)
{
    public bool Match(long version) => Any || Versions.Contains(version);

    /// <summary>The version a write expects; null for any.</summary>
    public long? Expected => Any ? null : Versions switch
    {
        [var one] => one,
        [] => throw new ApiException(new ApiError(StatusCodes.Status412PreconditionFailed, ErrorCodes.Conflict, "The tag in If-Match was not given out by this service.")),
        _ => throw new ApiException(ApiError.BadRequest("If-Match takes one tag or *.", "If-Match")),
    };
}
