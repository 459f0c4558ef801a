using System.Globalization;
using Crm.Sdk;
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
        var layers = After(Samples.Layers, changes);
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
    public void A_package_follows_whatever_was_changed_and_renamed_since_the_last_one()
    {
        var (followed, entities, refused) = (0, 0, 0);
        Check.One(Runs(60, 40), Prop.ForAll(RandomChange.Lists, changes =>
        {
            var first = After(Samples.Layers, changes[..(changes.Length / 2)]);
            var target = ChangePlanner.Plan(Samples.Layers, [Read(Export(first), isComplete: true)], DatabaseFeatures.Full).After;
            var last = After(first, changes[(changes.Length / 2)..]);
            var renamed = Own(last).Join(Own(first), l => l.Field.Id, f => f.Field.Id, (l, f) => new FieldRename(l.Entity, f.Field.Name, l.Field.Name)).Where(r => r.From != r.To).ToHashSet();

            var draft = ChangePlanner.Plan(target, [Read(Export(last), isComplete: true)], DatabaseFeatures.Full);

            if (!draft.Errors.IsEmpty)
            {
                // Names that changed places, and types that became others in several steps.
                Assert.All(draft.Errors, e => Assert.Contains(e.Code, new[] { ErrorCodes.Conflict, ErrorCodes.Type }));
                refused++;
                return;
            }

            followed += renamed.Count;
            entities += draft.EntityRenames.Length;
            Assert.Equal(renamed, draft.Renames.ToHashSet());
            Assert.Equal(LayerRows.Of(last), LayerRows.Of(draft.After));
            Assert.Equal(Export(last), Export(draft.After));
            Assert.Empty(ChangePlanner.Plan(draft.After, [Read(Export(last), isComplete: true)], DatabaseFeatures.Full).Steps);
        }));
        Assert.True(followed >= 5 && entities >= 5 && refused <= 10, $"{followed} fields and {entities} entities followed, {refused} packages refused: too few to say anything");
    }

    [Fact]
    public async Task Whatever_was_applied_reverted_and_imported_the_tables_are_what_the_definitions_say()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var node = await StartAsync(database);
        var runs = new List<RandomChange[]>();
        Check.One(Runs(5, 12), Prop.ForAll(RandomChange.Lists, runs.Add));
        var (applied, reverted) = (0, 0);
        foreach (var some in runs.SelectMany(r => r.Chunk(3)))
        {
            var before = node.Store.Current;
            // Several changes in one plan where they go together.
            var plan = await node.Editor.PlanAsync([.. some.SelectMany(c => Samples.Read(c.Json(before)))], Node.Admin);
            plan = plan.CanApply ? plan : await node.Editor.PlanAsync(Samples.Read(some[0].Json(before)), Node.Admin);
            if (!plan.CanApply || plan.Steps.IsEmpty)
            {
                continue;
            }

            var result = await node.Editor.ApplyAsync(plan.Id, Node.Admin);
            Assert.Empty(result.Errors);
            applied++;
            await CheckAsync(node, some[0]);
            if (some[0].Second % 2 == 0)
            {
                // The plan said before whether it can be taken back.
                Assert.Equal(plan.NoUndo is null, await RevertAsync(node, result.Version));
                reverted += plan.NoUndo is null ? 1 : 0;
                await CheckAsync(node, some[0]);
                Assert.All(plan.NoUndo is null ? Says(before) : [], says => Assert.Contains(says, Says(node.Store.Current)));
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

    /// <summary>What definitions say about each field; whatever was added since is hidden and says nothing.</summary>
    private static IEnumerable<string> Says(MetadataSnapshot snapshot) =>
        snapshot.Entities.Values.SelectMany(e => e.Fields.Select(f => $"{e.Name} {e.Label} {f.Name} {f.Type.Name} {f.Label} {f.Help} {f.IsRequired} {f.IsUnique} {f.IsHidden} {f.MaxLength} {f.Formula}"));

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

    /// <summary>The layers after those of the changes that are possible.</summary>
    private static MetadataLayers After(MetadataLayers layers, IEnumerable<RandomChange> changes)
    {
        foreach (var change in changes)
        {
            var draft = Samples.PlanJson(change.Json(SnapshotBuilder.Build(layers)), layers);
            layers = draft.Errors.IsEmpty ? draft.After.With(StableIds.Given(draft.After.Custom, TimeProvider.System)).At(layers.Version + 1) : layers;
        }

        return layers;
    }

    private static IEnumerable<(string Entity, FieldShape Field)> Own(MetadataLayers layers) =>
        layers.Custom.Entities.Values.SelectMany(e => e.Fields.Where(f => f.Type is not null).Select(f => (e.Name, f)));

    private static byte[] Export(MetadataLayers layers) => MetadataPackage.Export(MetadataState.Of(layers));

    private static MetadataChange.Import Read(byte[] package, bool isComplete)
    {
        var (change, errors) = MetadataPackage.Read(new MemoryStream(package), isComplete);
        Assert.Empty(errors);
        return change!;
    }
}
