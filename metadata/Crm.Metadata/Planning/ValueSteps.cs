using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>Steps that give records another choice, stage or tag: where two were merged, however the definitions came to say so, and where a stage was split.</summary>
internal static class ValueSteps
{
    /// <summary>The steps, and the fields whose values they change.</summary>
    public static IEnumerable<(string Field, PlanStep Step)> Of(MetadataSnapshot before, MetadataSnapshot after, IReadOnlyCollection<FieldRename> renames, IEnumerable<StageSplit> splits)
    {
        foreach (var split in splits.Where(s => before.TryEntity(s.Entity, out _)))
        {
            var entity = after.Entity(split.Entity);
            var column = Sql.Quote(split.Field);
            var condition = new ExpressionSql(p => "r." + Sql.Quote(p.Field.Name + p.Field.Type.Columns[p.Part].Suffix)).Condition(split.Condition);
            var stage = entity.Field(split.Field).Stages?.Find(split.From)?.Label ?? split.From;
            yield return (split.Entity + "." + split.Field, Step(
                entity, split.Field, MetadataTexts.Of("StepSplitRecords", stage, split.To.Label, entity.PluralLabel), $"{column} = {Sql.Literal(split.To.Name)}", $"r.{column} = {Sql.Literal(split.From)} AND {condition}", losesData: false));
        }

        foreach (var (entity, field, merged) in Merged(before, after, renames))
        {
            var column = Sql.Quote(field.Name);
            var (from, into) = (Sql.Literal(merged.Name), Sql.Literal(merged.Into));
            var label = field.Stages?.Find(merged.Into)?.Label ?? field.Choices.FirstOrDefault(c => c.Name == merged.Into)?.Label ?? merged.Into;
            var (set, where) = field.Type switch
            {
                // Spelled as it may be; the place in the list stays, and no tag is there twice.
                TagsType => (
                    $"{column} = ARRAY(SELECT tag FROM (SELECT DISTINCT ON (lower(tag)) tag, place FROM (SELECT CASE WHEN lower(t) = lower({from}) THEN {into} ELSE t END AS tag, place FROM unnest(r.{column}) WITH ORDINALITY AS u(t, place)) AS named ORDER BY lower(tag), place) AS once ORDER BY place)",
                    $"lower({from}) = ANY (lower(r.{column}::text)::text[])"),
                TextListType => ($"{column} = CASE WHEN {into} = ANY (r.{column}) THEN array_remove(r.{column}, {from}) ELSE array_replace(r.{column}, {from}, {into}) END", $"{from} = ANY (r.{column})"),
                _ => ($"{column} = {into}", $"r.{column} = {from}"),
            };
            yield return (entity.Name + "." + field.Name, Step(entity, field.Name, MetadataTexts.Of("StepMergeRecords", merged.Label, label, entity.PluralLabel), set, where, losesData: true));
        }
    }

    /// <summary>Choices, stages and tags that become others.</summary>
    public static IEnumerable<(EntityDefinition Entity, FieldDefinition Field, MergedChoice Merged)> Merged(MetadataSnapshot before, MetadataSnapshot after, IReadOnlyCollection<FieldRename> renames) =>
        from entity in after.Entities.Values.OrderBy(e => e.Name, StringComparer.Ordinal)
        where before.TryEntity(entity.Name, out _)
        from field in entity.Fields.Where(f => !f.Merged.IsEmpty)
        let former = renames.Reverse().Where(r => r.Entity == entity.Name).Aggregate(field.Name, (now, rename) => rename.To == now ? rename.From : now)
        where before.Entity(entity.Name).TryField(former, out _)
        from merged in field.Merged.Except(before.Entity(entity.Name).Field(former).Merged)
        select (entity, field, merged);

    private static PlanStep Step(EntityDefinition entity, string field, string text, string set, string where, bool losesData) =>
        new(text, $"UPDATE {Sql.Table(entity.Name)} AS r SET {set} WHERE {where}", StepLock.Writes, entity.Name, IsDestructive: losesData)
        {
            Work = StepWork.Fill,
            Online = OnlineStep.Fill(entity.Name, field, set, where),
        };
}
