using System.Collections.Immutable;
using Crm.Host.Tests.Pages;
using Crm.Sdk;
using Crm.Sdk.Web.Forms;
using Record = Crm.Sdk.Record;

namespace Crm.Host.Tests.Forms;

public sealed class FormModelTests
{
    private static readonly EntityDefinition Venue = Definitions.Entity(
        "x_venue",
        FieldTextTests.Field(Fields.Text, "name") with { IsRequired = true },
        FieldTextTests.Field(Fields.Date, "opened"),
        FieldTextTests.Field(Fields.Money, "rent"),
        FieldTextTests.Field(Fields.Lookup("company"), "company") with { Target = "company" },
        FieldTextTests.Field(Fields.MultiChoice, "kinds"),
        FieldTextTests.Field(Fields.Text, "state") with { Default = "open" },
        FieldTextTests.Field(Fields.DateTime, "visited"),
        FieldTextTests.Field(Fields.Owner, "owner") with { IsSystem = true });

    [Fact]
    public void Only_what_differs_is_sent_with_the_version_that_was_seen()
    {
        var form = Open();
        form.Type(Venue.Field("name"), FieldParts.Of("New Arena"));
        form.Type(Venue.Field("opened"), FieldParts.Of("21/11/2026"));
        form.Type(Venue.Field("opened"), FieldParts.Of("01/05/2020"));

        var change = form.ToChange();

        Assert.Equal(3, change.ExpectedVersion);
        Assert.Equal(ChangeKind.Update, change.Kind);
        Assert.Equal("form", change.Source);
        Assert.Equal("New Arena", Assert.Single(change.Values).Value);
    }

    [Fact]
    public void A_new_record_starts_with_defaults_and_what_was_given_and_counts_as_unchanged()
    {
        var company = Guid.CreateVersion7();
        var form = new FormModel(Venue, null, FieldTextTests.Text("en-GB"), new Dictionary<string, object?> { ["company_id"] = company.ToString(), ["name"] = "Arena" });

        Assert.False(form.IsChanged);
        var change = form.ToChange();
        Assert.Equal(ChangeKind.Create, change.Kind);
        Assert.Equal(company, change.Values["company"]);
        Assert.Equal("Arena", change.Values["name"]);
        Assert.Equal("open", change.Values["state"]);
        Assert.Equal(form.Id, change.Id);
    }

    [Fact]
    public void What_cannot_be_read_stays_as_typed_and_is_not_sent()
    {
        var form = Open();
        form.Type(Venue.Field("opened"), FieldParts.Of("soon"));

        Assert.False(form.IsReadable);
        Assert.Equal("soon", form.Parts(Venue.Field("opened"))[FieldParts.Main]);
        Assert.Contains("date", form.Error("opened"), StringComparison.Ordinal);
        Assert.Empty(form.ToChange().Values);

        form.Accept(SaveResult.Refused(new ValidationError("name", ErrorCodes.Required, "Name is required.")));
        Assert.NotNull(form.Error("opened"));
        Assert.NotNull(form.Error("name"));
    }

    [Fact]
    public void A_date_without_its_time_is_no_error_until_it_is_saved()
    {
        var form = Open();
        form.Type(Venue.Field("visited"), FieldParts.Empty.With(FieldParts.Date, "21/11/2026"));
        Assert.Null(form.Error("visited"));
        Assert.False(form.IsReadable);

        form.Accept(SaveResult.Refused(new ValidationError(null, ErrorCodes.Type, "Please correct the marked fields.")));
        Assert.NotNull(form.Error("visited"));
    }

    [Fact]
    public void Errors_find_their_field_by_name_or_by_property()
    {
        var form = Open();
        form.Accept(SaveResult.Refused(
            new ValidationError("company_id", ErrorCodes.Unknown, "There is no such company."),
            new ValidationError("rent_currency", ErrorCodes.Type, "No currency."),
            new ValidationError("no_such", ErrorCodes.UnknownField, "There is no field no_such."),
            new ValidationError(null, ErrorCodes.Rule, "Venues are closed on Mondays.")));

        Assert.Equal("There is no such company.", form.Error("company"));
        Assert.Equal("No currency.", form.Error("rent"));
        Assert.Equal(2, form.RecordErrors.Length);

        form.Set(Venue.Field("company"), null);
        Assert.Null(form.Error("company"));
    }

