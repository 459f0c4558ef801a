using System.Collections.Immutable;
using System.Text.Json;
using Crm.Metadata;
using Crm.Records.Jobs;
using Crm.Sdk;
using Dapper;
using Npgsql;

namespace Crm.Records.Importing;

/// <summary>Keeps templates of imports. Only who may import into an entity is told of its templates, and of a template only the fields they may write.</summary>
public sealed class ImportTemplates(CrmDatabase database, RecordEngine engine)
{
    // So many are found by nobody.
    private const int MaxTemplates = 200;

    private const string Seen = "entity = @entity AND (is_shared OR owner = @UserId)";
    private const string Changeable = "id = @Id AND entity = @entity AND CASE WHEN is_shared THEN @IsAdministrator ELSE owner = @UserId END";

    /// <summary>The templates of an entity that somebody is offered, by name.</summary>
    /// <exception cref="ImportFileException">They may not import into the entity.</exception>
    public async Task<ImmutableArray<ImportTemplate>> ListAsync(string entity, Actor actor, CancellationToken ct = default)
    {
        var (view, definition) = await ImportService.OpenAsync(engine, entity, actor, ct);
        return await ReadAsync(view, definition, $"{Seen} ORDER BY lower(name), is_shared", new { entity = definition.Name, actor.UserId }, ct);
    }

    /// <summary>A template that somebody is offered, by its id or its name; of two of the same name their own.</summary>
    /// <exception cref="ImportFileException">There is none, or they may not import into the entity.</exception>
    public async Task<ImportTemplate> FindAsync(string entity, string idOrName, Actor actor, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(idOrName);
        var (view, definition) = await ImportService.OpenAsync(engine, entity, actor, ct);
        if (idOrName.Any(char.IsControl))
        {
            // No name has one, and the database would not take it.
            throw NotFound(idOrName);
        }

        var id = Guid.TryParse(idOrName, out var given) ? given : Guid.Empty;
        var found = await ReadAsync(view, definition, $"{Seen} AND (id = @id OR lower(name) = lower(@name)) ORDER BY id = @id DESC, is_shared LIMIT 1", new { entity = definition.Name, actor.UserId, id, name = idOrName.Trim() }, ct);
        return found.Length == 1 ? found[0] : throw NotFound(idOrName);
    }

    /// <summary>A template for an import as it stands: what it names must all be there and may all be written.</summary>
    /// <exception cref="ImportFileException">It is not.</exception>
    public async Task<ImportTemplate> UseAsync(string entity, string idOrName, Actor actor, CancellationToken ct = default)
    {
        var template = await FindAsync(entity, idOrName, actor, ct);
        if (!template.Missing.IsEmpty)
        {
            throw new ImportFileException(ImportCodes.Mapping, Texts.Of("TemplateOutdated", template.Name, template.Missing[0].Message), "template") { Details = template.Missing };
        }

        return template.Withheld == 0 ? template : throw new ImportFileException(ErrorCodes.Access, Texts.Of("TemplateWithheld", template.Name, template.Withheld), "template");
    }

    /// <summary>Saves a template, a new one or one that is there.</summary>
    /// <exception cref="ImportFileException">Something is wrong with it, or somebody may not save it like this.</exception>
    public async Task<ImportTemplate> SaveAsync(ImportTemplate template, Actor actor, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(template);
        ArgumentNullException.ThrowIfNull(actor);
        var (view, definition) = await ImportService.OpenAsync(engine, template.Entity, actor, ct);
        var name = CheckedName(template.Name, template.IsShared, actor);
        var problems = MappingCheck.Problems(view.Seen, definition, null, template.Mapping, template.Mode, template.Match);
        if (!problems.IsEmpty)
        {
            throw new ImportFileException(ImportCodes.Mapping, problems[0].Message, problems[0].Field) { Details = problems };
        }

        var saved = await WriteAsync(
            """
            INSERT INTO crm.import_template AS t (id, entity, name, is_shared, owner, version, content)
            SELECT @Id, @entity, @name, @IsShared, @UserId, @version, @content::jsonb
            WHERE EXISTS (SELECT FROM crm.import_template WHERE id = @Id) OR (SELECT count(*) FROM crm.import_template WHERE entity = @entity AND is_shared = @IsShared AND (is_shared OR owner = @UserId)) < @MaxTemplates
            ON CONFLICT (id) DO UPDATE SET name = excluded.name, is_shared = excluded.is_shared, version = excluded.version, content = excluded.content, modified_at = clock_timestamp()
            WHERE t.entity = excluded.entity AND CASE WHEN t.is_shared THEN @IsAdministrator ELSE t.owner = @UserId END
            """,
            new
            {
                template.Id,
                entity = definition.Name,
                name,
                template.IsShared,
                actor.UserId,
                version = view.Full.Version,
                content = JsonSerializer.Serialize(new Content(template.Mapping, template.Mode, template.Match, template.AcceptsDuplicates), JobJson.Options),
                MaxTemplates,
                actor.IsAdministrator,
            },
            name,
            ct);
        if (saved)
        {
            return template with { Entity = definition.Name, Name = name };
        }

        // A new one is not stored where there are too many; one that is there where it is not theirs to change.
        await using var connection = await database.OpenAsync(ct);
        throw await connection.ExecuteScalarAsync<bool>(new CommandDefinition("SELECT EXISTS (SELECT FROM crm.import_template WHERE id = @Id)", new { template.Id }, cancellationToken: ct))
            ? new ImportFileException(ErrorCodes.Access, Texts.Of("TemplateOfOther", name), "template")
            : new ImportFileException(ErrorCodes.BadRequest, Texts.Of("TooManyTemplates", MaxTemplates), "name");
    }

