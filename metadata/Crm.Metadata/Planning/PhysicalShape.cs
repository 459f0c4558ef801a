using System.Collections.Immutable;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>What the database can do, found out once per connection that plans.</summary>
/// <param name="TrigramSchema">Schema of the extension pg_trgm; null when it is missing.</param>
public sealed record DatabaseFeatures(string? TrigramSchema)
{
    /// <summary>A server with every extension in its usual place.</summary>
    public static DatabaseFeatures Full { get; } = new("public");
}

/// <summary>Tables as the definitions want them. Hidden entities and fields are part of it: their data is kept.</summary>
internal sealed record TableShape(
    string Name,
    ImmutableArray<ColumnShape> Columns,
    ImmutableArray<ForeignKeyShape> ForeignKeys,
    ImmutableArray<IndexShape> Indexes)
{
    public static TableShape Of(EntityDefinition entity, DatabaseFeatures features)
    {
        var columns = ImmutableArray.CreateBuilder<ColumnShape>();
        var keys = ImmutableArray.CreateBuilder<ForeignKeyShape>();
        var indexes = ImmutableArray.CreateBuilder<IndexShape>();
        foreach (var field in entity.Fields.Where(f => f.IsSystem).Concat(entity.Fields.Where(f => !f.IsSystem)))
        {
            columns.AddRange(field.Type.Columns.Select(c => new ColumnShape(field.Name + c.Suffix, field.Name, SqlType(c.Storage), SystemClause(field))));
            var fieldKeys = field.Type.Keys(field);
            columns.AddRange(fieldKeys.Select(k => new ColumnShape(field.Name + k.Suffix, field.Name, SqlType(k.IsList ? StorageKind.TextList : StorageKind.Text), null) { Key = KeyOf(field, k) }));
            if (field.Type.Columns.IsEmpty)
            {
                continue;
            }

            var column = field.Name + field.Type.Columns[0].Suffix;
            if ((field.Type as ReferenceType)?.TargetOf(field) is { } target)
            {
                keys.Add(new ForeignKeyShape(TableNames.ForeignKey(entity.Name, column), column, field.Type is OwnerType { TakesTeams: true } ? null : target));
            }

            foreach (var key in fieldKeys.Select(k => (Column: field.Name + k.Suffix, IsUnique: field.IsUnique && k.IsIdentity, k.IsList)))
            {
                var name = key.IsUnique ? TableNames.Unique(entity.Name, key.Column) : TableNames.Index(entity.Name, key.Column);
                indexes.Add(new IndexShape(name, key.Column, key.IsList ? Gin(Sql.Quote(key.Column)) : $"({Sql.Quote(key.Column)})", key.IsUnique));
            }

            if (field.IsUnique && !fieldKeys.Any(k => k.IsIdentity))
            {
                indexes.Add(new IndexShape(TableNames.Unique(entity.Name, column), column, $"({Sql.Quote(column)})", IsUnique: true));
            }
            else if (field.Type is TagsType)
            {
                indexes.Add(new IndexShape(TableNames.Index(entity.Name, column), column, Gin(Sql.Quote(column))));
            }
            else if (entity.Link?.Left == field.Name && entity.TryField(entity.Link.Right, out var right))
            {
                // Each pair once; by the one it starts with it is found through the same index, by the other through its own.
                indexes.Add(new IndexShape(TableNames.Unique(entity.Name, column), column, $"({Sql.Quote(column)}, {Sql.Quote(right.Name + right.Type.Columns[0].Suffix)})", IsUnique: true));
            }
            else if (IsFiltered(field))
            {
                indexes.Add(new IndexShape(TableNames.Index(entity.Name, column), column, $"({Sql.Quote(column)})"));
            }

            if (features.TrigramSchema is { } schema && !field.IsHidden && field.Type is SingleTextType or AddressesType && (entity.SearchFields.Contains(field.Name) || DuplicateFields.IsComparedAsText(entity, field)))
            {
                var text = field.Type is AddressesType ? $"crm.texts_in({Sql.Quote(column)})" : Sql.Quote(column);
                indexes.Add(new IndexShape(TableNames.Trigram(entity.Name, column), column, Gin($"crm.fold({text}) {Sql.Quote(schema)}.gin_trgm_ops")));
            }
        }

        indexes.Add(new IndexShape(TableNames.Index(entity.Name, "created_at"), "created_at", "(\"created_at\", \"id\")"));
        return new TableShape(entity.Name, columns.ToImmutable(), keys.ToImmutable(), indexes.ToImmutable());
    }

    // The list of pending entries is emptied by the one writer who fills it: 64 kB take some milliseconds, 256 kB up to 160, the default's 4 MB half a second. Without it each write costs three times as much.
    private static string Gin(string expression) => $"USING gin ({expression}) WITH (gin_pending_list_limit='64')";

    // What is stored beside the column, so that keys made otherwise are found and made anew.
    private static string KeyOf(FieldDefinition field, MatchKey key) => field.Country is { } country ? key.Name + " " + country : key.Name;

    public static string SqlType(StorageKind storage) => storage switch
    {
        StorageKind.Text => "text",
        StorageKind.Integer => "bigint",
        StorageKind.Decimal => "numeric",
        StorageKind.Boolean => "boolean",
        StorageKind.Date => "date",
        StorageKind.Instant => "timestamptz",
        StorageKind.Reference => "uuid",
        StorageKind.TextList => "text[]",
        StorageKind.Time => "time",
        StorageKind.Json => "jsonb",
        _ => throw new InvalidOperationException($"Unknown storage {storage}."),
    };

    // What a list is mostly filtered and joined by, and what an administrator says so of. Who created or changed a record is not: an index there would cost every write.
    private static bool IsFiltered(FieldDefinition field) =>
        field.IsIndexed || field.Name == "owner" || (!field.IsSystem && (field.Type is ReferenceType or StageType or AnyLookupType));

    private static string? SystemClause(FieldDefinition field) => !field.IsSystem ? null : field.Name switch
    {
        "id" => "NOT NULL",
        "version" => "NOT NULL DEFAULT 1",
        "created_at" or "modified_at" => "NOT NULL",
        "is_active" => "NOT NULL DEFAULT true",
        _ => null,
    };
}

