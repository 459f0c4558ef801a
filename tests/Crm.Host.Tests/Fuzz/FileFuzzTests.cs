using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.Json;
using Crm.Host.Exporting;
using Crm.Host.Tests.Api;
using Crm.Host.Tests.Import;

namespace Crm.Host.Tests.Fuzz;

/// <summary>Files nobody would send on purpose: imported row by row or refused with a reason, and never half of one.</summary>
public sealed class FileFuzzTests(ApiCrm crm) : IClassFixture<ApiCrm>
{
    private const string Mapping = """{"culture":"de-DE","fields":{"name":{"column":"name"},"revenue":{"column":"revenue","values":{"much":"1000"}}}}""";

    private static readonly byte[][] Splinters =
    [
        [0], [0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xEF, 0xBB, 0xBF], [0xFE, 0xFF], "\""u8.ToArray(), "\"\""u8.ToArray(), "\r"u8.ToArray(), "\n"u8.ToArray(), ",,,"u8.ToArray(), ";"u8.ToArray(), "\t"u8.ToArray(), "=cmd|'/c calc'!A1"u8.ToArray(),
        "@SUM(1)"u8.ToArray(), "\u2028"u8.ToArray(), "PK\u0003\u0004"u8.ToArray(), "<?xml version=\"1.0\"?>"u8.ToArray(), "1e999"u8.ToArray(), [.. Enumerable.Repeat((byte)'x', 3000)], [.. Enumerable.Repeat((byte)',', 600)], [0x80, 0xE4, 0xFC],
    ];

    private static readonly string[] XmlSplinters = ["<", ">", "</c>", "<row>", "<c t=\"s\"><v>99</v></c>", "<c t=\"e\"><v>#REF!</v></c>", "<f>1+1</f>", "&#0;", "&x;", "<![CDATA[", "r=\"ZZZ1\"", "r=\"A0\"", "s=\"-1\"", "1e999", "-", "\ud83d\ude00", "<!--"];

    private readonly Chance chance = Chance.For(nameof(FileFuzzTests));

    [Fact]
    public async Task Any_file_is_imported_or_refused_whole()
    {
        var client = new ImportClient(crm.Crm, crm.Admin);
        var state = new DatabaseState(crm.Crm.ConnectionString);
        var book = await WorkbookAsync();
        var faults = new List<string>();
        var runs = Chance.Runs(100);
        var taken = 0;
        for (var i = 0; i < runs; i++)
        {
            var (file, what) = i % 3 == 0 ? (Spoiled(book), "xlsx") : (Csv(i), "csv");
            (string, string)[] options = chance.Next(4) switch
            {
                0 => [("mapping", chance.Damage(Mapping, "{", "}", "null", "[]", "\"", "\\ud800", "\\u0000", "x", ":", ","))],
                1 => [("mode", chance.Of("upsert", "update", "create")), ("match", chance.Of("name", "id", "nothing", "name,name", "\0"))],
                2 => [(chance.Of("encoding", "delimiter", "sheet", "duplicates", "dryRun"), chance.Of("utf-8", "utf-16", "windows-1252", ";", "\0", "accept", "true", "x'; --", "\ud83d\ude00"))],
                _ => [],
            };
            var before = (State: await state.ReadAsync(), Count: await client.CountAsync("x_firms"));
            using var answer = await client.SendAsync("x_firm", file, options);
            var text = await answer.Content.ReadAsStringAsync();
            var said = $"run {i}, {what} {Convert.ToBase64String(file.AsSpan(0, Math.Min(file.Length, 400)))} {string.Join(';', options)}: {(int)answer.StatusCode} {text}";
            if (answer.StatusCode != HttpStatusCode.Accepted)
            {
                if ((int)answer.StatusCode is < 400 or >= 500 || !text.Contains("\"message\":\"", StringComparison.Ordinal) || before.State != await state.ReadAsync())
                {
                    faults.Add(said);
                }

                continue;
            }

            taken++;
            var job = await client.FinishedAsync(JsonDocument.Parse(text).RootElement.GetProperty("id").GetGuid());
            var isDry = job.GetProperty("import").TryGetProperty("dryRun", out var dry) && dry.GetBoolean();
            var made = isDry ? 0 : job.GetProperty("report").GetProperty("created").GetInt64();
            if (job.GetProperty("state").GetString() != "succeeded" || before.Count + made != await client.CountAsync("x_firms"))
            {
                faults.Add($"{said}\n{job}");
            }
        }

        Assert.True(faults.Count == 0, string.Join("\n\n", faults.Take(5)));
        Assert.InRange(taken, runs / 12, runs);
    }

