using System.Collections.Immutable;
using Crm.Metadata;
using Crm.Sdk;

namespace Crm.Host.Pages.Access;

/// <summary>What an administrator wants changed about roles and their rights and has not applied yet.</summary>
internal sealed class RolesDraft
{
    // What stands for nothing, where null is what was not touched.
    private const string Unset = "";
    private const char Separator = '\n';

    /// <summary>Cells that were touched, by role, entity and what it is about: an operation or a field.</summary>
    public Dictionary<string, string> Cells { get; init; } = new(StringComparer.Ordinal);

    /// <summary>Other visibilities, by entity.</summary>
    public Dictionary<string, Visibility> Visibilities { get; init; } = new(StringComparer.Ordinal);

    /// <summary>Labels of roles that are new or called otherwise.</summary>
    public Dictionary<string, string> Labels { get; init; } = new(StringComparer.Ordinal);

    /// <summary>Roles that go.</summary>
    public HashSet<string> Removed { get; init; } = new(StringComparer.Ordinal);

    /// <summary>Entities that have rights, in the order of their names.</summary>
    public static ImmutableArray<EntityDefinition> Entities(MetadataSnapshot snapshot) =>
        [.. snapshot.Entities.Values.Where(e => !e.IsHidden).OrderBy(e => e.Origin == Origins.Platform).ThenBy(e => e.PluralLabel, StringComparer.CurrentCulture)];

    /// <summary>Fields that can be kept from roles.</summary>
    public static IEnumerable<FieldDefinition> Fields(EntityDefinition entity) => entity.Fields.Where(f => !f.IsHidden && f.Name is not ("id" or "version")).OrderBy(f => f.IsSystem);

    /// <summary>Whoever writes users, teams or who is in them could give themselves any right: that is for administrators.</summary>
    public static bool IsOpen(EntityDefinition entity, AccessOperation operation) => !entity.IsOfAccess || operation == AccessOperation.Read;

    /// <summary>Roles as they would be: everybody's first, then those there are, new ones last.</summary>
    public ImmutableArray<ChoiceDefinition> Roles(MetadataSnapshot snapshot)
    {
        var known = Choices(snapshot);
        return
        [
            new(GrantDefinition.Everyone, RoleNames.Label(snapshot, GrantDefinition.Everyone)),
            .. known.Where(c => !Removed.Contains(c.Name)).Select(c => c with { Label = Labels.GetValueOrDefault(c.Name, c.Label) }),
            .. Labels.Where(l => known.All(c => c.Name != l.Key)).Select(l => new ChoiceDefinition(l.Key, l.Value)),
        ];
    }

    /// <summary>Adds a role; its name, or null when the label says nothing or is taken.</summary>
    public string? Add(MetadataSnapshot snapshot, string label)
    {
        var name = Names.FromLabel(label);
        name = name[..Math.Min(name.Length, 64)].TrimEnd('_');
        if (name.Length == 0 || name == GrantDefinition.Everyone || Roles(snapshot).Any(r => r.Name == name || string.Equals(r.Label, label.Trim(), StringComparison.OrdinalIgnoreCase)) || Choices(snapshot).Any(c => c.Name == name))
        {
            return null;
        }

        Labels[name] = label.Trim();
        return name;
    }

    /// <summary>Calls a role otherwise.</summary>
    public void Rename(MetadataSnapshot snapshot, string role, string label)
    {
        if (Choices(snapshot).FirstOrDefault(c => c.Name == role)?.Label == label.Trim())
        {
            Labels.Remove(role);
        }
        else if (!string.IsNullOrWhiteSpace(label))
        {
            Labels[role] = label.Trim();
        }
    }

    /// <summary>Takes a role away, with everything wanted for it.</summary>
    public void Remove(MetadataSnapshot snapshot, string role)
    {
        Labels.Remove(role);
        Forget(key => key.StartsWith(role + Separator, StringComparison.Ordinal));
        if (Choices(snapshot).Any(c => c.Name == role))
        {
            Removed.Add(role);
        }
    }

