using System.Collections.Frozen;
using System.Runtime.CompilerServices;
using Crm.Sdk;
using Microsoft.OData.Edm;

namespace Crm.Host.Api.OData;

/// <summary>The entity model OData clients see, made from one snapshot. Hidden entities and fields are not in it.</summary>
internal sealed class ODataModel
{
    public const string Namespace = "crm";

    private ODataModel(MetadataSnapshot snapshot, EdmModel edm, FrozenDictionary<string, ODataSet> sets)
    {
        Snapshot = snapshot;
        Edm = edm;
        Sets = sets;
        ByEntity = sets.Values.ToFrozenDictionary(s => s.Entity.Name);
    }

    /// <summary>What the model was made from.</summary>
    public MetadataSnapshot Snapshot { get; }

    public EdmModel Edm { get; }

    /// <summary>Sets by their name in the API.</summary>
    public FrozenDictionary<string, ODataSet> Sets { get; }

    /// <summary>Sets by the name of their entity.</summary>
    public FrozenDictionary<string, ODataSet> ByEntity { get; }

    /// <summary>The set of this name; an answer of 404 when there is none.</summary>
    public ODataSet Set(string name) => Sets.TryGetValue(name, out var set)
        ? set
        : throw new ApiException(new ApiError(StatusCodes.Status404NotFound, ErrorCodes.UnknownEntity, $"There is no entity set '{name}'.", name));

    public static ODataModel Build(MetadataSnapshot snapshot)
    {
        var edm = new EdmModel();
        var kindValue = new EdmComplexType(Namespace, "kind_value");
        kindValue.AddStructuralProperty("kind", EdmCoreModel.Instance.GetString(isNullable: true));
        kindValue.AddStructuralProperty("value", EdmCoreModel.Instance.GetString(isNullable: true));
        edm.AddElement(kindValue);
        var kindAddress = new EdmComplexType(Namespace, "kind_address");
        kindAddress.AddStructuralProperty("kind", EdmCoreModel.Instance.GetString(isNullable: true));
        foreach (var part in AddressesType.Parts)
        {
            kindAddress.AddStructuralProperty(part.Part, EdmCoreModel.Instance.GetString(isNullable: true));
        }

        edm.AddElement(kindAddress);
        var container = new EdmEntityContainer(Namespace, "Container");
        var sets = snapshot.Entities.Values.Where(e => !e.IsHidden).OrderBy(e => e.SetName, StringComparer.Ordinal)
            .Select(entity => AddType(edm, container, entity, type => type is AddressesType ? kindAddress : kindValue)).ToFrozenDictionary(s => s.Entity.SetName);
        var byEntity = sets.Values.ToDictionary(s => s.Entity.Name);
        foreach (var set in sets.Values.OrderBy(s => s.Entity.SetName, StringComparer.Ordinal))
        {
            AddNavigations(set, byEntity);
        }

        var pointing = sets.Values.Where(s => s.Entity.Link is null)
            .SelectMany(s => s.Navigations.Values.Where(n => !n.Field.IsSystem).Select(n => (n.Target, Set: s, Lookup: n.Field)).Concat(
                from field in s.Entity.Fields
                where !field.IsHidden && field.Type is AnyLookupType
                from target in field.Targets.IsEmpty ? byEntity.Values : field.Targets.Select(t => byEntity.GetValueOrDefault(t)).OfType<ODataSet>()
                select (Target: target, Set: s, Lookup: field)))
            .ToLookup(n => n.Target, n => (n.Set, n.Lookup));
        foreach (var set in sets.Values.OrderBy(s => s.Entity.SetName, StringComparer.Ordinal))
        {
            AddRelated(set, pointing[set]);
        }

        edm.AddElement(container);
        return new ODataModel(snapshot, edm, sets);
    }

    private static ODataSet AddType(EdmModel edm, EdmEntityContainer container, EntityDefinition entity, Func<FieldType, EdmComplexType> kinds)
    {
        var type = new EdmEntityType(Namespace, entity.Name);
        foreach (var field in entity.Fields.Where(f => !f.IsHidden))
        {
            foreach (var column in field.Type.Columns)
            {
                var property = type.AddStructuralProperty(field.Name + column.Suffix, field.Type is KindsType ? EdmCoreModel.GetCollection(new EdmComplexTypeReference(kinds(field.Type), isNullable: false)) : TypeOf(field, column));
                if (field.IsSystem && field.Type == Fields.Key)
                {
                    type.AddKeys(property);
                }
            }
        }

        edm.AddElement(type);
        return new ODataSet(entity, type, container.AddEntitySet(entity.SetName, type));
    }

