using System.Globalization;
using Crm.Sdk.Testing;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.FSharp.Core;

namespace Crm.Metadata.Tests;

/// <summary>
/// Changes nobody thought of, in any order. The seed is fixed, so that every run is the same one; <c>CRM_TEST_SEED</c> tries others, and a failure names the shortest
/// list of changes that still fails.
/// </summary>
public sealed class RandomChangeTests
{
    private static Config Runs(int count, int size)
    {
        var seed = ulong.Parse(Environment.GetEnvironmentVariable("CRM_TEST_SEED") ?? "20261122", CultureInfo.InvariantCulture);
        return Config.QuickThrowOnFailure.WithMaxTest(count).WithStartSize(size).WithEndSize(size).WithReplay(FSharpOption<Replay>.Some(new Replay(new Rnd(seed), FSharpOption<int>.None)));
    }

    [Fact]
    public void Whatever_was_changed_comes_out_of_a_package_as_it_went_in() => Check.One(Runs(40, 25), Prop.ForAll(RandomChange.Lists, changes =>
    {
        var layers = Samples.Layers;
        foreach (var change in changes)
        {
            var draft = Samples.PlanJson(change.Json(SnapshotBuilder.Build(layers)), layers);
            layers = draft.Errors.IsEmpty ? draft.After.At(layers.Version + 1) : layers;
        }

        var package = Export(layers);
        foreach (var isComplete in new[] { false, true })
        {
            var draft = ChangePlanner.Plan(Samples.Layers, [Read(package, isComplete)], DatabaseFeatures.Full);
            Assert.Empty(draft.Errors);
            Assert.Equal(LayerRows.Of(layers), LayerRows.Of(draft.After));
            Assert.Equal(package, Export(draft.After));
            Assert.Empty(ChangePlanner.Plan(draft.After, [Read(package, isComplete)], DatabaseFeatures.Full).Steps);
            Assert.Empty(ChangePlanner.Plan(layers, [Read(package, isComplete)], DatabaseFeatures.Full).Steps);
        }
    }));

    [Fact]
    public async Task Whatever_was_applied_reverted_and_imported_the_tables_are_what_the_definitions_say()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var node = await StartAsync(database);
        var runs = new List<RandomChange[]>();
        Check.One(Runs(5, 12), Prop.ForAll(RandomChange.Lists, runs.Add));
        var (applied, reverted) = (0, 0);
        foreach (var change in runs.SelectMany(r => r))
        {
            var plan = await node.Editor.PlanAsync(Samples.Read(change.Json(node.Store.Current)), Node.Admin);
            if (!plan.CanApply || plan.Steps.IsEmpty)
            {
                continue;
            }

            var result = await node.Editor.ApplyAsync(plan.Id, Node.Admin);
            Assert.Empty(result.Errors);
            applied++;
            await CheckAsync(node, change);
            if (change.Second % 2 == 0 && await RevertAsync(node, result.Version))
            {
                reverted++;
                await CheckAsync(node, change);
            }
        }

        Assert.True(applied >= 3 && reverted >= 1, $"{applied} applied, {reverted} reverted: too few to say anything");
        await using var otherDatabase = await TestDatabase.CreateAsync();
        await using var other = await StartAsync(otherDatabase);
        var package = MetadataPackage.Export(node.Store.State);
        var import = await other.Editor.PlanAsync([Read(package, isComplete: true)], Node.Admin);
        Assert.Empty(import.Errors);
        Assert.Empty((await other.Editor.ApplyAsync(import.Id, Node.Admin)).Errors);
        Assert.Equal(package, MetadataPackage.Export(other.Store.State));
        Assert.Empty((await other.Consistency.RunAsync()).Differences);
        Assert.Empty((await other.Editor.PlanAsync([Read(package, isComplete: true)], Node.Admin)).Steps);
    }

    private static async Task<Node> StartAsync(TestDatabase database)
    {
        var node = await Node.StartAsync(database.ConnectionString);
        Assert.Empty((await node.Editor.DeclareAsync(Samples.Contacts, Samples.ContactsShape())).Errors);
        Assert.Empty((await node.Editor.DeclareAsync(Samples.Sales, Samples.SalesShape())).Errors);
        return node;
    }

    private static async Task<bool> RevertAsync(Node node, long version)
    {
        var plan = await node.Editor.PlanAsync([new MetadataChange.Revert(version)], Node.Admin);
        return plan.CanApply && !plan.Steps.IsEmpty && (await node.Editor.ApplyAsync(plan.Id, Node.Admin)).Succeeded;
    }

    /// <summary>Tables and definitions agree, and every table takes a row and gives back every column.</summary>
    private static async Task CheckAsync(Node node, RandomChange change)
    {
        var report = await node.Consistency.RunAsync();
        Assert.True(report.Differences.IsEmpty, $"{change}: {string.Join('\n', report.Differences.Select(d => d.Message))}");
        foreach (var entity in node.Store.Current.Entities.Values)
        {
            var table = Sql.Table(entity.Name);
            await node.ExecuteAsync($"INSERT INTO {table} (id, created_at, modified_at) VALUES (gen_random_uuid(), now(), now())");
            var columns = string.Join(", ", entity.Fields.SelectMany(f => f.Type.Columns.Select(c => Sql.Quote(f.Name + c.Suffix))));
            Assert.True(await node.ScalarAsync<long>($"SELECT count(*) FROM (SELECT {columns} FROM {table}) AS every") > 0);
        }
    }

    private static byte[] Export(MetadataLayers layers) => MetadataPackage.Export(MetadataState.Of(layers));

    private static MetadataChange.Import Read(byte[] package, bool isComplete)
    {
        var (change, errors) = MetadataPackage.Read(new MemoryStream(package), isComplete);
        Assert.Empty(errors);
        return change!;
    }
}
