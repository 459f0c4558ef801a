using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace Crm.Sdk;

/// <summary>The field types. Names are those of the API.</summary>
public static class Fields
{
    /// <summary>One line of text, at most 255 characters unless the field says otherwise.</summary>
    public static FieldType Text { get; } = new TextType("text", 255);

    /// <summary>Several lines of text, at most 100,000 characters unless the field says otherwise.</summary>
    public static FieldType LongText { get; } = new TextType("long_text", 100_000, multiline: true);

    /// <summary>An e-mail address, stored as typed with its domain in lower case.</summary>
    public static FieldType Email { get; } = new EmailType();

    /// <summary>A phone number as typed: digits, spaces and <c>+ ( ) - . /</c>, with an extension after <c>x</c>.</summary>
    public static FieldType Phone { get; } = new PhoneType();

    /// <summary>An http or https address.</summary>
    public static FieldType Url { get; } = new UrlType();

    /// <summary>Several phone numbers, each with what it is for; its choices are the kinds, mobile, work, home, fax and other without them.</summary>
    public static FieldType Phones { get; } = new SeveralType("phones", Phone, "mobile", "work", "home", "fax", "other");

    /// <summary>Several e-mail addresses: work, home, other unless the field has choices.</summary>
    public static FieldType Emails { get; } = new SeveralType("emails", Email, "work", "home", "other");

    /// <summary>Several web addresses: site, LinkedIn, X, Facebook, Instagram, other unless the field has choices.</summary>
    public static FieldType Urls { get; } = new SeveralType("urls", Url, "site", "linkedin", "x", "facebook", "instagram", "other");

    /// <summary>A whole number of 64 bits.</summary>
    public static FieldType Integer { get; } = new IntegerType();

    /// <summary>An exact decimal number, at most 28 digits; 2 after the point unless the field says otherwise.</summary>
    public static FieldType Decimal { get; } = new DecimalType("decimal");

    /// <summary>A percentage as users write it: 50 is 50 %.</summary>
    public static FieldType Percent { get; } = new DecimalType("percent");

    /// <summary>An amount and a currency.</summary>
    public static FieldType Money { get; } = new MoneyType();

    /// <summary>Yes or no.</summary>
    public static FieldType YesNo { get; } = new YesNoType();

    /// <summary>A date without time or time zone.</summary>
    public static FieldType Date { get; } = new DateType();

    /// <summary>An instant.</summary>
    public static FieldType DateTime { get; } = new DateTimeType();

    /// <summary>A time of day without date or time zone, to the second.</summary>
    public static FieldType Time { get; } = new TimeType();

    /// <summary>A length of time in whole seconds.</summary>
    public static FieldType Duration { get; } = new DurationType();

    /// <summary>A number of stars, one to five unless the field gives another greatest value.</summary>
    public static FieldType Rating { get; } = new RatingType();

    /// <summary>A colour as <c>#rrggbb</c>.</summary>
    public static FieldType Colour { get; } = new ColourType();

    /// <summary>Formatted text: HTML of which only what is known to be harmless is stored, see <see cref="RichText"/>.</summary>
    public static FieldType RichText { get; } = new RichTextType();

    /// <summary>Words users make up.</summary>
    public static FieldType Tags { get; } = new TagsType();

    /// <summary>A postal address.</summary>
    public static FieldType Address { get; } = new AddressType();

    /// <summary>Several postal addresses, each with what it is for: work, home, invoice, delivery, other unless the field has choices.</summary>
    public static FieldType Addresses { get; } = new AddressesType("work", "home", "invoice", "delivery", "other");

    /// <summary>A place on earth.</summary>
    public static FieldType Geolocation { get; } = new GeolocationType();

    /// <summary>A JSON document.</summary>
    public static FieldType Json { get; } = new JsonType();

    /// <summary>A pointer to a user.</summary>
    public static FieldType User { get; } = new OwnerType("user", takesTeams: false);

    /// <summary>A pointer to a team.</summary>
    public static FieldType Team { get; } = new TeamType();

    /// <summary>A pointer to the record above, of the same entity.</summary>
    public static FieldType Hierarchy { get; } = new HierarchyType();

    /// <summary>A file; its content is in the database.</summary>
    public static FieldType File { get; } = new FileType("file");

    /// <summary>An image browsers can show; its content is in the database.</summary>
    public static FieldType Image { get; } = new FileType("image");

    /// <summary>A pointer to a record of one of several entities.</summary>
    public static FieldType AnyLookup { get; } = new AnyLookupType();

    /// <summary>Any number of records of another entity or the same one; the links may have fields of their own.</summary>
    public static FieldType ManyToMany { get; } = new ManyToManyType();

    /// <summary>One of the field's choices.</summary>
    public static FieldType Choice { get; } = new ChoiceType();

    /// <summary>Any number of the field's choices.</summary>
    public static FieldType MultiChoice { get; } = new MultiChoiceType();

    /// <summary>The user or the team a record belongs to.</summary>
    public static FieldType Owner { get; } = new OwnerType("owner", takesTeams: true);

    /// <summary>One of the field's stages.</summary>
    public static FieldType Stage { get; } = new StageType();

    /// <summary>A number given by the product.</summary>
    public static FieldType AutoNumber { get; } = new AutoNumberType();

    /// <summary>A pointer to a record of the field's target entity, given by <see cref="FieldDefinition.Target"/>.</summary>
    public static FieldType LookupType { get; } = new LookupType();

    /// <summary>The id of the record itself; a system field only.</summary>
    public static FieldType Key { get; } = new KeyType();

    /// <summary>All types by name.</summary>
    public static FrozenDictionary<string, FieldType> All { get; } = new[]
    {
        Text, LongText, Email, Phone, Url, Phones, Emails, Urls, Integer, Decimal, Percent, Money, YesNo, Date, DateTime,
        Time, Duration, Rating, Colour, RichText, Tags, Address, Addresses, Geolocation, Json, User, Team, Hierarchy, AnyLookup, ManyToMany, File, Image,
        Choice, MultiChoice, LookupType, Owner, Stage, AutoNumber, Key,
    }.ToFrozenDictionary(t => t.Name);

    /// <summary>Types an administrator may give a new field; the others are the product's own.</summary>
    public static ImmutableArray<FieldType> Designable { get; } =
    [
        Text, LongText, RichText, Email, Phone, Url, Emails, Phones, Urls, Integer, Decimal, Percent, Money, Rating, YesNo, Date, Time, DateTime, Duration,
        Choice, MultiChoice, Tags, Colour, LookupType, AnyLookup, ManyToMany, Hierarchy, User, Team, Owner, Stage, Address, Addresses, Geolocation, File, Image, AutoNumber, Json,
    ];

    /// <summary>A lookup of the given entity, for <see cref="IEntityBuilder.Field"/>.</summary>
    public static FieldType Lookup(string target) => new LookupType(target);

    /// <summary>Any number of records of the given entity, for <see cref="IEntityBuilder.Field"/>.</summary>
    public static FieldType Links(string target) => new ManyToManyType(target);

    /// <summary>Finds a type by name.</summary>
    public static bool TryType(string name, [NotNullWhen(true)] out FieldType? type) => All.TryGetValue(name, out type);
}
