using System.Globalization;

namespace Crm.Metadata;

/// <summary>A file of a package.</summary>
/// <param name="Path">Path within the package, with slashes.</param>
/// <param name="Text">What it says.</param>
internal sealed record PackageFile(string Path, string Text);

/// <summary>A package cannot be read; the message is for whoever made it.</summary>
internal sealed class PackageException(string? path, long line, string message) : Exception(message)
{
    /// <summary>File and line, <c>entities/company/form.yaml:3</c>; null for the package as a whole.</summary>
    public string? Place { get; } = path is null || line == 0 ? path : string.Create(CultureInfo.InvariantCulture, $"{path}:{line}");

    public PlanMessage ToMessage() => new(Sdk.ErrorCodes.BadRequest, Message, Place);
}

/// <summary>Where each value of an item of a package was found, by its path in JSON, so that an error names file and line.</summary>
internal sealed class PackageLines(string home)
{
    private readonly Dictionary<string, (string Path, long Line)> places = new(StringComparer.Ordinal);

    public void Note(string at, string path, long line) => places[at] = (path, line);

    /// <summary>As <see cref="Locate"/>, in words.</summary>
    public string Find(string at)
    {
        var (path, line) = Locate(at);
        return string.Create(CultureInfo.InvariantCulture, $"{path}:{line}");
    }

    /// <summary>File and line of a path, or of the nearest thing around it.</summary>
    public (string Path, long Line) Locate(string at)
    {
        while (at.Length > 0)
        {
            if (places.TryGetValue(at, out var found))
            {
                return found;
            }

            at = at[..Math.Max(0, Math.Max(at.LastIndexOf('.'), at.LastIndexOf('[')))];
        }

        return (home, 1);
    }
}
