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

    [Theory]
    [InlineData("c12345,", 100_000L * 7)]
    [InlineData("c12345,", 50L * 1024 * 1024)]
    [InlineData("x", 1024L * 1024 * 1024)]
    [InlineData("x\"", 1024L * 1024 * 1024)]
    [InlineData("ä ", 1024L * 1024 * 1024)]
    public async Task A_line_that_never_ends_is_given_up_before_much_of_it_is_read(string filler, long length)
    {
        // As the header, and as a row.
        foreach (var start in new[] { "", "name\n", "name\n\"" })
        {
            await using var file = new OneLine(start, filler, length);
            var error = await Assert.ThrowsAsync<ImportFileException>(async () =>
            {
                await using var table = await CsvTable.OpenAsync(file, TextEncodings.Get("utf-8"), null);
                await RowsAsync(table);
            });

            Assert.Equal(ImportCodes.Format, error.Code);
            Assert.Equal(start.Length == 0 ? "line 1" : "line 2", error.Target);
            Assert.InRange(file.Position, 0, 16 * 1024 * 1024);
        }
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

    /// <summary>A line that is never held anywhere, and how much of it was read.</summary>
    private sealed class OneLine(string start, string filler, long length) : Stream
    {
        private readonly byte[] beginning = Encoding.UTF8.GetBytes(start);
        private readonly byte[] rest = Encoding.UTF8.GetBytes(filler);

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get; set; }

        public override int Read(byte[] buffer, int offset, int count)
        {
            var taken = (int)Math.Min(count, beginning.Length + length - Position);
            for (var i = 0; i < taken; i++)
            {
                var at = Position + i;
                buffer[offset + i] = at < beginning.Length ? beginning[at] : rest[(at - beginning.Length) % rest.Length];
            }

            Position += taken;
            return taken;
        }

        public override void Flush() => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
