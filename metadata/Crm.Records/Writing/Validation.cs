using Crm.Metadata;
using Crm.Sdk;
using Npgsql;

namespace Crm.Records;

/// <summary>Checks every field of sealed changes at once. What needs the database is asked once for all changes together.</summary>
internal static class Validation
{
    public static async Task CheckAsync(ChangeRun run, CancellationToken ct)
    {
        var verdicts = await Rules.CheckAsync(run, ct);
        foreach (var change in run.Going.Where(c => c.Kind != ChangeKind.Delete))
        {
            CheckFields(run, change, verdicts.GetValueOrDefault(change));
        }

        var questions = new List<Question>();
        var admitted = new HashSet<Guid>();
        foreach (var field in run.Table.Fields.Where(f => !f.IsStamp))
        {
            if (field.Definition.IsUnique && !ReferenceEquals(field.Type, Fields.AutoNumber))
            {
                AskUnique(run, field, questions);
            }
            else if (field.Type is ReferenceType reference)
            {
                AskTarget(run, field, reference, admitted, questions);
            }
            else if (field.Type is AnyLookupType)
            {
                AskAnyTarget(run, field, questions);
            }
        }

        await AnswerAsync(run, questions, ct);
        if (admitted.Count > 0)
        {
            await AccessPolicy.AdmitAsync(run.Session, admitted, ct);
        }
    }

    private static void CheckFields(ChangeRun run, PendingChange change, RuleVerdict? rules)
    {
        foreach (var field in run.Table.Fields.Where(f => !f.IsStamp && !f.IsCalculated && !ReferenceEquals(f.Type, Fields.AutoNumber)))
        {
            if (!run.Session.Behaviors.Runs(field.Definition.Origin))
            {
                // Nobody is there who could say what the value means; what is stored stays as it is.
                if (!field.Type.AreEqual(change.Values[field.Index], change.Stored?[field.Index]))
                {
                    change.Refuse(field.Name, ErrorCodes.Module, Texts.Of("FieldModuleOff", field.Definition.Label, field.Definition.Origin));
                }
            }
            else if (field.IsRequired && change.Values[field.Index] is null && !change.HasError(field.Name) && rules?.IsVisible(field.Name) != false)
            {
                change.Refuse(field.Name, ErrorCodes.Required, Texts.Of("Required", field.Definition.Label));
            }
        }
    }

    /// <summary>Changes that give the field a new value.</summary>
    private static IEnumerable<(PendingChange Change, object Value)> NewValues(ChangeRun run, TableField field) =>
        run.Going
            .Where(c => c.Kind != ChangeKind.Delete && c.Values[field.Index] is not null && !field.Type.AreEqual(c.Values[field.Index], c.Stored?[field.Index]))
            .Select(c => (c, c.Values[field.Index]!));

    private static void AskUnique(ChangeRun run, TableField field, List<Question> questions)
    {
        var byValue = new Dictionary<object, PendingChange>();
        foreach (var (change, value) in NewValues(run, field))
        {
            if (!byValue.TryAdd(field.SameAs(value), change))
            {
                Refuse(change);
            }
        }

        if (byValue.Count == 0)
        {
            return;
        }

        var storage = field.Identity is null ? field.Columns[0].Storage : StorageKind.Text;
        var column = field.Identity?.Quoted ?? field.Columns[0].Quoted;
        var values = ColumnArray.Of(storage, byValue.Count);
        var row = 0;
        foreach (var value in byValue.Keys)
        {
            values.Set(row++, value);
        }

        questions.Add(new Question(
            $"SELECT r.{column}, r.id FROM {run.Table.Name} AS r WHERE r.{column} = ANY($1)",
            values.ToParameter(),
            reader =>
            {
                if (RowReader.Column(reader, storage, 0) is { } value && byValue.TryGetValue(value, out var change) && change.Id != reader.GetGuid(1))
                {
                    Refuse(change);
                }
            })
        {
            IsConstrained = true,
        });

        void Refuse(PendingChange change) =>
            change.Refuse(field.Name, ErrorCodes.Unique, Texts.Of("Unique", run.Table.Entity.Label, field.Definition.Label));
    }

