namespace Crm.Cli;

/// <summary>What the user did or what the CRM answered makes it impossible to go on; the message is for the user.</summary>
internal sealed class CliException(string message) : Exception(message);
