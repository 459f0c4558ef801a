using System.Text.RegularExpressions;
using Crm.Browser.Tests.Harness;
using Crm.Browser.Tests.Shell;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Crm.Browser.Tests.Lists;

[Collection(Harness.Browser.Collection)]
public sealed class ListTests(Harness.Browser browser, SampleCrm sample) : IClassFixture<SampleCrm>
{
    [Theory]
    [InlineData("1440")]
    [InlineData("390")]
    [InlineData("1440-dark")]
    [InlineData("390-dark")]
    public Task The_list_fits_the_screen_and_can_be_used_by_everybody(string screen) => browser.VisitAsync(sample.Crm, SignInTests.Of(screen), async visit =>
    {
        await visit.OpenAsync("/e/opportunity?view=active");
        await Expect(visit.Page.Locator("tr[data-row]")).ToHaveCountAsync(50);
        await visit.ScreenshotAsync("list");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();
        await visit.OpenAsync("/e/company");
        await visit.ScreenshotAsync("companies");
        await visit.CheckWidthAsync();
        await visit.CheckAccessibilityAsync();
    });

    [Fact]
    public Task PLT_09_PLT_34_New_stands_top_right_and_opens_the_form() => browser.VisitAsync(sample.Crm, Screen.Desktop, async visit =>
    {
        await visit.OpenAsync("/e/company");
        var create = visit.Page.GetByRole(AriaRole.Link, new() { Name = "New Company" });
        var box = await create.BoundingBoxAsync();
        Assert.True(box is { X: > 1200, Y: < 200 }, "New is not at the top right.");
        await create.ClickAsync();
        await visit.Page.WaitForURLAsync("**/e/company/new");
    });

