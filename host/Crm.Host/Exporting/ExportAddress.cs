using System.Globalization;
using System.Text;
using Crm.Metadata;
using Crm.Sdk.Web;

namespace Crm.Host.Exporting;

/// <summary>The address that exports what a list shows.</summary>
internal static class ExportAddress
{
    /// <summary>Makes it.</summary>
    /// <param name="wanted">What the list shows.</param>
    /// <param name="format"><c>xlsx</c>, <c>csv</c> as the user's spreadsheet reads it, or <c>plain</c> CSV as programs do.</param>
    /// <param name="withIds">Whether ids come along.</param>
    /// <param name="culture">How the user writes numbers and dates.</param>
    /// <param name="zone">Where the user's days begin.</param>
    public static string Of(GridExport wanted, string format, bool withIds, CultureInfo culture, TimeZoneInfo zone)
    {
        var address = new StringBuilder($"/api/export/{wanted.Entity.Name}?format={(format == "xlsx" ? "xlsx" : "csv")}");
        void Add(string name, string? value) => _ = string.IsNullOrEmpty(value) ? address : address.Append('&').Append(name).Append('=').Append(Uri.EscapeDataString(value));
        Add("view", wanted.View);
        Add("$select", string.Join(',', wanted.Columns));
        Add("sort", string.Join(',', wanted.Sort.Select(s => (s.Descending ? "-" : "") + s.Path)));
        if (wanted.Ids.IsEmpty)
        {
            Add("$search", wanted.Search);
            Add("find", wanted.Find is null ? null : FilterJson.ToText(wanted.Find));
        }
        else
        {
            Add("ids", string.Join(',', wanted.Ids.Select(id => id.ToString("N"))));
        }

        Add("zone", zone.Id);
        Add("culture", format == "csv" ? culture.Name : null);
        Add("bom", format == "plain" ? "false" : null);
        Add("keys", withIds ? "true" : null);
        return address.ToString();
    }
}
