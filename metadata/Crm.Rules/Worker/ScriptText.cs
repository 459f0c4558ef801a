using System.Collections;
using System.Reflection;
using Jint.Parser;
using Jint.Parser.Ast;

namespace Crm.Rules.Worker;

/// <summary>A rule's script as a function, and what can be said about it without running it.</summary>
internal sealed class ScriptText
{
    // On one line, so that the lines of the script keep their numbers.
    private const string Head = "(function (record, before, user, now, changed, refuse) { 'use strict'; ";
    private const string Tail = "\n})";

    private ScriptText(Jint.Parser.Ast.Program program) => Program = program;

    public Jint.Parser.Ast.Program Program { get; }

    /// <summary>Reads a script.</summary>
    /// <exception cref="ScriptProblem">It is not ES5, with the place.</exception>
    public static ScriptText Parse(string script)
    {
        Jint.Parser.Ast.Program program;
        try
        {
            program = new JavaScriptParser().Parse(Head + script + Tail);
        }
        catch (ParserException problem)
        {
            throw At(script, problem.LineNumber, problem.Column - 1, problem.Description);
        }

        // A brace too many would end the function early.
        var statement = program.Body.Count == 1 ? program.Body.First() as ExpressionStatement : null;
        if (statement?.Expression is not FunctionExpression)
        {
            throw new ScriptProblem("brace", "}", script.AsSpan().Count('\n') + 1, 1);
        }

        var text = new ScriptText(program);
        foreach (var node in Nodes(program))
        {
            // The parser takes them for "var", which they are not: they would mean something else than they say.
            if (node is VariableDeclaration { Kind: not "var" } declaration)
            {
                throw At(script, declaration.Location.Start.Line, declaration.Location.Start.Column, declaration.Kind);
            }
        }

        return text;
    }

    /// <summary>Names the script gives to the record, to refuse, or asks for among the changed fields, each with its place.</summary>
    public IEnumerable<(string Name, int Line, int Column)> Fields()
    {
        foreach (var node in Nodes(Program))
        {
            var named = node switch
            {
                MemberExpression { Computed: false, Object: Identifier { Name: "record" or "before" }, Property: Identifier property } => (property.Name, property),
                MemberExpression { Computed: true, Object: Identifier { Name: "record" or "before" }, Property: Literal { Value: string name } property } => (name, property),
                CallExpression { Callee: Identifier { Name: "refuse" } } call when call.Arguments.Skip(1).Any() && call.Arguments.First() is Literal { Value: string name } first => (name, first),
                CallExpression { Callee: MemberExpression { Object: Identifier { Name: "changed" }, Property: Identifier { Name: "includes" or "indexOf" } } } call
                    when call.Arguments.FirstOrDefault() is Literal { Value: string name } first => (name, first),
                _ => ((string, SyntaxNode)?)null,
            };
            if (named is var (field, place) && field != "hasOwnProperty")
            {
                yield return (field, place.Location.Start.Line, ColumnOf(place.Location.Start.Line, place.Location.Start.Column));
            }
        }
    }

    /// <summary>A place in the script, from one of the function around it, counted from one.</summary>
    public static int ColumnOf(int line, int column) => Math.Max((line == 1 ? column - Head.Length : column) + 1, 1);

    private static ScriptProblem At(string script, int line, int column, string what)
    {
        var lines = script.Split('\n');
        if (line > lines.Length)
        {
            // Something is still open where the script ends.
            return new ScriptProblem("end", "", lines.Length, lines[^1].TrimEnd('\r').Length + 1);
        }

        var at = ColumnOf(line, column);
        var text = lines[line - 1];
        var rest = text.AsSpan(Math.Min(at - 1, text.Length));
        // Where the parser stops is the second character of an arrow.
        var before = at > 1 && at - 2 < text.Length ? text[at - 2] : ' ';
        var kind = what is "let" or "const" ? "let"
            : rest.StartsWith(">") && before == '=' ? "arrow"
            : rest.StartsWith("`") ? "template"
            : rest.StartsWith("class") ? "class"
            : "syntax";
        return new ScriptProblem(kind, kind is "syntax" or "let" ? what : "", line, kind == "arrow" ? at - 1 : at);
    }

    private static IEnumerable<SyntaxNode> Nodes(SyntaxNode root)
    {
        var open = new Stack<SyntaxNode>([root]);
        var seen = new HashSet<SyntaxNode>(ReferenceEqualityComparer.Instance);
        while (open.TryPop(out var node))
        {
            if (!seen.Add(node))
            {
                continue;
            }

            yield return node;
            foreach (var member in node.GetType().GetFields(BindingFlags.Public | BindingFlags.Instance).Select(f => f.GetValue(node))
                .Concat(node.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.GetIndexParameters().Length == 0).Select(p => p.GetValue(node))))
            {
                if (member is SyntaxNode child)
                {
                    open.Push(child);
                }
                else if (member is IEnumerable several and not string)
                {
                    foreach (var one in several.OfType<SyntaxNode>())
                    {
                        open.Push(one);
                    }
                }
            }
        }
    }
}

/// <summary>What is wrong with a script, and where.</summary>
internal sealed class ScriptProblem(string kind, string what, int? line, int? column) : Exception(what)
{
    public string Kind => kind;

    public int? Line => line;

    public int? Column => column;
}
