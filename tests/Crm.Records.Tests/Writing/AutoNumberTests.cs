using Crm.Sdk;

namespace Crm.Records.Tests.Writing;

public sealed class AutoNumberTests(Engine engine) : IClassFixture<Engine>
{
    [Fact]
    public async Task Numbers_have_no_gap_under_concurrency_and_failure()
    {
        var failing = engine.With(new Interceptor("deal", after: change => (long?)change["count"] == 13 ? throw new DivideByZeroException() : Task.CompletedTask)).As(Engine.User);
        var creators = Enumerable.Range(0, 20).Select(async creator =>
        {
            for (var i = 0; i < 8; i++)
            {
                switch ((creator + i) % 4)
                {
                    case 0:
                        await Assert.ThrowsAsync<InterceptorException>(() => failing.SaveAsync(Values.Deal(("count", 13))));
                        break;
                    case 1:
                        // The second row fails in the database, after the numbers were taken.
                        var twice = Values.Deal();
                        await failing.SaveManyAsync([Values.Deal(), twice, twice, Values.Deal()], new SaveOptions(AllOrNothing: false));
                        break;
                    case 2:
                        await failing.SaveManyAsync([Values.Deal(), Values.Deal()], new SaveOptions(DryRun: true));
                        break;
                    default:
                        await failing.SavedAsync(Values.Deal());
                        break;
                }
            }
        });
        await Task.WhenAll(creators);
        var rows = await engine.ScalarAsync<long>("SELECT count(*) FROM records.deal");
        Assert.True(rows > 100);
        Assert.Equal(rows, await engine.ScalarAsync<long>("SELECT count(DISTINCT number) FROM records.deal"));
        Assert.Equal($"D{rows:00000}", await engine.ScalarAsync<string>("SELECT max(number) FROM records.deal"));
        Assert.Equal(rows + 1, await engine.ScalarAsync<long>("SELECT next FROM crm.counter WHERE entity = 'deal'"));
    }
}
