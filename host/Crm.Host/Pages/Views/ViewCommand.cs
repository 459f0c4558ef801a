namespace Crm.Host.Pages.Views;

/// <summary>What can be done with the view of a list.</summary>
public enum ViewCommand
{
    /// <summary>Save what is shown under a new name.</summary>
    Save,

    /// <summary>Save what is shown under the name it has.</summary>
    Update,

    /// <summary>Give it another name, share it or stop sharing it.</summary>
    Rename,

    /// <summary>Choose its columns, for oneself.</summary>
    Columns,

    /// <summary>Delete it.</summary>
    Delete,

    /// <summary>See it first from now on.</summary>
    MakeDefault,

    /// <summary>See the entity's first view first again.</summary>
    ForgetDefault,
}
