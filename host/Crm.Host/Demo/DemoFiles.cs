using System.Globalization;
using System.Text;

namespace Crm.Host.Demo;

/// <summary>
/// Writes sample data as the files another system might give: its own words in the headers, a sector and a product misspelled, parents that have no
/// row or come later, open deals without company, dates or value, and every file in the encoding of another decade.
/// </summary>
internal static class DemoFiles
{
    public const string MisspelledProduct = "AuroraPro";
    public const string Product = "Aurora Pro";
    public const string MisspelledSector = "technolgy";
    public const string ParentWithoutRow = "Holding of Nobody";

    /// <summary>Agents with their managers, who have no rows: UTF-8.</summary>
    public static byte[] Teams(DemoData data) => Utf8(Csv(
        "sales_agent,manager,regional_office",
        data.SalesAgents.Select(u => new[] { u.Name, data.Users.First(m => m.Id == u.Manager).Name, u.Region })));

    /// <summary>Companies, separated by semicolons, in Windows-1252.</summary>
    public static byte[] Companies(DemoData data) => CodePagesEncodingProvider.Instance.GetEncoding(1252)!.GetBytes(Csv(
        "account;sector;year_established;revenue;employees;office_location;subsidiary_of",
        data.Companies.Select((c, i) => new[]
        {
            c.Name,
            c.Industry == "technology" ? MisspelledSector : c.Industry,
            Text(c.Founded),
            c.Revenue.ToString("0.00", CultureInfo.InvariantCulture),
            Text(c.Employees),
            c.Country,
            i == 7 ? ParentWithoutRow : c.Parent is { } parent ? data.Companies.First(p => p.Id == parent).Name : "",
        }),
        ';'));

    /// <summary>The catalogue: UTF-8 with a byte order mark.</summary>
    public static byte[] Products(DemoData data) => [.. Encoding.UTF8.GetPreamble(), .. Utf8(Csv(
        "product,series,sales_price",
        data.Products.Select(p => new[] { p.Name, p.Series, p.Price.ToString(CultureInfo.InvariantCulture) })))];

    /// <summary>The pipeline: UTF-16, as spreadsheets save it.</summary>
    public static byte[] Pipeline(DemoData data) => [.. Encoding.Unicode.GetPreamble(), .. Encoding.Unicode.GetBytes(Csv(
        "opportunity_id\tsales_agent\tproduct\taccount\tdeal_stage\tengage_date\tclose_date\tclose_value",
        data.Opportunities.Select(o => new[]
        {
            o.Reference,
            data.Users.First(u => u.Id == o.Owner).Name,
            data.Products.First(p => p.Id == o.Product).Name is var name && name == Product ? MisspelledProduct : name,
            o.Company is { } company ? data.Companies.First(c => c.Id == company).Name : "",
            o.Stage switch { "order" => "Won", "lost" => "Lost", "offer" => "Engaging", _ => "Prospecting" },
            o.Engaged?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            o.Closed?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            o.Value?.ToString(CultureInfo.InvariantCulture),
        }),
        '\t'))];

    /// <summary>A few Russian suppliers in Windows-1251.</summary>
    public static byte[] Suppliers() => CodePagesEncodingProvider.Instance.GetEncoding(1251)!.GetBytes(
        "account,office_location\r\nООО Ромашка,Россия\r\nЗАО Северный ветер,Казахстан\r\nИП Кузнецов Пётр,Беларусь\r\nТорговый дом Восток,Россия\r\n");

    /// <summary>Writes all of them into a folder.</summary>
    public static async Task WriteAsync(DemoData data, string folder, CancellationToken ct = default)
    {
        Directory.CreateDirectory(folder);
        foreach (var (name, content) in new[] { ("sales_teams.csv", Teams(data)), ("accounts.csv", Companies(data)), ("products.csv", Products(data)), ("sales_pipeline.csv", Pipeline(data)), ("suppliers.csv", Suppliers()) })
        {
            await File.WriteAllBytesAsync(Path.Combine(folder, name), content, ct);
        }
    }

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Csv(string header, IEnumerable<string?[]> rows, char delimiter = ',') =>
        string.Concat(rows.Select(row => string.Join(delimiter, row.Select(value => Cell(value ?? "", delimiter))) + "\r\n").Prepend(header + "\r\n"));

    private static string Cell(string value, char delimiter) =>
        value.Contains(delimiter, StringComparison.Ordinal) || value.Contains('"', StringComparison.Ordinal) ? "\"" + value.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"" : value;
}
