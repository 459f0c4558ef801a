using System.Collections.Immutable;
using Microsoft.AspNetCore.Components;

namespace Crm.Sdk.Web.Forms.Editors;

/// <summary>Edits words users make up.</summary>
public sealed partial class TagsEditor : FieldEditorComponent
{
    private const int LookedAt = 200;

    private ImmutableArray<string> offered = [];
    private bool isOffered;

    [Inject]
    private IRecordService Records { get; set; } = null!;

    private ImmutableArray<string> Chosen => Form[Field.Name] is ImmutableArray<string> tags ? tags : [];

    /// <summary>The tags of the records written last: whoever tags the same way again finds the word.</summary>
    private async Task OfferAsync()
    {
        if (isOffered)
        {
            return;
        }

        isOffered = true;
        var page = await Records.QueryAsync(new RecordQuery
        {
            Entity = Form.Entity.Name,
            Select = [Field.Name],
            Filter = new Filter.Compare(Field.Name, FilterOperator.NotEqual, null),
            Sort = [new Sort("created_at", Descending: true)],
            Top = LookedAt,
        });
        offered =
        [
            .. page.Records.SelectMany(r => r[Field.Name] is ImmutableArray<string> tags ? tags : [])
                .GroupBy(t => t, StringComparer.OrdinalIgnoreCase).OrderByDescending(g => g.Count()).Select(g => g.First()).Take(50),
        ];
    }

    private void Add(ChangeEventArgs change)
    {
        if (change.Value is string typed && !string.IsNullOrWhiteSpace(typed.Trim(',', ';')))
        {
            Type(string.Join(';', [.. Chosen, typed]));
        }
    }

    private void Remove(string tag)
    {
        var rest = Chosen.Remove(tag);
        Form.Set(Field, rest.IsEmpty ? null : rest);
    }
}