    private static void AddNavigations(ODataSet set, Dictionary<string, ODataSet> byEntity)
    {
        var navigations = new Dictionary<string, Navigation>();
        var links = new Dictionary<string, LinkNavigation>();
        foreach (var field in set.Entity.Fields.Where(f => !f.IsHidden))
        {
            if (field.Link is { } link && byEntity.TryGetValue(link.Entity, out var linkSet) && byEntity.TryGetValue(field.Target!, out var farSet))
            {
                var many = set.Type.AddUnidirectionalNavigation(new EdmNavigationPropertyInfo { Name = field.Name, Target = farSet.Type, TargetMultiplicity = EdmMultiplicity.Many });
                set.EdmSet.AddNavigationTarget(many, farSet.EdmSet);
                links.Add(field.Name, new LinkNavigation(field, farSet, linkSet));
                continue;
            }

            var ways = field.Type is ReferenceType reference ? reference.WaysOf(field) : [];
            foreach (var way in ways)
            {
                if (!byEntity.TryGetValue(way.Target, out var targetSet) || set.Type.FindProperty(way.Navigation) is not null)
                {
                    continue;
                }

                // Where the record may be of either entity, no constraint can say that there is one of that id in each.
                var isOnly = ways.Length == 1;
                var property = set.Type.AddUnidirectionalNavigation(new EdmNavigationPropertyInfo
                {
                    Name = way.Navigation,
                    Target = targetSet.Type,
                    TargetMultiplicity = EdmMultiplicity.ZeroOrOne,
                    DependentProperties = isOnly ? [(IEdmStructuralProperty)set.Type.FindProperty(field.Name + field.Type.Columns[0].Suffix)] : null,
                    PrincipalProperties = isOnly ? targetSet.Type.DeclaredKey! : null,
                });
                set.EdmSet.AddNavigationTarget(property, targetSet.EdmSet);
                navigations.Add(way.Navigation, new Navigation(way.Navigation, way == ways[0] ? field.Name : way.Navigation, field, targetSet) { IsOnly = isOnly });
            }
        }

        set.Navigations = navigations.ToFrozenDictionary();
        set.Links = links.ToFrozenDictionary();
    }

    // Records that point here, for conditions on them. A field of the same name goes first.
    private static void AddRelated(ODataSet set, IEnumerable<(ODataSet Set, FieldDefinition Lookup)> pointing)
    {
        var related = new Dictionary<string, RelatedNavigation>();
        foreach (var lookups in pointing.GroupBy(p => p.Set).OrderBy(g => g.Key.Entity.SetName, StringComparer.Ordinal))
        {
            // A pointer to several entities goes by its own name, so that it changes no other one when it is made.
            var isOne = lookups.Count(l => l.Lookup.Type is ReferenceType) == 1;
            foreach (var (other, lookup) in lookups.OrderBy(l => l.Lookup.Type is AnyLookupType).ThenBy(l => l.Lookup.Name, StringComparer.Ordinal))
            {
                var name = !isOne || lookup.Type is AnyLookupType ? $"{other.Entity.SetName}_by_{lookup.Name}" : other.Entity.SetName;
                if (set.Type.FindProperty(name) is null)
                {
                    var property = set.Type.AddUnidirectionalNavigation(new EdmNavigationPropertyInfo { Name = name, Target = other.Type, TargetMultiplicity = EdmMultiplicity.Many });
                    set.EdmSet.AddNavigationTarget(property, other.EdmSet);
                    related.Add(name, new RelatedNavigation(name, lookup, other));
                }
            }
        }

        set.Related = related.ToFrozenDictionary();
    }

