using Crm.Sdk;

namespace Crm.Metadata;

/// <summary>The layer below all modules: users, teams, notes, files and the area for administration.</summary>
internal static class PlatformShape
{
    public const string SettingsArea = "settings";

    /// <summary>The entity of users.</summary>
    public const string User = "user";

    /// <summary>The entity of teams.</summary>
    public const string Team = "team";

    // A few hundred pages: whoever pastes a book is told.
    private const int MaxNote = 1_000_000;

    private const int MaxFile = (int)(FileType.MaxBytes / 1024 / 1024);

    public static ModuleInfo Module { get; } = new(Origins.Platform, "Platform");

    public static DeclaredShape Shape { get; } = Build();

    private static DeclaredShape Build()
    {
        var builder = new MetadataBuilder(Origins.Platform);
        builder
            .Area(SettingsArea, MetadataTexts.Of("Settings"), order: 1000, icon: "settings")
            .Section(SettingsArea, "access", MetadataTexts.Of("UsersAndAccess"), order: 100)
            .Entity(User, entity => entity
                .Label(MetadataTexts.Of("User"), MetadataTexts.Of("Users"))
                .Icon("person")
                .Title("name")
                .Search("name", "user_name", "email")
                .Field("name", Fields.Text, f => f.Label(MetadataTexts.Of("UserName")).Required())
                .Field("user_name", Fields.Text, f => f.Label(MetadataTexts.Of("UserSignInName")).Help(MetadataTexts.Of("UserSignInNameHelp")).Required().Unique().MaxLength(100))
                .Field("email", Fields.Email, f => f.Label(MetadataTexts.Of("UserEmail")))
                .Field("manager", Fields.Lookup("user"), f => f.Label(MetadataTexts.Of("UserManager")))
                .Field("team", Fields.Team, f => f.Label(MetadataTexts.Of("Team")))
                .Field("teams", Fields.Links("team"), f => f.Label(MetadataTexts.Of("UserTeams")).Help(MetadataTexts.Of("UserTeamsHelp")).Inverse("members", MetadataTexts.Of("TeamMembers")))
                .Field("region", Fields.Text, f => f.Label(MetadataTexts.Of("UserRegion")).MaxLength(100))
                .Field(RoleNames.Field, Fields.MultiChoice, f => f.Label(MetadataTexts.Of("UserRoles")).Help(MetadataTexts.Of("UserRolesHelp")))
                .Field("is_administrator", Fields.YesNo, f => f.Label(MetadataTexts.Of("UserIsAdministrator")).Help(MetadataTexts.Of("UserIsAdministratorHelp")).Default(false))
                .Field("can_sign_in", Fields.YesNo, f => f.Label(MetadataTexts.Of("UserCanSignIn")).Default(false))
                .View("active", MetadataTexts.Of("ActiveUsers"), "name", "user_name", "email", "manager", "region", "can_sign_in")
                .FormSection("", "name", "user_name", "email", "manager", "team", "teams", "region", "can_sign_in", RoleNames.Field, "is_administrator")
                .In(SettingsArea, "access"))
            .Entity(Team, entity => entity
                .Label(MetadataTexts.Of("Team"), MetadataTexts.Of("Teams"))
                .Icon("groups")
                .Field("name", Fields.Text, f => f.Label(MetadataTexts.Of("TeamName")).Required().Unique().MaxLength(100))
                .Field("parent", Fields.Hierarchy, f => f.Label(MetadataTexts.Of("TeamParent")).Help(MetadataTexts.Of("TeamParentHelp")))
                .Field("lead", Fields.User, f => f.Label(MetadataTexts.Of("TeamLead")))
                .Field("description", Fields.LongText, f => f.Label(MetadataTexts.Of("TeamDescription")))
                .In(SettingsArea, "access", 110))
            .Entity("note", entity => entity
                .Label(MetadataTexts.Of("Note"), MetadataTexts.Of("Notes"))
                .Icon("sticky_note_2")
                .Title("title")
                .Search("text")
                .PartOf("about")
                .Field("about", Fields.AnyLookup, f => f.Label(MetadataTexts.Of("NoteAbout")).Required())
                .Field("text", Fields.LongText, f => f.Label(MetadataTexts.Of("NoteText")).Required().MaxLength(MaxNote))
                .Field("is_pinned", Fields.YesNo, f => f.Label(MetadataTexts.Of("NotePinned")).Required().Default(false))
                .Field("title", Fields.Text, f => f.Label(MetadataTexts.Of("NoteTitle")).Formula("left(text, 100)"))
                .FormSection("", "about", "text", "is_pinned"))
            .Entity("file", entity => entity
                .Label(MetadataTexts.Of("File"), MetadataTexts.Of("Files"))
                .Icon("attach_file")
                .Title("name")
                .PartOf("about")
                .Field("about", Fields.AnyLookup, f => f.Label(MetadataTexts.Of("NoteAbout")).Required())
                .Field("content", Fields.File, f => f.Label(MetadataTexts.Of("File")).Required().Range(null, MaxFile))
                .Field("name", Fields.Text, f => f.Label(MetadataTexts.Of("FileName")).Formula("content_name"))
                .FormSection("", "about", "content"));
        return builder.Build();
    }
}
