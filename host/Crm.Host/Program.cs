using Crm.Host;

await using var app = await CrmHost.CreateAsync(args);
await app.RunAsync();