    /// <summary>Whether a module grants the role something, so that it cannot be taken away.</summary>
    public static bool IsOfModule(MetadataState state, string role) => state.Layers.Items.Any(l => !l.IsCustom && l.Entities.Values.Any(e => e.Grants.Any(g => g.Role == role)));

    /// <summary>Who sees a record as long as no role says more.</summary>
    public Visibility VisibilityOf(EntityDefinition entity) => Visibilities.GetValueOrDefault(entity.Name, entity.Visibility);

    /// <summary>Another visibility.</summary>
    public void Set(EntityDefinition entity, Visibility visibility)
    {
        Visibilities[entity.Name] = visibility;
        if (visibility == entity.Visibility)
        {
            Visibilities.Remove(entity.Name);
        }
    }

    /// <summary>How far an operation goes; null when the role does not say.</summary>
    public Reach? Of(EntityDefinition entity, string role, AccessOperation operation) =>
        Cells.TryGetValue(Key(role, entity, operation), out var cell) ? Parse<Reach>(cell) : Granted(entity, role).ReachOf(operation);

    /// <summary>What may be done with a field; null when the role does not name it.</summary>
    public FieldAccess? Of(EntityDefinition entity, string role, FieldDefinition field) =>
        Cells.TryGetValue(Key(role, entity, field), out var cell) ? Parse<FieldAccess>(cell) : Granted(entity, role).Fields.TryGetValue(field.Name, out var access) ? access : null;

    /// <summary>Says how far an operation goes.</summary>
    public void Set(EntityDefinition entity, string role, AccessOperation operation, Reach? reach) =>
        Set(Key(role, entity, operation), reach?.ToString(), Granted(entity, role).ReachOf(operation)?.ToString());

    /// <summary>Says what may be done with a field.</summary>
    public void Set(EntityDefinition entity, string role, FieldDefinition field, FieldAccess? access) =>
        Set(Key(role, entity, field), access?.ToString(), Granted(entity, role).Fields.TryGetValue(field.Name, out var stored) ? stored.ToString() : null);

    /// <summary>How many fields a role's rights name.</summary>
    public int Named(EntityDefinition entity, string role) => Fields(entity).Count(f => Of(entity, role, f) is not null);

    /// <summary>Whether the rights of a role with an entity are others than they are.</summary>
    public bool IsChanged(EntityDefinition entity, string role) => Cells.Keys.Any(k => k.StartsWith(Key(role, entity, ""), StringComparison.Ordinal));

    /// <summary>The changes, each with its words for the list of what is pending.</summary>
    public List<(string Text, MetadataChange Change, Action Undo)> ToChanges(MetadataState state)
    {
        var snapshot = state.Snapshot;
        var changes = new List<(string, MetadataChange, Action)>();
        var (known, roles) = (Choices(snapshot), Roles(snapshot));
        if (Labels.Count > 0 || Removed.Any(r => known.Any(c => c.Name == r)))
        {
            ImmutableArray<ChoiceDefinition> choices = [.. roles.Skip(1)];
            var words = string.Join(", ", Labels.Values.Concat(Removed.Select(r => AccessTexts.Of("Without", RoleNames.Label(snapshot, r)))));
            changes.Add((
                AccessTexts.Of("PendingRoles", words),
                new MetadataChange.ChangeField("user", new FieldShape(RoleNames.Field) { Choices = choices.IsEmpty ? null : choices }, choices.IsEmpty ? ["choices"] : []),
                () => ForgetRoles(known)));
        }

        foreach (var entity in Entities(snapshot))
        {
            if (Visibilities.TryGetValue(entity.Name, out var visibility) && visibility != entity.Visibility)
            {
                changes.Add((
                    AccessTexts.Of("PendingVisibility", entity.PluralLabel, AccessTexts.Of("Visibility_" + visibility)),
                    new MetadataChange.ChangeEntity(new EntityShape(entity.Name) { Visibility = visibility }, []),
                    () => Visibilities.Remove(entity.Name)));
            }

            foreach (var role in roles.Where(r => IsChanged(entity, r.Name)))
            {
                if (ToChange(state, entity, role.Name) is { } change)
                {
                    changes.Add((AccessTexts.Of("PendingGrant", role.Label, entity.PluralLabel), change, () => Forget(k => k.StartsWith(Key(role.Name, entity, ""), StringComparison.Ordinal))));
                }
            }
        }

        // What goes with a role is said with it.
        foreach (var role in Removed.Order(StringComparer.Ordinal))
        {
            changes.AddRange(
                from entity in state.Layers.Items.Where(l => l.IsCustom).SelectMany(l => l.Entities.Values)
                where entity.Grants.Any(g => g.Role == role)
                let name = snapshot.TryEntity(entity.Name, out var found) ? found.PluralLabel : entity.Name
                select (AccessTexts.Of("PendingGrantGone", RoleNames.Label(snapshot, role), name), (MetadataChange)new MetadataChange.RemoveGrant(entity.Name, role), (Action)(() => Removed.Remove(role))));
        }

        return changes;
    }

