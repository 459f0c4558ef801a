using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>
/// A list of choices or stages that a module's new version and the customer both changed: what each added, took out or called otherwise holds. Where both changed the same item in
/// different ways nothing is decided here.
/// </summary>
internal static class ListMerge
{
    /// <summary>Merges lists item by item, in the customer's order; null when both changed the same.</summary>
    /// <param name="before">What the module said.</param>
    /// <param name="after">What it says now.</param>
    /// <param name="yours">What the customer says.</param>
    /// <param name="name">The name of an item.</param>
    public static ImmutableArray<T>? Of<T>(ImmutableArray<T> before, ImmutableArray<T> after, ImmutableArray<T> yours, Func<T, string> name)
        where T : class
    {
        var (said, says, mine) = (before.ToDictionary(name, StringComparer.Ordinal), after.ToDictionary(name, StringComparer.Ordinal), yours.ToDictionary(name, StringComparer.Ordinal));
        var merged = new List<T>();
        foreach (var item in yours)
        {
            var (was, now) = (said.GetValueOrDefault(name(item)), says.GetValueOrDefault(name(item)));
            if (Equals(was, now) || Equals(item, now))
            {
                merged.Add(item);
            }
            else if (!Equals(item, was))
            {
                return null;
            }
            else if (now is not null)
            {
                merged.Add(now);
            }
        }

        foreach (var (item, index) in after.Select((a, i) => (a, i)).Where(a => !mine.ContainsKey(name(a.a))))
        {
            if (said.TryGetValue(name(item), out var was))
            {
                // The customer took it out; what the module said of it must still hold.
                if (!Equals(was, item))
                {
                    return null;
                }

                continue;
            }

            // Behind what it stands behind in the module.
            var ahead = after[..index].Select(name).Reverse().Select(n => merged.FindIndex(m => name(m) == n)).FirstOrDefault(at => at >= 0, -1);
            merged.Insert(ahead + 1, item);
        }

        return [.. merged];
    }

    /// <summary>Merges stages and the moves between them; null when both changed the same.</summary>
    /// <param name="before">What the module said.</param>
    /// <param name="after">What it says now.</param>
    /// <param name="yours">What the customer says.</param>
    public static StagesDefinition? Of(StagesDefinition before, StagesDefinition after, StagesDefinition yours)
    {
        if (Of(before.Stages, after.Stages, yours.Stages, s => s.Name) is not { } stages)
        {
            return null;
        }

        var (was, now, mine) = (before.Moves.ToHashSet(), after.Moves.ToHashSet(), yours.Moves.ToHashSet());
        var moves = yours.Moves;
        if (!now.SetEquals(was) && !now.SetEquals(mine))
        {
            // No moves at all means every move: nothing to add to or to take from.
            if (was.Count == 0 || now.Count == 0 || mine.Count == 0)
            {
                return null;
            }

            moves = [.. yours.Moves.Where(m => now.Contains(m) || !was.Contains(m)), .. after.Moves.Where(m => !was.Contains(m) && !mine.Contains(m))];
        }

        var names = stages.Select(s => s.Name).ToHashSet(StringComparer.Ordinal);
        return new StagesDefinition(stages, [.. moves.Where(m => names.Contains(m.From) && names.Contains(m.To))]);
    }
}
