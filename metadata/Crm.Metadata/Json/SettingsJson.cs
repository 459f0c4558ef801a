using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Crm.Metadata;

/// <summary>Settings of the installation as JSON: in changes, in stored definitions and in packages.</summary>
internal static class SettingsJson
{
    /// <summary>Kind and name of the definition; there is one.</summary>
    public const string Name = "settings";

    private const string PhoneCountry = "phone_country";

    public static JsonObject Write(InstallationSettings settings)
    {
        var json = new JsonObject();
        if (settings.PhoneCountry is { } country)
        {
            json[PhoneCountry] = country;
        }

        return json;
    }

    public static JsonObject Write(MetadataChange.ChangeSettings change)
    {
        var json = Write(change.Settings);
        json["change"] = "change_settings";
        foreach (var name in change.Reset)
        {
            json[name] = null;
        }

        return json;
    }

    public static InstallationSettings Read(JsonElement element, string path, List<PlanMessage> errors)
    {
        using var json = new JsonInput(element, path, errors);
        return Read(json);
    }

    public static InstallationSettings Read(JsonInput json) => new(json.Text(PhoneCountry));

    public static MetadataChange.ChangeSettings ReadChange(JsonInput json) => new(Read(json), json.Nulls(PhoneCountry));

    /// <summary>Names of settings about which nothing is said.</summary>
    public static ImmutableArray<string> Unsaid(InstallationSettings settings) => settings.PhoneCountry is null ? [PhoneCountry] : [];

    /// <summary>Settings with a change made.</summary>
    public static InstallationSettings Apply(InstallationSettings settings, MetadataChange.ChangeSettings change) =>
        new(change.Reset.Contains(PhoneCountry) ? null : change.Settings.PhoneCountry ?? settings.PhoneCountry);
}
