//! Which IP addresses are not the public internet.
//!
//! The tables follow the special-purpose registries of IANA. Of IPv6 only the part that is handed out to networks
//! (2000::/3) is public, so a block that is not in the table is refused, not allowed.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// What an address is for, if not for the public internet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reserved {
    Unspecified,
    Loopback,
    Private,
    SharedByCarrier,
    LinkLocal,
    CloudMetadata,
    Protocol,
    Documentation,
    Benchmark,
    Tunnel,
    Multicast,
    Future,
    /// Public, but the operator does not want it called.
    Refused,
}

impl fmt::Display for Reserved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unspecified => "an unspecified address",
            Self::Loopback => "a loopback address",
            Self::Private => "a private address",
            Self::SharedByCarrier => "an address inside a carrier's network",
            Self::LinkLocal => "a link-local address",
            Self::CloudMetadata => "a cloud's address for its own machines",
            Self::Protocol => "an address reserved for protocols",
            Self::Documentation => "an address for documentation",
            Self::Benchmark => "an address for benchmarks",
            Self::Tunnel => "an address that tunnels to another one",
            Self::Multicast => "a multicast address",
            Self::Future => "a reserved address",
            Self::Refused => "an address that the operator refuses",
        })
    }
}

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

/// A network by the first four groups of its address.
const fn v6(a: u16, b: u16, c: u16, d: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0), prefix)
}

const RESERVED_V4: [(Ipv4Net, Reserved); 17] = [
    (v4(0, 0, 0, 0, 8), Reserved::Unspecified),
    (v4(10, 0, 0, 0, 8), Reserved::Private),
    (v4(100, 64, 0, 0, 10), Reserved::SharedByCarrier),
    (v4(127, 0, 0, 0, 8), Reserved::Loopback),
    (v4(168, 63, 129, 16, 32), Reserved::CloudMetadata),
    (v4(169, 254, 0, 0, 16), Reserved::LinkLocal),
    (v4(172, 16, 0, 0, 12), Reserved::Private),
    (v4(192, 0, 0, 0, 24), Reserved::Protocol),
    (v4(192, 0, 2, 0, 24), Reserved::Documentation),
    (v4(192, 52, 193, 0, 24), Reserved::Tunnel),
    (v4(192, 88, 99, 0, 24), Reserved::Tunnel),
    (v4(192, 168, 0, 0, 16), Reserved::Private),
    (v4(198, 18, 0, 0, 15), Reserved::Benchmark),
    (v4(198, 51, 100, 0, 24), Reserved::Documentation),
    (v4(203, 0, 113, 0, 24), Reserved::Documentation),
    (v4(224, 0, 0, 0, 4), Reserved::Multicast),
    (v4(240, 0, 0, 0, 4), Reserved::Future),
];

/// Read from the top: the first that fits says what the address is.
const RESERVED_V6: [(Ipv6Net, Reserved); 12] = [
    (Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 128), Reserved::Unspecified),
    (Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128), Reserved::Loopback),
    (v6(0x64, 0xff9b, 1, 0, 48), Reserved::Tunnel),
    (v6(0x2001, 0, 0, 0, 32), Reserved::Tunnel),
    (v6(0x2001, 0, 0, 0, 23), Reserved::Protocol),
    (v6(0x2001, 0xdb8, 0, 0, 32), Reserved::Documentation),
    (v6(0x2002, 0, 0, 0, 16), Reserved::Tunnel),
    (v6(0x3fff, 0, 0, 0, 20), Reserved::Documentation),
    (v6(0xfc00, 0, 0, 0, 7), Reserved::Private),
    (v6(0xfe80, 0, 0, 0, 10), Reserved::LinkLocal),
    (v6(0xfec0, 0, 0, 0, 10), Reserved::Private),
    (v6(0xff00, 0, 0, 0, 8), Reserved::Multicast),
];

/// The part of IPv6 that is handed out to networks.
const HANDED_OUT: Ipv6Net = v6(0x2000, 0, 0, 0, 3);
/// Where a network that speaks only IPv6 reaches IPv4 (RFC 6052).
const TRANSLATED: Ipv6Net = v6(0x64, 0xff9b, 0, 0, 96);

/// Returns what the address is for, or nothing if it is on the public internet. Expects the address as [`carried`] returns
/// it.
pub(super) fn reserved(address: IpAddr) -> Option<Reserved> {
    match address {
        IpAddr::V4(address) => {
            let found = RESERVED_V4.iter().find(|(network, _)| network.contains(&address));
            found.map(|(_, reserved)| *reserved)
        }
        IpAddr::V6(address) => {
            let found = RESERVED_V6.iter().find(|(network, _)| network.contains(&address));
            let rest = (!HANDED_OUT.contains(&address)).then_some(Reserved::Future);
            found.map(|(_, reserved)| *reserved).or(rest)
        }
    }
}

