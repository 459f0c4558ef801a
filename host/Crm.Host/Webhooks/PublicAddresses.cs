using System.Net;
using System.Net.Sockets;

namespace Crm.Host.Webhooks;

/// <summary>
/// Which addresses belong to the public internet. The others are this machine, its neighbours and what clouds keep for themselves: an address typed into the CRM must
/// not reach them with the host's rights. The ranges are those of https://www.iana.org/assignments/iana-ipv4-special-registry and its counterpart for IPv6.
/// </summary>
internal static class PublicAddresses
{
    private static readonly IPNetwork[] Special =
    [
        .. new[]
        {
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
            "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        }.Select(IPNetwork.Parse),
    ];

    // Global unicast; everything else is local, reserved or multicast.
    private static readonly IPNetwork Global = IPNetwork.Parse("2000::/3");

    // Of global unicast: protocols, documentation and ways to write an IPv4 address, which could be any.
    private static readonly IPNetwork[] NotGlobal = [IPNetwork.Parse("2001::/23"), IPNetwork.Parse("2001:db8::/32"), IPNetwork.Parse("2002::/16"), IPNetwork.Parse("3fff::/20")];

    public static bool Contains(IPAddress address)
    {
        address = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return address.AddressFamily switch
        {
            AddressFamily.InterNetwork => !Special.Any(n => n.Contains(address)),
            AddressFamily.InterNetworkV6 => Global.Contains(address) && !NotGlobal.Any(n => n.Contains(address)),
            _ => false,
        };
    }

    /// <summary>Connects to public addresses only, checked where the name has just been resolved: a name may lead elsewhere a moment later.</summary>
    public static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken ct)
    {
        var addresses = await Dns.GetHostAddressesAsync(context.DnsEndPoint.Host, ct);
        if (addresses.Length == 0 || !addresses.All(Contains))
        {
            throw new HttpRequestException(WebhookTexts.Of("PrivateAddress", context.DnsEndPoint.Host));
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, context.DnsEndPoint.Port, ct);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
