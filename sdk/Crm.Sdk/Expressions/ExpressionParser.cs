using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Crm.Sdk;

/// <summary>Reads and checks an expression in one pass, by precedence climbing.</summary>
internal sealed class ExpressionParser
{
    private const int Or = 1;
    private const int And = 2;
    private const int Not = 3;
    private const int Comparison = 4;
    private const int Join = 5;
    private const int Sum = 6;
    private const int Product = 7;
    private const int Sign = 8;

    private readonly ExpressionScope scope;
    private readonly List<Token> tokens;
    private int next;
    private int depth;

    public ExpressionParser(string text, ExpressionScope scope)
    {
        this.scope = scope;
        tokens = ExpressionTokens.Read(text);
    }

    private Token Current => tokens[next];

    public Expression Parse()
    {
        var expression = Read(0);
        return Current.Kind == TokenKind.End ? expression : throw Fail(Current, "ExprUnexpected", Current.Text);
    }

    private static ExpressionException Fail(Token at, string text, params ReadOnlySpan<object?> arguments) => ExpressionException.At(at.Position, text, arguments);

    private Expression Read(int binding)
    {
        if (++depth > Expression.MaxDepth)
        {
            throw Fail(Current, "ExprDepth", Expression.MaxDepth);
        }

        var left = Prefix();
        while (Binding(Current) is var power && power > binding)
        {
            left = Infix(left, power);
        }

        depth--;
        return left;
    }

    private int Binding(Token token) => token switch
    {
        { Kind: TokenKind.Symbol, Text: "*" or "/" } => Product,
        { Kind: TokenKind.Symbol, Text: "+" or "-" } => Sum,
        { Kind: TokenKind.Symbol, Text: "&" } => Join,
        { Kind: TokenKind.Symbol, Text: "=" or "==" or "<>" or "!=" or "<" or "<=" or ">" or ">=" } => Comparison,
        { Kind: TokenKind.Word, Text: "in" or "is" } => Comparison,
        { Kind: TokenKind.Word, Text: "not" } when tokens[next + 1] is { Kind: TokenKind.Word, Text: "in" } => Comparison,
        { Kind: TokenKind.Word, Text: "and" } => And,
        { Kind: TokenKind.Word, Text: "or" } => Or,
        _ => 0,
    };

    private Expression Infix(Expression left, int power)
    {
        var token = Take();
        if (token.Text == "is")
        {
            var negated = TakeIf("not");
            Expect("empty");
            return Negate(ExpressionFunction.Bind("is_empty", [left], token.Position), negated, token);
        }

        if (token.Text is "in" or "not")
        {
            if (token.Text == "not")
            {
                Take();
            }

            return Negate(ExpressionFunction.Bind("in", [left, .. List()], token.Position), token.Text == "not", token);
        }

        var right = Read(power);
        var name = token.Text switch { "==" => "=", "!=" => "<>", var symbol => symbol };
        return ExpressionFunction.Bind(name, [left, right], token.Position);
    }

    private static Expression Negate(Expression expression, bool negated, Token at) => negated ? ExpressionFunction.Bind("not", [expression], at.Position) : expression;

    private Expression Prefix()
    {
        var token = Take();
        switch (token.Kind)
        {
            case TokenKind.Number:
                return new Expression.Literal(ExpressionType.Number, token.Value, token.Position);
            case TokenKind.Text:
                return token.Text.Length == 0
                    ? new Expression.Literal(ExpressionType.Empty, null, token.Position)
                    : new Expression.Literal(ExpressionType.Text, token.Text, token.Position);
            case TokenKind.Symbol when token.Text == "(":
                var inner = Read(0);
                Expect(")");
                return inner;
            case TokenKind.Symbol when token.Text == "-":
                return ExpressionFunction.Bind("negate", [Read(Sign)], token.Position);
            case TokenKind.Word when token.Text == "not":
                return ExpressionFunction.Bind("not", [Read(Not)], token.Position);
            case TokenKind.Word when token.Text is "true" or "yes" or "false" or "no":
                return new Expression.Literal(ExpressionType.YesNo, token.Text is "true" or "yes", token.Position);
            case TokenKind.Word when token.Text is "empty" or "null":
                return new Expression.Literal(ExpressionType.Empty, null, token.Position);
            case TokenKind.Word when Current is { Kind: TokenKind.Symbol, Text: "(" }:
                return Function(token);
            case TokenKind.Word:
                return Field(token);
            case TokenKind.End:
                throw Fail(token, "ExprEnd");
            default:
                throw Fail(token, "ExprUnexpected", token.Text);
        }
    }

    private Expression Function(Token name)
    {
        if (name.Text is "today" or "now" && !scope.AllowsNow)
        {
            throw Fail(name, "ExprNow", name.Text);
        }

        return ExpressionFunction.Bind(name.Text, List(), name.Position);
    }

    private Expression.Field Field(Token name)
    {
        var path = scope.Find(name.Text) ?? throw Fail(name, "ExprField", scope.Entity.Label, name.Text);
        if (path.Steps.Length > scope.MaxLookups)
        {
            throw Fail(name, scope.MaxLookups == 0 ? "ExprLookup" : "ExprLookupFar", name.Text, scope.MaxLookups, path.Steps[^1].Label);
        }

        ExpressionType type = path.Field.Type.Columns.ElementAtOrDefault(path.Part)?.Storage switch
        {
            StorageKind.Text => ExpressionType.Text,
            StorageKind.Integer or StorageKind.Decimal => ExpressionType.Number,
            StorageKind.Boolean => ExpressionType.YesNo,
            StorageKind.Date => ExpressionType.Date,
            StorageKind.Instant => ExpressionType.Instant,
            StorageKind.Reference => ExpressionType.Reference,
            StorageKind.TextList => ExpressionType.List,
            _ => throw Fail(name, "ExprStorage", path.Field.Label, path.Field.Type.Name),
        };
        return new Expression.Field(path, type, name.Position);
    }

