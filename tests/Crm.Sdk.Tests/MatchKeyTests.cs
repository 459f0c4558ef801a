namespace Crm.Sdk.Tests;

public sealed class MatchKeyTests
{
    [Theory]
    [InlineData("+49 171 1234567", "DE", "+491711234567")]
    [InlineData("0171 1234567", "DE", "+491711234567")]
    [InlineData("0171/1234567", "DE", "+491711234567")]
    [InlineData("(0171) 123-45-67", "DE", "+491711234567")]
    [InlineData("+49 (0)171 1234567", null, "+491711234567")]
    [InlineData("0049 171 1234567", "DE", "+491711234567")]
    [InlineData("0049 171 1234567", null, "+491711234567")]
    [InlineData("00 49 171 1234567", "FR", "+491711234567")]
    [InlineData("011 49 171 1234567", "US", "+491711234567")]
    [InlineData("44 20 7946 0018", "GB", "+442079460018")]
    [InlineData("０１７１ １２３４５６７", "DE", "+491711234567")]
    [InlineData("(212) 555-0100", "US", "+12125550100")]
    [InlineData("1-212-555-0100", "US", "+12125550100")]
    [InlineData("212.555.0100 x12", "US", "+12125550100")]
    [InlineData("212-555-0100 ext. 12", "US", "+12125550100")]
    [InlineData("020 7946 0018", "GB", "+442079460018")]
    [InlineData("06 12 34 56 78", "FR", "+33612345678")]
    [InlineData("06 698 12345", "IT", "+390669812345")]
    [InlineData("+39 06 698 12345", "DE", "+390669812345")]
    [InlineData("612 345 678", "ES", "+34612345678")]
    [InlineData("8 (912) 345-67-89", "RU", "+79123456789")]
    [InlineData("06 30 123 4567", "HU", "+36301234567")]
    [InlineData("044 668 18 00", "CH", "+41446681800")]
    [InlineData("011 15 2345-6789", "AR", "+5491123456789")]
    [InlineData("0 15 11 91234-5678", "BR", "+5511912345678")]
    [InlineData("464-1234", "AG", "+12684641234")]
    [InlineData("+800 1234 5678", null, "+80012345678")]
    [InlineData("0171 1234567", null, "01711234567")]
    [InlineData("0171 1234567", "ZZ", "01711234567")]
    [InlineData("555-0100", "US", "5550100")]
    [InlineData("110", "DE", "110")]
    [InlineData("+999 12345", "DE", "99912345")]
    public void Notations_of_a_phone_number_share_a_key(string text, string? country, string key) => Assert.Equal(key, MatchKeys.Phone(text, country));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("+")]
    [InlineData("call me")]
    public void A_text_without_digits_has_no_phone_key(string? text) => Assert.Null(MatchKeys.Phone(text, "DE"));

    [Fact]
    public void A_number_longer_than_any_of_the_public_network_is_its_digits() =>
        Assert.Equal(new string('1', 200), MatchKeys.Phone("+" + new string('1', 200), "US"));

    [Theory]
    [InlineData("Anna.Meyer+news@Acme.COM", "anna.meyer+news@acme.com")]
    [InlineData("  anna@acme.com ", "anna@acme.com")]
    [InlineData("info@Müller.de", "info@xn--mller-kva.de")]
    [InlineData("info@xn--mller-kva.de", "info@xn--mller-kva.de")]
    [InlineData("\"a@b\"@acme.com", "\"a@b\"@acme.com")]
    [InlineData("anna@acme.com.", "anna@acme.com")]
    [InlineData("acme.com", null)]
    [InlineData("@acme.com", null)]
    [InlineData("anna@", null)]
    [InlineData("anna@acme", null)]
    [InlineData("anna meyer@acme.com", null)]
    [InlineData("a@b.c<script>", null)]
    public void Notations_of_an_email_address_share_a_key(string text, string? key) => Assert.Equal(key, MatchKeys.Email(text));

    [Theory]
    [InlineData("https://www.Acme.com/about?x=1#top", "acme.com")]
    [InlineData("acme.com", "acme.com")]
    [InlineData("http://user:pass@acme.com:8080/", "acme.com")]
    [InlineData("anna@mail.acme.com", "acme.com")]
    [InlineData("mail.example.co.uk", "example.co.uk")]
    [InlineData("https://shop.example.CO.UK./x", "example.co.uk")]
    [InlineData("co.uk", "co.uk")]
    [InlineData("anna@b.c.kobe.jp", "b.c.kobe.jp")]
    [InlineData("www.city.kobe.jp", "city.kobe.jp")]
    [InlineData("www.www.ck", "www.ck")]
    [InlineData("a.b.test.ck", "b.test.ck")]
    [InlineData("www.食狮.公司.cn", "xn--85x722f.xn--55qx5d.cn")]
    [InlineData("anna.github.io", "anna.github.io")]
    [InlineData("a.b.unheardof", "b.unheardof")]
    [InlineData("@acme.com", "acme.com")]
    [InlineData("www.com", "www.com")]
    [InlineData("http://bücher.example", "xn--bcher-kva.example")]
    [InlineData("http://127.0.0.1:5000", "127.0.0.1")]
    [InlineData("localhost", null)]
    [InlineData("javascript:alert(1)", null)]
    [InlineData("https://", null)]
    [InlineData("a..b", "a..b")]
    [InlineData("not a host.com", null)]
    public void Addresses_of_one_host_share_a_key(string text, string? key) => Assert.Equal(key, MatchKeys.Domain(text));

    [Theory]
    [InlineData("Acme GmbH", "acme")]
    [InlineData("  ACME   G.m.b.H. ", "acme")]
    [InlineData("Acme GmbH & Co. KG", "acme")]
    [InlineData("Acme Inc.", "acme")]
    [InlineData("Acme, Ltd", "acme")]
    [InlineData("Acme S.p.A.", "acme")]
    [InlineData("Acme Sp. z o.o.", "acme")]
    [InlineData("Acme Pty Ltd", "acme")]
    [InlineData("Müller & Söhne OHG", "muller sohne")]
    [InlineData("Straßenbau Łódź A/S", "strassenbau lodz a s")]
    [InlineData("O’Neill", "oneill")]
    [InlineData("GmbH", "gmbh")]
    [InlineData("Limited Editions", "limited editions")]
    [InlineData("日本電気", "日本電気")]
    [InlineData("株式会社 ＡＢＣ", "株式会社 abc")]
    [InlineData("!!!", null)]
    public void Spellings_of_a_name_share_a_key(string text, string? key) => Assert.Equal(key, MatchKeys.Name(text));

    [Fact]
    public void Half_a_character_gives_no_key()
    {
        // An attribute cannot hold one.
        foreach (var half in new[] { "a\uD800@acme.com", "\uDC00.com", "\0\uD800" })
        {
            Assert.Null(MatchKeys.Phone(half, "DE"));
            Assert.Null(MatchKeys.Email(half));
            Assert.Null(MatchKeys.Domain(half));
            Assert.Null(MatchKeys.Name(half));
        }
    }

    [Fact]
    public void A_key_is_never_longer_than_an_index_takes()
    {
        Assert.True(MatchKeys.Name(new string('ﷺ', 2000))!.Length <= 255);
        Assert.Null(MatchKeys.Name(new string('a', MatchKeys.MaxText + 1)));
        Assert.Null(MatchKeys.Email(new string('a', 400) + "@acme.com"));
        Assert.Null(MatchKeys.Domain(new string('a', 300) + ".com"));
    }

    [Theory]
    [InlineData("0", 255)]
    [InlineData("15", 120)]
    [InlineData("gmbh ", 400)]
    [InlineData("a\u0300", 1000)]
    [InlineData("xn--", 60)]
    [InlineData("@.", 1000)]
    [InlineData("\u202E+", 100)]
    [InlineData("\uD83D\uDE00", 500)]
    public void A_hostile_text_gives_a_short_key_or_none(string part, int times)
    {
        var text = string.Concat(Enumerable.Repeat(part, times));
        Assert.All(
            [MatchKeys.Phone(text, "AR"), MatchKeys.Email(text), MatchKeys.Domain(text), MatchKeys.Name(text)],
            key => Assert.True(key is null or { Length: > 0 and <= 320 }));
    }

    [Fact]
    public void Every_key_is_its_own_key()
    {
        foreach (var text in new[] { "0171 1234567", "+1 212 555 0100", "011 15 2345-6789" })
        {
            foreach (var country in new[] { "DE", "US", "AR", "IT" })
            {
                var key = MatchKeys.Phone(text, country)!;
                Assert.Equal(key, MatchKeys.Phone(key, country));
            }
        }

        Assert.True(MatchKeys.IsPhoneCountry("DE"));
        Assert.False(MatchKeys.IsPhoneCountry("de"));
        Assert.False(MatchKeys.IsPhoneCountry("001"));
    }
}
