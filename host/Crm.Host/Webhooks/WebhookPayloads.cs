using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Crm.Host.Api;
using Crm.Host.Api.OData;
using Crm.Records;
using Crm.Records.Webhooks;
using Crm.Sdk;

namespace Crm.Host.Webhooks;

/// <summary>What a webhook is sent: the event, and the record as the person who made the webhook may read it by then.</summary>
internal sealed class WebhookPayloads(RecordEngine engine)
{
    public async Task<Dictionary<Guid, string>> WriteAsync(IReadOnlyCollection<LeasedDelivery> deliveries, Actor actor, CancellationToken ct)
    {
        var model = ODataModels.Of(await engine.SnapshotOfAsync(actor, ct));
        var found = new Dictionary<Guid, Record>();
        foreach (var entity in deliveries.Where(d => d.Event.Kind != ChangeKind.Delete && model.ByEntity.ContainsKey(d.Event.Entity)).GroupBy(d => d.Event.Entity, StringComparer.Ordinal))
        {
            ImmutableArray<object?> ids = [.. entity.Select(d => d.Event.Id).Distinct().Select(id => (object?)id)];
            foreach (var record in (await engine.As(actor).QueryAsync(new RecordQuery { Entity = entity.Key, Filter = new Filter.In("id", ids), Top = ids.Length }, ct)).Records)
            {
                found[record.Id] = record;
            }
        }

        return deliveries.ToDictionary(d => d.Id, d => Write(d.Event, found.GetValueOrDefault(d.Event.Id), model));
    }

    private static string Write(RecordChanged change, Record? record, ODataModel model)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer, Errors.Unescaped))
        {
            json.WriteStartObject();
            json.WriteString("type", change.Entity + "." + WebhookKinds.NameOf(change.Kind));
            json.WriteString("timestamp", change.At);
            json.WriteStartObject("data");
            json.WriteNumber("event", change.EventId);
            json.WriteString("entity", change.Entity);
            json.WriteString("id", change.Id);
            json.WriteNumber("version", change.Version);
            json.WriteString("user", change.UserId);
            json.WriteStartArray("changed");
            var entity = model.ByEntity.GetValueOrDefault(change.Entity)?.Entity;
            foreach (var field in change.Fields.Where(f => entity is not null && entity.TryField(f, out var known) && !known.IsHidden))
            {
                json.WriteStringValue(field);
            }

            json.WriteEndArray();
            ValueJson.WriteCause(json, change.Cause);
            json.WritePropertyName("record");
            if (record is not null && model.ByEntity.TryGetValue(change.Entity, out var set))
            {
                json.WriteStartObject();
                set.All.Write(json, record);
                json.WriteEndObject();
            }
            else
            {
                json.WriteNullValue();
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
