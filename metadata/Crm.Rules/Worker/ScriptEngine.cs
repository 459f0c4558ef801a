using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using Jint;
using Jint.Native;
using Jint.Native.Array;
using Jint.Native.Date;
using Jint.Native.Function;
using Jint.Native.Object;
using Jint.Parser;
using Jint.Runtime;

namespace Crm.Rules.Worker;

/// <summary>One script, ready to run on one record after the other. It is given JSON and nothing else.</summary>
internal sealed class ScriptEngine
{
    private const int MaxRecursion = 200;
    private const int MaxItems = 10_000;
    private const int MaxDepth = 32;

    private static readonly string Library = ReadLibrary();

    private readonly Engine engine;
    private readonly JsValue rule;
    private readonly JsValue call;

    public ScriptEngine(string script, int budget)
    {
        var text = ScriptText.Parse(script);
        engine = new Engine(options => options
            .LimitRecursion(MaxRecursion)
            .TimeoutInterval(TimeSpan.FromMilliseconds(budget))
            .Culture(CultureInfo.InvariantCulture)
            .LocalTimeZone(TimeZoneInfo.Utc));
        call = engine.Execute(new JavaScriptParser().Parse(Library)).GetCompletionValue().Invoke();
        rule = engine.Execute(text.Program).GetCompletionValue();
    }

    /// <summary>How many records it has run on.</summary>
    public int Uses { get; private set; }

    /// <summary>Runs the script on one record.</summary>
    /// <returns>The record as the script leaves it.</returns>
    /// <exception cref="ScriptProblem">The script failed.</exception>
    public ObjectInstance Run(JsonElement message, JsonElement input, out JsValue refused)
    {
        Uses++;
        return Guarded(out refused, () =>
        {
            engine.ResetTimeoutTicks();
            engine.ResetCallStack();
            var record = Value(input.GetProperty("record"));
            var said = call.Invoke(rule, record, Value(input.GetProperty("before")), Value(message.GetProperty("user")), Value(message.GetProperty("now")), Value(input.GetProperty("changed")));
            return (record.AsObject(), said);
        });
    }

    /// <summary>Writes what the script gave other values.</summary>
    public void WriteChanges(Utf8JsonWriter json, JsonElement before, ObjectInstance after) => Guarded(out _, () =>
    {
        var written = new System.Buffers.ArrayBufferWriter<byte>();
        foreach (var (name, property) in after.GetOwnProperties())
        {
            var value = after.Get(name);
            if (before.TryGetProperty(name, out var old) && IsSame(old, value))
            {
                continue;
            }

            written.Clear();
            using (var one = new Utf8JsonWriter(written))
            {
                Write(one, name, value, 0);
            }

            using var now = JsonDocument.Parse(written.WrittenMemory);
            if (old.ValueKind == JsonValueKind.Undefined || !JsonElement.DeepEquals(old, now.RootElement))
            {
                json.WritePropertyName(name);
                now.RootElement.WriteTo(json);
            }
        }

        // What is deleted is emptied.
        foreach (var property in before.EnumerateObject().Where(p => p.Value.ValueKind != JsonValueKind.Null && !after.HasOwnProperty(p.Name)))
        {
            json.WriteNull(property.Name);
        }

        return (after, JsValue.Undefined);
    });

    /// <summary>Writes what the script refused: field, or null, and message.</summary>
    public void WriteRefusals(Utf8JsonWriter json, JsValue refused, int most, int longest) => Guarded(out _, () =>
    {
        var list = refused.AsArray();
        var count = Math.Min(TypeConverter.ToUint32(list.Get("length")), (uint)most);
        for (var i = 0u; i < count; i++)
        {
            var pair = list.Get(i.ToString(CultureInfo.InvariantCulture)).AsObject();
            var (field, message) = (pair.Get("0"), pair.Get("1").AsString());
            json.WriteStartArray();
            json.WriteStringValue(field.IsString() ? field.AsString() : null);
            json.WriteStringValue(message.Length > longest ? message[..longest] + "…" : message);
            json.WriteEndArray();
        }

        return (list, JsValue.Undefined);
    });