    [Fact]
    public Task PLT_13_Quick_search_finds_parts_of_words_without_accents() => browser.VisitAsync(sample.Crm, Screen.Desktop, async visit =>
    {
        await visit.OpenAsync("/e/company");
        var search = visit.Page.GetByPlaceholder("Search for records");
        await visit.Page.Keyboard.PressAsync("/");
        await Expect(search).ToBeFocusedAsync();
        await search.PressSequentiallyAsync("elan hot");
        await Expect(visit.Page.Locator("tr[data-row]")).ToHaveCountAsync(1);
        await Expect(visit.Page.Locator("tr[data-row]")).ToContainTextAsync("Élan Hôtels");
        await Expect(visit.Page).ToHaveURLAsync(new Regex("/e/company\\?search=elan%20hot$", RegexOptions.None, TimeSpan.FromSeconds(1)));
        await search.FillAsync("no such company");
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Name = "Nothing found" })).ToBeVisibleAsync();
        await visit.ScreenshotAsync("nothing");
        await visit.CheckAccessibilityAsync();
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Clear search" }).ClickAsync();
        await Expect(visit.Page.Locator("tr[data-row]")).ToHaveCountAsync(Sample.Companies);
    });

    [Fact]
    public Task PLT_14_A_view_is_chosen_from_the_lists_menu_and_stays_in_the_address() => browser.VisitAsync(sample.Crm, Screen.Desktop, async visit =>
    {
        await visit.OpenAsync("/e/opportunity");
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Open Opportunities" }).ClickAsync();
        await visit.ScreenshotAsync("views");
        await visit.Page.GetByRole(AriaRole.Menuitemradio, new() { Name = "Won Opportunities" }).ClickAsync();
        await visit.Page.WaitForURLAsync("**?view=won");
        await Expect(visit.Page.Locator("[data-count]")).ToHaveAttributeAsync("data-count", "32");
        await visit.Page.GoBackAsync();
        await Expect(visit.Page.Locator("[data-count]")).ToHaveAttributeAsync("data-count", "66");
    });

    [Fact]
    public Task PLT_24_Rows_are_sorted_by_several_columns() => browser.VisitAsync(sample.Crm, Screen.Desktop, async visit =>
    {
        await visit.OpenAsync("/e/company");
        var name = visit.Page.GetByRole(AriaRole.Columnheader, new() { Name = "Company name" });
        await Expect(name).ToHaveAttributeAsync("aria-sort", "ascending");
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "City", Exact = true }).ClickAsync();
        await visit.Page.WaitForURLAsync("**?sort=city");
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Company name" }).ClickAsync(new() { Modifiers = [KeyboardModifier.Shift] });
        await visit.Page.WaitForURLAsync("**?sort=city%2Cname");
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Company name" }).ClickAsync(new() { Modifiers = [KeyboardModifier.Shift] });
        await visit.Page.WaitForURLAsync("**?sort=city%2C-name");
        await Expect(visit.Page.Locator("tr[data-row]").First).ToContainTextAsync("Lexiqvolax");
        await Expect(visit.Page.Locator("tr[data-row]").Last).ToContainTextAsync("Bergmann");
        await Expect(name).ToHaveAttributeAsync("aria-sort", "descending");
    });

    [Fact]
    public Task Pages_follow_each_other_and_going_back_leads_back() => browser.VisitAsync(sample.Crm, Screen.Desktop, async visit =>
    {
        await visit.OpenAsync("/e/opportunity?view=active&sort=title");
        await Expect(visit.Page.Locator(".grid-foot")).ToContainTextAsync("1–50 of 130");
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Next page" }).ClickAsync();
        await Expect(visit.Page.Locator(".grid-foot")).ToContainTextAsync("51–100 of 130");
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Next page" }).ClickAsync();
        await Expect(visit.Page.Locator(".grid-foot")).ToContainTextAsync("101–130 of 130");
        await Expect(visit.Page.GetByRole(AriaRole.Button, new() { Name = "Next page" })).ToBeDisabledAsync();
        await visit.Page.GoBackAsync();
        await Expect(visit.Page.Locator(".grid-foot")).ToContainTextAsync("51–100 of 130");
        await visit.Page.ReloadAsync();
        await visit.ReadyAsync();
        await Expect(visit.Page.Locator(".grid-foot")).ToContainTextAsync("51–100 of 130");
        await visit.OpenAsync("/e/opportunity?view=active&page=99");
        await Expect(visit.Page.Locator(".grid-foot")).ToContainTextAsync("101–130 of 130");
    });

    [Fact]
    public Task The_list_is_worked_with_from_the_keyboard() => browser.VisitAsync(sample.Crm, Screen.Desktop, async visit =>
    {
        await visit.OpenAsync("/e/company");
        await visit.Page.Keyboard.PressAsync("ArrowDown");
        await visit.Page.Keyboard.PressAsync("ArrowDown");
        await Expect(visit.Page.Locator("tr[data-row]").Nth(1).Locator("a[data-open]")).ToBeFocusedAsync();
        await visit.Page.Keyboard.PressAsync("x");
        await Expect(visit.Page.Locator("[data-selected-count]")).ToHaveTextAsync("1");
        await visit.ScreenshotAsync("selected");
        await visit.CheckAccessibilityAsync();
        await visit.Page.Keyboard.PressAsync("?");
        await Expect(visit.Page.GetByRole(AriaRole.Dialog)).ToBeVisibleAsync();
        await visit.CheckAccessibilityAsync();
        await visit.Page.Keyboard.PressAsync("Escape");
        await Expect(visit.Page.GetByRole(AriaRole.Dialog)).ToHaveCountAsync(0);
        await visit.Page.Locator("tr[data-row]").Nth(1).Locator("a[data-open]").FocusAsync();
        await visit.Page.Keyboard.PressAsync("Enter");
        await visit.Page.WaitForURLAsync(new Regex("/e/company/[0-9a-f-]{36}$", RegexOptions.None, TimeSpan.FromSeconds(1)));
    });

    [Fact]
    public Task A_click_anywhere_in_a_row_opens_the_record_and_a_lookup_its_own() => browser.VisitAsync(sample.Crm, Screen.Desktop, async visit =>
    {
        await visit.OpenAsync("/e/opportunity?view=active&sort=title");
        await visit.Page.Locator("tr[data-row]").Nth(1).Locator("a[href^='/e/company/']").ClickAsync();
        await visit.Page.WaitForURLAsync("**/e/company/*");
        await visit.Page.GoBackAsync();
        await visit.ReadyAsync();
        await visit.Page.Locator("tr[data-row]").Nth(2).Locator(".number").First.ClickAsync();
        await visit.Page.WaitForURLAsync("**/e/opportunity/*");
    });

    [Fact]
    public Task PLT_27_PLT_35_A_row_is_deactivated_with_a_way_back_and_deleted_after_a_question() => browser.VisitAsync(sample.Crm, Screen.Desktop, async visit =>
    {
        await visit.OpenAsync("/e/contact?search=person11@example.com");
        var row = visit.Page.Locator("tr[data-row]");
        await Expect(row).ToHaveCountAsync(1);
        await row.GetByRole(AriaRole.Button).ClickAsync();
        await visit.ScreenshotAsync("actions");
        await visit.CheckAccessibilityAsync();
        await row.GetByRole(AriaRole.Menuitem, new() { Name = "Deactivate" }).ClickAsync();
        await Expect(row).ToHaveCountAsync(0);
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Undo" }).ClickAsync();
        await Expect(row).ToHaveCountAsync(1);

        await row.GetByRole(AriaRole.Button).ClickAsync();
        await row.GetByRole(AriaRole.Menuitem, new() { Name = "Delete" }).ClickAsync();
        var question = visit.Page.GetByRole(AriaRole.Dialog);
        await Expect(question).ToContainTextAsync("Delete “Elease Frase”?");
        await visit.ScreenshotAsync("question");
        await visit.CheckAccessibilityAsync();
        await visit.Page.Keyboard.PressAsync("Escape");
        await Expect(question).ToHaveCountAsync(0);
        await Expect(row).ToHaveCountAsync(1);

        await row.GetByRole(AriaRole.Button).ClickAsync();
        await row.GetByRole(AriaRole.Menuitem, new() { Name = "Delete" }).ClickAsync();
        await question.GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();
        await Expect(row).ToHaveCountAsync(0);
        await Expect(visit.Page.GetByRole(AriaRole.Status).Filter(new() { HasText = "was deleted" })).ToBeVisibleAsync();
    });
}
