using System.Text.Json;
using Crm.Host.Pages.Parts;
using Crm.Host.Tests.Api;
using Crm.Host.Tests.Live;
using Crm.Sdk;
using Microsoft.JSInterop;
using Record = Crm.Sdk.Record;

namespace Crm.Host.Tests.Pages;

/// <summary>The field of a new note, whose browser has no connection at times.</summary>
public sealed class NotesPanelTests(ApiCrm api) : IClassFixture<ApiCrm>
{
    private readonly Field field = new();

    [Fact]
    public async Task CON_44_A_note_that_is_sent_twice_is_there_once_and_the_same_text_typed_anew_is_another()
    {
        var (page, about) = await OpenAsync();
        await using var open = page;
        await LeaveAsync(page, "Call back");
        Assert.Equal("", field.Value);
        await SendAsync(page, "Call back");
        Assert.Equal(["Call back"], await NotesAsync(about));

        // What is being typed meanwhile is not touched, though it begins alike.
        field.Value = "Call back later";
        await SendAsync(page, "Call back");
        Assert.Equal("Call back later", field.Value);
        Assert.Equal(["Call back"], await NotesAsync(about));

        await LeaveAsync(page, "Call back");
        Assert.Equal(["Call back", "Call back"], await NotesAsync(about));
        Assert.Equal("", field.Value);
    }

    [Fact]
    public async Task CON_44_A_note_whose_answer_was_lost_is_sent_again_and_there_once()
    {
        var (page, about) = await OpenAsync();
        await using var open = page;
        field.IsCut = true;
        await LeaveAsync(page, "Pays late");
        Assert.Equal("Pays late", field.Value);
        field.IsCut = false;
        await SendAsync(page, "Pays late");
        Assert.Equal("", field.Value);
        await SendAsync(page, "Pays late");
        Assert.Equal(["Pays late"], await NotesAsync(about));

        await LeaveAsync(page, "Pays late");
        await LeaveAsync(page, "Pays always");
        Assert.Equal(["Pays always", "Pays late", "Pays late"], await NotesAsync(about));
    }

    [Fact]
    public async Task CON_44_A_field_that_is_left_before_its_script_is_there_is_emptied_when_it_is()
    {
        field.Attached = new TaskCompletionSource();
        var (page, about) = await OpenAsync();
        await using var open = page;
        await LeaveAsync(page, "Early");
        Assert.Equal("Early", field.Value);
        field.Attached.SetResult();
        await field.Forgotten.Task.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal("", field.Value);
        await SendAsync(page, "Early");
        Assert.Equal(["Early"], await NotesAsync(about));
    }

    private Task LeaveAsync(RenderedPage page, string text)
    {
        field.Value = text;
        return SendAsync(page, text);
    }

    private static Task SendAsync(RenderedPage page, string text) => page.RaiseAsync("data-note", "onchange", text);

    private async Task<string[]> NotesAsync(Record about)
    {
        var notes = await api.Crm.Records.QueryAsync(new RecordQuery { Entity = "note", Filter = Filter.Equal("about_id", about.Id) });
        return [.. notes.Records.Select(n => n.Get<string>("text")!).Order(StringComparer.Ordinal)];
    }

    private async Task<(RenderedPage Page, Record About)> OpenAsync()
    {
        var about = (await api.Crm.Records.SaveAsync(RecordChange.Create("x_firm", new Dictionary<string, object?> { ["name"] = $"Noted {Guid.CreateVersion7()}" }))).Record!;
        var page = await RenderedPage.OpenAsync<NotesPanel>(
            api.Crm,
            api.Crm.Admin,
            _ => Task.FromResult(new Dictionary<string, object?> { ["Entity"] = api.Crm.Metadata.Current.Entity("x_firm"), ["Record"] = about }),
            _ => new() { [typeof(IJSRuntime)] = field });
        await page.ShowsAsync("note-new");
        return (page, about);
    }

    /// <summary>The browser's side of the field, as crm-notes.js has it.</summary>
    private sealed class Field : IJSRuntime
    {
        public string Value { get; set; } = "";

        public bool IsCut { get; set; }

        public TaskCompletionSource? Attached { get; set; }

        public TaskCompletionSource Forgotten { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ValueTask<TValue> InvokeAsync<TValue>(string identifier, object?[]? args) => InvokeAsync<TValue>(identifier, CancellationToken.None, args);

        public async ValueTask<TValue> InvokeAsync<TValue>(string identifier, CancellationToken cancellationToken, object?[]? args)
        {
            if (IsCut)
            {
                throw new JSDisconnectedException("Cut.");
            }

            switch (identifier)
            {
                case "import":
                    return (TValue)(object)new Reference(this);
                case "attach":
                    await (Attached?.Task ?? Task.CompletedTask);
                    return (TValue)(object)new Reference(this);
                case "read":
                    var drafts = new Dictionary<string, object>(StringComparer.Ordinal);
                    if (Value.Length > 0)
                    {
                        drafts["new"] = new { text = Value, version = 0 };
                    }

                    return JsonSerializer.SerializeToElement(drafts).Deserialize<TValue>(JsonSerializerOptions.Web)!;
                case "forget" when Value.StartsWith((string)args![1]!, StringComparison.Ordinal):
                    Value = Value[((string)args[1]!).Length..];
                    Forgotten.TrySetResult();
                    return default!;
                default:
                    return default!;
            }
        }

        private sealed class Reference(Field field) : IJSObjectReference
        {
            public ValueTask<TValue> InvokeAsync<TValue>(string identifier, object?[]? args) => field.InvokeAsync<TValue>(identifier, args);

            public ValueTask<TValue> InvokeAsync<TValue>(string identifier, CancellationToken cancellationToken, object?[]? args) => field.InvokeAsync<TValue>(identifier, cancellationToken, args);

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
