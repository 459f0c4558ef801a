using System.Collections.Immutable;
using Crm.Host.Security;
using Crm.Records.Importing;
using Crm.Records.Jobs;
using Crm.Sdk;

namespace Crm.Host.Pages.Import;

/// <summary>What the wizard knows and can do; the page shows it.</summary>
public sealed class ImportWizard(ImportFiles files, ImportService imports, ImportValues values, ImportTemplates templates, JobQueue jobs, IRecordService records, IMetadata metadata, CurrentActor actor)
{
    private const int PreviewRows = 5;
    private const int MaxSuggestions = 200;

    // Whoever decided for a template, or for none, is not asked again when the file is only read otherwise.
    private bool hasDecided;

    /// <summary>The file as it reads; null before there is one or while it is unclear how it is written.</summary>
    public FileInspection? File { get; private set; }

    /// <summary>Encodings to choose from when the file does not say.</summary>
    public ImmutableArray<EncodingCandidate> Candidates { get; private set; } = [];

    public Guid? FileId { get; private set; }

    public MappingDraft? Draft { get; private set; }

    /// <summary>What was kept for such files, the best fitting first.</summary>
    public ImmutableArray<ImportTemplate> Templates { get; private set; } = [];

    /// <summary>The one the mapping began with; null for the headings.</summary>
    public ImportTemplate? Template { get; private set; }

    /// <summary>Values nobody knows, by field.</summary>
    public ImmutableArray<UnknownValues> Unknown { get; private set; } = [];

    /// <summary>Names of records lookups may point to, by field.</summary>
    public IDictionary<string, ImmutableArray<string>> Suggestions { get; } = new Dictionary<string, ImmutableArray<string>>(StringComparer.Ordinal);

    public ImmutableArray<ValidationError> Problems { get; private set; } = [];

    /// <summary>What went wrong last, for the user.</summary>
    public string? Failure { get; private set; }

    public Job? Job { get; private set; }

    /// <summary>Takes a file in.</summary>
    public Task UploadAsync(EntityDefinition entity, Stream content, string name) => TryAsync(async () =>
    {
        var stored = await files.SaveAsync(content, name, actor.Value);
        Begin(stored.Id);
        await InspectAsync(entity, null, null);
    });

    /// <summary>Reads the file, again or for the first time.</summary>
    public Task OpenAsync(EntityDefinition entity, Guid file, string? encoding = null, string? delimiter = null, string? sheet = null) => TryAsync(async () =>
    {
        Begin(file);
        await InspectAsync(entity, encoding, delimiter, sheet);
    });

    /// <summary>Looks for values nobody knows and for problems, after the mapping was changed.</summary>
    public Task CheckAsync(EntityDefinition entity) => TryAsync(async () =>
    {
        if (File is null || Draft is null)
        {
            return;
        }

        var mapping = Draft.ToMapping();
        Problems = imports.Problems(entity, File.Headers, mapping, Draft.Mode, Draft.MatchFields);
        if (!Problems.IsEmpty)
        {
            Unknown = [];
            return;
        }

        // Values that were mapped stay on the screen: what was decided must be seen and can be taken back.
        var withoutValues = mapping with { Fields = mapping.Fields.ToImmutableSortedDictionary(f => f.Key, f => f.Value with { Values = null }) };
        Unknown = await values.UnknownAsync(File, entity, withoutValues, actor.Value);
        foreach (var field in Unknown.Select(u => Draft.Field(u.Field)).OfType<FieldDefinition>().Where(f => f.Type is ReferenceType or ManyToManyType && !Suggestions.ContainsKey(f.Name)))
        {
            Suggestions[field.Name] = await NamesAsync(field.Type is ReferenceType type ? [.. type.WaysOf(field).Select(w => w.Target)] : [field.Target!]);
        }
    });

    /// <summary>Starts the import or its dry run.</summary>
    public async Task<Job?> StartAsync(EntityDefinition entity, bool dryRun)
    {
        await TryAsync(async () =>
        {
            Job = await imports.StartAsync(
                new ImportOptions(entity.Name, FileId!.Value)
                {
                    Mapping = Draft!.ToMapping(),
                    Mode = Draft.Mode,
                    Match = Draft.MatchFields,
                    DryRun = dryRun,
                    AcceptsDuplicates = Draft.AcceptsDuplicates,
                    Encoding = File!.Encoding,
                    Delimiter = File.Delimiter == '\t' ? "tab" : File.Delimiter.ToString(),
                    Sheet = File.Sheet,
                },
                actor.Value);
        });
        return Failure is null ? Job : null;
    }

