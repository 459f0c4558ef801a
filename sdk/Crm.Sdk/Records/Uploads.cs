using Microsoft.Extensions.DependencyInjection;

namespace Crm.Sdk;

/// <summary>Looks at every file somebody uploads, before it is stored, and may refuse it: a virus scanner. Made anew for every upload.</summary>
public interface IUploadCheck
{
    /// <summary>Whether the file may be stored. An exception means that it is not.</summary>
    /// <returns>Why it is refused, for whoever uploads; null when it may be stored.</returns>
    ValueTask<string?> CheckAsync(Upload upload, CancellationToken ct);
}

/// <summary>A file that is being uploaded.</summary>
/// <param name="Name">Name of the file, without a path.</param>
/// <param name="ContentType">Its media type, as it would be stored.</param>
/// <param name="Content">All of it, at most <see cref="FileType.MaxBytes"/>.</param>
/// <param name="Actor">Who uploads.</param>
public sealed record Upload(string Name, string ContentType, ReadOnlyMemory<byte> Content, Actor Actor);

/// <summary>Registers an upload check.</summary>
/// <param name="Type">The check, registered as a scoped service.</param>
public sealed record UploadCheckRegistration(Type Type);

/// <summary>Registers what looks at uploads.</summary>
public static class UploadServices
{
    /// <summary>Adds a check of uploads; all checks of all modules that run are asked.</summary>
    public static IServiceCollection AddUploadCheck<T>(this IServiceCollection services)
        where T : class, IUploadCheck =>
        services.AddSingleton(new UploadCheckRegistration(typeof(T))).AddScoped<T>();
}
