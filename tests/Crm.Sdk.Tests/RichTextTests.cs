namespace Crm.Sdk.Tests;

public sealed class RichTextTests
{
    public static TheoryData<string, string?> Cleaned => new()
    {
        { "<script>alert(1)</script>Hi", "Hi" },
        { "<p onclick=\"alert(1)\" style=\"color:red\">Hi</p>", "<p>Hi</p>" },
        { "<img src=x onerror=alert(1)>Hi", "Hi" },
        { "<a href=\"javascript:alert(1)\">Hi</a>", "Hi" },
        { "<a href=\" jAvAsCrIpT:alert(1)\">Hi</a>", "Hi" },
        { "<a href=\"java\nscript:alert(1)\">Hi</a>", "Hi" },
        { "<a href=\"data:text/html,x\">Hi</a>", "Hi" },
        { "<a href=\"https://example.com/?a=1&b=2\" target=x onclick=y>Hi</a>", "<a href=\"https://example.com/?a=1&amp;b=2\" rel=\"noopener noreferrer\">Hi</a>" },
        { "<a href=\"mailto:kim@example.com\">Kim</a>", "<a href=\"mailto:kim@example.com\" rel=\"noopener noreferrer\">Kim</a>" },
        { "<svg><script>alert(1)</script><p>x</p></svg>Hi", "<p>x</p>Hi" },
        { "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>Hi", "Hi" },
        { "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\"></noscript>Hi", null },
        { "<form><input name=a><button>Send</button></form>", "Send" },
        { "<iframe src=https://example.com></iframe>Hi", "Hi" },
        { "<style>p{}</style><title>x</title>Hi", "Hi" },
        { "<!-- <b>no</b> --><b>yes</b>", "<strong>yes</strong>" },
        { "a < b & c > d", "a &lt; b &amp; c &gt; d" },
        { "&lt;script&gt;alert(1)&lt;/script&gt;", "&lt;script&gt;alert(1)&lt;/script&gt;" },
        { "<div>one</div><div>two<br></div>", "<p>one</p><p>two<br></p>" },
        { "<div><div>one</div><ul><li>two</li></ul></div>", "<p>one</p><ul><li>two</li></ul>" },
        { "<h1>Big</h1><h6>Small</h6>", "<h2>Big</h2><h4>Small</h4>" },
        { "<i>a</i><strike>b</strike><x-y>c</x-y>", "<em>a</em><s>b</s>c" },
        { "<span style=\"color: red; font-weight: bold\">a</span><span style=\"FONT-STYLE:italic\">b</span><span style=\"text-decoration-line: underline\">c</span><span>d</span>", "<strong>a</strong><em>b</em><u>c</u>d" },
        { "<p></p><p>&nbsp;</p>", null },
        { "<script>alert(1)</script>", null },
        { "<hr>", "<hr>" },
        { "<table><tr><td></td><td>x</td></tr></table>", "<table><tbody><tr><td></td><td>x</td></tr></tbody></table>" },
    };

    [Theory]
    [MemberData(nameof(Cleaned))]
    public void Only_what_is_harmless_is_left(string html, string? expected) => Assert.Equal(expected, RichText.Clean(html));

    [Theory]
    [MemberData(nameof(Cleaned))]
    public void Cleaning_twice_changes_nothing_more(string html, string? expected) =>
        Assert.Equal(expected, expected is null ? RichText.Clean(html) : RichText.Clean(RichText.Clean(html)!));

    [Fact]
    public void Text_nested_without_end_is_kept_without_its_nesting()
    {
        var html = string.Concat(Enumerable.Repeat("<blockquote>", 90)) + "deep";
        var cleaned = RichText.Clean(html);
        Assert.NotNull(cleaned);
        Assert.InRange(cleaned.Split("<blockquote>").Length, 2, 40);
        Assert.Equal("deep", RichText.ToText(cleaned));
    }

    [Theory]
    [InlineData("<b>")]
    [InlineData("<div><i></p>")]
    [InlineData("<blockquote>")]
    [InlineData("<br>")]
    public void What_would_keep_a_browser_busy_is_taken_as_plain_text(string piece)
    {
        var html = string.Concat(Enumerable.Repeat(piece, 100_000 / piece.Length)) + "end";
        var node = Assert.Single(RichText.Parse(html));
        Assert.Equal(html, node.Text);
        Assert.DoesNotContain(piece, RichText.Clean(html), StringComparison.Ordinal);
    }

    [Fact]
    public void A_long_list_without_end_tags_is_read()
    {
        var html = "<ul>" + string.Concat(Enumerable.Range(1, 2_000).Select(i => $"<li>{i}")) + "</ul>";
        Assert.Equal(2_000, Assert.Single(RichText.Parse(html)).Children.Length);
    }

    [Fact]
    public void The_text_without_formatting_has_a_line_per_block() =>
        Assert.Equal("Title\nOne & two\na\nb", RichText.ToText("<h2>Title</h2><p>One &amp; <em>two</em></p><ul><li>a</li><li>b</li></ul>"));
}
