using System.Runtime.CompilerServices;

namespace Crm.Metadata.Tests;

/// <summary>Compares a text with a file beside the test that a reviewer approved.</summary>
internal static class Approved
{
    public static void Check(string text, [CallerFilePath] string testFile = "", [CallerMemberName] string testName = "")
    {
        var folder = Path.Combine(Path.GetDirectoryName(testFile)!, "Approved");
        var approved = Path.Combine(folder, testName + ".approved.txt");
        var received = Path.Combine(folder, testName + ".received.txt");
        var expected = File.Exists(approved) ? File.ReadAllText(approved) : "";
        var actual = text.ReplaceLineEndings("\n").TrimEnd() + "\n";
        if (expected.ReplaceLineEndings("\n") == actual)
        {
            File.Delete(received);
            return;
        }

        Directory.CreateDirectory(folder);
        File.WriteAllText(received, actual);
        Assert.Fail($"{testName} differs from its approved file; compare {testName}.received.txt and rename it when it is right:\n{actual}");
    }
}
