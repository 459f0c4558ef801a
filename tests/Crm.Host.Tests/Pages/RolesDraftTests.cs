using Crm.Host.Pages.Access;
using Crm.Metadata;
using Crm.Sdk;
using Crm.Sdk.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Crm.Host.Tests.Pages;

/// <summary>What the page of roles makes of what was chosen.</summary>
public sealed class RolesDraftTests : IAsyncLifetime
{
    private TestCrm? crm;

    private TestCrm Crm => crm!;

    private MetadataState State => Crm.Services.GetRequiredService<MetadataStore>().State;

    public async Task InitializeAsync()
    {
        crm = await TestCrm.StartAsync();
        await Crm.ChangeAsync(
            """
            {"change":"change_field","entity":"user","field":{"name":"roles","choices":[{"name":"rep","label":"Rep"},{"name":"clerk","label":"Clerk"}]}},
            {"change":"create_entity","name":"x_deal","label":"Deal","plural":"Deals","set":"x_deals","fields":[{"name":"name","type":"text"},{"name":"price","type":"decimal"},{"name":"secret","type":"text"}]},
            {"change":"set_grant","entity":"x_deal","grant":{"name":"rep","read":"team","write":"own","fields":[{"name":"price","access":"read"}]}}
            """);
    }

    public async Task DisposeAsync() => await Crm.DisposeAsync();

    [Fact]
    public async Task Cells_are_laid_over_what_is_granted_and_what_is_as_before_is_no_change()
    {
        var (draft, deal) = (new RolesDraft(), State.Snapshot.Entity("x_deal"));
        Assert.Equal((Reach.Team, null), (draft.Of(deal, "rep", AccessOperation.Read), draft.Of(deal, "rep", AccessOperation.Delete)));
        draft.Set(deal, "rep", AccessOperation.Read, Reach.All);
        draft.Set(deal, "rep", AccessOperation.Read, Reach.Team);
        Assert.Empty(draft.ToChanges(State));

        draft.Set(deal, "rep", AccessOperation.Write, null);
        draft.Set(deal, "rep", AccessOperation.Export, Reach.None);
        draft.Set(deal, "rep", deal.Field("secret"), FieldAccess.None);
        draft.Set(deal, "rep", deal.Field("price"), null);
        draft.Set(deal, Visibility.Private);
        Assert.Equal(["Deals: Private", "Rights of Rep with Deals"], draft.ToChanges(State).Select(c => c.Text));
        await ApplyAsync(draft);
        var grant = Assert.Single(State.Snapshot.Entity("x_deal").Grants);
        Assert.Equal("Read Team, Export None", string.Join(", ", grant.Reaches.Select(r => $"{r.Key} {r.Value}")));
        Assert.Equal("secret None", string.Join(", ", grant.Fields.Select(f => $"{f.Key} {f.Value}")));
        Assert.Equal(Visibility.Private, State.Snapshot.Entity("x_deal").Visibility);
        Assert.Equal((Reach.Own, Reach.All), (DefaultReach.Of(Visibility.Private, AccessOperation.Read), DefaultReach.Of(Visibility.PublicRead, AccessOperation.Read)));
    }

    [Fact]
    public async Task A_role_of_which_nothing_is_left_to_say_has_no_grant_and_a_new_one_is_there_at_once()
    {
        var (draft, deal) = (new RolesDraft(), State.Snapshot.Entity("x_deal"));
        foreach (var operation in new[] { AccessOperation.Read, AccessOperation.Write })
        {
            draft.Set(deal, "rep", operation, null);
        }

        draft.Set(deal, "rep", deal.Field("price"), null);
        Assert.IsType<MetadataChange.RemoveGrant>(Assert.Single(draft.ToChanges(State)).Change);
        Assert.Null(draft.Add(State.Snapshot, " rep "));
        Assert.Null(draft.Add(State.Snapshot, "Everyone"));
        Assert.Null(draft.Add(State.Snapshot, "!!"));
        Assert.Equal("help_desk", draft.Add(State.Snapshot, "Help desk"));
        draft.Set(deal, "help_desk", AccessOperation.Read, Reach.All);
        await ApplyAsync(draft);
        Assert.Equal("help_desk", Assert.Single(State.Snapshot.Entity("x_deal").Grants).Role);
        Assert.Equal(["rep", "clerk", "help_desk"], State.Snapshot.Entity("user").Field("roles").Choices.Select(c => c.Name));
    }

    [Fact]
    public async Task A_deleted_role_takes_its_rights_along_but_not_while_somebody_has_it()
    {
        var user = await Crm.Records.SaveAsync(RecordChange.Create("user", new Dictionary<string, object?> { ["name"] = "Kim", ["user_name"] = "kim", ["roles"] = "rep" }));
        Assert.True(user.Succeeded);
        var draft = new RolesDraft();
        draft.Remove(State.Snapshot, "rep");
        Assert.DoesNotContain(draft.Roles(State.Snapshot), r => r.Name == "rep");
        var plan = await Crm.Services.GetRequiredService<MetadataEditor>().PlanAsync([.. draft.ToChanges(State).Select(c => c.Change)], Crm.Admin);
        Assert.Contains(plan.Errors, e => e.Code == ErrorCodes.InUse);

        Assert.True((await Crm.Records.SaveAsync(RecordChange.Update("user", user.Record.Id, new Dictionary<string, object?> { ["roles"] = null }))).Succeeded);
        await ApplyAsync(draft);
        Assert.Empty(State.Snapshot.Entity("x_deal").Grants);
        Assert.Equal(["clerk"], State.Snapshot.Entity("user").Field("roles").Choices.Select(c => c.Name));
        draft = new RolesDraft();
        draft.Remove(State.Snapshot, "clerk");
        await ApplyAsync(draft);
        Assert.Empty(State.Snapshot.Entity("user").Field("roles").Choices);
    }

    private async Task ApplyAsync(RolesDraft draft)
    {
        var editor = Crm.Services.GetRequiredService<MetadataEditor>();
        var plan = await editor.PlanAsync([.. draft.ToChanges(State).Select(c => c.Change)], Crm.Admin);
        Assert.Empty(plan.Errors);
        Assert.Empty((await editor.ApplyAsync(plan.Id, Crm.Admin)).Errors);
    }
}
