using System.Collections.Concurrent;
using System.Diagnostics;

namespace Crm.Rules.Worker;

/// <summary>The worker process: messages in, answers out, until its host closes the door or ends it.</summary>
internal static class WorkerProgram
{
    private const int StackBytes = 32 * 1024 * 1024;

    public static int Main()
    {
        // Read once, before the first pattern is made.
        AppDomain.CurrentDomain.SetData("REGEX_DEFAULT_MATCH_TIMEOUT", TimeSpan.FromMilliseconds(250));
        var input = Console.OpenStandardInput();
        var output = Console.OpenStandardOutput();
        // Whatever else writes to the console must not end up between the answers.
        Console.SetOut(TextWriter.Null);
        using var messages = new BlockingCollection<byte[]>(1);
        var scripts = new Thread(() => Run(messages, output), StackBytes) { IsBackground = true };
        scripts.Start();
        while (Frames.Read(input) is { } message)
        {
            messages.Add(message);
        }

        // The host is gone; a script that still runs has nobody to answer to.
        Process.GetCurrentProcess().Kill();
        return 0;
    }

    private static void Run(BlockingCollection<byte[]> messages, Stream output)
    {
        var runner = new ScriptRunner();
        try
        {
            // The first call of everything is slow, and no caller should wait for it.
            foreach (var warm in WorkerMessages.WarmUp())
            {
                runner.Answer(warm, _ => { });
            }

            Frames.Write(output, "{}"u8);
            foreach (var message in messages.GetConsumingEnumerable())
            {
                runner.Answer(message, answer => Frames.Write(output, answer.Span));
            }
        }
        catch (OutOfMemoryException)
        {
            // Said in the exit code: there may be no memory left to write it.
            Environment.Exit(WorkerMessages.OutOfMemory);
        }
    }
}
