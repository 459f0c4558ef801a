using System.Text;
using Crm.Records.Importing;

namespace Crm.Records.Tests.Importing;

public sealed class CsvTableTests
{
    [Theory]
    [InlineData("a,b\n1,2\n", ',')]
    [InlineData("a;b\n1,5;2,5\n", ';')]
    [InlineData("a\tb\n1\t2\n", '\t')]
    [InlineData("a|b\n1|2\n", '|')]
    [InlineData("\"a;b\",c\n\"x;y;z\",2\n", ',')]
    public async Task The_delimiter_is_found(string file, char delimiter)
    {
        await using var table = await OpenAsync(file);

        Assert.Equal(delimiter, table.Delimiter);
        Assert.Equal(2, table.Headers.Length);
    }

    [Fact]
    public async Task Rows_know_their_line_and_values_are_trimmed()
    {
        await using var table = await OpenAsync("a, b \r\n 1 ,\"x\ny\"\r\n\r\n2,\"say \"\"hi\"\"\"\r\n3");

        Assert.Equal("a|b", string.Join('|', table.Headers));
        var rows = await RowsAsync(table);
        Assert.Equal([(1L, 2L), (2L, 5L), (3L, 6L)], rows.Select(r => (r.Number, r.Line)));
        Assert.Equal(["1", "x\ny"], rows[0].Values);
        Assert.Equal(["2", "say \"hi\""], rows[1].Values);
        Assert.Equal(["3", ""], rows[2].Values);
        Assert.Equal([false, false, true], rows.Select(r => r.IsShort));
    }

    [Theory]
    [InlineData("a,b\n1,2\n3,\"x\n4,5\n", "line 3")]
    [InlineData("a,b\n1,2\n3,\"x\"y\n", "line 3")]
    [InlineData("a,b\n1,x\"y\n", "line 2")]
    [InlineData("\"a\n1,2\n", "line 1")]
    [InlineData("a,b\n1,2\n1,2,3\n", "line 3")]
    public async Task A_row_that_cannot_be_read_is_refused_with_its_line(string file, string line)
    {
        var error = await Assert.ThrowsAsync<ImportFileException>(() => ReadAllAsync(file));

        Assert.Equal(ImportCodes.Format, error.Code);
        Assert.Equal(line, error.Target);
        Assert.Contains(line[5..], error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n\n")]
    [InlineData("a,A\n1,2\n")]
    public async Task A_header_that_names_no_columns_or_one_twice_is_refused(string file) =>
        Assert.Equal(ImportCodes.Format, (await Assert.ThrowsAsync<ImportFileException>(() => ReadAllAsync(file))).Code);

    [Fact]
    public async Task A_header_of_too_many_columns_is_refused()
    {
        var header = string.Join(',', Enumerable.Range(1, CsvTable.MaxColumns + 1).Select(i => $"c{i}"));

        Assert.Contains("501", (await Assert.ThrowsAsync<ImportFileException>(() => ReadAllAsync(header + "\n1\n"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_quote_that_swallows_megabytes_is_refused_with_its_line()
    {
        var error = await Assert.ThrowsAsync<ImportFileException>(() => ReadAllAsync("a,b\n1,2\n3,\"x\n" + new string('y', 5 * 1024 * 1024)));

        Assert.Equal("line 3", error.Target);
    }

    [Fact]
    public async Task A_file_read_in_an_encoding_that_does_not_fit_is_refused()
    {
        var bytes = Encoding.Latin1.GetBytes("a\nMüller\n");

        var error = await Assert.ThrowsAsync<ImportFileException>(async () =>
        {
            await using var table = await CsvTable.OpenAsync(new MemoryStream(bytes), TextEncodings.Get("us-ascii"), null);
            await RowsAsync(table);
        });

        Assert.Equal(ImportCodes.Encoding, error.Code);
    }

    [Fact]
    public void An_encoding_nobody_knows_is_refused() =>
        Assert.Equal(ImportCodes.Encoding, Assert.Throws<ImportFileException>(() => TextEncodings.Get("windows-9999")).Code);

    [Theory]
    [InlineData("auto", null)]
    [InlineData("", null)]
    [InlineData("tab", '\t')]
    [InlineData(";", ';')]
    public void A_delimiter_is_read(string text, char? delimiter) => Assert.Equal(delimiter, CsvTable.ParseDelimiter(text));

    private static Task<CsvTable> OpenAsync(string file) => CsvTable.OpenAsync(new MemoryStream(Encoding.UTF8.GetBytes(file)), TextEncodings.Get("utf-8"), null);

    private static async Task ReadAllAsync(string file)
    {
        await using var table = await OpenAsync(file);
        await RowsAsync(table);
    }

    private static async Task<List<ImportRow>> RowsAsync(CsvTable table)
    {
        var rows = new List<ImportRow>();
        while (await table.ReadAsync() is { } row)
        {
            rows.Add(row);
        }

        return rows;
    }
}