    private static void AskTarget(ChangeRun run, TableField field, ReferenceType reference, HashSet<Guid> admitted, List<Question> questions)
    {
        // Whoever writes exists; asking again for every default owner would be for nothing.
        var pointing = NewValues(run, field)
            .Where(n => !(reference is OwnerType && (Guid)n.Value == run.Session.Actor.UserId))
            .ToLookup(n => (Guid)n.Value, n => n.Change);
        if (pointing.Count == 0)
        {
            return;
        }

        var targets = reference.WaysOf(field.Definition).Select(w => run.Session.Snapshot.TryEntity(w.Target, out var target) ? target : null).OfType<EntityDefinition>().ToList();
        if (targets.Count == 0)
        {
            foreach (var change in pointing.SelectMany(p => p))
            {
                Refuse(change);
            }

            return;
        }

        var missing = pointing.Select(p => p.Key).ToHashSet();
        if (targets.Contains(run.Table.Entity))
        {
            missing.ExceptWith(run.Going.Where(c => c.Kind == ChangeKind.Create).Select(c => c.Id));
        }

        questions.Add(new Question(
            string.Join(" UNION ALL ", targets.Select(t => TargetSql(run, t, reference is OwnerType { TakesTeams: true }))),
            ActorAccess.Ids([.. missing]),
            reader =>
            {
                missing.Remove(reader.GetGuid(0));
                if (reader.FieldCount > 1 && !reader.GetBoolean(1))
                {
                    admitted.Add(reader.GetGuid(0));
                }
            },
            () =>
            {
                foreach (var change in missing.SelectMany(id => pointing[id]))
                {
                    Refuse(change);
                }
            })
        {
            Access = run.Session.Access,
            IsConstrained = targets.TrueForAll(t => run.Session.Access.View.Condition(t, AccessOperation.Read, "r") is null),
        });

        void Refuse(PendingChange change) =>
            change.Refuse(field.Name, ErrorCodes.Unknown, Texts.Of("UnknownTarget", field.Definition.Label));
    }

    /// <summary>One question per entity pointed to.</summary>
    private static void AskAnyTarget(ChangeRun run, TableField field, List<Question> questions)
    {
        foreach (var group in NewValues(run, field).GroupBy(n => ((RecordRef)n.Value).Entity, StringComparer.Ordinal))
        {
            var pointing = group.ToLookup(n => ((RecordRef)n.Value).Id, n => n.Change);
            var missing = pointing.Select(p => p.Key).ToHashSet();
            if (!run.Session.Snapshot.TryEntity(group.Key, out var target) || target.IsHidden)
            {
                Refuse();
                continue;
            }

            if (target == run.Table.Entity)
            {
                missing.ExceptWith(run.Going.Where(c => c.Kind == ChangeKind.Create).Select(c => c.Id));
            }

            questions.Add(new Question(
                // Nobody deletes the record while it gets a part, which would be left behind.
                TargetSql(run, target) + (run.Table.Entity.PartOf == field.Name ? " ORDER BY r.id FOR KEY SHARE OF r" : ""),
                ActorAccess.Ids([.. missing]),
                reader => missing.Remove(reader.GetGuid(0)),
                Refuse)
            {
                Access = run.Session.Access,
            });

            void Refuse()
            {
                foreach (var change in missing.SelectMany(id => pointing[id]))
                {
                    change.Refuse(field.Name, ErrorCodes.Unknown, Texts.Of("UnknownTarget", field.Definition.Label));
                }
            }
        }
    }

    /// <summary>Records that may be pointed to: those the actor sees. Nobody learns by pointing to it whether some other one exists.</summary>
    private static string TargetSql(ChangeRun run, EntityDefinition target, bool withPrincipals = false)
    {
        var view = run.Session.Access.View;
        var condition = view.Condition(target, AccessOperation.Read, "r");
        // A team is no principal before it is given its first record.
        return $"SELECT r.id{(withPrincipals ? ", EXISTS (SELECT 1 FROM crm.principal AS p WHERE p.id = r.id)" : "")} FROM {Sql.Table(target.Name)} AS r WHERE r.id = ANY({view.Next}){(condition is null ? "" : " AND " + condition)}";
    }

    private static async Task AnswerAsync(ChangeRun run, List<Question> questions, CancellationToken ct)
    {
        // All that is wrong is said at once: where something is, the rest is asked too.
        if (run.TrustsConstraints && !run.HasRefusals)
        {
            run.HasUnasked = questions.RemoveAll(q => q.IsConstrained) > 0;
        }

        if (questions.Count == 0)
        {
            return;
        }

        await using var batch = run.Session.Batch();
        foreach (var question in questions)
        {
            var command = new NpgsqlBatchCommand(question.Sql);
            question.Access?.Bind(command.Parameters);
            command.Parameters.Add(question.Parameter);
            batch.BatchCommands.Add(command);
        }

        await using var reader = await batch.ExecuteReaderAsync(ct);
        foreach (var question in questions)
        {
            while (await reader.ReadAsync(ct))
            {
                question.Row((NpgsqlDataReader)reader);
            }

            question.End?.Invoke();
            await reader.NextResultAsync(ct);
        }
    }

    private sealed record Question(string Sql, NpgsqlParameter Parameter, Action<NpgsqlDataReader> Row, Action? End = null)
    {
        /// <summary>Who asks, when the answer depends on it.</summary>
        public ActorAccess? Access { get; init; }

        /// <summary>A constraint of the table refuses what the answer would.</summary>
        public bool IsConstrained { get; init; }
    }
}
