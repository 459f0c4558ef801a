using Crm.Rules;

namespace Crm.Metadata;

/// <summary>What happened to a script, for users.</summary>
public static class ScriptTexts
{
    /// <summary>The failure in a sentence, with line and column where they are known.</summary>
    public static string Say(ScriptFailure failure)
    {
        ArgumentNullException.ThrowIfNull(failure);
        var text = failure is { Kind: ScriptFailureKind.Error, What.Length: 0 } ? MetadataTexts.Of("Script_Threw") : MetadataTexts.Of("Script_" + failure.Kind, failure.What.TrimEnd('.'));
        return failure.Line is { } line ? MetadataTexts.Of("ScriptAt", line, failure.Column, text) : text;
    }
}
