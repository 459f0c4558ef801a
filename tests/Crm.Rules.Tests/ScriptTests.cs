namespace Crm.Rules.Tests;

public sealed class ScriptTests(Pool pool) : IClassFixture<Pool>
{
    [Fact]
    public async Task A_script_sees_the_record_and_says_what_it_sets_and_refuses()
    {
        Assert.Equal("note=\"hello 5\"", await pool.SetsAsync("record.note = record.title + ' ' + (record.amount + before.amount);"));
        Assert.Equal("note=\"Ada true 2026\"", await pool.SetsAsync("record.note = user.name + ' ' + user.is_administrator + ' ' + new Date(now).getUTCFullYear();"));
        Assert.Equal("note=\"2026-11-22T09:00:00Z\"", await pool.SetsAsync("record.note = new Date(now);"));
        Assert.Equal("tags=[\"x\",\"y\"]", await pool.SetsAsync("if (changed.includes('amount')) { record.tags.push('y'); }"));
        Assert.Equal("title=null", await pool.SetsAsync("delete record.title; return; record.note = 'never';"));
        Assert.Equal("", await pool.SetsAsync("record.amount = 3; record.tags = ['x']; record.note = undefined; before.amount = 9;"));

        var refusing = await pool.RunAsync("refuse('amount', 'Too little.'); refuse('Not like this.');");
        Assert.Equal([("amount", "Too little."), (null, "Not like this.")], refusing.Refused.ToArray());
        Assert.Empty(refusing.Set);
    }

    [Fact]
    public async Task The_library_adds_what_es5_lacks()
    {
        Assert.Equal("note=\"007|7..|true|true|true|ab|2|-1|3\"", await pool.SetsAsync(
            """
            record.note = ['7'.padStart(3, '0'), '7'.padEnd(3, '.'), 'abc'.includes('b'), 'abc'.startsWith('ab'), 'abc'.endsWith('bc'), Object.keys(Object.assign({}, { a: 1 }, { b: 2 })).join(''),
                [1, 2, 3].find(function (n) { return n > 1; }), [1].findIndex(function (n) { return n > 1; }), Math.trunc(3.7)].join('|');
            """));
    }

    [Fact]
    public async Task Numbers_a_script_does_not_touch_keep_all_their_digits() => Assert.Equal("note=\"1\"", await pool.SetsAsync("record.note = '1'; var same = record.exact;"));

    [Theory]
    [InlineData("let x = 1;", ScriptFailureKind.Let, 1, 1)]
    [InlineData("var a = 1;\n  const b = 2;", ScriptFailureKind.Let, 2, 3)]
    [InlineData("for (let i = 0; i < 3; i++) {}", ScriptFailureKind.Let, 1, 6)]
    [InlineData("var f = (a) => a;", ScriptFailureKind.Arrow, 1, 13)]
    [InlineData("\n\nvar s = `a`;", ScriptFailureKind.Template, 3, 9)]
    [InlineData("class A {}", ScriptFailureKind.Class, 1, 1)]
    [InlineData("if (record.a) {\n", ScriptFailureKind.End, 2, 1)]
    [InlineData("var x = 1;\n  y ===== 2;", ScriptFailureKind.Syntax, 2, 8)]
    [InlineData("}); (function () {", ScriptFailureKind.Brace, 1, 1)]
    public async Task A_script_that_cannot_be_read_is_refused_with_line_and_column(string script, ScriptFailureKind kind, int line, int column)
    {
        var failure = (await pool.Workers.CheckAsync(script)).Failure;
        Assert.Equal((kind, line, column), (failure!.Kind, failure.Line, failure.Column));
    }

    [Fact]
    public async Task A_check_names_the_fields_with_their_places()
    {
        var check = await pool.Workers.CheckAsync("record.note = before.title + record['amount']; // record.gone\nrefuse('exact', 'no'); changed.includes('tags');");
        Assert.Null(check.Failure);
        Assert.Equal([("amount", 1, 37), ("exact", 2, 8), ("note", 1, 8), ("tags", 2, 41), ("title", 1, 22)], check.Fields.OrderBy(f => f.Name, StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("\n  record.note.length;", ScriptFailureKind.Error, 2)]
    [InlineData("throw new Error('no way');", ScriptFailureKind.Error, 1)]
    [InlineData("forgotten = 1;", ScriptFailureKind.Error, 1)]
    [InlineData("record.note = function () {};", ScriptFailureKind.Value, null)]
    [InlineData("record.note = 0 / 0;", ScriptFailureKind.Value, null)]
    [InlineData("var a = {}; a.a = a; record.note = a;", ScriptFailureKind.Value, null)]
    public async Task A_script_that_fails_sets_nothing_and_says_where(string script, ScriptFailureKind kind, int? line)
    {
        var answer = await pool.RunAsync("record.amount = 9; " + script);
        Assert.Equal((kind, line), (answer.Failure?.Kind, answer.Failure?.Line));
        Assert.Empty(answer.Set);
    }

    [Fact]
    public async Task The_words_of_an_error_are_told()
    {
        Assert.Equal("Error: no way", (await pool.RunAsync("throw new Error('no way');")).Failure!.What);
        Assert.Equal("plain", (await pool.RunAsync("throw 'plain';")).Failure!.What);
        Assert.Contains("nope", (await pool.RunAsync("nope();")).Failure!.What, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Many_records_are_answered_in_their_order()
    {
        var answers = await pool.RunManyAsync("if (record.amount % 2 === 0) { record.amount = record.amount * 10; }", 1000);
        Assert.Equal(1000, answers.Length);
        Assert.Equal(Enumerable.Range(1, 500).Select(i => i * 20L), answers.Where(a => !a.Set.IsEmpty).Select(Pool.Number));
    }
}
