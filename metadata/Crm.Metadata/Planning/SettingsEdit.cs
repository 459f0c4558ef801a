using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>Changes of what holds for the whole installation.</summary>
internal static class SettingsEdit
{
    public static void Change(LayerEdit edit, MetadataChange.ChangeSettings change)
    {
        if (change.Settings.PhoneCountry is { } country && !MatchKeys.IsPhoneCountry(country))
        {
            edit.Error(PlanCodes.Option, "settings.phone_country", "CountryCode", MetadataTexts.Of("SettingPhoneCountry"), LayerEdit.Short(country));
            return;
        }

        var before = edit.Layers.Custom.Settings;
        var after = SettingsJson.Apply(before, change);
        edit.Put(edit.Layers.Custom with { Settings = after });
        if (after.PhoneCountry != before.PhoneCountry)
        {
            edit.Step(PlatformShape.SettingsArea, after.PhoneCountry is null ? "StepNoPhoneCountry" : "StepPhoneCountry", after.PhoneCountry);
        }
    }
}
