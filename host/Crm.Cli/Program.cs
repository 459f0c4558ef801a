using System.CommandLine;
using Crm.Cli;

var root = new RootCommand(Texts.Of("Root")) { ImportCommand.Create(), MetadataCommand.Create() };
return await root.Parse(args).InvokeAsync();
