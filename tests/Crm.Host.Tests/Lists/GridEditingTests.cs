using Crm.Host.Tests.Api;
using Crm.Host.Tests.Forms;
using Crm.Sdk;
using Crm.Sdk.Web;
using Crm.Sdk.Web.Forms;
using Record = Crm.Sdk.Record;

namespace Crm.Host.Tests.Lists;

public sealed class GridEditingTests(ApiCrm crm) : IClassFixture<ApiCrm>
{
    private readonly GridEditing editing = Of(crm);

    private EntityDefinition Deal => crm.Crm.Metadata.Current.Entity("x_deal");

    [Fact]
    public void Only_own_fields_that_fit_into_a_cell_are_edited_there()
    {
        var columns = GridColumn.Of(crm.Crm.Metadata.Current, Deal, ["title", "budget", "firm", "firm.name", "firm.revenue", "number", "owner", "modified_at", "notes"]);
        Assert.Equal(["title", "budget", "firm", "firm.name", "owner", "notes"], columns.Where(c => GridEditing.FieldOf(Deal, c) is not null).Select(c => c.Path));
        Assert.Equal("firm", GridEditing.FieldOf(Deal, columns.Single(c => c.Path == "firm.name"))!.Name);
    }

    [Fact]
    public async Task A_cell_is_stored_alone_and_taken_back_by_a_new_write()
    {
        var stored = await StoreAsync(("title", "Cell"), ("seats", 5L), ("notes", "Keep me"));
        await BeginAsync(stored, "seats", "9");
        Assert.True(await editing.SaveAsync());
        Assert.Null(editing.Current);
        Assert.Equal((9L, "Keep me", 2L), await ReadAsync(stored));

        Assert.Null((await editing.UndoAsync())!.Value.Refusal);
        Assert.Equal((5L, "Keep me", 3L), await ReadAsync(stored));
        Assert.Null(await editing.UndoAsync());
        var history = await crm.Crm.Records.HistoryAsync("x_deal", stored.Id);
        Assert.Equal([3L, 2L, 1L], history.Select(h => h.Version));
        Assert.Equal("seats", Assert.Single(history[0].Changes).Field);
    }

    [Fact]
    public async Task The_value_that_was_there_is_not_written_again()
    {
        var stored = await StoreAsync(("title", "Same"), ("seats", 5L));
        await BeginAsync(stored, "seats", "5");
        Assert.True(await editing.SaveAsync());
        Assert.Equal(1L, (await ReadAsync(stored)).Version);
        Assert.Null(editing.Last);
    }

    [Fact]
    public async Task What_cannot_be_read_or_is_refused_keeps_the_cell_open_with_the_reason()
    {
        var stored = await StoreAsync(("title", "Wrong"), ("seats", 5L));
        await BeginAsync(stored, "seats", "many");
        Assert.False(await editing.SaveAsync());
        Assert.NotNull(editing.Current!.Form.Error("seats"));

        editing.Current.Form.Type(editing.Current.Field, FieldParts.Of("100000"));
        Assert.False(await editing.SaveAsync());
        Assert.NotNull(editing.Current.Form.Error("seats"));

        await BeginAsync(stored, "title", "");
        Assert.False(await editing.SaveAsync());
        Assert.Contains("required", editing.Current!.Form.Error("title"), StringComparison.OrdinalIgnoreCase);
        Assert.Equal(1L, (await ReadAsync(stored)).Version);
    }

    [Fact]
    public async Task Somebody_who_was_faster_is_seen_before_anything_is_overwritten()
    {
        var stored = await StoreAsync(("title", "Both"), ("seats", 5L));
        await BeginAsync(stored, "seats", "9");
        await crm.Crm.Records.SaveAsync(RecordChange.Update("x_deal", stored.Id, new Dictionary<string, object?> { ["seats"] = 7L }));
        Assert.False(await editing.SaveAsync());
        Assert.Equal(7L, Assert.Single(editing.Current!.Form.Conflict!.Fields).Theirs);
        Assert.True(await editing.ResolveAsync(keepMine: false));
        Assert.Equal(7L, (await ReadAsync(stored)).Seats);
        Assert.Null(editing.Last);

        await BeginAsync(stored, "seats", "9");
        await crm.Crm.Records.SaveAsync(RecordChange.Update("x_deal", stored.Id, new Dictionary<string, object?> { ["notes"] = "Theirs" }));
        Assert.False(await editing.SaveAsync());
        Assert.Empty(editing.Current!.Form.Conflict!.Fields);
        Assert.True(await editing.ResolveAsync(keepMine: true));
        Assert.Equal((9L, "Theirs"), ((await ReadAsync(stored)).Seats, (await ReadAsync(stored)).Notes));
    }

    [Fact]
    public async Task Undo_leaves_alone_what_was_changed_again_since()
    {
        var stored = await StoreAsync(("title", "Since"), ("seats", 5L));
        await BeginAsync(stored, "seats", "9");
        Assert.True(await editing.SaveAsync());
        await crm.Crm.Records.SaveAsync(RecordChange.Update("x_deal", stored.Id, new Dictionary<string, object?> { ["seats"] = 12L }));
        Assert.Contains("was changed again meanwhile", (await editing.UndoAsync())!.Value.Refusal, StringComparison.Ordinal);
        Assert.Equal(12L, (await ReadAsync(stored)).Seats);
    }

    [Fact]
    public async Task A_record_that_is_gone_is_said_to_be_gone()
    {
        var stored = await StoreAsync(("title", "Gone"));
        await crm.Crm.Records.SaveAsync(RecordChange.Delete("x_deal", stored.Id));
        Assert.NotNull(await editing.BeginAsync(Deal, stored.Id, Column("title")));
        Assert.Null(editing.Current);
    }

    internal static GridEditing Of(ApiCrm crm) => new(crm.Crm.Records, crm.Crm.Metadata, FieldTextTests.Text("en-GB"), TimeProvider.System);

    private GridColumn Column(string path) => GridColumn.Of(crm.Crm.Metadata.Current, Deal, [path]).Single();

    private async Task BeginAsync(Record record, string path, string typed)
    {
        Assert.Null(await editing.BeginAsync(Deal, record.Id, Column(path)));
        editing.Current!.Form.Type(editing.Current.Field, FieldParts.Of(typed));
    }

    private async Task<Record> StoreAsync(params (string Field, object? Value)[] values)
    {
        var result = await crm.Crm.Records.SaveAsync(RecordChange.Create("x_deal", values.ToDictionary(v => v.Field, v => v.Value)));
        Assert.True(result.Succeeded);
        return result.Record;
    }

    private async Task<(long? Seats, string? Notes, long Version)> ReadAsync(Record record)
    {
        var now = await crm.Crm.Records.FindAsync("x_deal", record.Id);
        return (now!.Get<long?>("seats"), now.Get<string>("notes"), now.Version);
    }
}
