using Microsoft.OData.Edm;
using Microsoft.OData.UriParser;

namespace Crm.Host.Api.OData;

/// <summary>Functions of filters beyond those every OData service has.</summary>
internal static class Functions
{
    /// <summary><c>crm.matches(phone,'0171 1234567')</c>: the same by its match key, see <see cref="Sdk.MatchKeys"/>.</summary>
    public const string Matches = "crm.matches";

    // The parser knows functions for the whole process, and refuses to learn one twice.
    private static readonly Lazy<FunctionSignatureWithReturnType> Known = new(() =>
    {
        var text = EdmCoreModel.Instance.GetString(isNullable: true);
        var signature = new FunctionSignatureWithReturnType(EdmCoreModel.Instance.GetBoolean(isNullable: false), text, text);
        CustomUriFunctions.AddCustomUriFunction(Matches, signature);
        return signature;
    });

    /// <summary>Teaches them to the parser.</summary>
    public static void Register() => _ = Known.Value;
}
