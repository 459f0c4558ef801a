using System.Net.Http.Json;
using System.Text.RegularExpressions;
using Crm.Browser.Tests.Harness;
using Crm.Sdk;
using Crm.Sdk.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;
using Record = Crm.Sdk.Record;

namespace Crm.Browser.Tests.Forms;

/// <summary>What journeys through forms do again and again.</summary>
internal static class RecordForms
{
    public static ILocator Field(this IPage page, string name) => page.Locator($"[data-field=\"{name}\"]");

    public static ILocator Input(this IPage page, string name) => page.Locator($"#f-{name}");

    public static ILocator Command(this IPage page, string name) => page.Locator(".record-actions").GetByRole(AriaRole.Button, new() { Name = name, Exact = true });

    public static Task ToastAsync(this IPage page, string text) => Expect(page.Locator(".toast").Filter(new() { HasText = text }).Last).ToBeVisibleAsync();

    /// <summary>Opens a form and waits until the browser's side of it is there.</summary>
    public static async Task OpenFormAsync(this Visit visit, string path)
    {
        await visit.OpenAsync(path);
        await Expect(visit.Page.Locator(".record-form[data-ready]")).ToBeVisibleAsync();
    }

    public static Regex RecordUrl(string entity) => new($"/e/{entity}/[0-9a-f-]{{36}}", RegexOptions.None, TimeSpan.FromSeconds(1));

    public static IRecordService Records(this TestCrm crm) => crm.Services.GetRequiredService<IRecords>().As(Actor.System);

    public static async Task<Record> CreateAsync(this TestCrm crm, string entity, params (string Field, object? Value)[] values)
    {
        var result = await crm.Records().SaveAsync(RecordChange.Create(entity, values.ToDictionary(v => v.Field, v => v.Value)));
        Assert.True(result.Succeeded, string.Join(' ', result.Errors.Select(e => e.Message)));
        return result.Record;
    }

    /// <summary>Makes a user who may sign in.</summary>
    public static async Task<Record> CreateUserAsync(this TestCrm crm, string name, string userName, string password)
    {
        var user = await crm.CreateAsync("user", ("name", name), ("user_name", userName), ("can_sign_in", true));
        using var admin = await crm.AdminClientAsync();
        using var set = await admin.PostAsJsonAsync($"/api/users/{user.Id}/password", new { password });
        set.EnsureSuccessStatusCode();
        return user;
    }

    public static async Task<Record> ReadAsync(this TestCrm crm, Record record) =>
        await crm.Records().FindAsync(record.Entity, record.Id) ?? throw new InvalidOperationException("The record is gone.");

    public static async Task<long> CountAsync(this TestCrm crm, string entity, string field, object value) =>
        (await crm.Records().QueryAsync(new RecordQuery { Entity = entity, Filter = Filter.Equal(field, value), Count = true })).Count ?? 0;
}