    [Fact]
    public void A_conflict_shows_both_values_only_where_both_changed_the_field()
    {
        var form = Open();
        form.Type(Venue.Field("name"), FieldParts.Of("Mine"));
        form.Type(Venue.Field("state"), FieldParts.Of("mine"));
        form.Set(Venue.Field("kinds"), ImmutableArray.Create("b"));
        form.Accept(Conflict(Stored() with
        {
            Version = 4,
            Values = new Dictionary<string, object?>(Stored().Values) { ["name"] = "Theirs", ["opened"] = new DateOnly(2021, 1, 1), ["kinds"] = ImmutableArray.Create("b") },
        }));

        var conflict = Assert.IsType<FormConflict>(form.Conflict);
        var field = Assert.Single(conflict.Fields);
        Assert.Equal(("name", "Arena", "Mine", "Theirs"), (field.Field.Name, field.Before, field.Mine, field.Theirs));
        Assert.Equal("opened", Assert.Single(conflict.OnlyTheirs));
        Assert.Equal("state", Assert.Single(conflict.OnlyMine));
        Assert.Empty(form.RecordErrors);
    }

    [Fact]
    public void Resolving_keeps_what_was_chosen_and_saves_on_the_newer_version()
    {
        var form = Open();
        form.Type(Venue.Field("name"), FieldParts.Of("Mine"));
        form.Type(Venue.Field("state"), FieldParts.Of("mine"));
        var theirs = Stored() with { Version = 4, Values = new Dictionary<string, object?>(Stored().Values) { ["name"] = "Theirs", ["state"] = "theirs" } };
        form.Accept(Conflict(theirs));
        form.Resolve(new HashSet<string> { "name" });

        var change = form.ToChange();
        Assert.Equal(4, change.ExpectedVersion);
        Assert.Equal("Mine", Assert.Single(change.Values).Value);
        Assert.Equal("theirs", form["state"]);
        Assert.Null(form.Conflict);
    }

    [Fact]
    public void A_draft_brings_back_every_input_also_one_that_cannot_be_read()
    {
        var form = Open();
        form.Type(Venue.Field("opened"), FieldParts.Of("soon"));
        form.Type(Venue.Field("rent"), FieldParts.Empty.With(FieldParts.Amount, "12").With(FieldParts.Currency, "USD"));
        var draft = form.ToDraft();

        var later = Open();
        Assert.True(later.Restore(draft));
        Assert.Equal("soon", later.Parts(Venue.Field("opened"))[FieldParts.Main]);
        Assert.Equal(new Money(12, "USD"), later["rent"]);
        Assert.Null(later.Conflict);
    }

    [Fact]
    public void A_draft_of_an_older_version_is_a_conflict_at_once()
    {
        var form = Open();
        form.Type(Venue.Field("name"), FieldParts.Of("Mine"));
        var later = new FormModel(Venue, Stored() with { Version = 9 }, FieldTextTests.Text("en-GB"));

        Assert.True(later.Restore(form.ToDraft()));
        var field = Assert.Single(Assert.IsType<FormConflict>(later.Conflict).Fields);
        Assert.Equal(("Mine", "Arena"), (field.Mine, field.Theirs));
        later.Resolve(new HashSet<string> { "name" });
        Assert.Equal("Mine", later.ToChange().Values["name"]);
    }

    [Fact]
    public void Nothing_of_a_draft_reaches_a_field_that_may_not_be_edited()
    {
        var form = Open();
        form.ReadOnlyReason = "The module is off.";
        Assert.False(form.Take(new Dictionary<string, ImmutableDictionary<string, string>> { ["name"] = FieldParts.Of("Mine").Texts }));
    }

    [Fact]
    public void A_generated_form_shows_required_fields_first_and_the_owner_last()
    {
        var entity = Venue with
        {
            Fields = [FieldTextTests.Field(Fields.Text, "brand"), FieldTextTests.Field(Fields.Text, "name") with { IsRequired = true }, FieldTextTests.Field(Fields.Text, "secret") with { IsHidden = true }, Venue.Field("owner")],
        };
        Assert.Equal(["name", "brand", "owner"], FormLayout.Of(entity).Fields.Select(f => f.Name));
    }

    [Fact]
    public void Fields_added_to_a_declared_form_come_in_a_section_of_their_own()
    {
        var entity = Venue with { Form = new FormDefinition([new FormSectionDefinition("Basics", ["name", "gone", "opened"])]) };
        var layout = FormLayout.Of(entity);
        Assert.Equal(["Basics", "More fields"], layout.Sections.Select(s => s.Label));
        Assert.Equal(["name", "opened", "owner"], layout.Sections[0].Fields.Select(f => f.Name));
    }

    private static FormModel Open() => new(Venue, Stored(), FieldTextTests.Text("en-GB"));

    private static Record Stored() => new("x_venue", new Guid("00000000-0000-7000-8000-0000000000aa"), 3, new Dictionary<string, object?>
    {
        ["name"] = "Arena",
        ["opened"] = new DateOnly(2020, 5, 1),
        ["state"] = "open",
        ["kinds"] = ImmutableArray.Create("a"),
    });

    private static SaveResult Conflict(Record theirs) =>
        SaveResult.Refused(new ValidationError(null, ErrorCodes.Conflict, "Changed by somebody else.")) with { Stored = theirs };
}
