using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Crm.Browser.Tests.Designer;

/// <summary>What every journey through the designer does.</summary>
internal static class DesignerPages
{
    /// <summary>Looks at the plan and applies it.</summary>
    public static async Task ApplyAsync(this IPage page, string? comment = null)
    {
        await page.GetByRole(AriaRole.Button, new() { Name = "Review plan" }).ClickAsync();
        await page.ConfirmAsync(comment);
    }

    /// <summary>Applies the plan that is open.</summary>
    public static async Task ConfirmAsync(this IPage page, string? comment = null)
    {
        var dialog = page.GetByRole(AriaRole.Dialog);
        if (comment is not null)
        {
            await dialog.GetByLabel("Why").FillAsync(comment);
        }

        await dialog.GetByRole(AriaRole.Button, new() { Name = "Apply" }).ClickAsync();
        // Some forty columns at once take more than the usual five seconds on a busy machine.
        await Expect(page.Locator(".designer-pending")).ToHaveCountAsync(0, new() { Timeout = 30_000 });
    }
}
