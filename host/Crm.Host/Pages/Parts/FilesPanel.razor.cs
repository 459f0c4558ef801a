using Crm.Sdk;
using Microsoft.AspNetCore.Components;
using Microsoft.JSInterop;

namespace Crm.Host.Pages.Parts;

/// <summary>The files of a record: uploaded by the browser, several at once, shown, downloaded and deleted.</summary>
public sealed partial class FilesPanel
{
    private const string Module = "./crm-files.js";

    private readonly List<Upload> uploads = [];
    private FileList? list;
    private PartRights rights = new(false, false, false);
    private DotNetObjectReference<FilesPanel>? self;
    private ElementReference root;
    private PartBrowser? browser;
    private bool isGone;
    private Record? shown;
    private string? noPdf;
    private string? text;
    private string? said;

    /// <summary>Entity of the record.</summary>
    [Parameter, EditorRequired]
    public EntityDefinition Entity { get; set; } = null!;

    /// <summary>The record.</summary>
    [Parameter, EditorRequired]
    public Record Record { get; set; } = null!;

    private FieldDefinition Content => Metadata.Current.Entity(FileList.Entity).Field(FileList.Content);

    private int Megabytes => FileType.MegabytesOf(Content);

    private string? Accept => Content.Accept.IsEmpty ? null : string.Join(',', Content.Accept);

    /// <summary>Called by the browser: files are waiting for their upload.</summary>
    [JSInvokable]
    public void Started(IReadOnlyList<WaitingFile> files)
    {
        ArgumentNullException.ThrowIfNull(files);
        uploads.AddRange(files.Select(f => new Upload(f.Key, f.Name)));
        StateHasChanged();
    }

    /// <summary>Called by the browser: a file is not uploaded.</summary>
    /// <param name="key">Which.</param>
    /// <param name="problem">What the server said; <c>size</c> when the browser did not even send it, empty when nobody answered.</param>
    [JSInvokable]
    public void Failed(int key, string problem)
    {
        if (uploads.Find(u => u.Key == key) is { } upload)
        {
            upload.Problem = problem switch
            {
                "size" => PartTexts.Of("TooBig", Megabytes),
                "" => PartTexts.Of("UploadFailed"),
                _ => problem,
            };
            StateHasChanged();
        }
    }

    /// <summary>Called by the browser: a content is there, and becomes a file of the record.</summary>
    [JSInvokable]
    public async Task Uploaded(int key, string answer)
    {
        if (uploads.Find(u => u.Key == key) is not { } upload)
        {
            return;
        }

        if (await list!.AddAsync(answer) is { } problem)
        {
            upload.Problem = problem;
        }
        else
        {
            uploads.Remove(upload);
            said = PartTexts.Of("FileAdded", upload.Name);
        }

        StateHasChanged();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        isGone = true;
        if (browser is not null)
        {
            await browser.DisposeAsync();
        }

        self?.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task OnInitializedAsync()
    {
        var about = new RecordRef(Entity.Name, Record.Id);
        rights = await PartRecords.RightsAsync(Explainer, Metadata, Current.Value, about, FileList.Entity);
        var found = new FileList(Records, Metadata, Store, about);
        await found.ReadAsync();
        list = found;
    }

    /// <inheritdoc/>
    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        if (list is null || browser is not null || isGone || !rights.MayAdd)
        {
            return;
        }

        browser = new PartBrowser(Script);
        self = DotNetObjectReference.Create(this);
        await browser.AttachAsync(Module, root, self, Megabytes);
    }

    private async Task CancelAsync(Upload upload)
    {
        uploads.Remove(upload);
        if (browser is not null && upload.Problem is null)
        {
            await browser.TellAsync("cancel", upload.Key);
        }
    }

    private async Task PreviewAsync(Record record)
    {
        var file = record.Get<FileValue>(FileList.Content)!;
        noPdf = file.ContentType != FileList.Pdf ? null : !await list!.IsPdfAsync(record.Id) ? PartTexts.Of("NoPdf") : await ShowsPdfAsync() ? null : PartTexts.Of("NoPdfViewer");
        text = FileList.IsText(file) ? await list!.TextAsync(record.Id) ?? PartTexts.Of("FileGone") : null;
        shown = record;
    }

    /// <summary>Phones have nothing to show one with: there it would be downloaded unasked.</summary>
    private async Task<bool> ShowsPdfAsync()
    {
        await using var module = await Script.InvokeAsync<IJSObjectReference>("import", Module);
        return await module.InvokeAsync<bool>("showsPdf");
    }

    private async Task DeleteAsync(Record record)
    {
        var name = record.Get<FileValue>(FileList.Content)!.Name;
        if (await list!.DeleteAsync(record) is { } problem)
        {
            Toasts.Error(problem);
            return;
        }

        said = PartTexts.Of("FileDeleted", name);
        // Called by a toast, which outlives the panel.
        Toasts.Undoable(said, () => InvokeAsync(async () =>
        {
            if (await PartRecords.RestoreAsync(Bin, Current.Value, Toasts, record.Id) && !isGone)
            {
                await list.ReturnAsync(record.Id);
                StateHasChanged();
            }
        }));
    }

    // The content behind an address never changes.
    private static string Url(Record record) => $"{Address(record)}?v={record.Get<FileValue>(FileList.Content)!.Id:N}";

    private static string PdfUrl(Record record) => $"{Address(record)}/pdf?v={record.Get<FileValue>(FileList.Content)!.Id:N}";

    private static string Address(Record record) => $"/api/records/{FileList.Entity}/{record.Id}/files/{FileList.Content}";

    private string Size(FileValue file) => file.Size < 1024 * 1024 ? PartTexts.Of("Kilobytes", Math.Max(1, file.Size / 1024)) : PartTexts.Of("Megabytes", (file.Size / 1024m / 1024m).ToString("0.0", Display.Culture));

    private string Author(Record record) => record["created_by"] is Guid id && list!.Authors[id] is { } name ? name : PartTexts.Of("Somebody");

    private sealed class Upload(int key, string name)
    {
        public int Key { get; } = key;

        public string Name { get; } = name;

        public string? Problem { get; set; }
    }
}

/// <summary>A file that waits for its upload.</summary>
/// <param name="Key">What the browser knows it by.</param>
/// <param name="Name">Its name.</param>
public sealed record WaitingFile(int Key, string Name);
