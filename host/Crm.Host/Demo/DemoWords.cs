namespace Crm.Host.Demo;

/// <summary>Words the sample data is made of; people and companies are invented.</summary>
internal static class DemoWords
{
    public static readonly string[] FirstNames =
        ["Ada", "Björn", "Chiara", "Daniel", "Elżbieta", "Faisal", "Greta", "Hugo", "Ines", "Jonas", "Karin", "Liam", "Mária", "Noah", "Olga", "Pavel", "Quentin", "Rosa", "Søren", "Tilda", "Uwe", "Vera", "Wanda", "Xavier", "Yasmin", "Zoë"];

    public static readonly string[] LastNames =
        ["Almeida", "Bergström", "Castellano", "Dvořák", "Eriksen", "Fontaine", "Grünwald", "Horváth", "Iversen", "Jansen", "Kowalski", "Lefèvre", "Müller", "Novak", "O'Brien", "Petrov", "Quispe", "Rossi", "Schäfer", "Tanaka", "Ullmann", "Vargas", "Weiß", "Yilmaz", "Zielińska"];

    public static readonly string[] CompanyFirst =
        ["Alder", "Birch", "Cedar", "Delta", "Ember", "Fjord", "Granite", "Harbour", "Iris", "Juniper", "Kestrel", "Linden", "Marble", "North", "Osprey", "Pine", "Quartz", "River", "Sable", "Thistle", "Umber", "Violet", "Willow", "Yarrow", "Zephyr"];

    public static readonly string[] CompanyLast = ["Works", "Systems", "Foods", "Logistics", "Médical", "Studio", "Energy", "& Söhne", "Partners", "Optics"];

    public static readonly string[] Industries = ["technology", "medical", "retail", "software", "entertainment", "finance", "marketing", "services", "telecommunications", "employment"];

    public static readonly (string City, string Country)[] Places =
        [("Berlin", "Germany"), ("Zürich", "Switzerland"), ("Lyon", "France"), ("Malmö", "Sweden"), ("Kraków", "Poland"), ("Porto", "Portugal"), ("Leeds", "United Kingdom"), ("Brno", "Czechia"), ("Graz", "Austria"), ("Utrecht", "Netherlands")];

    public static readonly string[] Regions = ["North", "South", "West"];

    public static readonly (string Name, string Series, decimal Price)[] Products =
        [("Aurora Basic", "Aurora", 490m), ("Aurora Pro", "Aurora", 4_250m), ("Aurora Plus Pro", "Aurora", 5_900m), ("Borealis Mini", "Borealis", 65m), ("Borealis Advanced", "Borealis", 3_390m), ("Comet 300", "Comet", 24_500m), ("Comet Service", "Comet", 1_150m)];

    public static readonly string[] JobTitles = ["Managing director", "Head of purchasing", "Buyer", "Head of IT", "Controller", "Office manager", "Project lead", "Engineer"];
}
