using System.Collections.Immutable;

namespace Crm.Sdk;

/// <summary>Stages and the moves between them.</summary>
/// <param name="Stages">In order; the first is where records start.</param>
/// <param name="Moves">Allowed moves; empty when every move is allowed.</param>
public sealed record StagesDefinition(ImmutableArray<StageDefinition> Stages, ImmutableArray<StageMove> Moves)
{
    /// <summary>Finds a stage.</summary>
    public StageDefinition? Find(string name) => Stages.FirstOrDefault(s => s.Name == name);

    /// <summary>Whether a record may go from one stage to another.</summary>
    public bool Allows(string from, string to) => from == to || Moves.IsEmpty || Moves.Contains(new StageMove(from, to));
}

/// <summary>One stage.</summary>
/// <param name="Name">Stable name, as stored.</param>
/// <param name="Label">Shown to users.</param>
/// <param name="Kind">Open, won or lost.</param>
/// <param name="Probability">Chance of winning, in percent.</param>
public sealed record StageDefinition(string Name, string Label, StageKind Kind, int Probability);

/// <summary>An allowed move between stages.</summary>
/// <param name="From">Stage left.</param>
/// <param name="To">Stage entered.</param>
public sealed record StageMove(string From, string To);

/// <summary>How a stage ends, if it does.</summary>
public enum StageKind
{
    /// <summary>Work goes on.</summary>
    Open,

    /// <summary>Ended in success.</summary>
    Won,

    /// <summary>Ended without success.</summary>
    Lost,
}