    private static IEdmTypeReference TypeOf(FieldDefinition field, FieldColumn column)
    {
        // Only what the product sets itself is never missing: a required field may have been made required later.
        var nullable = !(field.IsSystem && field.Name is "id" or "version" or "created_at" or "modified_at");
        var core = EdmCoreModel.Instance;
        return column.Storage switch
        {
            StorageKind.Text => core.GetString(isUnbounded: false, MaxLength(field, column), isUnicode: true, nullable),
            StorageKind.Integer => core.GetInt64(nullable),
            StorageKind.Decimal => core.GetDecimal(precision: null, column.Scale ?? field.Scale ?? 2, nullable),
            StorageKind.Boolean => core.GetBoolean(nullable),
            StorageKind.Date => core.GetDate(nullable),
            StorageKind.Instant => core.GetDateTimeOffset(nullable),
            StorageKind.Time => core.GetTemporal(EdmPrimitiveTypeKind.TimeOfDay, nullable),
            // As text: most OData clients know no untyped values.
            StorageKind.Json => core.GetString(nullable),
            StorageKind.Reference => core.GetGuid(nullable),
            StorageKind.TextList => EdmCoreModel.GetCollection(core.GetString(isNullable: false)),
            _ => throw new InvalidOperationException($"No OData type for {column.Storage}."),
        };
    }

    private static int? MaxLength(FieldDefinition field, FieldColumn column) =>
        column.MaxLength ?? (field.Type is SingleTextType text && column == field.Type.Columns[0] ? field.MaxLength ?? text.DefaultMaxLength : null);
}

/// <summary>One entity as OData sees it.</summary>
internal sealed class ODataSet(EntityDefinition entity, EdmEntityType type, EdmEntitySet edmSet)
{
    public EntityDefinition Entity { get; } = entity;

    public EdmEntityType Type { get; } = type;

    public EdmEntitySet EdmSet { get; } = edmSet;

    /// <summary>Lookups by the name of their navigation property.</summary>
    public FrozenDictionary<string, Navigation> Navigations { get; set; } = FrozenDictionary<string, Navigation>.Empty;

    /// <summary>Many-to-many fields by their name.</summary>
    public FrozenDictionary<string, LinkNavigation> Links { get; set; } = FrozenDictionary<string, LinkNavigation>.Empty;

    /// <summary>Records that point here, by the name of the collection.</summary>
    public FrozenDictionary<string, RelatedNavigation> Related { get; set; } = FrozenDictionary<string, RelatedNavigation>.Empty;

    /// <summary>All visible properties.</summary>
    public Projection All { get; } = Projection.Of(entity);

    /// <summary>The addresses in a field, as conditions name them.</summary>
    public ODataSet RowsOf(FieldDefinition field) => new(AddressesType.RowsOf(field), Type, EdmSet);

    /// <summary>The navigations of a field: one of each entity it may lead to.</summary>
    public IEnumerable<Navigation> NavigationsOf(FieldDefinition field) => Navigations.Values.Where(n => n.Field == field).OrderBy(n => n.Name != field.Type.NavigationProperty(field));
}

/// <summary>A lookup as OData sees it.</summary>
/// <param name="Name">Name of the navigation property.</param>
/// <param name="Step">What a path of a query calls it.</param>
/// <param name="Field">The lookup.</param>
/// <param name="Target">Where it leads.</param>
internal sealed record Navigation(string Name, string Step, FieldDefinition Field, ODataSet Target)
{
    /// <summary>Whether the lookup leads to records of no other entity.</summary>
    public bool IsOnly { get; init; } = true;
}

/// <summary>A many-to-many field as OData sees it: a collection of the records at its far side.</summary>
/// <param name="Field">The field.</param>
/// <param name="Target">The far side.</param>
/// <param name="Links">The links themselves.</param>
internal sealed record LinkNavigation(FieldDefinition Field, ODataSet Target, ODataSet Links);

/// <summary>The records whose lookup leads to a record, as OData sees them.</summary>
/// <param name="Name">Name of the collection.</param>
/// <param name="Lookup">The lookup.</param>
/// <param name="Set">Where the records are.</param>
internal sealed record RelatedNavigation(string Name, FieldDefinition Lookup, ODataSet Set);

/// <summary>The model of the definitions as whoever acts sees them, made once for each such set of definitions.</summary>
internal sealed class ODataModels(IMetadata metadata)
{
    private static readonly ConditionalWeakTable<MetadataSnapshot, ODataModel> Made = [];

    public ODataModel Current => Of(metadata.Current);

    public static ODataModel Of(MetadataSnapshot snapshot) => Made.GetValue(snapshot, ODataModel.Build);
}
