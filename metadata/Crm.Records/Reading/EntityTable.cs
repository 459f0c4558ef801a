using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Crm.Metadata;
using Crm.Sdk;

namespace Crm.Records;

/// <summary>An entity as its table: visible fields in order, their columns, and the statements made from them once.</summary>
internal sealed class EntityTable
{
    private static readonly ConditionalWeakTable<EntityDefinition, EntityTable> Tables = [];

    private readonly Dictionary<string, TableField> byName;

    private EntityTable(EntityDefinition entity)
    {
        Entity = entity;
        Name = Sql.Table(entity.Name);
        Fields = [.. entity.Fields.Where(f => !f.IsHidden).Select((f, i) => new TableField(f, i, ColumnsOf(f), KeysOf(f)))];
        Columns = [.. Fields.SelectMany(f => f.Columns)];
        Shape = new RecordShape([.. Fields.Select(f => f.Name)]);
        byName = Fields.ToDictionary(f => f.Name, StringComparer.Ordinal);
        SelectList = string.Join(", ", Columns.Select(c => "r." + c.Quoted));
        FindSql = $"SELECT {SelectList} FROM {Name} AS r WHERE r.id = $1";
        Hierarchies = [.. Fields.Where(f => f.Type is HierarchyType)];
        Links = [.. Fields.Where(f => f.Type is ManyToManyType)];
        Files = [.. Fields.Where(f => f.Type is FileType)];
        Scripts = [.. entity.Rules.Where(r => r.Script is not null)];
        Duplicates = DuplicateRule.Of(entity, byName);
        // Rows inside a field are no records: they have neither.
        Id = byName.GetValueOrDefault("id")?.Index ?? -1;
        Version = byName.GetValueOrDefault("version")?.Index ?? -1;
    }

    public EntityDefinition Entity { get; }

    /// <summary>Quoted, with its schema.</summary>
    public string Name { get; }

    /// <summary>Visible fields, system fields last.</summary>
    public ImmutableArray<TableField> Fields { get; }

    /// <summary>Columns of <see cref="Fields"/>, in their order.</summary>
    public ImmutableArray<TableColumn> Columns { get; }

    /// <summary>Fields that point to the record above.</summary>
    public ImmutableArray<TableField> Hierarchies { get; }

    /// <summary>Many-to-many fields: they have no columns.</summary>
    public ImmutableArray<TableField> Links { get; }

    /// <summary>Fields that hold files.</summary>
    public ImmutableArray<TableField> Files { get; }

    /// <summary>Rules with a script, in their order.</summary>
    public ImmutableArray<RuleDefinition> Scripts { get; }

    /// <summary>Rules about records that are alike.</summary>
    public ImmutableArray<DuplicateRule> Duplicates { get; }

    /// <summary>Shape of a record with all fields; places are those of <see cref="Fields"/>.</summary>
    public RecordShape Shape { get; }

    public string SelectList { get; }

    public string FindSql { get; }

    /// <summary>Place of the id.</summary>
    public int Id { get; }

    /// <summary>Place of the version.</summary>
    public int Version { get; }

    /// <summary>Statements of the store, by shape.</summary>
    public ConcurrentDictionary<string, string> Statements { get; } = new(StringComparer.Ordinal);

    public static EntityTable Of(EntityDefinition entity) => Tables.GetValue(entity, e => new EntityTable(e));

    /// <summary>Finds a visible field.</summary>
    public bool TryField(string name, [NotNullWhen(true)] out TableField? field) => byName.TryGetValue(name, out field);

    /// <summary>A field every entity has.</summary>
    public TableField System(string name) => byName[name];

    /// <summary>Finds a visible field by its name or by the name of one of its properties.</summary>
    /// <param name="name">Field or property name.</param>
    /// <param name="field">The field.</param>
    /// <param name="part">Which column; -1 for the field as a whole.</param>
    public bool TryResolve(string name, [NotNullWhen(true)] out TableField? field, out int part)
    {
        part = -1;
        if (byName.TryGetValue(name, out field))
        {
            return true;
        }

        if (!Entity.TryProperty(name, out var property) || !byName.TryGetValue(property.Field.Name, out field))
        {
            field = null;
            return false;
        }

        for (var i = 0; i < field.Columns.Length; i++)
        {
            if (field.Columns[i].Name == name)
            {
                part = i;
            }
        }

        return true;
    }

    public Record ToRecord(object?[] values) =>
        new(Entity.Name, (Guid)values[Id]!, (long)values[Version]!, new RecordValues(Shape, values));

    private static ImmutableArray<KeyColumn> KeysOf(FieldDefinition field) =>
        [.. field.Type.Keys(field).Select(k => new KeyColumn(k, Sql.Quote(field.Name + k.Suffix)))];

    private static ImmutableArray<TableColumn> ColumnsOf(FieldDefinition field) =>
        [.. field.Type.Columns.Select(c => new TableColumn(field.Name + c.Suffix, Sql.Quote(field.Name + c.Suffix), c.Part, c.Storage))];
}

/// <summary>A visible field.</summary>
/// <param name="Definition">What it is.</param>
/// <param name="Index">Its place among the visible fields.</param>
/// <param name="Columns">Where it is stored.</param>
/// <param name="Keys">Where what it is found by is stored.</param>
internal sealed record TableField(FieldDefinition Definition, int Index, ImmutableArray<TableColumn> Columns, ImmutableArray<KeyColumn> Keys)
{
    /// <summary>The key that says which values are the same; null when the value itself does.</summary>
    public KeyColumn? Identity { get; } = Keys.FirstOrDefault(k => k.Key.IsIdentity);

    /// <summary>What two values that are the same have in common.</summary>
    public object SameAs(object value) => Identity?.Of(Definition, value) ?? value;

    public string Name => Definition.Name;

    public FieldType Type => Definition.Type;

    /// <summary>Set by the store itself: nobody else may give it a value.</summary>
    public bool IsStamp => Definition is { IsSystem: true, Name: not ("owner" or "is_active") };

    /// <summary>Follows from other values.</summary>
    public bool IsCalculated => Definition.IsCalculated;

    /// <summary>Refused when a caller gives another value than the stored one.</summary>
    public bool IsProtected => IsStamp || Definition.IsReadOnly || ReferenceEquals(Type, Sdk.Fields.AutoNumber);

    /// <summary>Cannot be without a value.</summary>
    public bool IsRequired => Definition.IsRequired || Type is StageType || Definition is { IsSystem: true, Name: "owner" or "is_active" };
}

/// <summary>A column of match keys.</summary>
/// <param name="Key">What is in it.</param>
/// <param name="Quoted">As SQL knows it.</param>
internal sealed record KeyColumn(MatchKey Key, string Quoted)
{
    public StorageKind Storage => Key.IsList ? StorageKind.TextList : StorageKind.Text;

    /// <summary>The key of a text; null when it has none.</summary>
    public string? Of(FieldDefinition field, object? value) => value is string text ? Key.Of(field, text) : null;
}

/// <summary>One column.</summary>
/// <param name="Name">As the API knows it.</param>
/// <param name="Quoted">As SQL knows it.</param>
/// <param name="Part">Its name in a dictionary of parts.</param>
/// <param name="Storage">What it holds.</param>
internal sealed record TableColumn(string Name, string Quoted, string Part, StorageKind Storage);
