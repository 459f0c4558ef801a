using Crm.Metadata;

namespace Crm.Host.Pages.Designer;

/// <summary>Finds the place of each message of a plan: the field it is about, or the whole.</summary>
/// <param name="Messages">What the plan said.</param>
internal sealed record PlanErrors(IReadOnlyList<PlanMessage> Messages)
{
    public static PlanErrors None { get; } = new([]);

    /// <summary>What is wrong with a field.</summary>
    public IEnumerable<string> OfField(string entity, string field) => Messages.Where(m => m.Target == entity + "." + field).Select(m => m.Message);

    /// <summary>What is wrong with anything that is not one of these fields.</summary>
    public IEnumerable<string> Others(string entity, IEnumerable<string> fields)
    {
        var places = fields.Select(f => entity + "." + f).ToHashSet(StringComparer.Ordinal);
        return Messages.Where(m => m.Target is null || !places.Contains(m.Target)).Select(m => m.Message);
    }
}
