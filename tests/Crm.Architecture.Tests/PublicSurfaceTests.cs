using System.Reflection;
using System.Text;

namespace Crm.Architecture.Tests;

/// <summary>The sdk's public members, one a line, in a file that a reviewer sees change.</summary>
public sealed class PublicSurfaceTests
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    [Theory]
    [InlineData("Crm.Sdk")]
    [InlineData("Crm.Sdk.Web")]
    public void The_public_surface_is_the_approved_one(string assemblyName)
    {
        var surface = Describe(Assembly.Load(assemblyName));
        var folder = Path.Combine(Repository.Root, "tests", "Crm.Architecture.Tests");
        var approved = Path.Combine(folder, assemblyName + ".approved.txt");
        var received = Path.Combine(Repository.Root, "artifacts", assemblyName + ".received.txt");
        if (!File.Exists(approved) || File.ReadAllText(approved).ReplaceLineEndings("\n") != surface)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(received)!);
            File.WriteAllText(received, surface);
            Assert.Fail($"The public surface of {assemblyName} changed. Compare {received} with {approved}; if the change is wanted, copy it there.");
        }
    }

    private static string Describe(Assembly assembly)
    {
        var text = new StringBuilder();
        foreach (var type in assembly.GetExportedTypes().Where(t => !t.Name.StartsWith('_')).OrderBy(t => t.FullName, StringComparer.Ordinal))
        {
            text.Append(Kind(type)).Append(' ').Append(type.FullName).Append('\n');
            var members = type.GetMembers(Declared)
                .Where(m => m is not MethodInfo { IsSpecialName: true } && m is not Type && !m.Name.Contains('<', StringComparison.Ordinal))
                .Select(Describe)
                .OrderBy(m => m, StringComparer.Ordinal);
            foreach (var member in members)
            {
                text.Append("    ").Append(member).Append('\n');
            }
        }

        return text.ToString();
    }

    private static string Kind(Type type) =>
        type.IsEnum ? "enum" : type.IsInterface ? "interface" : type.IsValueType ? "struct" : type is { IsAbstract: true, IsSealed: true } ? "static class" : type.IsAbstract ? "abstract class" : type.IsSealed ? "sealed class" : "class";

    private static string Describe(MemberInfo member) => member switch
    {
        PropertyInfo property => $"{property} {{{(property.CanRead ? " get;" : "")}{(property.SetMethod is { IsPublic: true } ? " set;" : "")} }}",
        _ => member.ToString()!,
    };
}
