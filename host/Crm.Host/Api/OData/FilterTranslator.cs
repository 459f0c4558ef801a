using System.Collections.Immutable;
using System.Globalization;
using Crm.Sdk;
using Microsoft.OData.Edm;
using Microsoft.OData.UriParser;

namespace Crm.Host.Api.OData;

/// <summary>Turns a parsed <c>$filter</c> into a <see cref="Filter"/>.</summary>
internal sealed class FilterTranslator(ODataSet set, TimeProvider time, RangeVariable? variable = null, string prefix = "")
{
    public Filter Translate(QueryNode node)
    {
        var plain = Paths.Plain(node);
        switch (plain)
        {
            case BinaryOperatorNode { OperatorKind: BinaryOperatorKind.And or BinaryOperatorKind.Or } binary:
                return Join(binary);
            case BinaryOperatorNode binary:
                return Compare(binary);
            case UnaryOperatorNode { OperatorKind: UnaryOperatorKind.Not } not:
                return new Filter.Not(Translate(not.Operand));
            case SingleValueFunctionCallNode { Name: "contains" or "startswith" or "endswith" or Functions.Matches } call:
                return Text(call);
            case SingleValueFunctionCallNode { Name: Functions.Mine } call:
                return new Filter.Mine(Path(call.Parameters.First()).Path);
            case SingleValueFunctionCallNode { Name: Functions.During } call:
                return During([.. call.Parameters]);
            case InNode isIn:
                return In(isIn);
            case LambdaNode { Source: CollectionNavigationNode source } lambda:
                return Linked(source, lambda);
            case LambdaNode { Source: CollectionComplexNode source } lambda when TryPath(source) is { Property.Field.Type: AddressesType } path:
                return Addresses(path, lambda);
            case AnyNode any:
                return AnyOfList(any);
            case ConstantNode { Value: bool value }:
                return value ? Filter.AllOf() : Filter.AnyOf();
            case SingleValuePropertyAccessNode property:
                return Filter.Equal(Path(property).Path, true);
            case SingleValueFunctionCallNode call:
                throw Unsupported.Expression($"The function {call.Name}() cannot be used like this in $filter");
            default:
                throw Unsupported.Expression($"This kind of condition ({plain.Kind}) cannot be used in $filter");
        }
    }

    // Long chains of "or" lean to the left; they become one flat list.
    private Filter Join(BinaryOperatorNode top)
    {
        var filters = new List<Filter>();
        var rest = new Stack<QueryNode>([top.Right, top.Left]);
        while (rest.TryPop(out var next))
        {
            if (Paths.Plain(next) is BinaryOperatorNode binary && binary.OperatorKind == top.OperatorKind)
            {
                rest.Push(binary.Right);
                rest.Push(binary.Left);
            }
            else
            {
                filters.Add(Translate(next));
            }
        }

        return top.OperatorKind == BinaryOperatorKind.And ? new Filter.All([.. filters]) : new Filter.Any([.. filters]);
    }

    private Filter Compare(BinaryOperatorNode node)
    {
        var (left, right, kind) = (Paths.Plain(node.Left), Paths.Plain(node.Right), node.OperatorKind);
        if (left is ConstantNode || left is SingleValueFunctionCallNode { Name: "now" })
        {
            (left, right, kind) = (right, left, Flip(kind));
        }

        if (left is SingleValueFunctionCallNode { Name: "year" or "date" } part)
        {
            return Period(part, kind, right);
        }

        if (left is SingleValueFunctionCallNode { Name: "contains" or "startswith" or "endswith" or Functions.Matches or Functions.Mine or Functions.During } && right is ConstantNode { Value: bool expected }
            && kind is BinaryOperatorKind.Equal or BinaryOperatorKind.NotEqual)
        {
            var filter = Translate(left);
            return expected == (kind == BinaryOperatorKind.Equal) ? filter : new Filter.Not(filter);
        }

        if (left is SingleValueFunctionCallNode { Name: "tolower" or "toupper" } cased && kind is BinaryOperatorKind.Equal or BinaryOperatorKind.NotEqual)
        {
            return AnyCase(cased, kind, right);
        }

        if (left is SingleValueFunctionCallNode call)
        {
            throw Unsupported.Expression($"The function {call.Name}() cannot be compared with {kind}");
        }

        var property = TryPath(left) ?? throw Unsupported.Expression("A comparison needs a property on one side and a value on the other");
        return new Filter.Compare(property.Path, Operator(kind), Value(right, property));
    }

