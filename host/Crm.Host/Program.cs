using Crm.Host.Startup;

return await Launcher.RunAsync(args);
