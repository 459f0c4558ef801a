using System.Collections.Immutable;
using Crm.Sdk;
using Npgsql;
using NpgsqlTypes;

namespace Crm.Records;

/// <summary>What somebody may do, with the ids that say which records are theirs.</summary>
/// <param name="View">What their roles see and may do.</param>
/// <param name="Version">Version of users, roles and teams it was read at.</param>
/// <param name="Facts">The ids.</param>
internal sealed record ActorAccess(AccessView View, long Version, ActorFacts Facts)
{
    /// <summary>The parameters that say who asks.</summary>
    public const int ParameterCount = 4;

    /// <summary>The user, everybody below them, and their teams and those above that own records.</summary>
    public const string Owners = "$1";

    /// <summary>Teams whose members' records the user reaches.</summary>
    public const string Teams = "$2";

    /// <summary>The user, their teams with those above, and nobody, who stands for everybody.</summary>
    public const string Principals = "$3";

    /// <summary>Teams that own records, of those whose members' records the user reaches.</summary>
    public const string OwningTeams = "$4";

    /// <summary>The first parameter that says something else.</summary>
    public const string Next = "$5";

    /// <summary>Reads the version in a statement that reads something else.</summary>
    public const string VersionSql = "(SELECT version FROM crm.access_version)";

    /// <summary>Everything.</summary>
    public static ActorAccess All(MetadataSnapshot full) => new(AccessView.All(full), -1, ActorFacts.Nobody);

    /// <summary>Says who asks, when the view's conditions want to know.</summary>
    public void Bind(NpgsqlParameterCollection parameters)
    {
        if (View.IsLimited)
        {
            parameters.Add(Ids(Facts.Owners));
            parameters.Add(Ids(Facts.Teams));
            // Sent along with each statement, as many as there are: only where something is shared at all.
            parameters.Add(Ids(View.HasMarks ? Facts.Principals : []));
            parameters.Add(Ids(Facts.OwningTeams));
        }
    }

    /// <summary>The same when teams own records that never did before.</summary>
    public ActorAccess WithOwning(IReadOnlyCollection<Guid> teams) => View.IsLimited
        ? this with { Facts = Facts with { Owners = [.. Facts.Owners, .. teams.Intersect(Facts.Principals)], OwningTeams = [.. Facts.OwningTeams, .. teams.Intersect(Facts.Teams)] } }
        : this;

    /// <summary>Refuses to go on with what was read before somebody's rights changed.</summary>
    public void RequireVersion(long version)
    {
        if (View.IsLimited && version != Version)
        {
            throw new OldAccessException();
        }
    }

    /// <summary>Ids as a parameter.</summary>
    public static NpgsqlParameter Ids(Guid[] ids) => new() { Value = ids, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid };
}

/// <summary>What the database says about a user's place.</summary>
/// <param name="Roles">Names of their roles.</param>
/// <param name="Owners">They, everybody below them, and those of their teams and the teams above that own records.</param>
/// <param name="Teams">Their teams and those below: teams whose members' records they reach.</param>
/// <param name="Principals">They, their teams and those above, and nobody, who stands for everybody: whoever a record is shared with for them to see it.</param>
/// <param name="OwningTeams">Those of <paramref name="Teams"/> that own records.</param>
/// <param name="Marks">What single records of which entities are marked with, in order: <c>share:company</c>.</param>
/// <param name="IsAdministrator">Whether they are an administrator.</param>
internal sealed record ActorFacts(ImmutableArray<string> Roles, Guid[] Owners, Guid[] Teams, Guid[] Principals, Guid[] OwningTeams, ImmutableArray<string> Marks, bool IsAdministrator)
{
    public static ActorFacts Nobody { get; } = new([], [], [], [], [], [], false);
}

/// <summary>Somebody's rights changed since they were read.</summary>
internal sealed class OldAccessException() : Exception("The rights changed since they were read.");
