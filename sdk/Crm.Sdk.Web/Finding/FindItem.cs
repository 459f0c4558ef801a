namespace Crm.Sdk.Web.Finding;

/// <summary>One line of a filter being put together.</summary>
public abstract class FindItem
{
    /// <summary>Tells lines apart while they come and go.</summary>
    public Guid Key { get; } = Guid.CreateVersion7();
}

/// <summary>Lines of which all or any have to hold.</summary>
/// <param name="entity">The entity their fields are of.</param>
public sealed class FindGroup(EntityDefinition entity) : FindItem
{
    /// <summary>The entity their fields are of.</summary>
    public EntityDefinition Entity => entity;

    /// <summary>Whether one of them is enough.</summary>
    public bool IsAny { get; set; }

    /// <summary>The lines.</summary>
    public IList<FindItem> Items { get; } = [];
}

/// <summary>One comparison.</summary>
/// <param name="group">Where it stands.</param>
/// <param name="name">Name of its value in the form.</param>
public sealed class FindCondition(FindGroup group, string name) : FindItem
{
    /// <summary>The entity its field is of.</summary>
    public EntityDefinition Entity => group.Entity;

    /// <summary>What is compared, see <see cref="FindSubject.Path"/>; empty before something was chosen.</summary>
    public string Path { get; internal set; } = "";

    /// <summary>How.</summary>
    public FindOperator Operator { get; internal set; }

    /// <summary>Which period, for <see cref="FindOperator.During"/>.</summary>
    public Period Period { get; set; } = Period.ThisMonth;

    /// <summary>Days of a period of days.</summary>
    public int Days { get; set; } = 7;

    /// <summary>About the records that belong to this one, for <see cref="FindOperator.Has"/>.</summary>
    public FindGroup? Where { get; internal set; }

    /// <summary>Name of its value in the form.</summary>
    public string Name { get; internal set; } = name;
}

/// <summary>A condition that lines cannot say; it stays, or goes as a whole.</summary>
/// <param name="filter">The condition.</param>
public sealed class FindKept(Filter filter) : FindItem
{
    /// <summary>The condition.</summary>
    public Filter Filter => filter;
}
