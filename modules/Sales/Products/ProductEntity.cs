using Crm.Sdk;

namespace Crm.Modules.Sales.Products;

internal static class ProductEntity
{
    public static void Define(IEntityBuilder entity) => entity
        .Label("Product", "Products")
        .Icon("inventory_2")
        .Title("name")
        .Search("name", "series")
        .Field("name", Fields.Text, f => f.Required().Unique())
        .Field("series", Fields.Text)
        .Field("price", Fields.Money, f => f.Label("List price").Range(0, null))
        .Field("on_sale", Fields.YesNo, f => f.Label("Can be sold").Default(true))
        .Field("description", Fields.LongText)
        .View(new ViewDefinition(
            "active",
            "Active Products",
            ["name", "series", "price", "on_sale"],
            Filter.Equal("is_active", true),
            [new Sort("name")]))
        .FormSection("Product", "name", "series", "price", "on_sale", "owner")
        .FormSection("Notes", "description")
        .In("sales", "collateral", 10);
}
