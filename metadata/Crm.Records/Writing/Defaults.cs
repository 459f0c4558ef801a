using Crm.Sdk;

namespace Crm.Records;

/// <summary>What a new record starts with. Interceptors see it like any other value.</summary>
internal static class Defaults
{
    public static void Apply(EntityTable table, object?[] values, Actor actor, Action<string?, string, string> refuse)
    {
        foreach (var field in table.Fields)
        {
            var input = InputOf(field, actor);
            if (input is null or "" || field.IsStamp)
            {
                continue;
            }

            if (field.Type.TryNormalize(field.Definition, input, out var value, out var error))
            {
                values[field.Index] = value;
            }
            else
            {
                refuse(field.Name, error.Code, Texts.Of("BadDefault", error.Message));
            }
        }
    }

    private static object? InputOf(TableField field, Actor actor) => field.Definition switch
    {
        { IsSystem: true, Name: "owner" } => actor.UserId,
        { Default: { } given } => given,
        { Type: StageType, Stages.Stages: [var first, ..] } => first.Name,
        _ => null,
    };
}
