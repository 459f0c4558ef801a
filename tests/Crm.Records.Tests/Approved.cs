using System.Runtime.CompilerServices;

namespace Crm.Records.Tests;

/// <summary>Compares a text with the approved one beside the test; what came out instead is left beside it for the reviewer.</summary>
internal static class Approved
{
    public static void Equal(string actual, string name, [CallerFilePath] string testPath = "")
    {
        var folder = Path.GetDirectoryName(testPath)!;
        var (approved, received) = (Path.Combine(folder, name + ".approved.txt"), Path.Combine(folder, name + ".received.txt"));
        var expected = File.Exists(approved) ? File.ReadAllText(approved) : "";
        if (expected == actual)
        {
            File.Delete(received);
            return;
        }

        File.WriteAllText(received, actual);
        Assert.Equal(expected, actual);
    }
}
