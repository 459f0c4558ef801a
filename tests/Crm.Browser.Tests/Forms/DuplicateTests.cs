using Crm.Browser.Tests.Harness;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Crm.Browser.Tests.Forms;

[Collection(Harness.Browser.Collection)]
public sealed class DuplicateTests(Harness.Browser browser) : OwnCrm
{
    [Fact]
    public async Task D_14_The_form_shows_the_likely_duplicate_saves_anyway_and_both_are_merged_with_a_way_back()
    {
        await Sample.AddAsync(Crm);
        await Crm.ChangeAsync("""{"change":"set_rule","entity":"contact","rule":{"name":"mail","kind":"duplicate","label":"Same e-mail","fields":["email"]}}""");
        await browser.VisitAsync(Crm, Screen.Desktop, async visit =>
        {
            var page = visit.Page;
            await visit.OpenAsync("/e/contact/new?first_name=Annabel&last_name=Keller&email=PERSON0@example.com");
            await page.GetByRole(AriaRole.Button, new() { Name = "Save", Exact = true }).ClickAsync();
            var like = page.Locator("[data-duplicates] a");
            await Expect(like).ToContainTextAsync("Anna Keller");
            await visit.CheckAccessibilityAsync();
            await visit.CheckWidthAsync();
            await visit.ScreenshotAsync("duplicate");
            await page.GetByRole(AriaRole.Button, new() { Name = "Save anyway" }).ClickAsync();
            await page.WaitForURLAsync(url => url.Contains("/e/contact/", StringComparison.Ordinal) && !url.Contains("/new", StringComparison.Ordinal));
            await visit.OpenAsync("/e/contact");
            await page.GetByRole(AriaRole.Link, new() { Name = "Find duplicates" }).ClickAsync();
            await Expect(page.Locator("section[data-duplicates] li")).ToHaveCountAsync(2);
            await visit.CheckAccessibilityAsync();
            await visit.ScreenshotAsync("sets");
            await page.GetByRole(AriaRole.Link, new() { Name = "Merge" }).ClickAsync();
            await page.Locator("tr[data-field=first_name]").GetByLabel("Annabel").CheckAsync();
            await Expect(page.Locator("tr[data-field=first_name] td").Last).ToHaveTextAsync("Annabel");
            await visit.CheckAccessibilityAsync();
            await visit.CheckWidthAsync();
            await visit.ScreenshotAsync("merge");
            await page.GetByRole(AriaRole.Button, new() { Name = "Merge", Exact = true }).ClickAsync();
            await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Annabel Keller", Level = 1 })).ToBeVisibleAsync();
            await page.GetByRole(AriaRole.Button, new() { Name = "Undo" }).ClickAsync();
            await Expect(page.Locator("tr[data-field=first_name]")).ToBeVisibleAsync();
        });
    }
}
