namespace Crm.Sdk.Web.Forms;

/// <summary>Texts of forms, in the user's language.</summary>
public static class FormTexts
{
    private static readonly TextSource Source = new(typeof(FormTexts));

    /// <inheritdoc cref="TextSource.Of"/>
    public static string Text(string name, params ReadOnlySpan<object?> places) => Source.Of(name, places);
}