/// Returns the IPv4 address that packets to this address end up at, or the address itself.
pub(super) fn carried(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(translated) if TRANSLATED.contains(&translated) => {
            let [.., a, b, c, d] = translated.octets();
            IpAddr::V4(Ipv4Addr::new(a, b, c, d))
        }
        canonical => canonical,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(address: &str) -> String {
        let found = reserved(carried(address.parse().unwrap()));
        found.map_or_else(|| "public".to_owned(), |reserved| format!("{reserved:?}"))
    }

    /// Each line: what the first and the last address are, and what their neighbours outside are.
    #[test]
    fn every_range_begins_and_ends_where_it_should() {
        let table = "
            0.0.0.0                0.255.255.255          Unspecified     -                  1.0.0.0
            10.0.0.0               10.255.255.255         Private         9.255.255.255      11.0.0.0
            100.64.0.0             100.127.255.255        SharedByCarrier 100.63.255.255     100.128.0.0
            127.0.0.0              127.255.255.255        Loopback        126.255.255.255    128.0.0.0
            168.63.129.16          168.63.129.16          CloudMetadata   168.63.129.15      168.63.129.17
            169.254.0.0            169.254.255.255        LinkLocal       169.253.255.255    169.255.0.0
            172.16.0.0             172.31.255.255         Private         172.15.255.255     172.32.0.0
            192.0.0.0              192.0.0.255            Protocol        191.255.255.255    192.0.1.0
            192.0.2.0              192.0.2.255            Documentation   192.0.1.255        192.0.3.0
            192.52.193.0           192.52.193.255         Tunnel          192.52.192.255     192.52.194.0
            192.88.99.0            192.88.99.255          Tunnel          192.88.98.255      192.88.100.0
            192.168.0.0            192.168.255.255        Private         192.167.255.255    192.169.0.0
            198.18.0.0             198.19.255.255         Benchmark       198.17.255.255     198.20.0.0
            198.51.100.0           198.51.100.255         Documentation   198.51.99.255      198.51.101.0
            203.0.113.0            203.0.113.255          Documentation   203.0.112.255      203.0.114.0
            224.0.0.0              239.255.255.255        Multicast       223.255.255.255    -
            240.0.0.0              255.255.255.255        Future          -                  -
            ::                     ::                     Unspecified     -                  -
            ::1                    ::1                    Loopback        -                  -
            ::2                    ::fffe:ffff:ffff       Future          -                  -
            64:ff9b:1::            64:ff9b:1:ffff:ffff:ffff:ffff:ffff     Tunnel - -
            100::                  100::ffff:ffff:ffff:ffff               Future - -
            2001::                 2001:0:ffff:ffff:ffff:ffff:ffff:ffff   Tunnel 2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff -
            2001:1::               2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff Protocol - 2001:200::
            2001:db8::             2001:db8:ffff:ffff:ffff:ffff:ffff:ffff Documentation 2001:db7:ffff:ffff:ffff:ffff:ffff:ffff 2001:db9::
            2002::                 2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff Tunnel 2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff 2003::
            3fff::                 3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff Documentation 3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff 3fff:1000::
            4000::                 fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff Future 3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff -
            fc00::                 fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff Private - -
            fe00::                 fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff Future - -
            fe80::                 febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff LinkLocal - -
            fec0::                 feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff Private - -
            ff00::                 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff Multicast - -
        ";
        for line in table.lines().filter(|line| !line.trim().is_empty()) {
            let cells: Vec<&str> = line.split_whitespace().collect();
            let [first, last, expected, before, after] = cells[..] else { panic!("{line}") };
            assert_eq!(
                (kind(first), kind(last)),
                (expected.to_owned(), expected.to_owned()),
                "{line}"
            );
            for outside in [before, after].into_iter().filter(|outside| *outside != "-") {
                assert_eq!(kind(outside), "public", "{line}");
            }
        }
    }

    #[test]
    fn an_address_inside_an_address_is_judged() {
        for (address, expected) in [
            ("::ffff:10.0.0.1", "Private"),
            ("::ffff:169.254.169.254", "LinkLocal"),
            ("::ffff:93.184.216.34", "public"),
            ("64:ff9b::127.0.0.1", "Loopback"),
            ("64:ff9b::100.100.100.200", "SharedByCarrier"),
            ("64:ff9b::93.184.216.34", "public"),
            ("2002:7f00:1::", "Tunnel"),
            ("fd00:ec2::254", "Private"),
            ("fd20:ce::254", "Private"),
            ("::10.0.0.1", "Future"),
            ("::ffff:0:10.0.0.1", "Future"),
            ("2606:4700::1111", "public"),
        ] {
            assert_eq!(kind(address), expected, "{address}");
        }
    }
}