    private ImmutableArray<Expression> List()
    {
        Expect("(");
        var items = ImmutableArray.CreateBuilder<Expression>();
        if (!TakeIf(")"))
        {
            do
            {
                items.Add(Read(0));
            }
            while (TakeIf(",") || TakeIf(";"));
            Expect(")");
        }

        return items.ToImmutable();
    }

    private Token Take() => Current.Kind == TokenKind.End ? Current : tokens[next++];

    private bool TakeIf(string text)
    {
        var found = Current.Kind is TokenKind.Symbol or TokenKind.Word && Current.Text == text;
        next += found ? 1 : 0;
        return found;
    }

    private void Expect(string text)
    {
        if (!TakeIf(text))
        {
            throw Current.Kind == TokenKind.End ? Fail(Current, "ExprMissing", text) : Fail(Current, "ExprExpected", text, Current.Text);
        }
    }
}

/// <summary>Takes a text apart into words, numbers, texts and symbols.</summary>
internal static class ExpressionTokens
{
    private static readonly string[] Symbols = ["<=", ">=", "<>", "!=", "==", "=", "<", ">", "+", "-", "*", "/", "&", "(", ")", ",", ";"];

    public static List<Token> Read(string text)
    {
        if (text.Length > Expression.MaxLength)
        {
            throw ExpressionException.At(Expression.MaxLength, "ExprLength", Expression.MaxLength);
        }

        var tokens = new List<Token>();
        var at = 0;
        while (at < text.Length)
        {
            if (char.IsWhiteSpace(text[at]))
            {
                at++;
                continue;
            }

            tokens.Add(text[at] switch
            {
                '"' or '\'' => Quoted(text, ref at),
                >= '0' and <= '9' => Number(text, ref at),
                >= 'a' and <= 'z' or >= 'A' and <= 'Z' or '_' => Word(text, ref at),
                _ => Symbol(text, ref at),
            });
        }

        tokens.Add(new Token(TokenKind.End, "", text.Length + 1));
        // Looking one ahead must not leave the list.
        tokens.Add(tokens[^1]);
        return tokens;
    }

    private static Token Quoted(string text, ref int at)
    {
        var (start, quote) = (at, text[at]);
        var content = new StringBuilder();
        for (at++; at < text.Length; at++)
        {
            if (text[at] != quote)
            {
                content.Append(text[at]);
            }
            else if (at + 1 < text.Length && text[at + 1] == quote)
            {
                // A quote is written twice within a text.
                content.Append(text[at++]);
            }
            else
            {
                at++;
                var result = content.ToString();
                return result.Contains('\0', StringComparison.Ordinal) || !SingleTextType.IsUnicode(result)
                    ? throw ExpressionException.At(start + 1, "ExprCharacter")
                    : new Token(TokenKind.Text, result, start + 1);
            }
        }

        throw ExpressionException.At(start + 1, "ExprQuote");
    }

    private static Token Number(string text, ref int at)
    {
        var start = at;
        while (at < text.Length && (char.IsAsciiDigit(text[at]) || text[at] == '.'))
        {
            at++;
        }

        var word = text[start..at];
        return decimal.TryParse(word, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value) && value <= Expression.MaxNumber
            ? new Token(TokenKind.Number, word, start + 1) { Value = value }
            : throw ExpressionException.At(start + 1, "ExprNumber", word.Length > 40 ? word[..40] : word);
    }

    private static Token Word(string text, ref int at)
    {
        var start = at;
        while (at < text.Length && (char.IsAsciiLetterOrDigit(text[at]) || text[at] is '_' or '.'))
        {
            at++;
        }

        // Names of fields and functions are lower case, so that capitals can only be somebody's way of writing them.
        return new Token(TokenKind.Word, text[start..at].ToLowerInvariant(), start + 1);
    }

    private static Token Symbol(string text, ref int at)
    {
        foreach (var symbol in Symbols)
        {
            if (string.CompareOrdinal(text, at, symbol, 0, symbol.Length) == 0)
            {
                at += symbol.Length;
                return new Token(TokenKind.Symbol, symbol, at - symbol.Length + 1);
            }
        }

        throw ExpressionException.At(at + 1, "ExprSymbol", char.IsSurrogate(text[at]) ? "?" : text[at].ToString());
    }
}

internal enum TokenKind
{
    Number,
    Text,
    Word,
    Symbol,
    End,
}

/// <param name="Kind">What it is.</param>
/// <param name="Text">Its text; of a quoted one what lies between the quotes.</param>
/// <param name="Position">Where it begins; the first character is 1.</param>
internal sealed record Token(TokenKind Kind, string Text, int Position)
{
    public decimal Value { get; init; }
}

/// <summary>Carries what is wrong out of the parser; never leaves <see cref="Expression.TryParse"/>.</summary>
internal sealed class ExpressionException(ExpressionError error) : Exception(error.Message)
{
    public ExpressionError Error { get; } = error;

    public static ExpressionException At(int position, string text, params ReadOnlySpan<object?> arguments) =>
        new(new ExpressionError(position, Texts.Of("ExprAt", position, Texts.Of(text, arguments))));
}
