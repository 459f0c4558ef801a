namespace Crm.Sdk;

/// <summary>Declares entities, or adds to entities of other modules.</summary>
public interface IMetadataBuilder
{
    /// <summary>Declares an entity this module owns.</summary>
    /// <param name="name">snake_case, at most <see cref="Names.MaxEntityLength"/> characters.</param>
    /// <param name="define">Describes it.</param>
    IMetadataBuilder Entity(string name, Action<IEntityBuilder> define);

    /// <summary>Adds fields and views to an entity owned by another module.</summary>
    /// <param name="name">Name of the entity.</param>
    /// <param name="define">Describes what is added.</param>
    IMetadataBuilder Extend(string name, Action<IEntityBuilder> define);

    /// <summary>Declares a work area of the navigation, or names an existing one to add to it.</summary>
    /// <param name="name">Stable name, for example <c>sales</c>.</param>
    /// <param name="label">Shown in the area menu.</param>
    /// <param name="order">Areas are shown in this order.</param>
    /// <param name="icon">A Material Symbols name.</param>
    IMetadataBuilder Area(string name, string label, int order = 100, string? icon = null);

    /// <summary>Declares a section of an area.</summary>
    /// <param name="area">The area's name.</param>
    /// <param name="name">Stable name within the area.</param>
    /// <param name="label">Shown as the heading.</param>
    /// <param name="order">Sections are shown in this order.</param>
    IMetadataBuilder Section(string area, string name, string label, int order = 100);
}

/// <summary>Describes one entity.</summary>
public interface IEntityBuilder
{
    /// <summary>Names shown to users.</summary>
    IEntityBuilder Label(string singular, string plural);

    /// <summary>The name of the entity set in the API; the plural of the name when not given.</summary>
    IEntityBuilder Set(string setName);

    /// <summary>A Material Symbols name shown beside the label.</summary>
    IEntityBuilder Icon(string icon);

    /// <summary>The field, or fields joined by a space, a record is called by; the first required text field when not given.</summary>
    IEntityBuilder Title(params ReadOnlySpan<string> fields);

    /// <summary>Adds a field.</summary>
    /// <param name="name">snake_case, at most <see cref="Names.MaxFieldLength"/> characters.</param>
    /// <param name="type">One of <see cref="Fields"/>.</param>
    /// <param name="define">Describes it further.</param>
    IEntityBuilder Field(string name, FieldType type, Action<IFieldBuilder>? define = null);

    /// <summary>Adds a field that moves through stages.</summary>
    IEntityBuilder Stages(string field, Action<IStageBuilder> define, Action<IFieldBuilder>? describe = null);

    /// <summary>Names the fields quick search looks at; the title fields when not given.</summary>
    IEntityBuilder Search(params ReadOnlySpan<string> fields);

    /// <summary>Adds a list with the given columns; a column is a field or a path through lookups such as <c>company.country</c>.</summary>
    IEntityBuilder View(string name, string label, params ReadOnlySpan<string> columns);

    /// <summary>Adds a list with a filter and an order.</summary>
    IEntityBuilder View(ViewDefinition view);

    /// <summary>Adds a section to the form; the first call replaces the form made from the fields.</summary>
    /// <param name="label">Heading; empty for none.</param>
    /// <param name="fields">Fields in reading order.</param>
    IEntityBuilder FormSection(string label, params ReadOnlySpan<string> fields);

    /// <summary>Adds a rule that holds at every door: when fields are required, read only, shown, valid, or which choices are left.</summary>
    IEntityBuilder Rule(RuleDefinition rule);

    /// <summary>Who sees a record, as long as no role says more; <see cref="Crm.Sdk.Visibility.PublicWrite"/> when it is not said. An administrator may change it.</summary>
    IEntityBuilder Visibility(Visibility visibility);

    /// <summary>Keeps who looked at its records, and when; see <see cref="EntityDefinition.HasViewLog"/>. An administrator may change it.</summary>
    IEntityBuilder ViewLog();

    /// <summary>What a role may do with the records. A role that nobody else names exists from then on.</summary>
    IEntityBuilder Grant(GrantDefinition grant);

    /// <summary>Makes each record a part of another one, whose rights it follows; see <see cref="EntityDefinition.PartOf"/>.</summary>
    /// <param name="field">A required any-lookup. Which entities it may lead to is said by those: <see cref="Parts"/>.</param>
    IEntityBuilder PartOf(string field);

