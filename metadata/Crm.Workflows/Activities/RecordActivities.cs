using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Crm.Sdk;

namespace Crm.Workflows;

/// <summary>Gives fields of the record the workflow is about other values.</summary>
internal sealed class SetFields() : Activity("Crm.SetFields")
{
    public override void Check(ActivityCheck check)
    {
        if (check.Subject is { } entity)
        {
            check.Values(entity);
        }
        else
        {
            check.Problem(Texts.Of("NoSubject", check.Node.Name));
        }
    }

    public override async ValueTask<ImmutableArray<string>?> ExecuteAsync(ActivityContext context, CancellationToken ct)
    {
        if (context.Run.Instance is not { Entity: { } entity, RecordId: { } id })
        {
            throw new ActivityFailedException("input", Texts.Of("NoSubject", context.Node.Name));
        }

        context.Save(RecordChange.Update(entity, id, await context.FieldsAsync("values", ct)));
        return Done;
    }
}

/// <summary>Makes a record.</summary>
internal sealed class CreateRecord() : Activity("Crm.CreateRecord")
{
    public override void Check(ActivityCheck check)
    {
        if (check.Entity("entity") is { } entity)
        {
            check.Values(entity);
        }
    }

    public override async ValueTask<ImmutableArray<string>?> ExecuteAsync(ActivityContext context, CancellationToken ct)
    {
        var entity = await context.TextAsync("entity", ct) ?? throw new ActivityFailedException("input", Texts.Of("NoEntity", context.Node.Name));
        var change = RecordChange.Create(entity, await context.FieldsAsync("values", ct));
        context.Save(change);
        if (context.Node.Output("result") is { } variable)
        {
            context.Run.SetVariable(variable, JsonValue.Create(change.Id.ToString()));
        }

        return Done;
    }
}

/// <summary>Gives fields of any record other values.</summary>
internal sealed class UpdateRecord() : Activity("Crm.UpdateRecord")
{
    public override void Check(ActivityCheck check)
    {
        check.Input("record");
        if (check.Entity("entity") is { } entity)
        {
            check.Values(entity);
        }
    }

    public override async ValueTask<ImmutableArray<string>?> ExecuteAsync(ActivityContext context, CancellationToken ct)
    {
        var entity = await context.TextAsync("entity", ct) ?? throw new ActivityFailedException("input", Texts.Of("NoEntity", context.Node.Name));
        var record = await context.TextAsync("record", ct);
        if (!Guid.TryParse(record, out var id))
        {
            throw new ActivityFailedException("input", Texts.Of("NoRecordId", context.Node.Name, record));
        }

        context.Save(RecordChange.Update(entity, id, await context.FieldsAsync("values", ct)));
        return Done;
    }
}