    // tolower(name) eq 'acme' asks for the same text in any case. A text that is not in that case can never be met.
    private Filter AnyCase(SingleValueFunctionCallNode cased, BinaryOperatorKind kind, QueryNode other)
    {
        var property = TryPath(Paths.AnyCase(cased)) ?? throw Unsupported.Expression($"{cased.Name}() needs a property");
        if (Paths.AnyCase(other) is not ConstantNode { Value: string text })
        {
            throw Unsupported.Expression($"{cased.Name}() can be compared with a text in quotes");
        }

        Filter same = other is SingleValueFunctionCallNode || text == (cased.Name == "tolower" ? text.ToLowerInvariant() : text.ToUpperInvariant())
            ? new Filter.Compare(property.Path, FilterOperator.EqualAnyCase, text)
            : Filter.AnyOf();
        return kind == BinaryOperatorKind.Equal ? same : new Filter.Not(same);
    }

    // A part of a date compared is a comparison with the borders of the period, which an index can answer.
    private Filter Period(SingleValueFunctionCallNode part, BinaryOperatorKind kind, QueryNode other)
    {
        var property = Path(part.Parameters.First());
        DateOnly start, end;
        if (part.Name == "year")
        {
            if (other is not ConstantNode { Value: int year } || year is < 1 or > 9998)
            {
                throw Unsupported.Expression("year() can be compared with a year from 1 to 9998");
            }

            (start, end) = (new DateOnly(year, 1, 1), new DateOnly(year + 1, 1, 1));
        }
        else
        {
            if (other is not ConstantNode { Value: Date date } || date.Year > 9998)
            {
                throw Unsupported.Expression("date() can be compared with a date such as 2026-11-21");
            }

            start = new DateOnly(date.Year, date.Month, date.Day);
            end = start.AddDays(1);
        }

        Filter At(FilterOperator op, DateOnly border) => new Filter.Compare(
            property.Path, op, property.Property.Column.Storage == StorageKind.Instant ? Midnight(border) : border);
        return kind switch
        {
            BinaryOperatorKind.Equal => Filter.AllOf(At(FilterOperator.GreaterOrEqual, start), At(FilterOperator.Less, end)),
            BinaryOperatorKind.NotEqual => new Filter.Not(Filter.AllOf(At(FilterOperator.GreaterOrEqual, start), At(FilterOperator.Less, end))),
            BinaryOperatorKind.LessThan => At(FilterOperator.Less, start),
            BinaryOperatorKind.LessThanOrEqual => At(FilterOperator.Less, end),
            BinaryOperatorKind.GreaterThan => At(FilterOperator.GreaterOrEqual, end),
            BinaryOperatorKind.GreaterThanOrEqual => At(FilterOperator.GreaterOrEqual, start),
            _ => throw Unsupported.Expression($"{part.Name}() cannot be used with {kind}"),
        };
    }

    private Filter.Compare Text(SingleValueFunctionCallNode call)
    {
        var parameters = call.Parameters.ToImmutableArray();
        var property = TryPath(Paths.AnyCase(parameters[0])) ?? throw Unsupported.Expression($"{call.Name}() needs a property first");
        if (Paths.AnyCase(parameters[1]) is not ConstantNode { Value: string text })
        {
            throw Unsupported.Expression($"{call.Name}() needs a text in quotes second");
        }

        var op = call.Name switch
        {
            "contains" => FilterOperator.Contains,
            "startswith" => FilterOperator.StartsWith,
            Functions.Matches => FilterOperator.Matches,
            _ => FilterOperator.EndsWith,
        };
        return new Filter.Compare(property.Path, op, text);
    }

    private Filter.In In(InNode node)
    {
        var property = TryPath(node.Left) ?? throw Unsupported.Expression("in needs a property on its left");
        if (node.Right is not CollectionConstantNode list)
        {
            throw Unsupported.Expression("in needs a list of values in parentheses on its right");
        }

        return new Filter.In(property.Path, [.. list.Collection.Select(c => Value(c, property))]);
    }

