using System.Collections.Immutable;
using System.Globalization;
using Crm.Sdk;
using Dapper;
using Npgsql;

namespace Crm.Metadata;

/// <summary>
/// Runs changes of definitions: one at a time over all hosts, everything (tables, definitions, version, history, the news to other hosts) in one transaction, so that
/// a host that dies in between leaves nothing behind.
/// </summary>
internal sealed class ChangeRunner(CrmDatabase database, TimeProvider time, Func<MetadataState> known, EntityNames names)
{
    /// <summary>Channel of <see cref="Notifications"/>; the payload is the new version.</summary>
    public const string Channel = "crm_metadata";

    /// <summary>Of the lock under which definitions and tables change.</summary>
    public const long LockKey = 0x43524d_4d455441;

    /// <summary>From this many records on, what takes long is done while others work on; reading fewer takes no longer than a blink.</summary>
    public long OnlineRows { get; set; } = 10_000;

    /// <summary>Reads all layers at one version.</summary>
    public async Task<MetadataLayers> LoadAsync(CancellationToken ct)
    {
        await using var connection = await database.OpenAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, ct);
        return await LayerRows.LoadAsync(connection, transaction, null, ct);
    }

    /// <summary>The version other hosts know.</summary>
    public async Task<long> VersionAsync(CancellationToken ct)
    {
        await using var connection = await database.OpenAsync(ct);
        return await connection.ExecuteScalarAsync<long>(new CommandDefinition("SELECT version FROM crm.metadata_version", cancellationToken: ct));
    }

    /// <summary>What the database can do.</summary>
    public async Task<DatabaseFeatures> FeaturesAsync(CancellationToken ct)
    {
        await using var connection = await database.OpenAsync(ct);
        return await FeaturesAsync(connection, null, ct);
    }

    /// <summary>Plans with facts from the records; changes nothing.</summary>
    public async Task<(PlanDraft Draft, ChangePlan Plan)> PlanAsync(IReadOnlyList<MetadataChange> changes, CancellationToken ct)
    {
        await using var connection = await database.OpenAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, ct);
        await OneCoreAsync(connection, isLocal: true, ct);
        var state = await StateAsync(connection, transaction, ct);
        var layers = state.Layers;
        changes = await MetadataHistory.ResolveAsync(connection, transaction, changes, ct);
        var draft = ChangePlanner.Plan(state, changes, await FeaturesAsync(connection, transaction, ct));
        var (errors, warnings) = await DataFacts.AskAsync(connection, transaction, draft.Questions, ct);
        var tables = Tables(layers);
        var rows = await DataFacts.RowsAsync(
            connection, transaction, draft.Steps.Where(s => s.Sql is not null).Select(s => s.Entity).OfType<string>().Distinct(StringComparer.Ordinal).Select(e => (e, EntityRenames.Former(draft.EntityRenames, e))).Where(t => tables.Contains(t.Item2)), ct);
        var big = TableSteps.WithFollowers([.. draft.Steps.Where(s => s.Online is not null).Select(s => s.Entity!).Where(e => rows.GetValueOrDefault(e) >= OnlineRows)], draft.Steps);
        ImmutableArray<PlanMessage> all = [.. draft.Errors, .. errors];
        ImmutableArray<PlanStep> steps = all.IsEmpty
            ? [.. draft.Steps.Select(s => s.Sql is not null && s.Entity is { } entity && rows.TryGetValue(entity, out var count) ? Shown(s with { Rows = count }, big) : s)]
            : [];
        if (steps.FirstOrDefault(s => s is { Conversion: not null, IsBackground: true }) is { } prepared)
        {
            warnings = [.. warnings, new PlanMessage(ErrorCodes.Busy, MetadataTexts.Of("ConvertLater"), prepared.Entity)];
        }

        var saved = await SavedViewUses.OfAsync(connection, transaction, state.Snapshot, draft.Touched, ct);
        return (draft, new ChangePlan(Guid.CreateVersion7(time.GetUtcNow()), layers.Version, all, [.. draft.Warnings, .. warnings], steps)
        {
            Uses = [.. draft.Uses, .. saved],
            Confirm = draft.Confirm,
            NoUndo = all.IsEmpty && !draft.Steps.IsEmpty ? UndoCheck.Refusal(draft with { After = draft.After.With(StableIds.Given(draft.After.Custom, time)) }, changes) : null,
        });
    }

    /// <summary>Plans what a step prepares, as it would be done now.</summary>
    public async Task<PlanDraft> DraftAsync(IReadOnlyList<MetadataChange> changes, CancellationToken ct)
    {
        await using var connection = await database.OpenAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, ct);
        var state = await StateAsync(connection, transaction, ct);
        return ChangePlanner.Plan(state, await MetadataHistory.ResolveAsync(connection, transaction, changes, ct), await FeaturesAsync(connection, transaction, ct));
    }

    /// <summary>Plans again under the lock and applies, or leaves it to a step that prepares the big tables first.</summary>
    /// <param name="request">What, and for whom.</param>
    /// <param name="ct">Stops before the commit.</param>
    public async Task<(ApplyResult Result, MetadataState? State)> ApplyAsync(ApplyRequest request, CancellationToken ct)
    {
        if (request.Options.Comment is { Length: > ApplyOptions.MaxComment })
        {
            return (Refused(0, ErrorCodes.Length, "CommentTooLong", ApplyOptions.MaxComment), null);
        }

        await using var connection = await database.OpenAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        try
        {
            await WaitAtMostAsync(connection, transaction, request.Wait, ct);
            await OneCoreAsync(connection, isLocal: true, ct);
            await connection.ExecuteAsync(new CommandDefinition("SELECT pg_advisory_xact_lock(@LockKey)", new { LockKey }, transaction, cancellationToken: ct));

            if (request.Module is { } module)
            {
                await ModuleStates.SeenAsync(connection, transaction, module, time, ct);
            }

            var state = await StateAsync(connection, transaction, ct);
            var layers = state.Layers;
            if (request.Version is { } shown && shown != layers.Version)
            {
                return (Refused(layers.Version, ErrorCodes.Conflict, "PlanIsOld", shown, layers.Version), null);
            }

            var changes = await MetadataHistory.ResolveAsync(connection, transaction, request.Changes, ct);
            var draft = ChangePlanner.Plan(state, changes, await FeaturesAsync(connection, transaction, ct));
            var declare = request.Declare;
            // Nobody looks at the plan of a module: what the records say against it goes into the report.
            var (errors, facts) = await DataFacts.AskAsync(connection, transaction, draft.Questions.Where(q => (q.IsError || declare is not null) && !IsAnswered(q, request.Prepared)), ct);
            if (!draft.Errors.IsEmpty || !errors.IsEmpty)
            {
                if (request.Prepared is null && declare is not null)
                {
                    await WaitingModules.GiveUpAsync(connection, transaction, declare, null, ct);
                    await transaction.CommitAsync(ct);
                }

                return (new ApplyResult(layers.Version, [.. draft.Errors, .. errors], Changed: false), null);
            }

            if (request.Statements is { } agreed && agreed != draft.Statements)
            {
                return (Refused(layers.Version, ErrorCodes.Conflict, "PlanDiffers"), null);
            }

            ImmutableArray<string> typed = request.Options.Confirm.IsDefault ? [] : request.Options.Confirm;
            if (draft.Confirm.Except(typed, StringComparer.Ordinal).ToList() is { Count: > 0 } untyped)
            {
                return (new ApplyResult(layers.Version, [.. untyped.Select(n => new PlanMessage(PlanCodes.Confirm, MetadataTexts.Of("ConfirmMissing", n), n))], Changed: false), null);
            }

            var existing = Tables(layers);
            var tables = new TableSteps(connection, transaction, time, OnlineRows, request.Prepared, draft.EntityRenames);
            var big = await tables.BigAsync(draft.Steps, existing, ct);
            var unprepared = draft.Steps.Where(s => s.Conversion is { } conversion && big.Contains(s.Entity!) && request.Prepared?.Names.Contains(conversion.Table) != true).ToList();
            if (request.Prepared is null && declare is not null)
            {
                await WaitingModules.GiveUpAsync(connection, transaction, declare, draft.Statements, ct);
                if (await WaitingModules.FindAsync(connection, transaction, declare, layers.Version, ct) is { } found)
                {
                    await transaction.CommitAsync(ct);
                    return (found, null);
                }
            }

            if (draft.Steps.IsEmpty)
            {
                await (declare is null ? Task.CompletedTask : UpgradeNotes.RememberAsync(connection, transaction, declare, ct));
                await transaction.CommitAsync(ct);
                return (new ApplyResult(layers.Version, [], Changed: false), null);
            }

            if (await tables.PendingAsync(draft.Steps, ct) is { } pending)
            {
                // What was given up stays given up; whoever declares tries again.
                await transaction.CommitAsync(ct);
                return (Refused(layers.Version, ErrorCodes.Busy, "StepsPending", pending), null);
            }

            if (unprepared.Count > 0)
            {
                // A table may have become big while others were prepared: then it is prepared as well.
                var step = request.Prepared is { } prepared ? await tables.PrepareMoreAsync(prepared, unprepared, ct) : await tables.PrepareAsync(unprepared, layers.Version, WaitingPlan.Write(request, draft.Statements), ct);
                await transaction.CommitAsync(ct);
                return (new ApplyResult(layers.Version, [], Changed: false) { Step = step }, null);
            }

            // Tables come last: from then to the commit everybody waits who uses them.
            var after = draft.After.With(StableIds.Given(draft.After.Custom, time)).At(layers.Version + 1);
            draft = draft with { After = after };
            await LayerRows.SaveAsync(connection, transaction, layers, after, ct);
            await FinishAsync(connection, transaction, changes, draft, after.Version, request, ct);
            if (declare is not null)
            {
                await UpgradeNotes.SaveAsync(connection, transaction, declare, UpgradeReport.Of(draft, declare.Module.Id, facts), after.Version, time.GetUtcNow(), ct);
                await UpgradeNotes.RememberAsync(connection, transaction, declare, ct);
            }

            await tables.PutOffAsync(draft.Steps, big, after.Version, ct);
            // Not where one takes the name that another one leaves: a second time would move on what the first time brought there.
            if (!draft.EntityRenames.Any(r => draft.EntityRenames.Any(o => o.From == r.To)))
            {
                // What others may wait for comes last.
                await tables.BeginAsync(draft.Steps, ct);
                await names.FollowAsync(connection, transaction, draft.EntityRenames, ct);
            }

            await tables.RunAsync(draft.Steps, big, existing, async token =>
            {
                await names.FollowAsync(connection, transaction, draft.EntityRenames, token);
                await EntityNames.RememberAsync(connection, transaction, draft, state, after.Version, token);
            }, ct);
            await RenamedAsync(connection, transaction, draft.Renames, after.Version, ct);
            await names.FollowAsync(connection, transaction, draft.Renames, ct);
            await names.ForgetAsync(connection, transaction, draft.Start.Snapshot, draft.Snapshot, ct);
            await SavedViewUses.FollowAsync(connection, transaction, draft.Start.Snapshot, draft.Renames, ct);
            await transaction.CommitAsync(ct);
            return (new ApplyResult(after.Version, [], Changed: true), new MetadataState(draft.Snapshot with { Version = after.Version }, after));
        }
        catch (EntityBusyException problem)
        {
            return (new ApplyResult(0, [new PlanMessage(ErrorCodes.Busy, problem.Message)], Changed: false), null);
        }
        catch (PostgresException problem) when (problem.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected)
        {
            return (Refused(0, ErrorCodes.Busy, "Busy"), null);
        }
        catch (PostgresException problem) when (problem.SqlState.StartsWith("22", StringComparison.Ordinal))
        {
            // A value that cannot be converted was saved between the question and the answer.
            return (Refused(0, ErrorCodes.Conflict, "ValuesNow"), null);
        }
        catch (PostgresException problem) when (problem.SqlState is PostgresErrorCodes.UniqueViolation && TableNames.TryParse(problem.ConstraintName, out var entity, out var column))
        {
            // A record with a double was saved between the question and the index.
            return (new ApplyResult(0, [new PlanMessage(ErrorCodes.Unique, MetadataTexts.Of("DoublesNow", column), entity + "." + column)], Changed: false), null);
        }
    }

    private async Task<MetadataState> StateAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken ct)
    {
        var state = known();
        var layers = await LayerRows.LoadAsync(connection, transaction, state.Layers, ct);
        return ReferenceEquals(layers, state.Layers) ? state : MetadataState.Of(layers);
    }

    private static HashSet<string> Tables(MetadataLayers layers) =>
        layers.Items.SelectMany(l => l.Entities.Values.Where(e => e.IsOwner)).Select(e => e.Name).ToHashSet(StringComparer.Ordinal);

    /// <summary>Whether the preparation has seen to it: since then no value can be saved that does not fit.</summary>
    private static bool IsAnswered(DataQuestion question, PreparedTables? prepared) => question.Kind == QuestionKind.Unconvertible && prepared?.Names.Contains(question.Entity.Name) == true;

    private PlanStep Shown(PlanStep step, ImmutableHashSet<string> big) => step switch
    {
        { Conversion: { } conversion } when step.Rows >= OnlineRows => step with { Sql = conversion.Script, Lock = StepLock.Brief, Work = StepWork.Fill, IsBackground = true },
        { Online: { } online } when online.IsAlways || big.Contains(step.Entity!) => step with
        {
            Sql = online.Now is null ? online.Later : online.Now + ";\n" + online.Later,
            Lock = online.Now is null ? StepLock.None : StepLock.Brief,
            IsBackground = true,
        },
        _ => step,
    };

    private async Task FinishAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, IReadOnlyList<MetadataChange> changes, PlanDraft draft, long version, ApplyRequest request, CancellationToken ct)
    {
        await connection.ExecuteAsync(new CommandDefinition("UPDATE crm.metadata_version SET version = @version", new { version }, transaction, cancellationToken: ct));
        await connection.ExecuteAsync(new CommandDefinition(
            """
            INSERT INTO crm.metadata_history (version, at, user_id, user_name, changes, steps, comment, definitions)
            VALUES (@version, @at, @userId, @userName, @changes::jsonb, @steps::jsonb, @comment, @definitions::jsonb)
            """,
            new
            {
                version,
                at = time.GetUtcNow(),
                userId = request.Actor.UserId,
                userName = request.Actor.Name,
                changes = MetadataJson.Write(changes).ToJsonString(),
                steps = MetadataJson.WriteSteps(draft.Steps).ToJsonString(),
                comment = string.IsNullOrWhiteSpace(request.Options.Comment) ? null : request.Options.Comment.Trim(),
                definitions = LayerRows.Differences(draft.Start.Layers, draft.After, draft.EntityRenames).ToJsonString(),
            },
            transaction,
            cancellationToken: ct));
        await connection.ExecuteAsync(new CommandDefinition(
            "SELECT pg_notify(@Channel, @payload)", new { Channel, payload = version.ToString(CultureInfo.InvariantCulture) }, transaction, cancellationToken: ct));
    }

    /// <summary>
    /// Remembers new names of fields, with how far the history of records is written under the old ones. Only right behind the renaming of the columns: who saved under
    /// the old names has committed by then, and nobody saves under the new ones before the end.
    /// </summary>
    private static async Task RenamedAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, ImmutableArray<FieldRename> renames, long version, CancellationToken ct)
    {
        foreach (var rename in renames)
        {
            await connection.ExecuteAsync(new CommandDefinition(
                """
                INSERT INTO crm.field_rename (version, entity, from_name, to_name, last_history)
                VALUES (@version, @Entity, @From, @To, COALESCE(pg_sequence_last_value(to_regclass('crm.history_id_seq')), 0))
                """,
                new { version, rename.Entity, rename.From, rename.To },
                transaction,
                cancellationToken: ct));
        }
    }

    private static ApplyResult Refused(long version, string code, string text, params ReadOnlySpan<object?> arguments) =>
        new(version, [new PlanMessage(code, MetadataTexts.Of(text, arguments))], Changed: false);

    private static Task<int> WaitAtMostAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, TimeSpan wait, CancellationToken ct) =>
        connection.ExecuteAsync(new CommandDefinition(
            "SELECT set_config('lock_timeout', @milliseconds, true)",
            new { milliseconds = ((int)wait.TotalMilliseconds).ToString(CultureInfo.InvariantCulture) },
            transaction,
            cancellationToken: ct));

    /// <summary>What reads a whole table takes one core at most, so that those who work meanwhile keep the others.</summary>
    internal static Task OneCoreAsync(NpgsqlConnection connection, bool isLocal, CancellationToken ct) =>
        connection.ExecuteAsync(new CommandDefinition(
            "SELECT set_config('max_parallel_workers_per_gather', '0', @isLocal), set_config('max_parallel_maintenance_workers', '0', @isLocal)", new { isLocal }, cancellationToken: ct));

    internal static async Task<DatabaseFeatures> FeaturesAsync(NpgsqlConnection connection, NpgsqlTransaction? transaction, CancellationToken ct) =>
        new(await connection.ExecuteScalarAsync<string?>(new CommandDefinition(
            "SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_trgm'", transaction: transaction, cancellationToken: ct)));
}
