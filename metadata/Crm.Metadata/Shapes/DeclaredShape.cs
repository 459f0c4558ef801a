using System.Collections.Immutable;

using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>Everything one layer declares, as <see cref="MetadataBuilder"/> made it.</summary>
/// <param name="Entities">Entities it declares or adds to.</param>
/// <param name="Areas">Areas and sections of the navigation it declares or adds to.</param>
public sealed record DeclaredShape(ImmutableArray<EntityShape> Entities, ImmutableArray<AreaDefinition> Areas)
{
    /// <summary>A shape that declares nothing.</summary>
    public static DeclaredShape Empty { get; } = new([], []);

    /// <summary>What it says about the whole installation; modules say nothing.</summary>
    public InstallationSettings Settings { get; init; } = InstallationSettings.None;
}

/// <summary>One layer of definitions.</summary>
/// <param name="Module">Who declares; the id is <see cref="Origins.Platform"/> or <see cref="Origins.Custom"/> for the two that are no modules.</param>
/// <param name="Entities">Its shapes by entity name.</param>
/// <param name="Areas">Its areas.</param>
public sealed record Layer(ModuleInfo Module, ImmutableSortedDictionary<string, EntityShape> Entities, ImmutableArray<AreaDefinition> Areas)
{
    /// <summary>What the customer says about the whole installation; other layers say nothing.</summary>
    public InstallationSettings Settings { get; init; } = InstallationSettings.None;

    /// <summary>Module id, <see cref="Origins.Platform"/> or <see cref="Origins.Custom"/>.</summary>
    public string Name => Module.Id;

    /// <summary>Whether this is the customer's layer.</summary>
    public bool IsCustom => Name == Origins.Custom;

    /// <summary>A layer without definitions.</summary>
    public static Layer Empty(ModuleInfo module) =>
        new(module, ImmutableSortedDictionary.Create<string, EntityShape>(StringComparer.Ordinal), []);

    /// <summary>What the layer says about an entity, an empty shape when nothing.</summary>
    public EntityShape Entity(string name) => Entities.GetValueOrDefault(name) ?? new EntityShape(name);

    /// <summary>With nothing said about an entity.</summary>
    public Layer Without(string entity) => this with { Entities = Entities.Remove(entity) };

    /// <summary>With the shape added or replaced.</summary>
    public Layer With(EntityShape entity) => this with { Entities = Entities.SetItem(entity.Name, entity) };
}

/// <summary>All layers at one version: the platform first, then modules so that each comes after those it depends on, the customer last.</summary>
public sealed record MetadataLayers
{
    private static readonly ModuleInfo CustomModule = new(Origins.Custom, "Customisation");

    private MetadataLayers(long version, ImmutableArray<Layer> items)
    {
        Version = version;
        Items = items;
    }

    /// <summary>Grows by one with every applied change.</summary>
    public long Version { get; }

    /// <summary>In order; later ones win.</summary>
    public ImmutableArray<Layer> Items { get; }

    /// <summary>Layers of a new database.</summary>
    public static MetadataLayers None { get; } = Of(0, []);

    /// <summary>The customer's layer.</summary>
    public Layer Custom => Items[^1];

    /// <summary>Puts layers in order; the two fixed ones are added when missing.</summary>
    public static MetadataLayers Of(long version, IEnumerable<Layer> layers)
    {
        var byName = layers.ToDictionary(l => l.Name, StringComparer.Ordinal);
        var ordered = ImmutableArray.CreateBuilder<Layer>();
        var seen = new HashSet<string>(StringComparer.Ordinal) { Origins.Custom };

        Visit(Origins.Platform);
        foreach (var name in byName.Keys.Order(StringComparer.Ordinal))
        {
            Visit(name);
        }

        ordered.Add(byName.GetValueOrDefault(Origins.Custom) ?? Layer.Empty(CustomModule));
        return new MetadataLayers(version, ordered.ToImmutable());

        // A circle of dependencies is refused by the host; here it only must not hang.
        void Visit(string name)
        {
            if (!seen.Add(name) || !byName.TryGetValue(name, out var layer))
            {
                return;
            }

            foreach (var needed in ModuleStates.DependsOn(layer.Module).Order(StringComparer.Ordinal))
            {
                Visit(needed);
            }

            ordered.Add(layer);
        }
    }

    /// <summary>With the layer added or replaced.</summary>
    public MetadataLayers With(Layer layer) => Of(Version, [.. Items.Where(l => l.Name != layer.Name), layer]);

    /// <summary>The same at another version.</summary>
    public MetadataLayers At(long version) => new(version, Items);

    /// <summary>A layer by name.</summary>
    public Layer? Find(string name) => Items.FirstOrDefault(l => l.Name == name);
}
