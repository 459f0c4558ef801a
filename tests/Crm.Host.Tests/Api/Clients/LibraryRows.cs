using Microsoft.OData;

namespace Crm.Host.Tests.Api.Clients;

/// <summary>Records as the OData library reads them, by the names of their properties; <c>@etag</c> is the tag, <c>@count</c> and <c>@next</c> behind the name of a collection what is said of it.</summary>
internal static class LibraryRows
{
    public static Dictionary<string, object?> One(ODataReader reader) => Assert.Single(Page(reader).Rows);

    public static (List<Dictionary<string, object?>> Rows, long? Count, Uri? Next) Page(ODataReader reader)
    {
        var rows = new List<Dictionary<string, object?>>();
        var open = new Stack<Dictionary<string, object?>>();
        var inside = new Stack<string>();
        long? count = null;
        Uri? next = null;
        while (reader.Read())
        {
            switch (reader.State)
            {
                case ODataReaderState.ResourceStart:
                    open.Push([]);
                    break;
                case ODataReaderState.ResourceEnd:
                    Close((ODataResource?)reader.Item);
                    break;
                case ODataReaderState.NestedResourceInfoStart:
                    inside.Push(((ODataNestedResourceInfo)reader.Item).Name);
                    break;
                case ODataReaderState.NestedResourceInfoEnd:
                    inside.Pop();
                    break;
                case ODataReaderState.ResourceSetStart when inside.Count > 0:
                    open.Peek()[inside.Peek()] = new List<Dictionary<string, object?>>();
                    break;
                case ODataReaderState.ResourceSetEnd when inside.Count > 0:
                    open.Peek()[inside.Peek() + "@count"] = ((ODataResourceSet)reader.Item).Count;
                    open.Peek()[inside.Peek() + "@next"] = ((ODataResourceSet)reader.Item).NextPageLink;
                    break;
                case ODataReaderState.ResourceSetEnd when inside.Count == 0:
                    (count, next) = (((ODataResourceSet)reader.Item).Count, ((ODataResourceSet)reader.Item).NextPageLink);
                    break;
            }
        }

        return (rows, count, next);

        void Close(ODataResource? resource)
        {
            var row = open.Pop();
            foreach (var property in resource?.Properties.OfType<ODataProperty>() ?? [])
            {
                row[property.Name] = property.Value is ODataCollectionValue list ? list.Items.ToList() : property.Value;
            }

            row["@etag"] = resource?.ETag;
            if (open.TryPeek(out var parent) && parent.GetValueOrDefault(inside.Peek()) is List<Dictionary<string, object?>> several)
            {
                several.Add(row);
            }
            else if (parent is not null)
            {
                parent[inside.Peek()] = resource is null ? null : row;
            }
            else if (resource is not null)
            {
                rows.Add(row);
            }
        }
    }
}