    private Filter.During During(ImmutableArray<QueryNode> parameters)
    {
        if (Paths.Plain(parameters[1]) is not ConstantNode { Value: string word } || !Enum.TryParse<Period>(word.Replace("_", "", StringComparison.Ordinal), ignoreCase: true, out var period) || int.TryParse(word, CultureInfo.InvariantCulture, out _))
        {
            throw Unsupported.Expression($"{Functions.During}() needs a period in quotes second, such as 'this_month' or 'last_days'");
        }

        var days = parameters is [_, _, var given] ? Paths.Plain(given) is ConstantNode { Value: int count } ? count : throw Unsupported.Expression($"{Functions.During}() needs a number of days third") : 1;
        return new Filter.During(Path(parameters[0]).Path, period, days);
    }

    // contacts/any(c: c/city eq 'Ulm'): one of the linked records is so; all is none that is not.
    private Filter Linked(CollectionNavigationNode source, LambdaNode lambda)
    {
        if (Paths.RelatedOf(set, source, prefix, variable) is { } related)
        {
            return Related(related, lambda);
        }

        if (Paths.LinkOf(set, source, prefix, variable) is not var (links, path))
        {
            throw Unsupported.Expression($"{source.NavigationProperty.Name} cannot be asked with any and all");
        }

        if (lambda.Body is ConstantNode { Value: true } && lambda is AnyNode)
        {
            return new Filter.Linked(path);
        }

        var where = new FilterTranslator(links.Target, time, lambda.CurrentRangeVariable, links.Field.Link!.Far + ".").Translate(lambda.Body);
        return lambda is AnyNode ? new Filter.Linked(path, where) : new Filter.Not(new Filter.Linked(path, new Filter.Not(where)));
    }

    // opportunities/any(o: o/stage eq 'won'): one of the records that point here is so.
    private Filter Related(RelatedNavigation related, LambdaNode lambda)
    {
        if (lambda.Body is ConstantNode { Value: true } && lambda is AnyNode)
        {
            return new Filter.Related(related.Set.Entity.Name, related.Lookup.Name);
        }

        var where = new FilterTranslator(related.Set, time, lambda.CurrentRangeVariable).Translate(lambda.Body);
        return lambda is AnyNode
            ? new Filter.Related(related.Set.Entity.Name, related.Lookup.Name, where)
            : new Filter.Not(new Filter.Related(related.Set.Entity.Name, related.Lookup.Name, new Filter.Not(where)));
    }

    // addresses/any(a: a/kind eq 'invoice' and a/city eq 'Ulm'): one address is so.
    private Filter Addresses(PropertyPath path, LambdaNode lambda)
    {
        if (lambda.Body is ConstantNode { Value: true } && lambda is AnyNode)
        {
            return new Filter.Linked(path.Path);
        }

        var where = new FilterTranslator(set.RowsOf(path.Property.Field), time, lambda.CurrentRangeVariable).Translate(lambda.Body);
        return lambda is AnyNode ? new Filter.Linked(path.Path, where) : new Filter.Not(new Filter.Linked(path.Path, new Filter.Not(where)));
    }

    private PropertyPath? TryPath(QueryNode node) => Paths.TryOf(set, node, prefix, variable);

    private PropertyPath Path(QueryNode node) => TryPath(node) ?? throw Unsupported.Expression("A property is needed here");

    // tags/any(t: t eq 'a' or t eq 'b'): the list holds one of these.
    private Filter AnyOfList(AnyNode any)
    {
        var property = TryPath(any.Source) ?? throw Unsupported.Expression("any needs a property that holds several values");
        var choices = new List<Filter>();
        var rest = new Stack<QueryNode>([any.Body]);
        while (rest.TryPop(out var node))
        {
            switch (Paths.Plain(node))
            {
                case BinaryOperatorNode { OperatorKind: BinaryOperatorKind.Or } or:
                    rest.Push(or.Right);
                    rest.Push(or.Left);
                    break;
                case BinaryOperatorNode { OperatorKind: BinaryOperatorKind.Equal } equal when IsItem(equal.Left) && Paths.Plain(equal.Right) is ConstantNode { Value: string choice }:
                    choices.Add(new Filter.Compare(property.Path, FilterOperator.Contains, choice));
                    break;
                case BinaryOperatorNode { OperatorKind: BinaryOperatorKind.Equal } equal when IsItem(equal.Right) && Paths.Plain(equal.Left) is ConstantNode { Value: string choice }:
                    choices.Add(new Filter.Compare(property.Path, FilterOperator.Contains, choice));
                    break;
                case InNode { Right: CollectionConstantNode list } isIn when IsItem(isIn.Left):
                    choices.AddRange(list.Collection.Select(c => new Filter.Compare(property.Path, FilterOperator.Contains, c.Value)));
                    break;
                case ConstantNode { Value: true }:
                    choices.Add(new Filter.Compare(property.Path, FilterOperator.NotEqual, null));
                    break;
                default:
                    throw Unsupported.Expression("any can ask whether the item equals one of several texts, as in any(t: t eq 'a' or t eq 'b')");
            }
        }

        return choices.Count == 1 ? choices[0] : new Filter.Any([.. choices]);
    }

