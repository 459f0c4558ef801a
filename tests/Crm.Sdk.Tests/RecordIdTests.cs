namespace Crm.Sdk.Tests;

public sealed class RecordIdTests
{
    [Fact]
    public void Ids_made_one_after_the_other_sort_in_that_order_however_fast()
    {
        var ids = Enumerable.Range(0, 100_000).Select(_ => RecordIds.Next()).ToList();
        // As PostgreSQL sorts them.
        Assert.Equal(ids, ids.OrderBy(id => id.ToString(), StringComparer.Ordinal));
        Assert.All(ids, id => Assert.Equal((7, 8), (id.Version, id.Variant & 0b1100)));
    }

    [Fact]
    public void Nobody_gets_an_id_twice()
    {
        var ids = new System.Collections.Concurrent.ConcurrentBag<Guid>();
        Parallel.For(0, 100_000, _ => ids.Add(RecordIds.Next()));
        Assert.Equal(ids.Count, ids.Distinct().Count());
    }
}