    /// <summary>Begins with a template, or with what the headings say.</summary>
    public async Task TakeAsync(EntityDefinition entity, Guid? template)
    {
        hasDecided = true;
        Template = Templates.FirstOrDefault(t => t.Id == template);
        Draft = new MappingDraft(entity, File!, Template);
        await CheckAsync(entity);
    }

    /// <summary>Keeps the mapping under a name, or as what a template says from now on.</summary>
    /// <returns>What stands in the way; null for nothing.</returns>
    public Task<string?> KeepAsync(EntityDefinition entity, Guid id, string name, bool isShared) => TriedAsync(async () =>
    {
        await templates.SaveAsync(
            new ImportTemplate(id, entity.Name, name, isShared, actor.Value.UserId, Draft!.ToMapping()) { Mode = Draft.Mode, Match = Draft.MatchFields, AcceptsDuplicates = Draft.AcceptsDuplicates }, actor.Value);
        await ReadTemplatesAsync(entity, id);
    });

    /// <summary>Gives the template another name, or shares it.</summary>
    /// <returns>What stands in the way; null for nothing.</returns>
    public Task<string?> RenameAsync(EntityDefinition entity, ImportTemplate template, string name, bool isShared) => TriedAsync(async () =>
    {
        await templates.RenameAsync(template, name, isShared, actor.Value);
        await ReadTemplatesAsync(entity, template.Id);
    });

    /// <summary>Deletes the template; what it said stays on the page.</summary>
    /// <returns>What stands in the way; null for nothing.</returns>
    public Task<string?> DeleteAsync(EntityDefinition entity, ImportTemplate template) => TriedAsync(async () =>
    {
        await templates.DeleteAsync(template, actor.Value);
        await ReadTemplatesAsync(entity, null);
    });

    /// <summary>Reads how a job is doing; a job that is not this user's is none.</summary>
    public async Task RefreshAsync(Guid job) =>
        Job = await jobs.FindAsync(job) is { Kind: "import" } found && found.IsSeenBy(actor.Value) ? found : null;

    public Task CancelAsync(Guid job) => jobs.CancelAsync(job);

    public IDisposable Watch(Guid job, Func<CancellationToken, Task> changed) => jobs.Watch(job, changed);

    /// <summary>Back from the check to the columns.</summary>
    public void ForgetJob() => Job = null;

    private async Task InspectAsync(EntityDefinition entity, string? encoding, string? delimiter, string? sheet = null)
    {
        try
        {
            File = await imports.InspectAsync(FileId!.Value, encoding, delimiter, actor.Value, PreviewRows, sheet);
            Candidates = [];
            await ReadTemplatesAsync(entity, Template?.Id);
            // Only one that reads nothing but what the file has is meant without a word; one click takes it away again.
            Template ??= hasDecided ? null : Templates.FirstOrDefault(t => t.NotIn(File.Headers).IsEmpty);
            Draft = new MappingDraft(entity, File, Template);
            Suggestions.Clear();
            await CheckAsync(entity);
        }
        catch (ImportFileException unclear) when (!unclear.Candidates.IsEmpty && encoding is null)
        {
            (File, Draft, Candidates) = (null, null, unclear.Candidates);
        }
    }

    /// <summary>What was decided for another file does not hold for this one.</summary>
    private void Begin(Guid file)
    {
        if (FileId != file)
        {
            (FileId, Template, hasDecided) = (file, null, false);
        }
    }

    private async Task ReadTemplatesAsync(EntityDefinition entity, Guid? chosen)
    {
        Templates = [.. ImportTemplate.ByFit(await templates.ListAsync(entity.Name, actor.Value), File!.Headers)];
        Template = Templates.FirstOrDefault(t => t.Id == chosen);
    }

    private async Task<ImmutableArray<string>> NamesAsync(ImmutableArray<string> entities)
    {
        var names = new List<string>();
        foreach (var entity in entities.Select(metadata.Current.Entity).Where(e => !e.IsHidden))
        {
            var page = await records.QueryAsync(new RecordQuery { Entity = entity.Name, Top = MaxSuggestions });
            names.AddRange(page.Records.Select(r => string.Join(' ', entity.TitleFields.Select(t => r[t] as string).Where(t => !string.IsNullOrEmpty(t)))).Where(n => n.Length > 0));
        }

        return [.. names.Distinct(StringComparer.Ordinal).Order(StringComparer.CurrentCulture)];
    }

    private async Task TryAsync(Func<Task> work) => Failure = await TriedAsync(work);

    private static async Task<string?> TriedAsync(Func<Task> work)
    {
        try
        {
            await work();
            return null;
        }
        catch (ImportFileException problem)
        {
            return problem.Message;
        }
    }
}
