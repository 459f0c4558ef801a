using System.Collections.Immutable;
using Crm.Host.Api;
using Crm.Records;
using Crm.Records.Bin;
using Crm.Sdk;
using Crm.Sdk.Web;

namespace Crm.Host.Pages.Parts;

/// <summary>What the tabs of notes and of files have in common.</summary>
internal static class PartRecords
{
    private const int PageSize = 20;

    /// <summary>Some of the parts of a record.</summary>
    public static RecordQuery Query(string entity, RecordRef about, ImmutableArray<Sort> sort, string? after) => new()
    {
        Entity = entity,
        Filter = Filter.AllOf(Filter.Equal("about", about.Id), Filter.Equal("about_entity", about.Entity)),
        Sort = sort,
        Top = PageSize,
        After = after,
    };

    /// <summary>What may be done with the parts of a record: as much as with the record, unless less is granted for the parts.</summary>
    public static async Task<PartRights> RightsAsync(AccessExplainer explainer, IMetadata metadata, Actor actor, RecordRef about, string entity)
    {
        var part = metadata.Current.Entity(entity);
        var mayWrite = (await explainer.WhyAsync(actor, actor.UserId, about.Entity, about.Id, AccessOperation.Write, null)).IsAllowed;
        return new PartRights(mayWrite && part.Allows(AccessOperation.Create), mayWrite && part.Allows(AccessOperation.Write), mayWrite && part.Allows(AccessOperation.Delete));
    }

    /// <summary>Takes a part out of the recycle bin, and says so when it cannot be.</summary>
    public static async Task<bool> RestoreAsync(RecycleBin bin, Actor actor, Toasts toasts, Guid id)
    {
        var verdict = (await bin.RestoreAsync(actor, [id])).First(v => v.Id == id);
        if (!verdict.Errors.IsEmpty)
        {
            toasts.Error(BinTexts.Of("NotRestored", verdict.Title, string.Join(' ', verdict.Errors.Select(e => e.Message))));
        }

        return verdict.Errors.IsEmpty;
    }
}

/// <summary>What somebody may do with the parts of a record.</summary>
/// <param name="MayAdd">Make new ones.</param>
/// <param name="MayChange">Change those there are.</param>
/// <param name="MayDelete">Delete them.</param>
internal sealed record PartRights(bool MayAdd, bool MayChange, bool MayDelete);
