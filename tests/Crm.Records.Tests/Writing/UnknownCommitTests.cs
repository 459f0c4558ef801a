using System.Net;
using System.Net.Sockets;
using System.Text;
using Crm.Metadata;
using Npgsql;

namespace Crm.Records.Tests.Writing;

/// <summary>The connection breaks while a save is being committed: what is answered must be what is stored.</summary>
public sealed class UnknownCommitTests(Engine engine) : IClassFixture<Engine>
{
    [Fact]
    public async Task A_commit_whose_answer_is_lost_is_found_to_have_happened()
    {
        await using var wire = Wire.To(engine.ConnectionString);
        await using var database = new CrmDatabase(wire.ConnectionString);
        var records = Through(database);
        await records.SavedAsync(Values.Company("warm"));

        wire.CutAt = Cut.AfterCommit;
        var change = Values.Company("Answered");
        var result = await records.SaveAsync(change);

        Assert.True(wire.HasCut);
        Assert.True(result.Succeeded);
        Assert.Equal(1, (await engine.Records.FindAsync("company", change.Id))!.Version);
        Assert.Single(await engine.Records.HistoryAsync("company", change.Id));
    }

    [Fact]
    public async Task A_commit_that_never_arrived_is_a_failure_and_is_not_tried_again()
    {
        await using var wire = Wire.To(engine.ConnectionString);
        await using var database = new CrmDatabase(wire.ConnectionString);
        var records = Through(database);
        await records.SavedAsync(Values.Company("warm"));

        wire.CutAt = Cut.BeforeCommit;
        var change = Values.Company("Lost");
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => records.SaveAsync(change));

        Assert.True(wire.HasCut);
        Assert.Null(await engine.Records.FindAsync("company", change.Id));
    }

    [Fact]
    public async Task When_the_database_stays_away_the_outcome_is_said_to_be_unknown()
    {
        await using var wire = Wire.To(engine.ConnectionString);
        await using var database = new CrmDatabase(wire.ConnectionString);
        var records = new RecordEngine(database, engine.Metadata, engine.With().Behaviors, engine.Scripts, TimeProvider.System) { CommitChecks = 2 }.As(Engine.User);
        await records.SavedAsync(Values.Company("warm"));

        wire.CutAt = Cut.ForGood;
        await Assert.ThrowsAsync<UnknownOutcomeException>(() => records.SaveAsync(Values.Company("Who knows")));
    }

    private RecordService Through(CrmDatabase database) => new RecordEngine(database, engine.Metadata, engine.With().Behaviors, engine.Scripts, TimeProvider.System).As(Engine.User);

    private enum Cut
    {
        Never,
        BeforeCommit,
        AfterCommit,
        ForGood,
    }

    /// <summary>Passes bytes on, until the one who watches wants it cut at the next COMMIT.</summary>
    private sealed class Wire : IAsyncDisposable
    {
        private readonly TcpListener listener = new(IPAddress.Loopback, 0);
        private readonly NpgsqlConnectionStringBuilder target;
        private readonly Task accepting;

        private Wire(NpgsqlConnectionStringBuilder target)
        {
            this.target = target;
            listener.Start();
            accepting = AcceptAsync();
        }

        public Cut CutAt { get; set; }

        public bool HasCut { get; private set; }

        public string ConnectionString => new NpgsqlConnectionStringBuilder(target.ConnectionString)
        {
            Host = "127.0.0.1",
            Port = ((IPEndPoint)listener.LocalEndpoint).Port,
            SslMode = SslMode.Disable,
            GssEncryptionMode = GssEncryptionMode.Disable,
            Timeout = 5,
        }.ConnectionString;

        public static Wire To(string connectionString) => new(new NpgsqlConnectionStringBuilder(connectionString));

        public async ValueTask DisposeAsync()
        {
            listener.Stop();
            await accepting;
        }

        private async Task AcceptAsync()
        {
            try
            {
                while (true)
                {
                    var client = await listener.AcceptTcpClientAsync();
                    _ = PassAsync(client);
                }
            }
            catch (Exception end) when (end is SocketException or ObjectDisposedException or InvalidOperationException)
            {
                // Stopped, while waiting for a client or between two.
            }
        }

        private async Task PassAsync(TcpClient client)
        {
            using (client)
            {
                if (HasCut && CutAt == Cut.ForGood)
                {
                    return;
                }

                using var server = await ConnectAsync();
                await using var down = new NetworkStream(server);
                var up = client.GetStream();
                var gone = false;
                var answers = Task.Run(async () =>
                {
                    var bytes = new byte[8192];
                    int read;
                    while ((read = await down.ReadAsync(bytes)) > 0)
                    {
                        if (Volatile.Read(ref gone))
                        {
                            // The answer to the commit: it is certain now, and nobody hears of it.
                            return;
                        }

                        await up.WriteAsync(bytes.AsMemory(0, read));
                    }
                });
                var buffer = new byte[8192];
                try
                {
                    int read;
                    while ((read = await up.ReadAsync(buffer)) > 0)
                    {
                        if (CutAt != Cut.Never && !HasCut && Encoding.Latin1.GetString(buffer, 0, read).Contains("COMMIT\0", StringComparison.Ordinal))
                        {
                            HasCut = true;
                            if (CutAt == Cut.BeforeCommit)
                            {
                                return;
                            }

                            Volatile.Write(ref gone, true);
                            await down.WriteAsync(buffer.AsMemory(0, read));
                            await answers;
                            return;
                        }

                        await down.WriteAsync(buffer.AsMemory(0, read));
                    }
                }
                catch (IOException)
                {
                    // One side is gone; so is the other one now.
                }
            }
        }

        private async Task<Socket> ConnectAsync()
        {
            var host = target.Host!;
            var socket = host.StartsWith('/')
                ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
                : new Socket(SocketType.Stream, ProtocolType.Tcp);
            if (host.StartsWith('/'))
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint($"{host}/.s.PGSQL.{target.Port}"));
            }
            else
            {
                await socket.ConnectAsync(host, target.Port);
            }

            return socket;
        }
    }
}
