using System.Collections.Immutable;
using Crm.Records.Bin;
using Crm.Records.Merging;
using Crm.Records.Tests.Access;
using Crm.Sdk;
using Npgsql;

namespace Crm.Records.Tests.Merging;

public sealed class MergeTests(AccessTests.Firm firm) : IClassFixture<AccessTests.Firm>, IAsyncLifetime
{
    private RecordService Admin => firm.Engine.With().As(Engine.Admin);

    private RecordMerger Merger
    {
        get
        {
            var engine = firm.Engine.With();
            return new RecordMerger(engine, new RecycleBin(engine));
        }
    }

    public async Task InitializeAsync()
    {
        await firm.ResetAsync();
        if (!firm.Engine.Metadata.Current.TryEntity("x_role", out _))
        {
            await firm.Engine.ChangeAsync(
                """
                [{"change":"add_field","entity":"deal","field":{"name":"x_partners","type":"many_to_many","label":"Partners","target":"company",
                  "link":{"name":"x_role","label":"Role","plural":"Roles","fields":[{"name":"role","type":"text"}]},"inverse":{"name":"x_deals","label":"Deals"}}},
                 {"change":"add_field","entity":"deal","field":{"name":"x_about","type":"any_lookup","label":"About"}},
                 {"change":"add_field","entity":"company","field":{"name":"x_labels","type":"tags","label":"Labels"}},
                 {"change":"add_field","entity":"company","field":{"name":"x_total","type":"roll_up","result":"decimal","roll_up":{"entity":"deal","lookup":"company","function":"sum","value":"budget"}}}]
                """);
        }
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task D_09_D_14_Everything_of_the_others_becomes_the_survivors_and_the_merge_can_be_taken_back()
    {
        var survivor = await CompanyAsync("Acme", ("email", "info@acme.example"), ("x_labels", "old, both"));
        var other = await CompanyAsync("ACME Ltd", ("email", "office@acme.example"), ("code", "A1"), ("country", "UK"), ("x_labels", "new, both"));
        var below = await CompanyAsync("Below", ("parent", other));
        var deal = (await Admin.SavedAsync(Values.Deal(("company", other), ("budget", 10m), ("x_about", new RecordRef("company", other)), ("x_partners", new object?[] { survivor, other })))).Id;
        var second = (await Admin.SavedAsync(Values.Deal(("company", survivor), ("budget", 5m), ("x_partners", new object?[] { Entry(other, "adviser") })))).Id;
        await new RecordSharing(firm.Engine.With()).SaveAsync(Engine.Admin, "company", other, new Sharing(false, [new Share(Engine.User.UserId, ShareLevel.Write)]));

        var merged = await Merger.MergeAsync(Engine.Admin, new MergeRequest("company", survivor, [other]) { Choices = new Dictionary<string, Guid> { ["email"] = other } });
        Assert.Empty(merged.Errors);
        var now = (await Admin.FindAsync("company", survivor))!;
        Assert.Equal(("Acme", "office@acme.example", "A1", "UK", 15m), (now["name"], now["email"], now["code"], now["country"], now["x_total"]));
        Assert.Equal(["both", "new", "old"], now.Get<ImmutableArray<string>>("x_labels").Order());
        Assert.Null(await Admin.FindAsync("company", other));
        Assert.Equal((survivor, survivor), (await ValueAsync("company", below, "parent"), await ValueAsync("deal", deal, "company")));
        Assert.Equal(new RecordRef("company", survivor), await ValueAsync("deal", deal, "x_about"));
        Assert.Equal([$"{deal} {survivor} ", $"{second} {survivor} adviser"], await LinksAsync(deal, second));
        Assert.Equal(ShareLevel.Write, Assert.Single((await new RecordSharing(firm.Engine.With()).FindAsync(Engine.Admin, "company", survivor))!.Shares).Level);
        Assert.Equal([new ShareChange(Engine.User.UserId, false, Engine.User.Name, null, ShareLevel.Write)], Assert.Single(await new RecordSharing(firm.Engine.With()).HistoryAsync(Engine.Admin, "company", survivor)).Shares.AsEnumerable());
        Assert.Equal("merge", (await Admin.HistoryAsync("company", survivor)).First(h => h.Changes.Any(c => c.Field == "email")).Source);
        Assert.Equal(merged.Id!.Value, Assert.Single(await Merger.UndoableAsync(survivor)));

        // Somebody goes on working before it is taken back.
        await Admin.SavedAsync(RecordChange.Update("company", survivor, Values.Of(("country", "FR"))));
        await Admin.SavedAsync(RecordChange.Update("company", below, Values.Of(("parent", null))));
        var undone = await Merger.UndoAsync(Engine.Admin, merged.Id.Value);
        Assert.Empty(undone.Errors);
        Assert.Equal(new[] { new MergeConflict("company", below, "parent"), new MergeConflict("company", survivor, "country") }, undone.Conflicts.OrderBy(c => c.Field == "country").ToArray());
        now = (await Admin.FindAsync("company", survivor))!;
        Assert.Equal(("info@acme.example", null, "FR", 5m), (now["email"], now["code"], now["country"], now["x_total"]));
        var back = (await Admin.FindAsync("company", other))!;
        Assert.Equal(("ACME Ltd", "office@acme.example", "A1", "UK", 10m), (back["name"], back["email"], back["code"], back["country"], back["x_total"]));
        Assert.Equal((other, new RecordRef("company", other)), (await ValueAsync("deal", deal, "company"), await ValueAsync("deal", deal, "x_about")));
        Assert.Equal(new[] { $"{deal} {other} ", $"{deal} {survivor} ", $"{second} {other} adviser" }.Order(StringComparer.Ordinal), (await LinksAsync(deal, second)).Order(StringComparer.Ordinal));
        Assert.Equal(ErrorCodes.Conflict, Assert.Single((await Merger.UndoAsync(Engine.Admin, merged.Id.Value)).Errors).Code);
        Assert.Empty(await Merger.UndoableAsync(survivor));
    }

    [Fact]
    public async Task A_survivor_that_stood_below_another_stands_below_none_and_several_become_one()
    {
        var top = await CompanyAsync("Top");
        var survivor = await CompanyAsync("Middle", ("parent", top));
        var third = await CompanyAsync("Third", ("parent", top), ("code", "T3"));
        var merged = await Merger.MergeAsync(Engine.Admin, new MergeRequest("company", survivor, [top, third]));
        Assert.Empty(merged.Errors);
        Assert.Equal((null, "T3"), (await ValueAsync("company", survivor, "parent"), await ValueAsync("company", survivor, "code")));
        Assert.Empty((await Merger.UndoAsync(Engine.Admin, merged.Id!.Value)).Errors);
        Assert.Equal((top, top, null), (await ValueAsync("company", survivor, "parent"), await ValueAsync("company", third, "parent"), await ValueAsync("company", survivor, "code")));
    }

    [Fact]
    public async Task Who_may_not_delete_or_write_what_points_to_it_may_not_merge_and_nothing_is_changed()
    {
        var (survivor, other) = (await CompanyAsync("Stays"), await CompanyAsync("Goes"));
        var deal = (await Admin.SavedAsync(Values.Deal(("company", other)))).Id;
        foreach (var (entity, grant, code) in new[]
        {
            ("company", """{"name":"everyone","read":"all","write":"all","delete":"own"}""", ErrorCodes.Access),
            ("deal", """{"name":"everyone","read":"all","write":"own"}""", ErrorCodes.Access),
            ("deal", """{"name":"everyone","read":"own"}""", ErrorCodes.InUse),
            ("company", """{"name":"everyone","read":"own"}""", ErrorCodes.NotFound),
        })
        {
            await firm.GrantAsync(entity, grant);
            var refused = await Merger.MergeAsync(Engine.User, new MergeRequest("company", survivor, [other]));
            Assert.Equal(code, Assert.Single(refused.Errors).Code);
            Assert.Equal(other, await ValueAsync("deal", deal, "company"));
        }

        await firm.ResetAsync();
        Assert.Equal(ErrorCodes.BadRequest, Assert.Single((await Merger.MergeAsync(Engine.Admin, new MergeRequest("company", survivor, [survivor]))).Errors).Code);
        Assert.Equal(ErrorCodes.UnknownField, Assert.Single((await Merger.MergeAsync(Engine.Admin, new MergeRequest("company", survivor, [other]) { Choices = new Dictionary<string, Guid> { ["ghost"] = other } })).Errors).Code);
        Assert.Equal(ErrorCodes.Access, Assert.Single((await Merger.MergeAsync(Engine.Admin, new MergeRequest("user", Engine.User.UserId, [Engine.Admin.UserId]))).Errors).Code);
        Assert.Equal(ErrorCodes.NotFound, Assert.Single((await Merger.UndoAsync(Engine.Admin, Guid.CreateVersion7())).Errors).Code);
    }

    [Fact]
    public async Task A_survivor_somebody_changes_meanwhile_is_not_overwritten_and_a_merge_leaves_one_version_of_it()
    {
        var (survivor, other) = (await CompanyAsync("Kept"), await CompanyAsync("Gone", ("country", "UK")));
        Task<MergeResult> merging;
        await using (var connection = await firm.Engine.Database.OpenAsync())
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await using var change = new NpgsqlCommand("UPDATE records.company SET country = 'FR', version = version + 1 WHERE id = $1", connection, transaction) { Parameters = { new() { Value = survivor } } };
            await change.ExecuteNonQueryAsync();
            merging = Merger.MergeAsync(Engine.Admin, new MergeRequest("company", survivor, [other]));
            await WaitingAsync(merging);
            await transaction.CommitAsync();
        }

        Assert.Equal(ErrorCodes.Conflict, Assert.Single((await merging).Errors).Code);
        Assert.Equal(("FR", "UK"), (await ValueAsync("company", survivor, "country"), await ValueAsync("company", other, "country")));

        var (version, entries) = ((await Admin.FindAsync("company", survivor))!.Version, (await Admin.HistoryAsync("company", survivor)).Length);
        Assert.Empty((await Merger.MergeAsync(Engine.Admin, new MergeRequest("company", survivor, [other]) { Choices = new Dictionary<string, Guid> { ["country"] = other } })).Errors);
        Assert.Equal((version + 1, entries + 1), ((await Admin.FindAsync("company", survivor))!.Version, (await Admin.HistoryAsync("company", survivor)).Length));
    }

    /// <summary>Until somebody waits for a lock, or has ended without waiting for one.</summary>
    private async Task WaitingAsync(Task waiting)
    {
        while (!waiting.IsCompleted && await firm.Engine.ScalarAsync<long>("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%records.\"company\"%'") == 0)
        {
            await Task.Yield();
        }
    }

    private static Dictionary<string, object?> Entry(Guid company, string role) => new(StringComparer.Ordinal) { ["id"] = company, ["role"] = role };

    private async Task<Guid> CompanyAsync(string name, params (string Name, object? Value)[] values) => (await Admin.SavedAsync(Values.Company(name, values))).Id;

    private async Task<object?> ValueAsync(string entity, Guid id, string field) => (await Admin.FindAsync(entity, id))![field];

    private async Task<string[]> LinksAsync(params Guid[] deals) =>
        [.. (await Admin.QueryAsync(new RecordQuery { Entity = "x_role", Select = ["deal", "company", "role"], Top = 100 })).Records.Where(r => deals.Contains((Guid)r["deal"]!)).OrderBy(r => Array.IndexOf(deals, (Guid)r["deal"]!)).Select(r => $"{r["deal"]} {r["company"]} {r["role"]}")];
}
