using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.Json;
using Crm.Host.Exporting;

namespace Crm.Host.Tests.Import;

/// <summary>Excel workbooks through the pipeline of all imports.</summary>
public sealed class WorkbookImportTests() : ImportingTests(
        """
        {"change":"create_entity","name":"x_thing","label":"Thing","plural":"Things","set":"x_things","fields":[
          {"name":"name","type":"text","label":"Name","required":true,"unique":true},{"name":"size","type":"decimal","label":"Size","scale":4},{"name":"share","type":"percent","label":"Share"},
          {"name":"born","type":"date","label":"Born"},{"name":"seen","type":"date_time","label":"Seen"},{"name":"at","type":"time","label":"At"},{"name":"took","type":"duration","label":"Took"},{"name":"phone","type":"phone","label":"Phone"}]}
        """)
{
    [Fact]
    public async Task Numbers_and_dates_of_a_workbook_are_read_by_what_they_are_and_texts_by_the_language_of_the_file()
    {
        using var file = new MemoryStream();
        await using (var sheet = new XlsxSheet(file, "Things", TimeZoneInfo.Utc))
        {
            await sheet.BeginAsync(["Name", "Size", "Share", "Born", "Seen", "At", "Took", "Phone"], default);
            await sheet.RowAsync(["=1+1", 1234.5m, 12L, new DateOnly(1999, 12, 31), new DateTimeOffset(2026, 3, 31, 10, 20, 30, TimeSpan.Zero), new TimeOnly(8, 15), TimeSpan.FromHours(30), "+49 30 901820"], default);
            await sheet.RowAsync(["Control \u0001 and _x0041_", "1.234,5", null, "31.12.1999", null, null, null, null], default);
            await sheet.EndAsync(default);
        }

        var job = await ImportAsync(file.ToArray(), ("mapping", Mapping("""  "culture":"de-DE",""")));
        Assert.Equal(2, job.GetProperty("report").GetProperty("created").GetInt64());
        var first = Assert.Single(await Client.RecordsAsync("x_things", "$filter=name eq '=1%2B1'"));
        Assert.Equal(
            ("1234.5", "12", "1999-12-31", "2026-03-31T10:20:30Z", "08:15:00", "108000", "+49 30 901820"),
            (Text(first, "size"), Text(first, "share"), Text(first, "born"), Text(first, "seen"), Text(first, "at"), Text(first, "took"), Text(first, "phone")));
        var second = Assert.Single(await Client.RecordsAsync("x_things", "$filter=startswith(name,'Control')"));
        Assert.Equal(("1234.5", "1999-12-31"), (Text(second, "size"), Text(second, "born")));
        Assert.Equal("Control \u0001 and _x0041_", second.GetProperty("name").GetString());
    }

    [Fact]
    public async Task A_sheet_is_chosen_by_name_and_formats_formulas_and_pronunciations_are_understood()
    {
        const string Styles = """
            <styleSheet xmlns="m"><numFmts><numFmt numFmtId="164" formatCode="[$-407]d\.\ mmm&quot; h&quot;\ yyyy;@"/><numFmt numFmtId="165" formatCode="[h]:mm"/></numFmts>
            <cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="165"/><xf numFmtId="9"/><xf numFmtId="22"/></cellXfs></styleSheet>
            """;
        const string Texts = """<sst><si><t>Name</t></si><si><r><t>Two </t></r><r><t xml:space="preserve">parts</t></r><rPh><t>silent</t></rPh></si></sst>""";
        const string Second = """
            <worksheet><sheetData><row r="3"><c r="A3" t="s"><v>0</v></c><c r="B3" t="inlineStr"><is><t>Born</t></is></c><c r="C3" t="str"><f>"To"&amp;"ok"</f><v>Took</v></c><c r="D3" t="inlineStr"><is><t>Share</t></is></c><c r="E3" t="inlineStr"><is><t>Size</t></is></c></row>
            <row r="4"/><row r="5"><c r="A5" t="s"><v>1</v></c><c r="B5" s="1"><v>36525</v></c><c r="C5" s="2"><v>1.25</v></c><c r="D5" s="3"><v>0.12</v></c><c r="E5"><f>0.1+0.2</f><v>0.30000000000000004</v></c></row></sheetData></worksheet>
            """;
        var file = Workbook([("First", "<worksheet><sheetData/></worksheet>"), ("Second", Second)], ("xl/styles.xml", Styles), ("xl/sharedStrings.xml", Texts));
        var job = await ImportAsync(file, ("sheet", "Second"));
        Assert.Equal(1, job.GetProperty("report").GetProperty("created").GetInt64());
        Assert.Equal("Second", job.GetProperty("import").GetProperty("sheet").GetString());
        var thing = Assert.Single(await Client.RecordsAsync("x_things"));
        Assert.Equal(("Two parts", "1999-12-31", "108000", "12", "0.3"), (Text(thing, "name"), Text(thing, "born"), Text(thing, "took"), Text(thing, "share"), Text(thing, "size")));
        await RefusedAsync(file, "format", "file", ("sheet", "First"));
        await RefusedAsync(file, "format", "sheet", ("sheet", "Third"));
    }

    [Fact]
    public async Task What_is_no_sound_workbook_is_refused_and_nothing_is_written()
    {
        var sound = Rows("""<row><c t="inlineStr"><is><t>Name</t></is></c></row><row><c t="inlineStr"><is><t>A</t></is></c></row>""");
        await RefusedAsync(sound[..(sound.Length / 2)], "format", "file");
        await RefusedAsync([0xD0, 0xCF, 0x11, 0xE0, 0, 0, 0, 0], "format", "file");
        await RefusedAsync(Workbook([]), "format", "file");
        await RefusedAsync(Archive(("readme.txt", "nothing")), "format", "file");
        // A part that is cut off, or is no XML.
        await RefusedAsync(Workbook([("S", "<worksheet><sheetData><row><c t=\"inlineStr\"><is><t>Name")]), "format", "file");
        await RefusedAsync(Workbook([("S", "nothing")]), "format", "file");
        await RefusedAsync(Workbook([("S", """<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><worksheet><sheetData><row><c t="str"><v>&b;</v></c></row></sheetData></worksheet>""")]), "format", "file");
        await RefusedAsync(Rows("""<row><c t="s"><v>7</v></c></row>"""), "format", "file");
        await RefusedAsync(Rows("""<row r="1"><c r="1" t="str"><v>Name</v></c></row>"""), "format", "file");
        await RefusedAsync(Rows("""<row r="1"><c t="str"><v>Name</v></c></row><row r="2"><c><f>HYPERLINK("http://x","y")</f></c></row>"""), "format", "line 2");
        await RefusedAsync(Rows($"<row r=\"1\">{string.Concat(Enumerable.Range(0, 100_000).Select(i => $"<c t=\"str\"><v>c{i}</v></c>"))}</row>"), "format", "line 1");
        await RefusedAsync(Rows("""<row r="1"><c t="str"><v>Name</v></c></row><row r="2"><c t="str"><v>A</v></c><c t="str"><v>B</v></c></row>"""), "format", "line 2");

        // What would be held in memory as a whole.
        await RefusedAsync(Workbook([("S", "<worksheet><sheetData><row><c t=\"str\"><v>" + new string('x', 20_000_000))]), "too_large", "file");
        await RefusedAsync(Workbook([("S", "<worksheet x=\"" + new string('x', 20_000_000))]), "too_large", "file");
        await RefusedAsync(Workbook([("S", "<worksheet><sheetData><row><c t=\"str\"><v><![CDATA[" + new string('<', 20_000_000))]), "format", "file");
        // 100 MB of nothing in 100 KB.
        var bomb = Bomb();
        await RefusedAsync(bomb, "too_large", "file");
        // The same, and its directory says that it has a thousand bytes.
        await RefusedAsync(SayingItIsSmall(Workbook([("S", "<worksheet><sheetData><row><c t=\"str\"><v>" + new string('x', 20_000_000))])), "format", "file");
        await RefusedAsync(SayingItIsSmall(bomb), "format", "file");
        Assert.Equal(0, await Client.CountAsync("x_things"));
    }

    // Written as it comes: other tests measure memory meanwhile.
    private static byte[] Bomb()
    {
        var nothing = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("<a/>", 10_000)));
        return Archive(("xl/workbook.xml", Whole(Book(["S"]))), ("xl/_rels/workbook.xml.rels", Whole(Relations(1))), ("xl/worksheets/sheet1.xml", Fill));

        void Fill(Stream part)
        {
            part.Write("<worksheet>"u8);
            for (var i = 0; i < 2500; i++)
            {
                part.Write(nothing);
            }
        }
    }

    // What is in an archive is said in its directory and before each part (APPNOTE 4.3.7, 4.3.12); the size stands behind the checksum and the packed size.
    private static byte[] SayingItIsSmall(byte[] archive)
    {
        foreach (var (mark, size) in new[] { ("PK\u0001\u0002", 24), ("PK\u0003\u0004", 22) })
        {
            var sign = Encoding.ASCII.GetBytes(mark);
            for (var at = archive.AsSpan().IndexOf(sign); at >= 0;)
            {
                var said = archive.AsSpan(at + size, 4);
                if (BitConverter.ToUInt32(said) > 1_000_000)
                {
                    BitConverter.TryWriteBytes(said, 1000u);
                }

                var next = archive.AsSpan(at + 4).IndexOf(sign);
                at = next < 0 ? -1 : at + 4 + next;
            }
        }

        return archive;
    }

    private static string Text(JsonElement record, string name) => record.GetProperty(name).ToString();

    private static string Mapping(string more) =>
        $$"""{ {{more}} "fields":{ {{string.Join(',', new[] { "name", "size", "share", "born", "seen", "at", "took", "phone" }.Select(f => $$"""  "{{f}}":{"column":"{{f}}"}"""))}} } }""";

    private static byte[] Rows(string rows) => Workbook([("S", $"<worksheet><sheetData>{rows}</sheetData></worksheet>")]);

    private static byte[] Workbook((string Name, string Xml)[] sheets, params (string Path, string Xml)[] parts) =>
        Archive([("xl/workbook.xml", Book(sheets.Select(s => s.Name))), ("xl/_rels/workbook.xml.rels", Relations(sheets.Length)), .. sheets.Select((s, i) => ($"xl/worksheets/sheet{i + 1}.xml", s.Xml)), .. parts]);

    private static string Book(IEnumerable<string> names) =>
        $"""<workbook xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>{string.Concat(names.Select((n, i) => $"<sheet name=\"{n}\" sheetId=\"{i + 1}\" r:id=\"r{i + 1}\"/>"))}</sheets></workbook>""";

    private static string Relations(int sheets) => $"<Relationships>{string.Concat(Enumerable.Range(1, sheets).Select(i => $"<Relationship Id=\"r{i}\" Target=\"worksheets/sheet{i}.xml\"/>"))}</Relationships>";

    private static Action<Stream> Whole(string content) => part => part.Write(Encoding.UTF8.GetBytes(content));

    private static byte[] Archive(params (string Path, string Content)[] parts) => Archive([.. parts.Select(p => (p.Path, Whole(p.Content)))]);

    private static byte[] Archive(params (string Path, Action<Stream> Write)[] parts)
    {
        using var file = new MemoryStream();
        using (var archive = new ZipArchive(file, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (path, write) in parts)
            {
                using var part = archive.CreateEntry(path, CompressionLevel.SmallestSize).Open();
                write(part);
            }
        }

        return file.ToArray();
    }

    private async Task<JsonElement> ImportAsync(byte[] file, params (string Name, string Value)[] options)
    {
        using var answer = await Client.SendAsync("x_thing", file, options);
        var body = await ImportClient.BodyAsync(answer);
        Assert.True(answer.StatusCode == HttpStatusCode.Accepted, body.ToString());
        return await Client.FinishedAsync(body.GetProperty("id").GetGuid());
    }

    private async Task RefusedAsync(byte[] file, string code, string target, params (string Name, string Value)[] options)
    {
        using var answer = await Client.SendAsync("x_thing", file, options);
        var error = (await ImportClient.BodyAsync(answer)).GetProperty("error");
        Assert.True((code, target) == (error.GetProperty("code").GetString(), error.GetProperty("target").GetString()), error.ToString());
        Assert.InRange((int)answer.StatusCode, 400, 499);
    }
}
