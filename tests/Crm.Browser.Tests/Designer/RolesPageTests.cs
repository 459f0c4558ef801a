using Crm.Browser.Tests.Harness;
using Crm.Sdk;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Crm.Browser.Tests.Designer;

/// <summary>Roles and their rights, changed by an administrator.</summary>
[Collection(Harness.Browser.Collection)]
public sealed class RolesPageTests(Harness.Browser browser) : OwnCrm
{
    [Theory]
    [InlineData("1440")]
    [InlineData("390-dark")]
    public Task A_role_is_made_given_rights_renamed_and_deleted_as_plans(string screen) => browser.VisitAsync(Crm, Shell.SignInTests.Of(screen), async visit =>
    {
        var page = visit.Page;
        await visit.OpenAsync("/admin/roles");
        await visit.CheckAccessibilityAsync();
        await Cell(page, "contact", "visibility").SelectOptionAsync("PublicRead");
        await page.GetByLabel("New role").FillAsync("Everyone");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByText("There is a role of this name already.")).ToBeVisibleAsync();
        await page.GetByLabel("New role").FillAsync("Field sales");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByLabel("Name of the role")).ToHaveValueAsync("Field sales");

        await Cell(page, "opportunity", "Read").SelectOptionAsync("Team");
        await Cell(page, "opportunity", "Write").SelectOptionAsync("Own");
        await page.GetByRole(AriaRole.Button, new() { Name = "Fields of Opportunities" }).PressAsync("Enter");
        await Cell(page, "opportunity", "budget").SelectOptionAsync("Read");
        await Expect(page.Locator("[data-entity=user] [data-cell]")).ToHaveCountAsync(1);
        await Expect(page.Locator(".designer-pending li")).ToHaveCountAsync(3);
        await visit.ScreenshotAsync("matrix");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();

        // A draft outlives the page.
        await visit.OpenAsync("/admin/roles");
        await Expect(page.Locator(".designer-pending li")).ToHaveCountAsync(3);
        await page.ApplyAsync();
        var grant = Assert.Single(Crm.Metadata.Current.Entity("opportunity").Grants, g => g.Role == "field_sales");
        Assert.Equal((Reach.Team, Reach.Own, null, FieldAccess.Read), (grant.ReachOf(AccessOperation.Read), grant.ReachOf(AccessOperation.Write), grant.ReachOf(AccessOperation.Delete), grant.Fields["budget"]));
        Assert.Equal(Visibility.PublicRead, Crm.Metadata.Current.Entity("contact").Visibility);

        await page.GetByRole(AriaRole.Button, new() { Name = "Field sales", Exact = true }).ClickAsync();
        await page.GetByLabel("Name of the role").FillAsync("Reps");
        await page.Keyboard.PressAsync("Tab");
        await page.ApplyAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete Reps" }).ClickAsync();
        await Expect(page.Locator(".designer-pending li")).ToHaveCountAsync(2);
        await page.ApplyAsync();
        Assert.DoesNotContain(Crm.Metadata.Current.Entity("opportunity").Grants, g => g.Role == "field_sales");
        Assert.DoesNotContain(Crm.Metadata.Current.Entity("user").Field("roles").Choices, c => c.Name == "field_sales");
        await visit.ScreenshotAsync("everyone");
        await visit.CheckWidthAsync();
    });

    private static ILocator Cell(IPage page, string entity, string cell) => page.Locator($"[data-entity={entity}] [data-cell={cell}]");
}
