namespace Crm.Metadata.Tests;

public sealed class ConsistencyTests : NodeTests
{
    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        Assert.Empty((await node.Editor.DeclareAsync(Samples.Sales, Samples.SalesShape())).Errors);
    }

    [Fact]
    public async Task What_the_engine_made_has_no_differences()
    {
        var changed = await node.ChangeAsync("""
            [{"change":"create_entity","name":"x_venue","fields":[{"name":"name","type":"text","unique":true},{"name":"firm","type":"lookup","target":"company"},{"name":"tags","type":"multi_choice","choices":["a"]}]},
             {"change":"change_field","entity":"company","field":{"name":"name","unique":true}},
             {"change":"change_entity","entity":"company","search":["name","website"]},
             {"change":"hide_field","entity":"company","field":"employees"},
             {"change":"hide_entity","entity":"opportunity"}]
            """);
        Assert.Empty(changed.Errors);

        var report = await node.Consistency.RunAsync();

        Assert.True(report.Differences.IsEmpty, string.Join("\n", report.Differences.Select(d => d.Message)));
        Assert.Equal(changed.Version, report.Version);
        Assert.Same(report, node.Consistency.Last);
    }

    [Theory]
    [InlineData("DROP TABLE records.opportunity", "missing table opportunity", false)]
    [InlineData("CREATE TABLE records.leftover (id uuid)", "extra table leftover", false)]
    [InlineData("ALTER TABLE records.company DROP COLUMN website", "missing column website; missing index company__website_t", true)]
    [InlineData("ALTER TABLE records.company ADD COLUMN added text NOT NULL DEFAULT ''", "extra column added", false)]
    [InlineData("ALTER TABLE records.company ALTER COLUMN employees TYPE numeric", "different column employees", false)]
    [InlineData("ALTER TABLE records.company ALTER COLUMN website SET NOT NULL", "different column website", false)]
    [InlineData("ALTER TABLE records.company ALTER COLUMN created_at DROP NOT NULL", "different column created_at", false)]
    [InlineData("DROP INDEX records.company__owner_i", "missing index company__owner_i", true)]
    [InlineData("DROP INDEX records.company__name_t", "missing index company__name_t", true)]
    [InlineData("DROP INDEX records.opportunity__number_u", "missing index opportunity__number_u", true)]
    [InlineData("DROP INDEX records.opportunity__number_u; CREATE INDEX opportunity__number_u ON records.opportunity (number)", "different index opportunity__number_u", true)]
    [InlineData("DROP INDEX records.company__owner_i; CREATE INDEX company__owner_i ON records.company (name)", "different index company__owner_i", true)]
    [InlineData("DROP INDEX records.company__owner_i; CREATE INDEX company__owner_i ON records.company (owner) WHERE is_active", "different index company__owner_i", true)]
    [InlineData("CREATE INDEX mine ON records.company (name)", "extra index mine", false)]
    [InlineData("ALTER TABLE records.opportunity DROP CONSTRAINT opportunity__company_id_f", "missing foreign_key opportunity__company_id_f", true)]
    [InlineData("ALTER TABLE records.opportunity DROP CONSTRAINT opportunity__company_id_f; ALTER TABLE records.opportunity ADD CONSTRAINT opportunity__company_id_f FOREIGN KEY (company_id) REFERENCES records.company (id) ON DELETE CASCADE", "different foreign_key opportunity__company_id_f", true)]
    [InlineData("ALTER TABLE records.opportunity DROP CONSTRAINT opportunity__company_id_f; ALTER TABLE records.opportunity ADD CONSTRAINT opportunity__company_id_f FOREIGN KEY (company_id) REFERENCES records.company (id) ON DELETE RESTRICT NOT VALID", "different foreign_key opportunity__company_id_f", true)]
    [InlineData("ALTER TABLE records.opportunity ADD CONSTRAINT mine FOREIGN KEY (id) REFERENCES records.company (id)", "extra foreign_key mine", false)]
    [InlineData("ALTER TABLE records.opportunity DROP CONSTRAINT opportunity__id_p", "missing primary_key opportunity__id_p", true)]
    [InlineData("DROP TRIGGER crm_principal_comes ON records.\"user\"", "missing trigger crm_principal_comes", true)]
    [InlineData("DROP TRIGGER crm_principal_goes ON records.team", "missing trigger crm_principal_goes", true)]
    [InlineData("ALTER TABLE records.company DROP CONSTRAINT company__owner_f; ALTER TABLE records.company ADD CONSTRAINT company__owner_f FOREIGN KEY (owner) REFERENCES records.\"user\" (id) ON DELETE RESTRICT", "different foreign_key company__owner_f", true)]
    public async Task What_was_changed_by_hand_is_named_and_what_can_be_put_right_is(string sql, string expected, bool canBeRepaired)
    {
        await node.ChangeAsync("""[{"change":"change_entity","entity":"company","search":["name","website"]}]""");
        await node.ExecuteAsync(sql);

        var report = await node.Consistency.RunAsync();
        Assert.Equal(expected, string.Join("; ", report.Differences.Select(d => $"{ShapeJson.Word(d.Kind)} {ShapeJson.Word(d.Part)} {d.Name}").Order(StringComparer.Ordinal)));
        Assert.All(report.Differences, d => Assert.Contains(d.Name, d.Message, StringComparison.Ordinal));
        Assert.Equal(canBeRepaired, report.Differences.All(d => d.Sql is not null));
        if (!canBeRepaired)
        {
            return;
        }

        foreach (var difference in report.Differences)
        {
            await node.ExecuteAsync(difference.Sql!);
        }

        Assert.Empty((await node.Consistency.RunAsync()).Differences);
    }
}
