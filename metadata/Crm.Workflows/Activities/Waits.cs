using System.Collections.Immutable;
using System.Globalization;
using System.Xml;
using Crm.Sdk;

namespace Crm.Workflows;

/// <summary>Waits for some time.</summary>
internal sealed class Delay() : Activity("Elsa.Delay")
{
    public override bool Waits => true;

    public override void Check(ActivityCheck check) => check.Input("timeSpan");

    public override async ValueTask<ImmutableArray<string>?> ExecuteAsync(ActivityContext context, CancellationToken ct)
    {
        if (await Moments.SpanAsync(context, "timeSpan", ct) is not { } span || span <= TimeSpan.Zero)
        {
            return Done;
        }

        context.Run.Wait(context, Moments.After(context, span));
        return null;
    }
}

/// <summary>Waits until a moment; one that is past is no wait.</summary>
internal sealed class StartAt() : Activity("Elsa.StartAt")
{
    public override bool Waits => true;

    public override void Check(ActivityCheck check) => check.Input("dateTime");

    public override async ValueTask<ImmutableArray<string>?> ExecuteAsync(ActivityContext context, CancellationToken ct)
    {
        var text = await context.TextAsync("dateTime", ct);
        if (!DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var moment))
        {
            throw new ActivityFailedException("input", Texts.Of("NoMoment", context.Node.Name, text));
        }

        if (moment <= context.Run.Now)
        {
            return Done;
        }

        context.Run.Wait(context, moment);
        return null;
    }
}

/// <summary>Waits until the record is changed, or until a condition on it holds; not longer than a time-out says, and not when it is deleted.</summary>
internal sealed class WaitForRecord() : Activity("Crm.WaitForRecord")
{
    private const string TimedOut = "TimedOut";
    private const string Deleted = "Deleted";

    public override bool Waits => true;

    public override ImmutableArray<string>? Outcomes(ActivityNode node) => [Connection.Done, TimedOut, Deleted];

    public override void Check(ActivityCheck check)
    {
        check.Condition("condition");
        check.Input("timeout");
        if (check.Subject is not { } entity)
        {
            check.Problem(Texts.Of("NoSubject", check.Node.Name));
            return;
        }

        foreach (var name in TriggerRow.Names(check.Node))
        {
            check.Field(entity, name);
        }
    }

    public override async ValueTask<ImmutableArray<string>?> ExecuteAsync(ActivityContext context, CancellationToken ct)
    {
        if (await Moments.SpanAsync(context, "timeout", ct) is { } span)
        {
            context.Frame.Data["until"] = Moments.After(context, span);
        }

        // A wait for a change is one for a change from now on; a wait for a condition may be over at once.
        return await WaitAsync(context, isNew: true, ct);
    }

    public override async ValueTask<ImmutableArray<string>?> ResumeAsync(ActivityContext context, Wake wake, CancellationToken ct) => (ChangeKind?)wake.EventKind switch
    {
        null => [TimedOut],
        ChangeKind.Delete => [Deleted],
        _ => await WaitAsync(context, isNew: false, ct),
    };

    private static async ValueTask<ImmutableArray<string>?> WaitAsync(ActivityContext context, bool isNew, CancellationToken ct)
    {
        if (context.Run.Instance is not { Entity: { } entity, RecordId: { } id })
        {
            throw new ActivityFailedException("input", Texts.Of("NoSubject", context.Node.Name));
        }

        // The version comes first: what changes after it wakes the run, however soon.
        var page = await context.Run.Records.QueryAsync(new RecordQuery { Entity = entity, Select = ["version"], Filter = Filter.Equal("id", id), Top = 1 }, ct);
        if (page.Records.IsEmpty)
        {
            return [Deleted];
        }

        var condition = context.Node.Json["condition"];
        if (condition is null ? !isNew : await context.HoldsAsync(condition, ct))
        {
            return Done;
        }

        context.Run.Wait(
            context, context.Frame.Data["until"]?.GetValue<DateTimeOffset>(), new Watch(entity, id, page.Records[0].Get<long>("version"), [(short)ChangeKind.Update, (short)ChangeKind.Delete], TriggerRow.Names(context.Node)));
        return null;
    }
}

/// <summary>Reads spans and moments.</summary>
internal static class Moments
{
    // Longer than any process, and far from the end of time.
    private static readonly TimeSpan Longest = TimeSpan.FromDays(36_525);

    /// <summary>A span as <c>3.12:00:00</c> or <c>P3DT12H</c>; null when the input is empty.</summary>
    public static async ValueTask<TimeSpan?> SpanAsync(ActivityContext context, string input, CancellationToken ct)
    {
        var text = await context.TextAsync(input, ct);
        if (text is null)
        {
            return null;
        }

        return TryRead(text, out var span) && span.Duration() <= Longest ? span : throw new ActivityFailedException("input", Texts.Of("NoSpan", context.Node.Name, text));
    }

    public static DateTimeOffset After(ActivityContext context, TimeSpan span) => context.Run.Now + span;

    private static bool TryRead(string text, out TimeSpan span)
    {
        if (TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out span))
        {
            return true;
        }

        try
        {
            span = XmlConvert.ToTimeSpan(text);
            return true;
        }
        catch (Exception problem) when (problem is FormatException or OverflowException)
        {
            return false;
        }
    }
}