    /// <summary>Gives a template another name, or shares it; what it says stays.</summary>
    /// <exception cref="ImportFileException">The name is taken or none, or somebody may not do this.</exception>
    public async Task RenameAsync(ImportTemplate template, string name, bool isShared, Actor actor, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(template);
        ArgumentNullException.ThrowIfNull(actor);
        await ImportService.OpenAsync(engine, template.Entity, actor, ct);
        name = CheckedName(name, isShared, actor);
        if (!await WriteAsync(
            $"UPDATE crm.import_template SET name = @name, is_shared = @isShared, modified_at = clock_timestamp() WHERE {Changeable}",
            new { template.Id, entity = template.Entity, name, isShared, actor.UserId, actor.IsAdministrator },
            name,
            ct))
        {
            throw new ImportFileException(ErrorCodes.Access, Texts.Of("TemplateOfOther", template.Name), "template");
        }
    }

    /// <summary>Deletes a template.</summary>
    /// <exception cref="ImportFileException">It is not theirs to delete.</exception>
    public async Task DeleteAsync(ImportTemplate template, Actor actor, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(template);
        ArgumentNullException.ThrowIfNull(actor);
        await ImportService.OpenAsync(engine, template.Entity, actor, ct);
        await using var connection = await database.OpenAsync(ct);
        if (await connection.ExecuteAsync(new CommandDefinition(
            $"DELETE FROM crm.import_template WHERE {Changeable}", new { template.Id, entity = template.Entity, actor.UserId, actor.IsAdministrator }, cancellationToken: ct)) == 0)
        {
            throw new ImportFileException(ErrorCodes.Access, Texts.Of("TemplateOfOther", template.Name), "template");
        }
    }

    private static string CheckedName(string given, bool isShared, Actor actor)
    {
        var name = given.Trim();
        if (name.Length is 0 or > ImportTemplate.MaxName || name.Any(char.IsControl))
        {
            throw new ImportFileException(ErrorCodes.Length, Texts.Of("TemplateName", ImportTemplate.MaxName), "name");
        }

        return !isShared || actor.IsAdministrator ? name : throw new ImportFileException(ErrorCodes.Access, Texts.Of("TemplateShared"), "shared");
    }

    private static ImportFileException NotFound(string idOrName) => new(ErrorCodes.NotFound, Texts.Of("NoTemplate", idOrName), "template");

    private async Task<bool> WriteAsync(string sql, object parameters, string name, CancellationToken ct)
    {
        await using var connection = await database.OpenAsync(ct);
        try
        {
            return await connection.ExecuteAsync(new CommandDefinition(sql, parameters, cancellationToken: ct)) == 1;
        }
        catch (PostgresException problem) when (problem.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            throw new ImportFileException(ErrorCodes.Unique, Texts.Of("TemplateTaken", name), "name");
        }
    }

    private async Task<ImmutableArray<ImportTemplate>> ReadAsync(AccessView view, EntityDefinition entity, string where, object parameters, CancellationToken ct)
    {
        await using var connection = await database.OpenAsync(ct);
        var rows = (await connection.QueryAsync<(Guid Id, string Name, bool IsShared, Guid Owner, long Version, string Content)>(
            new CommandDefinition("SELECT id, name, is_shared, owner, version, content::text FROM crm.import_template WHERE " + where, parameters, cancellationToken: ct))).AsList();
        if (rows.Count == 0)
        {
            return [];
        }

        var renames = (await connection.QueryAsync<TemplateNames.Rename>(new CommandDefinition(
            "SELECT version AS Version, entity AS Entity, from_name AS \"From\", to_name AS \"To\" FROM crm.field_rename WHERE version > @oldest ORDER BY id", new { oldest = rows.Min(r => r.Version) }, cancellationToken: ct))).AsList();
        var full = view.Full.Entity(entity.Name);
        return
        [
            .. rows.Select(row =>
            {
                var content = JsonSerializer.Deserialize<Content>(row.Content, JobJson.Options)!;
                var template = new ImportTemplate(row.Id, entity.Name, row.Name, row.IsShared, row.Owner, content.Mapping)
                {
                    Mode = content.Mode,
                    Match = content.Match.IsDefault ? [] : content.Match,
                    AcceptsDuplicates = content.AcceptsDuplicates,
                };
                return AsSeen(new TemplateNames(view.Full, renames.FindAll(r => r.Version > row.Version)).Follow(template, full), view, entity);
            }),
        ];
    }

    /// <summary>What is gone is said, what is forbidden is counted, and neither is used.</summary>
    private static ImportTemplate AsSeen(ImportTemplate template, AccessView view, EntityDefinition entity)
    {
        var full = view.Full.Entity(entity.Name);
        var missing = template.Mapping.Fields.SelectMany(f => MappingCheck.FieldProblems(view.Full, full, null, f.Key, f.Value).Take(1).Select(p => new ValidationError(f.Key, ImportCodes.Mapping, p))).ToImmutableArray();
        var there = template.Mapping.Fields.RemoveRange(missing.Select(m => m.Field!));
        var good = there.RemoveRange(there.Where(f => MappingCheck.FieldProblems(view.Seen, entity, null, f.Key, f.Value).Any()).Select(f => f.Key));
        return template with
        {
            Mapping = template.Mapping with { Fields = good },
            Match = template.Match.RemoveAll(m => !good.ContainsKey(m)),
            Missing = missing,
            Withheld = there.Count - good.Count,
        };
    }

    private sealed record Content(ImportMapping Mapping, ImportMode Mode, ImmutableArray<string> Match, bool AcceptsDuplicates);
}