    [Theory]
    [InlineData("name\n", "x", "line 2")]
    [InlineData("name\n\"", "x,\n", "line 2")]
    [InlineData("", "c,", "line 1")]
    public async Task A_row_of_more_than_4_MB_is_refused(string start, string filler, string target)
    {
        var state = new DatabaseState(crm.Crm.ConnectionString);
        var before = await state.ReadAsync();
        var file = Encoding.UTF8.GetBytes(start + string.Concat(Enumerable.Repeat(filler, 5 * 1024 * 1024 / filler.Length)));
        using var answer = await new ImportClient(crm.Crm, crm.Admin).SendAsync("x_firm", file);
        var error = (await ImportClient.BodyAsync(answer)).GetProperty("error");
        Assert.True(answer.StatusCode == HttpStatusCode.BadRequest, error.ToString());
        Assert.Equal(target, error.GetProperty("target").GetString());
        Assert.Equal(before, await state.ReadAsync());
    }

    private static async Task<byte[]> WorkbookAsync()
    {
        using var file = new MemoryStream();
        await using (var sheet = new XlsxSheet(file, "Firms", TimeZoneInfo.Utc))
        {
            await sheet.BeginAsync(["name", "revenue"], default);
            for (var i = 0; i < 20; i++)
            {
                await sheet.RowAsync([$"Book firm {i}", (decimal)i], default);
            }

            await sheet.EndAsync(default);
        }

        return file.ToArray();
    }

    private byte[] Csv(int run)
    {
        var comma = chance.Of(",", ";", "\t");
        var text = new StringBuilder($"name{comma}revenue").Append(chance.Of("\n", "\r\n", "\n", $"{comma}other\n"));
        for (var row = chance.Next(12); row >= 0; row--)
        {
            text.Append(chance.Of("Müller", "Ω", "=1+1", "two words", "'", "\ud83d\ude00", "plain", "")).Append(' ').Append(run).Append('-').Append(row).Append(chance.OneIn(8) ? "" : comma)
                .Append(chance.Of("1", "1.5", "12", "much", "", "-", "1e3", "\"1.000,00\"")).Append(chance.Of("\n", "\n", "\r\n"));
        }

        var encoding = chance.Of(Encoding.UTF8, Encoding.UTF8, Encoding.UTF8, Encoding.UTF8, Encoding.Unicode, Encoding.BigEndianUnicode, Encoding.Latin1, Encoding.UTF32);
        byte[] file = [.. chance.OneIn(3) ? encoding.GetPreamble() : [], .. encoding.GetBytes(text.ToString())];
        return chance.OneIn(2) ? file : chance.Damage(file, Splinters);
    }

    private byte[] Spoiled(byte[] book)
    {
        if (chance.OneIn(2))
        {
            return chance.Damage(book, Splinters);
        }

        using var file = new MemoryStream();
        file.Write(book);
        using (var archive = new ZipArchive(file, ZipArchiveMode.Update, leaveOpen: true))
        {
            var part = chance.Of([.. archive.Entries]);
            string xml;
            using (var reader = new StreamReader(part.Open()))
            {
                xml = reader.ReadToEnd();
            }

            var name = part.FullName;
            part.Delete();
            if (!chance.OneIn(6))
            {
                using var writer = new StreamWriter(archive.CreateEntry(name).Open());
                writer.Write(chance.Damage(xml, XmlSplinters));
            }
        }

        return file.ToArray();
    }
}
