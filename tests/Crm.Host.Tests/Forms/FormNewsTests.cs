using Crm.Host.Tests.Pages;
using Crm.Sdk;
using Crm.Sdk.Web.Forms;
using Record = Crm.Sdk.Record;

namespace Crm.Host.Tests.Forms;

/// <summary>A form that is open while somebody else saves the record.</summary>
public sealed class FormNewsTests
{
    private static readonly Guid Anna = new("00000000-0000-7000-8000-0000000000a1");

    private static readonly EntityDefinition Venue = Definitions.Entity(
        "x_venue",
        FieldTextTests.Field(Fields.Text, "name") with { IsRequired = true },
        FieldTextTests.Field(Fields.Date, "opened"),
        FieldTextTests.Field(Fields.Text, "state"),
        FieldTextTests.Field(Fields.Text, "secret") with { IsHidden = true },
        FieldTextTests.Field(Fields.User, "modified_by") with { IsSystem = true });

    private readonly FormModel form = new(Venue, Stored(3), FieldTextTests.Text("en-GB"));

    public FormNewsTests() => form.Titles.Learn(Anna, "Anna");

    [Fact]
    public void Untouched_fields_take_the_new_values_and_what_was_typed_stays_typed()
    {
        form.Type(Venue.Field("state"), FieldParts.Of("mine"));
        Assert.Equal(["name"], form.TakeOver(Stored(4, ("name", "Hall"))).Select(f => f.Name));

        Assert.Equal(("Hall", "mine"), (form["name"], form["state"]));
        Assert.Equal(["name"], form.Fresh);
        Assert.Empty(form.Disputes);
        var change = form.ToChange();
        Assert.Equal((4L, "state"), (change.ExpectedVersion!.Value, Assert.Single(change.Values).Key));
        Assert.Equal(4, form.DraftVersion);
    }

    [Fact]
    public void A_field_both_changed_is_in_dispute_until_the_user_decides()
    {
        form.Type(Venue.Field("name"), FieldParts.Of("Mine"));
        form.Type(Venue.Field("state"), FieldParts.Of("mine"));
        form.TakeOver(Stored(4, ("name", "Theirs"), ("state", "theirs")));
        Assert.Equal("Anna", form.DisputedBy("name"));
        Assert.Equal(("Mine", "Theirs"), (form["name"], form.Before("name")));
        Assert.Empty(form.Fresh);
        // A page that is loaded again asks again.
        Assert.Equal((3L, 3L), (form.DraftVersion, form.ToDraft().Version));

        form.AskAboutDisputes();
        Assert.NotNull(form.Error("name"));
        form.Decide(Venue.Field("name"), keepMine: true);
        form.Decide(Venue.Field("state"), keepMine: false);
        Assert.Equal(("Mine", "theirs"), (form["name"], form["state"]));
        Assert.Empty(form.Disputes);
        Assert.Null(form.Error("name"));
        var change = form.ToChange();
        Assert.Equal((4L, "Mine"), (change.ExpectedVersion!.Value, Assert.Single(change.Values).Value));
        Assert.Equal(4, form.DraftVersion);
    }

    [Fact]
    public void A_dispute_outlives_the_next_version_and_ends_where_both_mean_the_same()
    {
        form.Type(Venue.Field("name"), FieldParts.Of("Mine"));
        form.TakeOver(Stored(4, ("name", "Theirs")));
        form.TakeOver(Stored(5, ("name", "Theirs"), ("state", "closed")));
        Assert.Equal("Anna", form.DisputedBy("name"));
        Assert.Equal(3, form.DraftVersion);
        form.TakeOver(Stored(6, ("name", "Mine"), ("state", "closed")));
        Assert.Null(form.DisputedBy("name"));
        Assert.False(form.IsChanged);

        form.Type(Venue.Field("name"), FieldParts.Of("Again"));
        form.TakeOver(Stored(7, ("name", "Other")));
        form.Type(Venue.Field("name"), FieldParts.Of("Other"));
        Assert.Empty(form.Disputes);
        form.Type(Venue.Field("name"), FieldParts.Of("Last"));
        Assert.Empty(form.Disputes);
    }

    [Fact]
    public void What_cannot_be_read_stays_as_typed_and_errors_of_untouched_fields_stay()
    {
        form.Type(Venue.Field("opened"), FieldParts.Of("soon"));
        form.Type(Venue.Field("state"), FieldParts.Of("refused"));
        form.Accept(SaveResult.Refused(new ValidationError("state", ErrorCodes.Rule, "Not now."), new ValidationError(null, ErrorCodes.Rule, "Not like this.")));
        form.TakeOver(Stored(4, ("opened", new DateOnly(2021, 1, 1))));
        Assert.Equal("soon", form.Parts(Venue.Field("opened"))[FieldParts.Main]);
        Assert.NotNull(form.Error("opened"));
        Assert.Equal("Anna", form.DisputedBy("opened"));
        Assert.Equal("Not now.", form.Error("state"));
        Assert.Single(form.RecordErrors);
        Assert.False(form.IsReadable);

        form.Decide(Venue.Field("opened"), keepMine: true);
        Assert.NotNull(form.Error("opened"));
        form.Discard();
        Assert.Equal(new DateOnly(2021, 1, 1), form["opened"]);
    }

    [Fact]
    public void What_the_user_does_not_see_and_older_versions_are_no_news()
    {
        Assert.Empty(form.TakeOver(Stored(4, ("secret", "changed"))));
        Assert.Equal(4, form.Stored!.Version);
        Assert.Empty(form.Fresh);
        Assert.Empty(form.TakeOver(Stored(4, ("name", "Other"))));
        Assert.Equal("Arena", form["name"]);
    }

    [Fact]
    public void A_conflict_that_is_being_asked_about_is_left_to_its_answer()
    {
        form.Type(Venue.Field("name"), FieldParts.Of("Mine"));
        form.Accept(SaveResult.Refused(new ValidationError(null, ErrorCodes.Conflict, "Changed by somebody else.")) with { Stored = Stored(4, ("name", "Theirs")) });
        Assert.Empty(form.TakeOver(Stored(5, ("state", "closed"))));
        Assert.NotNull(form.Conflict);
        Assert.Equal(3, form.Stored!.Version);
    }

    private static Record Stored(long version, params (string Name, object? Value)[] values)
    {
        var all = new Dictionary<string, object?> { ["name"] = "Arena", ["opened"] = new DateOnly(2020, 5, 1), ["state"] = "open", ["modified_by"] = Anna };
        foreach (var (name, value) in values)
        {
            all[name] = value;
        }

        return new Record("x_venue", new Guid("00000000-0000-7000-8000-0000000000aa"), version, all);
    }
}