    // Of several values with their kinds it is the value that is asked for: phones/any(p: p/value eq '…').
    private static bool IsItem(QueryNode node) => Paths.Plain(node) is NonResourceRangeVariableReferenceNode
        or SingleValuePropertyAccessNode { Property.Name: "value", Source: ResourceRangeVariableReferenceNode { Name: not "$it" } };

    private object? Value(QueryNode node, PropertyPath property)
    {
        switch (Paths.Plain(node))
        {
            case ConstantNode constant:
                var value = Constant(constant, property);
                return value is DateOnly date && property.Property.Column.Storage == StorageKind.Instant ? Midnight(date) : value;
            case SingleValueFunctionCallNode { Name: "now" }:
                var now = time.GetUtcNow();
                return property.Property.Column.Storage == StorageKind.Date ? DateOnly.FromDateTime(now.UtcDateTime) : now;
            case UnaryOperatorNode { OperatorKind: UnaryOperatorKind.Negate } negated when Value(negated.Operand, property) is decimal number:
                return -number;
            default:
                throw Unsupported.Expression($"'{property.Path}' can be compared with a value, not with another expression", property.Path);
        }
    }

    private static object? Constant(ConstantNode constant, PropertyPath property) => constant.Value switch
    {
        null => null,
        string or bool or Guid or DateTimeOffset => constant.Value,
        Date date => new DateOnly(date.Year, date.Month, date.Day),
        TimeOfDay time => new TimeOnly(time.Hours, time.Minutes, time.Seconds),
        // The parser may have read a decimal as a double; the text has all digits.
        int or long or decimal or double or float or byte or sbyte or short => Number(constant)
            ?? throw new ApiException(ApiError.BadRequest($"{constant.LiteralText ?? constant.Value} is not a number '{property.Path}' can be compared with.", property.Path)),
        _ => throw Unsupported.Expression($"'{property.Path}' cannot be compared with {constant.LiteralText ?? constant.Value.GetType().Name}", property.Path),
    };

    private static decimal? Number(ConstantNode constant)
    {
        var text = (constant.LiteralText ?? Convert.ToString(constant.Value, CultureInfo.InvariantCulture) ?? "").TrimEnd('M', 'm', 'D', 'd', 'F', 'f', 'L', 'l');
        return decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;
    }

    private static DateTimeOffset Midnight(DateOnly date) => new(date.ToDateTime(TimeOnly.MinValue), TimeSpan.Zero);

    private static FilterOperator Operator(BinaryOperatorKind kind) => kind switch
    {
        BinaryOperatorKind.Equal => FilterOperator.Equal,
        BinaryOperatorKind.NotEqual => FilterOperator.NotEqual,
        BinaryOperatorKind.LessThan => FilterOperator.Less,
        BinaryOperatorKind.LessThanOrEqual => FilterOperator.LessOrEqual,
        BinaryOperatorKind.GreaterThan => FilterOperator.Greater,
        BinaryOperatorKind.GreaterThanOrEqual => FilterOperator.GreaterOrEqual,
        _ => throw Unsupported.Expression($"The operator {kind} cannot be used in $filter"),
    };

    private static BinaryOperatorKind Flip(BinaryOperatorKind kind) => kind switch
    {
        BinaryOperatorKind.LessThan => BinaryOperatorKind.GreaterThan,
        BinaryOperatorKind.LessThanOrEqual => BinaryOperatorKind.GreaterThanOrEqual,
        BinaryOperatorKind.GreaterThan => BinaryOperatorKind.LessThan,
        BinaryOperatorKind.GreaterThanOrEqual => BinaryOperatorKind.LessThanOrEqual,
        _ => kind,
    };
}
