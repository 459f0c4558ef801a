using System.Text;
using Crm.Records.Importing;

namespace Crm.Records.Tests.Importing;

public sealed class EncodingProbeTests
{
    private const string Russian = "имя,город\nИван Петров,Москва\nАнна Сидорова,Санкт-Петербург\nООО Ромашка,Нижний Новгород\nКузнецов Пётр,Екатеринбург\n";

    private const string German = "name,city\nMüller GmbH,München\nJörg Groß,Köln\nBäckerei Schröder,Lübeck\nCafé Noël,Zürich\n";

    [Theory]
    [InlineData("windows-1251", Russian)]
    [InlineData("koi8-r", Russian)]
    [InlineData("windows-1252", German)]
    [InlineData("windows-1252", "name,city\nFrançois Lefèvre,Besançon\nJosé Núñez,Málaga\nJoão Gonçalves,São Paulo\nSøren Ærø,Århus\n")]
    [InlineData("windows-1251", "НАЗВАНИЕ,ГОРОД\nОАО ЛЕНИНЕЦ,САРАТОВ\nТОРГОВЫЙ ДОМ,ТОЛЬЯТТИ\nЗАО ВОСТОК,ВЛАДИВОСТОК\n")]
    [InlineData("koi8-r", "НАЗВАНИЕ,ГОРОД\nОАО ЛЕНИНЕЦ,САРАТОВ\nТОРГОВЫЙ ДОМ,ТОЛЬЯТТИ\nЗАО ВОСТОК,ВЛАДИВОСТОК\n")]
    public void The_shape_of_words_tells_eight_bit_encodings_apart(string encoding, string text)
    {
        var verdict = Probe(TextEncodings.Get(encoding).GetBytes(text));

        Assert.Equal(encoding, verdict.Name);
        Assert.False(verdict.IsCertain);
    }

    [Theory]
    [InlineData("utf-8", Russian)]
    [InlineData("utf-8", German)]
    [InlineData("utf-8", "plain,ascii\n1,2\n")]
    public void Valid_UTF_8_is_certain(string encoding, string text)
    {
        var verdict = Probe(Encoding.UTF8.GetBytes(text));

        Assert.Equal(encoding, verdict.Name);
        Assert.True(verdict.IsCertain);
    }

    [Fact]
    public void A_character_cut_by_the_end_of_the_file_is_not_UTF_8() =>
        Assert.NotEqual("utf-8", Probe([.. Encoding.UTF8.GetBytes("a,é")[..^1]]).Name);

    [Theory]
    [InlineData("utf-8")]
    [InlineData("utf-16")]
    [InlineData("utf-16be")]
    public void A_byte_order_mark_decides(string name)
    {
        var encoding = Encoding.GetEncoding(name);

        Assert.Equal(name, Probe([.. encoding.GetPreamble(), .. encoding.GetBytes(Russian)]).Name);
    }

    [Theory]
    [InlineData(new byte[] { (byte)'a', (byte)'\n', 0xE0, (byte)'\n' })]
    [InlineData(new byte[] { (byte)'a', (byte)'\n', 0xC0, 0xC1, (byte)' ', 0xE0, 0xE1, (byte)'\n' })]
    public void A_file_that_proves_nothing_is_asked_about_with_samples(byte[] file)
    {
        var verdict = Probe(file);

        Assert.Null(verdict.Name);
        Assert.Contains(verdict.Candidates, c => c.Name == "windows-1251" && c.Sample.Length > 0);
        Assert.Contains(verdict.Candidates, c => c.Name == "windows-1252" && c.Sample.Length > 0);
    }

    [Fact]
    public void A_file_of_several_encodings_is_of_none_that_is_certain()
    {
        byte[] mixed = [.. Encoding.UTF8.GetBytes("Größe;Straße\n"), .. TextEncodings.Get("windows-1251").GetBytes(Russian), .. Encoding.UTF8.GetBytes("日本\n")];

        var verdict = Probe(mixed);

        Assert.False(verdict.IsCertain);
        Assert.NotEqual("utf-8", verdict.Name);
    }

    [Fact]
    public void The_line_of_a_zero_byte_is_known()
    {
        var probe = new EncodingProbe();
        probe.Add("a,b\r\n1,2\r\n3,"u8);
        probe.Add([0]);

        Assert.Equal(3, probe.ZeroByteLine);
    }

    [Fact]
    public void Where_the_file_is_cut_into_pieces_does_not_matter()
    {
        var bytes = TextEncodings.Get("windows-1251").GetBytes(Russian);
        var probe = new EncodingProbe();
        foreach (var b in bytes)
        {
            probe.Add([b]);
        }

        Assert.Equal("windows-1251", probe.Conclude().Name);
        Assert.Equal(bytes.Length, probe.Length);
    }

    private static EncodingVerdict Probe(byte[] bytes)
    {
        var probe = new EncodingProbe();
        probe.Add(bytes);
        return probe.Conclude();
    }
}
