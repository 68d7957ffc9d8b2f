//! Where a request may go.
//!
//! In: a host and a port. Out: the addresses to connect to, or why none.
//! Invariant: a name is looked up once, and what is connected to is what was vetted: a name that leads
//! elsewhere a moment later changes nothing. An address that not everybody reaches is refused unless its
//! network is allowed, in whatever way it is written; a request without TLS goes into allowed networks only.
//! One refused address among several refuses them all.
//! Knows nothing of what is sent.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use ipnet::IpNet;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// Addresses of one name that are used; ureq takes no more.
const ADDRESSES: usize = 16;

/// Looks up names.
pub trait Lookup: fmt::Debug + Send + Sync {
    /// The addresses of a host, each with the port.
    ///
    /// # Errors
    /// When it has none, or that cannot be found out.
    fn look_up(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>>;
}

/// As this machine does.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemLookup;

impl Lookup for SystemLookup {
    fn look_up(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok((host, port).to_socket_addrs()?.collect())
    }
}

/// Why a request goes nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum VetError {
    /// There is no such name now.
    #[error("`{0}` is not found: {1}")]
    NotFound(String, String),
    /// It took too long.
    #[error("to look up `{0}` took too long")]
    Slow(String),
    /// It leads where nothing is sent.
    #[error("`{host}` is at {address}, {what}: allow its network in `[notify]` if it is meant")]
    Refused {
        /// The name.
        host: String,
        /// Its address.
        address: IpAddr,
        /// What that is.
        what: &'static str,
    },
}

/// Where a request is to go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// The name, or an address.
    pub(super) host: &'a str,
    /// The port.
    pub(super) port: u16,
    /// Whether the connection is encrypted.
    pub(super) encrypted: bool,
    /// Whether this machine is meant, as it may be for a mail server.
    pub(super) may_be_here: bool,
}

/// Looks up names, and vets what they lead to.
#[derive(Debug, Clone)]
pub(super) struct Vet {
    lookup: Arc<dyn Lookup>,
    allow: Arc<[IpNet]>,
}

impl Vet {
    pub(super) fn new(lookup: Arc<dyn Lookup>, allow: &[IpNet]) -> Self {
        let allow = allow.into();
        Self { lookup, allow }
    }

    /// The addresses to connect to, looked up within a time. They are all vetted, and are one at least.
    pub(super) fn addresses(
        &self,
        wanted: &Wanted<'_>,
        within: Duration,
    ) -> Result<Vec<SocketAddr>, VetError> {
        let found = self.look_up(wanted, within)?;
        for address in &found {
            if let Some(what) = self.refuses(address.ip(), wanted) {
                return Err(VetError::Refused {
                    host: wanted.host.to_owned(),
                    address: address.ip(),
                    what,
                });
            }
        }
        Ok(found)
    }

    /// A look-up cannot be broken off, so it has a thread that may outlast this.
    fn look_up(&self, wanted: &Wanted<'_>, within: Duration) -> Result<Vec<SocketAddr>, VetError> {
        let (tell, told) = mpsc::sync_channel(1);
        let (lookup, port) = (Arc::clone(&self.lookup), wanted.port);
        let host = bare(wanted.host).to_owned();
        let builder = std::thread::Builder::new().name("laneway-lookup".to_owned());
        let not_found =
            |why: io::Error| VetError::NotFound(wanted.host.to_owned(), why.to_string());
        let run = move || {
            // Nobody listens any more where it took too long.
            let _ = tell.send(lookup.look_up(&host, port));
        };
        builder.spawn(run).map_err(not_found)?;
        let found = told.recv_timeout(within);
        let mut found = found
            .map_err(|_| VetError::Slow(wanted.host.to_owned()))?
            .map_err(not_found)?;
        found.truncate(ADDRESSES);
        match found.is_empty() {
            true => Err(not_found(io::Error::other("it has no address"))),
            false => Ok(found),
        }
    }

    /// Why an address is not connected to.
    fn refuses(&self, address: IpAddr, wanted: &Wanted<'_>) -> Option<&'static str> {
        let address = address.to_canonical();
        if self.allow.iter().any(|net| net.contains(&address)) {
            return None;
        }
        if wanted.may_be_here && address.is_loopback() {
            return None;
        }
        let what = inside(address);
        what.or((!wanted.encrypted).then_some("and the request has no TLS"))
    }
}

/// A host without the brackets of a URL.
fn bare(host: &str) -> &str {
    let inner = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    inner.unwrap_or(host)
}

/// What an address is that not everybody reaches; `None` for one that everybody does. By the registries of
/// special addresses of IANA (RFC 6890 and what it names).
pub(super) fn inside(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => inside_v4(address),
        IpAddr::V6(address) => inside_v6(address),
    }
}

fn inside_v4(address: Ipv4Addr) -> Option<&'static str> {
    Some(match address.octets() {
        [0, ..] => "of no machine",
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => "of a private network",
        [100, 64..=127, ..] => "of a provider's inside",
        [127, ..] => "this machine",
        [169, 254, ..] => "of one link, where machines of clouds tell their secrets",
        [192, 0, 0, _] | [192, 88, 99, _] => "kept for protocols",
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => "for documentation",
        [198, 18..=19, ..] => "for benchmarks",
        [224..=239, ..] => "of a group of machines",
        [240..=255, ..] => "kept for later",
        _ => return None,
    })
}

