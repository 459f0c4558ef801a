using Crm.Sdk.Web.Forms;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Crm.Sdk.Web;

/// <summary>A page of a module, shown by the host at <c>/m/{module}/{path}</c>.</summary>
/// <param name="Path">Path below the module, for example <c>pipeline</c>.</param>
/// <param name="Title">Shown in the navigation and as the page's title.</param>
/// <param name="Component">The component; a parameter is set from the query string where it has <c>[SupplyParameterFromQuery]</c>.</param>
/// <param name="Placement">Where the navigation shows it; null for nowhere.</param>
/// <param name="Icon">A Material Symbols name.</param>
public sealed record PageRegistration(string Path, string Title, Type Component, Placement? Placement, string Icon);

/// <summary>A panel on the record page of an entity.</summary>
/// <param name="Entity">The entity.</param>
/// <param name="Title">Heading of the panel.</param>
/// <param name="Component">The component; gets the parameter <c>Record</c> of type <see cref="Sdk.Record"/>.</param>
public sealed record PanelRegistration(string Entity, string Title, Type Component);

/// <summary>Endpoints of a module, served below <c>/api/m/{module}</c> to signed-in callers.</summary>
/// <param name="Map">Adds them.</param>
public sealed record EndpointRegistration(Action<IEndpointRouteBuilder> Map);

/// <summary>Registers what a module shows and serves.</summary>
public static class ModuleWeb
{
    /// <summary>Adds a page.</summary>
    /// <typeparam name="T">The component.</typeparam>
    /// <param name="builder">The module's builder.</param>
    /// <param name="path">Path below the module.</param>
    /// <param name="title">Shown in the navigation.</param>
    /// <param name="placement">Where the navigation shows it; null for nowhere.</param>
    /// <param name="icon">A Material Symbols name.</param>
    public static IModuleBuilder AddPage<T>(this IModuleBuilder builder, string path, string title, Placement? placement = null, string icon = "web_asset")
        where T : IComponent
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddSingleton(new PageRegistration(path, title, typeof(T), placement, icon));
        return builder;
    }

    /// <summary>Adds a panel to the record page of an entity.</summary>
    /// <typeparam name="T">The component, with a parameter <c>Record</c>.</typeparam>
    /// <param name="builder">The module's builder.</param>
    /// <param name="entity">The entity.</param>
    /// <param name="title">Heading of the panel.</param>
    public static IModuleBuilder AddPanel<T>(this IModuleBuilder builder, string entity, string title)
        where T : IComponent
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddSingleton(new PanelRegistration(entity, title, typeof(T)));
        return builder;
    }

    /// <summary>Edits every field of a type with another component.</summary>
    /// <typeparam name="T">The component.</typeparam>
    /// <param name="builder">The module's builder.</param>
    /// <param name="fieldType">Name of the field type.</param>
    public static IModuleBuilder AddEditor<T>(this IModuleBuilder builder, string fieldType)
        where T : FieldEditorComponent
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddSingleton(new EditorRegistration(fieldType, typeof(T)));
        return builder;
    }

    /// <summary>Adds endpoints; their services come from the module's own provider.</summary>
    /// <param name="builder">The module's builder.</param>
    /// <param name="map">Adds them, with paths below the module.</param>
    public static IModuleBuilder AddEndpoints(this IModuleBuilder builder, Action<IEndpointRouteBuilder> map)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddSingleton(new EndpointRegistration(map));
        return builder;
    }
}
