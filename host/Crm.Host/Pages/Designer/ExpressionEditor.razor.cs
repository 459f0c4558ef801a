using System.Collections.Immutable;
using Crm.Sdk;
using Crm.Sdk.Web;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.JSInterop;

namespace Crm.Host.Pages.Designer;

/// <summary>An expression that is judged, and tried on a record, while it is typed.</summary>
public sealed partial class ExpressionEditor : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(150);

    private ElementReference area;
    private string text = "";
    private string? committed;
    private ExpressionError? error;
    private (string Of, string Value)? preview;
    private ExpressionSample? sample;
    private CancellationTokenSource? trying;
    private ImmutableArray<ExpressionOption> options = [];
    private ImmutableArray<ExpressionOption> found = [];
    private string typed = "";
    private bool isOpen;
    private int active = -1;
    private (string? Entity, ExpressionType? Wanted, FieldType? Result) judged;

    /// <summary>Of the input.</summary>
    [Parameter, EditorRequired]
    public string Id { get; set; } = "";

    [Parameter, EditorRequired]
    public string Label { get; set; } = "";

    [Parameter]
    public string? Help { get; set; }

    [Parameter]
    public string? Value { get; set; }

    [Parameter]
    public EventCallback<string?> ValueChanged { get; set; }

    /// <summary>With every key; <see cref="ValueChanged"/> follows when the input is left.</summary>
    [Parameter]
    public EventCallback<string> Typed { get; set; }

    /// <summary>What it may name; null while that is not known, and then it is only a text.</summary>
    [Parameter]
    public ExpressionScope? Scope { get; set; }

    /// <summary>What it must give; null for anything.</summary>
    [Parameter]
    public ExpressionType? Wanted { get; set; }

    /// <summary>The field its value is stored in; null where it is not stored.</summary>
    [Parameter]
    public FieldDefinition? Result { get; set; }

    [Parameter]
    public bool IsRequired { get; set; } = true;

    [Parameter]
    public int Rows { get; set; } = 2;

    [Inject]
    private IRecordService Records { get; set; } = null!;

    [Inject]
    private IMetadata Metadata { get; set; } = null!;

    [Inject]
    private IJSRuntime Script { get; set; } = null!;

    [Inject]
    private DisplayContext Display { get; set; } = null!;

    [Inject]
    private TimeProvider Time { get; set; } = null!;

    private string ListId => Id + "-options";

    private string OptionId(int index) => $"{Id}-option-{index}";

    public void Dispose()
    {
        trying?.Cancel();
        trying?.Dispose();
    }

    protected override async Task OnParametersSetAsync()
    {
        var given = Value ?? "";
        var changed = given != committed && given != text;
        if (changed || committed is null)
        {
            text = given;
        }

        committed = given;

        var now = (Scope?.Entity.Name, Wanted, Result?.Type);
        if (changed || now != judged)
        {
            judged = now;
            await JudgeAsync();
        }
    }

    private async Task TypedAsync(string? value)
    {
        text = value ?? "";
        await Typed.InvokeAsync(text);
        await JudgeAsync();
    }

    private Task CommitAsync(ChangeEventArgs change)
    {
        committed = text = change.Value as string ?? "";
        return ValueChanged.InvokeAsync(text);
    }

    private async Task JudgeAsync()
    {
        trying?.Cancel();
        trying?.Dispose();
        trying = new CancellationTokenSource();
        (error, preview) = (null, null);
        if (Scope is null || string.IsNullOrWhiteSpace(text))
        {
            return;
        }

        if (!Expression.TryParse(text, Scope, out var expression, out error))
        {
            return;
        }

        if (Wanted is { } wanted && expression.Type != wanted)
        {
            error = new ExpressionError(expression.Position, DesignerTexts.Of("ExpressionGives", DesignerTexts.Of("Gives_" + expression.Type), DesignerTexts.Of("Gives_" + wanted)));
            return;
        }

        await TryOnAsync(expression, Scope, trying.Token);
    }

    private async Task TryOnAsync(Expression expression, ExpressionScope scope, CancellationToken ct)
    {
        if (!Metadata.Current.TryEntity(scope.Entity.Name, out var entity))
        {
            return;
        }

        try
        {
            await Task.Delay(Pause, Time, ct);
            sample = sample is { } known && ReferenceEquals(known.Entity, entity) ? known : new ExpressionSample(Records, entity);
            await sample.LoadAsync(expression, ct);
            ct.ThrowIfCancellationRequested();
            preview = sample.Title is { } title
                ? (DesignerTexts.Of("ExpressionPreview", title), Shown(expression, sample.Evaluate(expression, Time.GetUtcNow())))
                : (DesignerTexts.Of("ExpressionNoRecord", entity.PluralLabel), "");
        }
        catch (OperationCanceledException)
        {
            // Something newer was typed, or the editor is gone.
        }
    }

    private string Shown(Expression expression, object? value)
    {
        var field = Result ?? new FieldDefinition { Name = "value", Label = "", Origin = Origins.Custom, Type = TypeOf(expression.Type), Scale = 10 };
        return FormulaValue.Of(field, value) switch
        {
            null => DesignerTexts.Of("ExpressionEmpty"),
            var given when expression.Type is ExpressionType.List or ExpressionType.Reference => given is string[] list ? string.Join(", ", list) : given.ToString() ?? "",
            decimal number when Result is null => number.ToString("0.##########", Display.Culture),
            var given => Display.Format(field, given),
        };
    }

    private static FieldType TypeOf(ExpressionType type) => type switch
    {
        ExpressionType.Number => Fields.Decimal,
        ExpressionType.YesNo => Fields.YesNo,
        ExpressionType.Date => Fields.Date,
        ExpressionType.Instant => Fields.DateTime,
        _ => Fields.Text,
    };

    private async Task GoAsync() => await Script.InvokeVoidAsync("crm.caret", area, (error?.Position ?? 1) - 1);

    private void Open()
    {
        if (!isOpen && Scope is not null)
        {
            options = ExpressionOption.All(Scope);
            Search(typed);
        }
    }

    private void Search(string? value)
    {
        typed = value ?? "";
        options = options.IsEmpty && Scope is not null ? ExpressionOption.All(Scope) : options;
        found = ExpressionOption.Find(options, typed);
        (isOpen, active) = (true, found.IsEmpty || typed.Length == 0 ? -1 : 0);
    }

    private void Close() => (isOpen, active, typed) = (false, -1, "");

    private async Task KeyAsync(KeyboardEventArgs key)
    {
        switch (key.Key)
        {
            case "ArrowDown" when !isOpen:
                Open();
                break;
            case "ArrowDown" when !found.IsEmpty:
                active = (active + 1) % found.Length;
                break;
            case "ArrowUp" when !found.IsEmpty:
                active = active <= 0 ? found.Length - 1 : active - 1;
                break;
            case "Enter" when isOpen && active >= 0 && active < found.Length:
                await InsertAsync(found[active]);
                return;
            case "Escape":
                Close();
                return;
        }

        if (isOpen && active >= 0)
        {
            await Script.InvokeVoidAsync("crm.reveal", OptionId(active));
        }
    }

    private async Task InsertAsync(ExpressionOption option)
    {
        Close();
        await Script.InvokeVoidAsync("crm.insertText", area, option.Text, option.Caret);
    }
}