    private T Guarded<T>(out JsValue said, Func<(T, JsValue)> run)
    {
        try
        {
            (var result, said) = run();
            return result;
        }
        catch (JavaScriptException problem)
        {
            throw At("error", problem.Error.IsObject() ? Said(problem) : Text(problem.Error), problem.Location);
        }
        catch (Exception problem) when (problem is TimeoutException or RegexMatchTimeoutException)
        {
            throw At("time", "", engine.GetLastSyntaxNode()?.Location);
        }
        catch (RecursionDepthOverflowException)
        {
            throw At("recursion", "", engine.GetLastSyntaxNode()?.Location);
        }
        catch (Exception problem) when (problem is not (ScriptProblem or OutOfMemoryException))
        {
            // The engine is not perfect: what it cannot do is the script's failure, not the worker's.
            throw At("error", problem.Message, engine.GetLastSyntaxNode()?.Location);
        }
    }

    private static string Said(JavaScriptException problem) =>
        problem.Error.AsObject() is var error && error.Get("message") is { } message && message.IsString() && message.AsString().Length > 0
            ? error.Get("name") is { } name && name.IsString() ? name.AsString() + ": " + message.AsString() : message.AsString()
            : problem.Message;

    private static string Text(JsValue value) => value.IsPrimitive() ? TypeConverter.ToString(value) : "";

    private static ScriptProblem At(string kind, string what, Location? location)
    {
        var line = location?.Start.Line ?? 0;
        return line > 0 ? new ScriptProblem(kind, what, line, ScriptText.ColumnOf(line, location!.Start.Column)) : new ScriptProblem(kind, what, null, null);
    }

    private JsValue Value(JsonElement json)
    {
        switch (json.ValueKind)
        {
            case JsonValueKind.String:
                return new JsValue(json.GetString()!);
            case JsonValueKind.Number:
                return new JsValue(json.GetDouble());
            case JsonValueKind.True:
                return JsValue.True;
            case JsonValueKind.False:
                return JsValue.False;
            case JsonValueKind.Array:
                return engine.Array.Construct([.. json.EnumerateArray().Select(Value)]);
            case JsonValueKind.Object:
                var made = engine.Object.Construct(Arguments.Empty);
                foreach (var property in json.EnumerateObject())
                {
                    made.FastAddProperty(property.Name, Value(property.Value), true, true, true);
                }

                return made;
            default:
                return JsValue.Null;
        }
    }

    private static bool IsSame(JsonElement before, JsValue after) => before.ValueKind switch
    {
        JsonValueKind.Null => after.IsNull() || after.IsUndefined(),
        JsonValueKind.String => after.IsString() && before.ValueEquals(after.AsString()),
        // A number the script does not touch keeps the digits that JavaScript has no room for.
        JsonValueKind.Number => after.IsNumber() && before.GetDouble().Equals(after.AsNumber()),
        JsonValueKind.True => after.IsBoolean() && after.AsBoolean(),
        JsonValueKind.False => after.IsBoolean() && !after.AsBoolean(),
        _ => false,
    };

    private static void Write(Utf8JsonWriter json, string name, JsValue value, int depth)
    {
        if (depth > MaxDepth)
        {
            throw new ScriptProblem("value", name, null, null);
        }

        if (value.IsNull() || value.IsUndefined())
        {
            json.WriteNullValue();
        }
        else if (value.IsString())
        {
            json.WriteStringValue(value.AsString());
        }
        else if (value.IsBoolean())
        {
            json.WriteBooleanValue(value.AsBoolean());
        }
        else if (value.IsNumber() && double.IsFinite(value.AsNumber()))
        {
            json.WriteNumberValue(value.AsNumber());
        }
        else if (value.IsObject())
        {
            Write(json, name, value.AsObject(), depth);
        }
        else
        {
            throw new ScriptProblem("value", name, null, null);
        }
    }

    private static void Write(Utf8JsonWriter json, string name, ObjectInstance value, int depth)
    {
        switch (value)
        {
            case DateInstance date when double.IsFinite(date.PrimitiveValue):
                json.WriteStringValue(date.ToDateTime());
                break;
            case ArrayInstance list:
                var count = TypeConverter.ToUint32(list.Get("length"));
                if (count > MaxItems)
                {
                    throw new ScriptProblem("value", name, null, null);
                }

                json.WriteStartArray();
                for (var i = 0u; i < count; i++)
                {
                    Write(json, name, list.Get(i.ToString(CultureInfo.InvariantCulture)), depth + 1);
                }

                json.WriteEndArray();
                break;
            case FunctionInstance:
                throw new ScriptProblem("value", name, null, null);
            default:
                json.WriteStartObject();
                foreach (var (key, _) in value.GetOwnProperties())
                {
                    json.WritePropertyName(key);
                    Write(json, name, value.Get(key), depth + 1);
                }

                json.WriteEndObject();
                break;
        }
    }

    private static string ReadLibrary()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("Crm.Rules.Worker.library.js")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
