using Crm.Sdk;

namespace Crm.Records.Tests.Writing;

public sealed class InterceptorTests(Engine engine) : IClassFixture<Engine>
{
    [Fact]
    public async Task Interceptors_run_in_their_order_around_the_write()
    {
        var calls = new List<string>();
        Interceptor Note(string name, string module) => new(
            "deal",
            _ => calls.Add($"{name} before"),
            async change => calls.Add($"{name} after {(await change.Records.FindAsync("deal", change.Id))!.Version}"),
            module);
        await engine.With(Note("first", "base"), Note("second", "base"), Note("third", "top")).As(Engine.User).SavedAsync(Values.Deal());
        Assert.Equal(["first before", "second before", "third before", "first after 1", "second after 1", "third after 1"], calls);
    }

    [Fact]
    public async Task What_an_interceptor_sets_is_validated_and_stored()
    {
        var records = engine.With(new Interceptor("deal", change =>
        {
            change["score"] = 42;
            change["budget_currency"] = "usd";
            change["count"] = change["count"] is long count ? count * 2 : "nonsense";
        })).As(Engine.User);
        var deal = await records.SavedAsync(Values.Deal(("count", 4), ("budget", 10)));
        Assert.Equal(42L, deal["score"]);
        Assert.Equal(8L, deal["count"]);
        Assert.Equal(new Money(10, "USD"), deal["budget"]);
        var error = await records.RefusedOnceAsync(Values.Deal());
        Assert.Equal(("count", ErrorCodes.Type), (error.Field, error.Code));
    }

    [Fact]
    public async Task Values_are_sealed_after_validation()
    {
        var records = engine.With(new Interceptor("deal", after: change =>
        {
            change["count"] = 1;
            return Task.CompletedTask;
        })).As(Engine.User);
        var change = Values.Deal();
        var problem = await Assert.ThrowsAsync<InterceptorException>(() => records.SaveAsync(change));
        Assert.Contains("final after validation", problem.InnerException!.Message, StringComparison.Ordinal);
        Assert.Equal(Engine.Module, problem.Module);
        Assert.Null(await records.FindAsync("deal", change.Id));
    }

