namespace Crm.Host;

/// <summary>Why the host cannot start, in words for the person who started it; shown as one line, without a stack trace.</summary>
/// <param name="message">What is wrong and what to do about it.</param>
/// <param name="inner">What was caught, if anything.</param>
public sealed class StartupException(string message, Exception? inner = null) : Exception(message, inner);
