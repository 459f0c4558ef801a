using System.Collections;
using System.Globalization;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>Brings a field's default into a form that survives being written as JSON: text, <c>long</c>, <c>decimal</c>, <c>bool</c> or a list of those.</summary>
internal static class DefaultInput
{
    public static object Of(object value) => value switch
    {
        string or bool or long or decimal => value,
        byte or short or int or uint => Convert.ToInt64(value, CultureInfo.InvariantCulture),
        double or float => Convert.ToDecimal(value, CultureInfo.InvariantCulture),
        DateOnly date => date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        DateTimeOffset instant => instant.ToUniversalTime().ToString("O", CultureInfo.InvariantCulture),
        TimeOnly time => time.ToString("HH:mm:ss", CultureInfo.InvariantCulture),
        TimeSpan span => (long)span.TotalSeconds,
        Guid id => id.ToString(),
        Money money => string.Create(CultureInfo.InvariantCulture, $"{money.Amount} {money.Currency}"),
        IEnumerable list => list.Cast<object>().Select(Of).ToArray(),
        _ => throw new ArgumentException($"A default cannot be a {value.GetType().Name}.", nameof(value)),
    };
}
