using Crm.Sdk;
using Microsoft.Extensions.DependencyInjection;

namespace Crm.Records.Files;

/// <summary>Asks the modules whether a file may be stored.</summary>
internal static class UploadChecks
{
    /// <exception cref="UploadRefusedException">One of them says no.</exception>
    public static async Task RequireAsync(BehaviorSource behaviors, Upload upload, CancellationToken ct)
    {
        // Whoever is asked is not let go meanwhile.
        var generation = behaviors.Enter();
        try
        {
            foreach (var binding in generation.Behaviors.UploadChecks)
            {
                await using var scope = binding.Scopes.CreateAsyncScope();
                if (await ((IUploadCheck)scope.ServiceProvider.GetRequiredService(binding.Type)).CheckAsync(upload, ct) is { } reason)
                {
                    throw new UploadRefusedException(reason);
                }
            }
        }
        finally
        {
            generation.Leave();
        }
    }
}

/// <summary>A module refused an upload.</summary>
/// <param name="reason">Why, for whoever uploads.</param>
public sealed class UploadRefusedException(string reason) : Exception(reason);