fn inside_v6(address: Ipv6Addr) -> Option<&'static str> {
    if let Some(address) = address.to_ipv4_mapped() {
        return inside_v4(address);
    }
    let segments = address.segments();
    Some(match segments {
        [0, 0, 0, 0, 0, 0, 0, 0] => "of no machine",
        [0, 0, 0, 0, 0, 0, 0, 1] => "this machine",
        // NAT64: the address behind it counts.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            return inside_v4(Ipv4Addr::new(a, b, c, d));
        }
        [0xfc00..=0xfdff, ..] => "of a private network",
        [0xfe80..=0xfebf, ..] => "of one link",
        [0xfec0..=0xfeff, ..] => "of one site",
        [0xff00..=0xffff, ..] => "of a group of machines",
        // Teredo and the like of 2001::/23, and 6to4: tunnels, which may end anywhere.
        [0x2001, 0..=0x1ff, ..] | [0x2002, ..] => "of a tunnel, or kept for protocols",
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => "for documentation",
        [0x2000..=0x3fff, ..] => return None,
        _ => "kept for later",
    })
}

/// ureq connects to what this answers, and asks nobody else.
impl Resolver for Vet {
    fn resolve(
        &self,
        uri: &ureq::http::Uri,
        _: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let encrypted = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if encrypted { 443 } else { 80 });
        let wanted = Wanted {
            host: uri.host().ok_or(ureq::Error::HostNotFound)?,
            port,
            encrypted,
            may_be_here: false,
        };
        let found = self.addresses(&wanted, *timeout.after);
        let found = found.map_err(|error| ureq::Error::Other(Box::new(error)))?;
        let mut addresses = self.empty();
        for address in found {
            addresses.push(address);
        }
        Ok(addresses)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_refused(address: &str) -> bool {
        inside(address.parse::<IpAddr>().unwrap().to_canonical()).is_some()
    }

    #[test]
    fn what_not_everybody_reaches_is_inside_however_it_is_written() {
        for address in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.170",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:10.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:0:127.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:0:4136:e378:8000:63bf:f5ff:fffe",
            "2001:2::1",
            "2001:10::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2002:a00:1::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(is_refused(address), "{address}");
        }
        for address in [
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
            "2001:4860:4860::8888",
            "2606:4700::1111",
            "2a00:1450::1",
        ] {
            assert!(!is_refused(address), "{address}");
        }
    }

    /// Answers what it is given, whatever is asked.
    #[derive(Debug)]
    struct Fixed(Vec<&'static str>);

    impl Lookup for Fixed {
        fn look_up(&self, _: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
            let address = |it: &&str| SocketAddr::new(it.parse().unwrap(), port);
            Ok(self.0.iter().map(address).collect())
        }
    }

    fn vetted(found: &[&'static str], allow: &str, encrypted: bool) -> Result<usize, String> {
        let allow: Vec<IpNet> = allow
            .split_whitespace()
            .map(|it| it.parse().unwrap())
            .collect();
        let vet = Vet::new(Arc::new(Fixed(found.to_vec())), &allow);
        let wanted = Wanted {
            host: "hooks.example.com",
            port: 443,
            encrypted,
            may_be_here: false,
        };
        let vetted = vet.addresses(&wanted, Duration::from_secs(5));
        let vetted = vetted.map_err(|error| error.to_string())?;
        assert!(vetted.iter().all(|it| it.port() == 443));
        Ok(vetted.len())
    }

    #[test]
    fn one_address_inside_refuses_the_name() {
        assert_eq!(vetted(&["1.1.1.1", "1.0.0.1"], "", true), Ok(2));
        assert_eq!(
            vetted(&["1.1.1.1", "10.0.0.1"], "", true),
            Err(
                "`hooks.example.com` is at 10.0.0.1, of a private network: allow its network in \
                 `[notify]` if it is meant"
                    .to_owned()
            )
        );
        let none = vetted(&[], "", true).unwrap_err();
        assert!(none.contains("it has no address"), "{none}");
    }

    #[test]
    fn an_allowed_network_and_no_other_may_be_inside_or_without_tls() {
        assert_eq!(vetted(&["10.1.2.3"], "10.1.2.0/24", false), Ok(1));
        assert_eq!(vetted(&["::ffff:10.1.2.3"], "10.1.2.0/24", false), Ok(1));
        assert!(vetted(&["10.1.3.3"], "10.1.2.0/24", true).is_err());
        assert!(vetted(&["10.1.2.3", "10.1.3.3"], "10.1.2.0/24", true).is_err());
        assert!(vetted(&["1.1.1.1"], "10.1.2.0/24", false).is_err());
        assert_eq!(vetted(&["1.1.1.1"], "1.1.1.0/24", false), Ok(1));
    }

    #[test]
    fn a_look_up_that_takes_too_long_is_given_up() {
        #[derive(Debug)]
        struct Slow;
        impl Lookup for Slow {
            fn look_up(&self, _: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
                std::thread::sleep(Duration::from_secs(2));
                Ok(Vec::new())
            }
        }
        let wanted = Wanted {
            host: "slow.example",
            port: 443,
            encrypted: true,
            may_be_here: false,
        };
        let slow = Vet::new(Arc::new(Slow), &[]).addresses(&wanted, Duration::from_millis(20));
        assert_eq!(slow, Err(VetError::Slow("slow.example".to_owned())));
    }

    /// How systems read addresses that are written as numbers: they lead to this machine.
    #[test]
    fn a_host_in_decimal_octal_or_hexadecimal_is_vetted_by_where_it_leads() {
        let vet = Vet::new(Arc::new(SystemLookup), &[]);
        for host in [
            "2130706433",
            "0177.0.0.1",
            "0x7f.1",
            "127.1",
            "localhost",
            "[::1]",
        ] {
            let wanted = Wanted {
                host,
                port: 443,
                encrypted: true,
                may_be_here: false,
            };
            let refused = vet.addresses(&wanted, Duration::from_secs(5));
            assert!(refused.is_err(), "{host}: {refused:?}");
        }
    }
}
