using System.Globalization;

namespace Crm.Host.Embedded;

/// <summary>Keeps a second host out of a data directory. The operating system releases the lock when this process ends, however it ends.</summary>
internal sealed class DataDirectoryLock : IDisposable
{
    private readonly FileStream file;

    private DataDirectoryLock(FileStream file) => this.file = file;

    /// <summary>Takes the lock.</summary>
    /// <exception cref="StartupException">Another process has it, or the directory cannot be written.</exception>
    public static DataDirectoryLock Take(string directory)
    {
        // The lock keeps others from reading its own file, so the owner's id lies beside it.
        var owner = Path.Combine(directory, "host.pid");
        try
        {
            Directory.CreateDirectory(directory);
            var locked = new FileStream(Path.Combine(directory, "host.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            File.WriteAllText(owner, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
            return new DataDirectoryLock(locked);
        }
        catch (UnauthorizedAccessException error)
        {
            throw new StartupException($"The data directory {directory} cannot be written by this account ({Environment.UserName}).", error);
        }
        catch (IOException error) when (File.Exists(owner))
        {
            throw new StartupException($"The data directory {directory} is in use by process {File.ReadAllText(owner).Trim()}. Stop that one first, or give this one its own directory by Crm__DataDirectory.", error);
        }
        catch (IOException error)
        {
            throw new StartupException($"The data directory {directory} cannot be used: {error.Message}", error);
        }
    }

    public void Dispose() => file.Dispose();
}