    /// <summary>Names the entities whose records may be parts of its records, as <c>note</c>; all there are when not given. An administrator may change it.</summary>
    IEntityBuilder Parts(params ReadOnlySpan<string> entities);

    /// <summary>Shows the entity in the navigation; may be called for several areas (PLT-08).</summary>
    IEntityBuilder In(string area, string section, int order = 100);
}

/// <summary>Describes one field.</summary>
public interface IFieldBuilder
{
    /// <summary>Name shown to users; made from the field's name when not given.</summary>
    IFieldBuilder Label(string label);

    /// <summary>A sentence shown below the editor.</summary>
    IFieldBuilder Help(string help);

    /// <summary>A value must be present.</summary>
    IFieldBuilder Required();

    /// <summary>No two records share a value.</summary>
    IFieldBuilder Unique();

    /// <summary>Set by the product only; a user's value is refused.</summary>
    IFieldBuilder ReadOnly();

    /// <summary>The value of a new record that gives none: input as the API would take it.</summary>
    IFieldBuilder Default(object value);

    /// <summary>Longest text, in characters.</summary>
    IFieldBuilder MaxLength(int characters);

    /// <summary>Smallest and greatest number allowed; null for no limit.</summary>
    IFieldBuilder Range(decimal? minimum, decimal? maximum);

    /// <summary>Digits after the decimal point.</summary>
    IFieldBuilder Scale(int digits);

    /// <summary>ISO 4217 code of an amount given without one, for money fields.</summary>
    IFieldBuilder Currency(string code);

    /// <summary>ISO 3166 code of the country a phone number without a calling code belongs to, for phone fields.</summary>
    IFieldBuilder Country(string code);

    /// <summary>Adds a choice to a choice or multi-choice field.</summary>
    IFieldBuilder Choice(string name, string label, string? colour = null);

    /// <summary>Entities an any-lookup may point to; without it all.</summary>
    IFieldBuilder Targets(params ReadOnlySpan<string> entities);

    /// <summary>Files a file field takes: media types (<c>application/pdf</c>, <c>video/*</c>) and endings (<c>.docx</c>); without it all.</summary>
    IFieldBuilder Accept(params ReadOnlySpan<string> kinds);

    /// <summary>How a many-to-many field is called at the entity it shows; made from this entity's names when not given.</summary>
    /// <param name="name">Name of the field there.</param>
    /// <param name="label">Shown to users.</param>
    IFieldBuilder Inverse(string name, string label);

    /// <summary>The entity whose records are the links of a many-to-many field; made from the names of the field and its entity when not given.</summary>
    /// <param name="name">Name of the link entity.</param>
    /// <param name="define">Describes it further: its label, and fields of its own such as a role.</param>
    IFieldBuilder Link(string name, Action<IEntityBuilder>? define = null);

    /// <summary>Prefix, width and first number of an auto-number field.</summary>
    IFieldBuilder Number(string prefix, int width, long start = 1);

    /// <summary>Calculates the value from other fields whenever the record is saved; the field becomes read only. See <see cref="Expression"/>.</summary>
    /// <param name="expression">For example <c>budget * probability / 100</c>.</param>
    IFieldBuilder Formula(string expression);

    /// <summary>Calculates the value from records that point here, in the transaction that writes them; the field becomes read only.</summary>
    IFieldBuilder RollUp(RollUpDefinition rollUp);

    /// <summary>The field's name in an earlier version of the module; its data is kept.</summary>
    IFieldBuilder RenamedFrom(string formerName);
}

/// <summary>Describes the stages of an entity and the moves between them.</summary>
public interface IStageBuilder
{
    /// <summary>Adds an open stage; the first one is where records start.</summary>
    /// <param name="name">Stable name.</param>
    /// <param name="label">Shown to users.</param>
    /// <param name="probability">Chance of winning, in percent.</param>
    IStageBuilder Stage(string name, string label, int probability = 0);

    /// <summary>Adds a stage that ends in success.</summary>
    IStageBuilder Won(string name, string label);

    /// <summary>Adds a stage that ends without success.</summary>
    IStageBuilder Lost(string name, string label);

    /// <summary>Allows a move. Once one move is named, moves not named are refused; until then every move is allowed.</summary>
    IStageBuilder Allow(string from, string to);
}