    [Fact]
    public async Task A_refusal_is_told_beside_the_errors_of_the_fields()
    {
        var records = engine.With(new Interceptor("deal", change => change.Refuse("due", ErrorCodes.Rule, "Not on a Sunday."))).As(Engine.User);
        var errors = await records.RefusedAsync(Values.Deal(("title", ""), ("count", "x")));
        Assert.Equal([("title", ErrorCodes.Required), ("count", ErrorCodes.Type), ("due", ErrorCodes.Rule)], errors.Select(e => (e.Field!, e.Code)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_interceptor_that_fails_stores_nothing(bool before)
    {
        var change = Values.Deal();
        var company = Values.Company("Never");
        var records = engine.With(new Interceptor(
            "deal",
            _ =>
            {
                if (before)
                {
                    throw new DivideByZeroException();
                }
            },
            async context =>
            {
                await context.Records.SavedAsync(company);
                throw new DivideByZeroException();
            })).As(Engine.User);
        Assert.IsType<DivideByZeroException>((await Assert.ThrowsAsync<InterceptorException>(() => records.SaveManyAsync([Values.Deal(), change], new SaveOptions(AllOrNothing: false)))).InnerException);
        Assert.Null(await records.FindAsync("deal", change.Id));
        Assert.Null(await records.FindAsync("company", company.Id));
    }

    [Fact]
    public async Task Nested_saves_are_one_transaction_with_one_cause()
    {
        Guid company = default;
        var records = engine.With(
            new Interceptor("deal", after: async change =>
            {
                company = (await change.Records.SavedAsync(Values.Company("From deal") with { Source = "sales" })).Id;
                await change.Records.SavedAsync(RecordChange.Update("deal", change.Id, Values.Of(("company", company), ("count", change["count"] is null ? 1 : change["count"]))));
            }),
            new Interceptor("company", change => Assert.Equal(Engine.User, change.Records.Actor))).As(Engine.User);
        // The nested update of the deal sets off its interceptors again; it changes nothing the second time only if it stops by itself.
        var stopping = engine.With(
            new Interceptor("deal", after: async change =>
            {
                if (change.Kind == ChangeKind.Create)
                {
                    company = (await change.Records.SavedAsync(Values.Company("From deal") with { Source = "sales" })).Id;
                    await change.Records.SavedAsync(RecordChange.Update("deal", change.Id, Values.Of(("company", company))));
                }
            })).As(Engine.User);
        var deal = await stopping.SavedAsync(Values.Deal());
        Assert.Equal(2, deal.Version);
        Assert.Equal(company, deal["company"]);
        Assert.Equal(1, await engine.ScalarAsync<long>($"SELECT count(DISTINCT causation) FROM crm.history WHERE record_id IN ('{deal.Id}', '{company}')"));
        Assert.Equal([2L, 1L], (await stopping.HistoryAsync("deal", deal.Id)).Select(h => h.Version));
        Assert.Equal("sales", Assert.Single(await stopping.HistoryAsync("company", company)).Source);

        var endless = Values.Deal();
        var error = await records.RefusedOnceAsync(endless);
        Assert.Equal(ErrorCodes.Rule, error.Code);
        Assert.Contains("8 levels", error.Message, StringComparison.Ordinal);
        Assert.Null(await records.FindAsync("deal", endless.Id));
    }

    [Fact]
    public async Task A_refused_nested_save_leaves_the_outer_one_to_decide()
    {
        var records = engine.With(new Interceptor("deal", after: async change =>
        {
            var nested = await change.Records.SaveManyAsync([Values.Company("kept out"), Values.Company("")], new SaveOptions());
            Assert.All(nested, r => Assert.False(r.Succeeded));
            if ((string)change["title"]! == "strict")
            {
                change.Refuse(null, ErrorCodes.Rule, "No company, no deal.");
            }
        })).As(Engine.User);
        var results = await records.SaveManyAsync([Values.Deal(("title", "strict")), Values.Deal(("title", "mild"))], new SaveOptions(AllOrNothing: false));
        Assert.Equal([false, true], results.Select(r => r.Succeeded));
        Assert.Equal(ErrorCodes.Rule, results[0].Errors[0].Code);
        Assert.Equal(0, await engine.ScalarAsync<long>("SELECT count(*) FROM records.company WHERE name = 'kept out'"));
        Assert.Equal(0, await engine.ScalarAsync<long>("SELECT count(*) FROM records.deal WHERE title = 'strict'"));
    }

    [Fact]
    public async Task Nothing_follows_before_the_change_is_certain()
    {
        var records = engine.With(new Interceptor("deal", change => change.Records.SaveAsync(Values.Company("early")).GetAwaiter().GetResult())).As(Engine.User);
        Assert.IsType<InvalidOperationException>((await Assert.ThrowsAsync<InterceptorException>(() => records.SaveAsync(Values.Deal()))).InnerException);
    }

    [Fact]
    public async Task An_interceptor_sees_what_was_and_what_changes()
    {
        var seen = new List<(ChangeKind, object?, bool, bool)>();
        var records = engine.With(new Interceptor("deal", change => seen.Add((change.Kind, change.Before?["count"], change.Changes("count"), change.Changes("budget_currency"))))).As(Engine.User);
        var deal = await records.SavedAsync(Values.Deal(("count", 1)));
        deal = await records.SavedAsync(Values.Update(deal, ("count", 1), ("budget", 5)));
        await records.SaveAsync(RecordChange.Delete("deal", deal.Id));
        Assert.Equal([(ChangeKind.Create, null, true, false), (ChangeKind.Update, 1L, false, true), (ChangeKind.Delete, 1L, false, false)], seen);
    }

    [Fact]
    public async Task A_delete_can_be_refused()
    {
        var records = engine.With(new Interceptor("deal", change =>
        {
            if (change.Kind == ChangeKind.Delete)
            {
                change.Refuse(null, ErrorCodes.Rule, "Deals are kept.");
            }
        })).As(Engine.User);
        var deal = await records.SavedAsync(Values.Deal());
        Assert.Equal("Deals are kept.", (await records.RefusedOnceAsync(RecordChange.Delete("deal", deal.Id))).Message);
        Assert.NotNull(await records.FindAsync("deal", deal.Id));
    }
}