    private MetadataChange? ToChange(MetadataState state, EntityDefinition entity, string role)
    {
        var before = Granted(entity, role);
        var wanted = new GrantDefinition(role)
        {
            Reaches = Enum.GetValues<AccessOperation>().Aggregate(before.Reaches.Clear(), (all, o) => Of(entity, role, o) is { } reach ? all.SetItem(o, reach) : all),
            // Rights to fields that are hidden now come back with them.
            Fields = Fields(entity).Aggregate(before.Fields, (all, f) => Of(entity, role, f) is { } access ? all.SetItem(f.Name, access) : all.Remove(f.Name)),
        };
        if (wanted.Reaches.SequenceEqual(before.Reaches) && wanted.Fields.SequenceEqual(before.Fields))
        {
            return null;
        }

        var declared = state.Layers.Items.Where(l => !l.IsCustom).SelectMany(l => l.Entity(entity.Name).Grants).LastOrDefault(g => g.Role == role) ?? new GrantDefinition(role);
        var isOwn = state.Layers.Items.Any(l => l.IsCustom && l.Entity(entity.Name).Grants.Any(g => g.Role == role));
        // What is as it lies below is not said again.
        return isOwn && wanted.Reaches.SequenceEqual(declared.Reaches) && wanted.Fields.SequenceEqual(declared.Fields)
            ? new MetadataChange.RemoveGrant(entity.Name, role)
            : new MetadataChange.SetGrant(entity.Name, wanted);
    }

    private static GrantDefinition Granted(EntityDefinition entity, string role) => entity.Grants.FirstOrDefault(g => g.Role == role) ?? new GrantDefinition(role);

    private static ImmutableArray<ChoiceDefinition> Choices(MetadataSnapshot snapshot) => snapshot.Entity("user").Field(RoleNames.Field).Choices;

    private void ForgetRoles(ImmutableArray<ChoiceDefinition> known)
    {
        foreach (var made in Labels.Keys.Where(l => known.All(c => c.Name != l)).ToList())
        {
            Forget(key => key.StartsWith(made + Separator, StringComparison.Ordinal));
        }

        Labels.Clear();
        Removed.Clear();
    }

    private void Forget(Predicate<string> which)
    {
        foreach (var key in Cells.Keys.Where(k => which(k)).ToList())
        {
            Cells.Remove(key);
        }
    }

    private void Set(string key, string? value, string? stored)
    {
        Cells[key] = value ?? Unset;
        if (value == stored)
        {
            Cells.Remove(key);
        }
    }

    private static T? Parse<T>(string cell)
        where T : struct, Enum => Enum.TryParse<T>(cell, out var value) ? value : null;

    private static string Key(string role, EntityDefinition entity, AccessOperation operation) => Key(role, entity, "@" + operation);

    private static string Key(string role, EntityDefinition entity, FieldDefinition field) => Key(role, entity, field.Name);

    private static string Key(string role, EntityDefinition entity, string about) => $"{role}{Separator}{entity.Name}{Separator}{about}";
}
