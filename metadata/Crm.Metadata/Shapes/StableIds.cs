using System.Security.Cryptography;
using System.Text;
using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>
/// What the customer made keeps an id for life, whatever it is called: so a package that comes a second time knows a renamed field from a new one. Only packages ask for it;
/// everything else goes by names.
/// </summary>
internal static class StableIds
{
    /// <summary>The customer's layer with an id for everything that was made without one; the very same layer when nothing was.</summary>
    public static Layer Given(Layer custom, TimeProvider time)
    {
        foreach (var entity in custom.Entities.Values.Where(e => (e.IsOwner && e.Id is null) || e.Fields.Any(IsMissing)).ToList())
        {
            custom = custom.With(entity with
            {
                Id = entity.IsOwner ? entity.Id ?? Next() : null,
                Fields = [.. entity.Fields.Select(f => IsMissing(f) ? f with { Id = Next() } : f)],
            });
        }

        return custom;

        Guid Next() => Guid.CreateVersion7(time.GetUtcNow());
    }

    /// <summary>
    /// The id of a field that a module declares: made of the names, so that it is the same in every installation. A field under a new name keeps the id of the one before.
    /// </summary>
    public static Guid Of(string module, string entity, FieldShape declared) => Of($"{module}/{entity}/{declared.RenamedFrom ?? declared.Name}");

    /// <summary>An id as it is stored; null when there is none.</summary>
    public static Guid? Read(JsonInput json)
    {
        if (json.Text("id") is not { } text)
        {
            return null;
        }

        if (Guid.TryParse(text, out var id))
        {
            return id;
        }

        json.Error(ErrorCodes.BadRequest, "id", MetadataTexts.Of("JsonId", LayerEdit.Short(text)));
        return null;
    }

    private static bool IsMissing(FieldShape field) => field is { Type: not null, Id: null };

    // Version 8: made by a rule of our own. 0173-stable-ids.sql has the same rule.
    private static Guid Of(string name)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)));
        return Guid.Parse($"{hash[..12]}8{hash[13..16]}8{hash[17..32]}");
    }
}
