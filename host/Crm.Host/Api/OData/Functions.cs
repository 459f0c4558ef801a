using Microsoft.OData.Edm;
using Microsoft.OData.UriParser;

namespace Crm.Host.Api.OData;

/// <summary>Functions of filters beyond those every OData service has.</summary>
internal static class Functions
{
    /// <summary><c>crm.matches(phone,'0171 1234567')</c>: the same by its match key, see <see cref="Sdk.MatchKeys"/>.</summary>
    public const string Matches = "crm.matches";

    /// <summary><c>crm.mine(owner)</c>: the field names whoever asks.</summary>
    public const string Mine = "crm.mine";

    /// <summary><c>crm.during(created_at,'last_days',7)</c>: in a period counted from today, see <see cref="Sdk.Period"/>.</summary>
    public const string During = "crm.during";

    // The parser knows functions for the whole process, and refuses to learn one twice.
    private static readonly Lazy<bool> Known = new(() =>
    {
        var core = EdmCoreModel.Instance;
        var text = core.GetString(isNullable: true);
        Add(Matches, text, text);
        Add(Mine, core.GetGuid(isNullable: true));
        foreach (var time in new IEdmTypeReference[] { core.GetDate(isNullable: true), core.GetTemporal(EdmPrimitiveTypeKind.DateTimeOffset, isNullable: true) })
        {
            Add(During, time, text);
            Add(During, time, text, core.GetInt32(isNullable: false));
        }

        return true;
    });

    /// <summary>Teaches them to the parser.</summary>
    public static void Register() => _ = Known.Value;

    private static void Add(string name, params IEdmTypeReference[] parameters) =>
        CustomUriFunctions.AddCustomUriFunction(name, new FunctionSignatureWithReturnType(EdmCoreModel.Instance.GetBoolean(isNullable: false), parameters));
}