/// <param name="Name">Name of the column.</param>
/// <param name="Field">Field it belongs to.</param>
/// <param name="Type">Its SQL type.</param>
/// <param name="Clause">What follows the type; system columns only.</param>
internal sealed record ColumnShape(string Name, string Field, string Type, string? Clause)
{
    /// <summary>How its keys are made; null for a column that holds what users gave.</summary>
    public string? Key { get; init; }

    public string Definition => Sql.Quote(Name) + " " + Type + (Clause is null ? "" : " " + Clause);
}

/// <param name="Name">Name of the constraint.</param>
/// <param name="Column">Column it is about.</param>
/// <param name="Target">Entity whose records the column points to; null for users and teams together.</param>
internal sealed record ForeignKeyShape(string Name, string Column, string? Target)
{
    public string Definition => $"CONSTRAINT {Sql.Quote(Name)} FOREIGN KEY ({Sql.Quote(Column)}) {References}";

    public string Inline => $"CONSTRAINT {Sql.Quote(Name)} {References}";

    private string References => $"REFERENCES {(Target is null ? PrincipalTrigger.Table : Sql.Table(Target))} (\"id\") ON DELETE RESTRICT";
}

/// <summary>
/// Keep the table of principals, who are whoever a record may belong to, in step with the tables of users and teams: a user is in it from the first moment, a team from the first
/// record on that is given to it, and whoever goes leaves it, unless something is still theirs.
/// </summary>
/// <param name="Name">Name of the trigger.</param>
/// <param name="When">When it fires.</param>
internal sealed record PrincipalTrigger(string Name, string When)
{
    /// <summary>The principals.</summary>
    public const string Table = "crm.\"principal\"";

    // Before a user who is their own owner comes, and after one is gone.
    private static readonly ImmutableArray<PrincipalTrigger> Both = [new("crm_principal_comes", "BEFORE INSERT"), new("crm_principal_goes", "AFTER DELETE")];

    /// <summary>Those an entity's table has.</summary>
    public static ImmutableArray<PrincipalTrigger> Of(string entity) => entity is PlatformShape.User or PlatformShape.Team ? Both : [];

    /// <summary>Makes it.</summary>
    public string Create(string entity) => $"CREATE TRIGGER {Name} {When} ON {Sql.Table(entity)} FOR EACH ROW EXECUTE FUNCTION crm.keep_principal()";
}

/// <param name="Name">Name of the index.</param>
/// <param name="Column">Column it is about.</param>
/// <param name="Expression">What follows the table's name.</param>
/// <param name="IsUnique">Whether it forbids doubles.</param>
internal sealed record IndexShape(string Name, string Column, string Expression, bool IsUnique = false)
{
    public string Create(string table) => Create(table, "INDEX");

    public string CreateConcurrently(string table) => Create(table, "INDEX CONCURRENTLY");

    private string Create(string table, string what) => $"CREATE {(IsUnique ? "UNIQUE " : "")}{what} {Sql.Quote(Name)} ON {Sql.Table(table)} {Expression}";
}
