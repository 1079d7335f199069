//! Which servers this process may ask: those that a script of others was granted, at every hop of a redirect and by the addresses that their
//! names lead to.
//!
//! An address of this machine or of its network is no server of the internet: what is behind it trusts whoever reaches it. It is asked only where
//! it was granted as such, never because a granted name leads there.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, PoisonError, RwLock};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use super::{Failure, is_loopback};
use crate::bytes::credentials::Place;
use crate::error::{Error, Result};

/// What refusals say, by which a failed connection is known to be one: it is not tried again.
const REFUSED: &str = "was not granted to this script";

/// The ports of the web.
pub const USUAL: [u16; 2] = [80, 443];

/// A host, a domain with all hosts beneath it, or a network of addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant {
    Place(Place),
    /// The addresses that begin with as many bits of this one.
    Network(IpAddr, u8),
}

impl Grant {
    /// From `data.example.org`, `*.example.org`, `localhost:8000`, `10.0.0.0/8`.
    ///
    /// # Errors
    /// When it is nothing of this kind.
    pub fn parse(text: &str) -> Result<Grant> {
        let expected =
            "the name of a host (data.example.org), of a domain (*.example.org) or a network (10.0.0.0/8)";
        let wrong = || Error::argument("a host", expected, format!("{text:?}"));
        if let Some((address, bits)) = text.split_once('/') {
            let address: IpAddr = address.parse().map_err(|_| wrong())?;
            let bits: u8 = bits.parse().map_err(|_| wrong())?;
            let most = if address.is_ipv4() { 32 } else { 128 };
            return match bits <= most {
                true => Ok(Grant::Network(address, bits)),
                false => Err(wrong()),
            };
        }
        let (name, beneath) = match text.strip_prefix("*.") {
            Some(name) => (name, true),
            None => (text, false),
        };
        // As addresses are read, so that what is granted is what is compared.
        let url = Url::parse(&format!("https://{name}/")).map_err(|_| wrong())?;
        let plain = name.is_ascii() && !name.contains(['@', '/', '?', '#', '\\', '*', ' ']);
        // A domain of one part would be all of `.org`.
        let broad = beneath
            && !matches!(url.host(), Some(Host::Domain(domain)) if domain.trim_matches('.').contains('.'));
        if !plain || broad || url.host_str().is_none_or(str::is_empty) {
            return Err(wrong());
        }
        let host = url.host_str().unwrap_or_default();
        let text = match name
            .rsplit_once(':')
            .and_then(|(_, port)| port.parse::<u16>().ok())
        {
            Some(port) if !name.ends_with(']') && name.parse::<Ipv6Addr>().is_err() => {
                format!("{host}:{port}")
            }
            _ => host.to_string(),
        };
        Ok(Grant::Place(match beneath {
            true => Place::domain(&text),
            false => Place::host(&text),
        }))
    }

    /// The port, where it is another than the usual ones.
    pub fn port(&self) -> Option<u16> {
        match self {
            Grant::Place(place) => place.port(),
            Grant::Network(..) => None,
        }
    }

    fn holds(&self, url: &Url) -> bool {
        match self {
            Grant::Place(place) => place.holds(url),
            Grant::Network(..) => address_of(url).is_some_and(|address| self.holds_address(address)),
        }
    }

    /// As `holds`, where a port is only meant when it is named.
    fn grants(&self, url: &Url) -> bool {
        self.holds(url) && (self.port().is_some() || url.port().is_none_or(|port| USUAL.contains(&port)))
    }

    fn holds_address(&self, address: IpAddr) -> bool {
        let Grant::Network(network, bits) = self else {
            return false;
        };
        match (network, plain(address)) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let shift = 32 - u32::from(*bits);
                let high = |a: Ipv4Addr| u32::from(a).checked_shr(shift).unwrap_or(0);
                high(*network) == high(address)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let shift = 128 - u32::from(*bits);
                let high = |a: Ipv6Addr| u128::from(a).checked_shr(shift).unwrap_or(0);
                high(*network) == high(address)
            }
            _ => false,
        }
    }

    /// Whether it speaks of this machine or its network, which a question points out.
    pub fn is_private(&self) -> bool {
        match self {
            Grant::Network(address, _) => is_private(*address),
            Grant::Place(place) => {
                let url = Url::parse(&format!("http://{place}/"));
                url.is_ok_and(|url| is_loopback(&url) || address_of(&url).is_some_and(is_private))
            }
        }
    }
}

/// What may be asked.
#[derive(Debug, Clone, Default)]
pub struct Hosts {
    /// None for all.
    pub granted: Option<Vec<Grant>>,
    /// Whatever is granted.
    pub denied: Vec<Grant>,
}

static HELD: RwLock<Option<Arc<Hosts>>> = RwLock::new(None);

/// Holds this process to these servers from here on.
pub fn hold_hosts(hosts: Hosts) {
    *HELD.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(hosts));
}

fn held() -> Option<Arc<Hosts>> {
    HELD.read().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Whether `url` may be asked, by its name; of names, the resolver judges what they lead to.
///
/// # Errors
/// When it may not.
pub(super) fn check(url: &Url) -> std::result::Result<(), Failure> {
    match held() {
        Some(hosts) => hosts.check(url),
        None => Ok(()),
    }
}

/// Whether a connection failed for such a reason.
pub(super) fn is_refusal(reason: &str) -> bool {
    reason.contains(REFUSED)
}

impl Hosts {
    fn check(&self, url: &Url) -> std::result::Result<(), Failure> {
        let host = url.host_str().unwrap_or_default();
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        if self.denied.iter().any(|grant| grant.holds(url)) {
            return Err(Failure::wrong(
                url,
                format!("{host} is not asked: --deny-host says so"),
            ));
        }
        match &self.granted {
            Some(granted) if !granted.iter().any(|grant| grant.grants(url)) => Err(Failure::wrong(
                url,
                format!(
                    "{host}{port} {REFUSED}; a script states which servers it asks, and those that they send it on to (needs {{ hosts \
                     = {{ … }} }}), and is asked about, or is started with --allow-host {host}{port}"
                ),
            )),
            _ => Ok(()),
        }
    }

    /// Of the addresses of a name, those that may be asked.
    fn judged(&self, name: &str, found: Vec<SocketAddr>) -> std::result::Result<Vec<SocketAddr>, String> {
        let Some(granted) = &self.granted else {
            return Ok(found);
        };
        // A name that stands for this machine was granted as such.
        let local = name.trim_end_matches('.').eq_ignore_ascii_case("localhost");
        let may = |address: IpAddr| {
            !is_private(address)
                || granted.iter().any(|grant| grant.holds_address(address))
                || (local && plain(address).is_loopback())
        };
        let kept: Vec<SocketAddr> = found.iter().copied().filter(|found| may(found.ip())).collect();
        match (kept.is_empty(), found.first()) {
            (true, Some(first)) => Err(format!(
                "{name} leads to {0}, an address of this machine or its network, which {REFUSED}; --allow-host {0}/32 would grant it",
                first.ip()
            )),
            _ => Ok(kept),
        }
    }
}

fn address_of(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
        Host::Domain(_) => None,
    }
}

/// An address of IPv4, also where it is written as one of IPv6.
fn plain(address: IpAddr) -> IpAddr {
    let IpAddr::V6(six) = address else { return address };
    let parts = six.segments();
    let low = |high: u16, low: u16| IpAddr::V4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    match parts {
        // Mapped, translated (RFC 6052), and 6to4.
        [0, 0, 0, 0, 0, 0xffff, a, b] | [0x64, 0xff9b, 0, 0, 0, 0, a, b] => low(a, b),
        [0x2002, a, b, ..] => low(a, b),
        [0, 0, 0, 0, 0, 0, a, b] if a != 0 => low(a, b),
        _ => address,
    }
}

/// Whether an address is of this machine, its network, or no single machine of the internet (RFC 6890).
fn is_private(address: IpAddr) -> bool {
    match plain(address) {
        IpAddr::V4(four) => {
            let [a, b, c, _] = four.octets();
            four.is_loopback()
                || four.is_private()
                || four.is_link_local()
                || a == 0
                || a >= 224
                || (a == 100 && (64..128).contains(&b))
                || (a == 192 && b == 0 && c == 0)
                || (a == 198 && (b == 18 || b == 19))
        }
        IpAddr::V6(six) => {
            let first = six.segments()[0];
            six.is_loopback()
                || six.is_unspecified()
                || first & 0xfe00 == 0xfc00
                || first & 0xffc0 == 0xfe80
                || first & 0xffc0 == 0xfec0
                || first & 0xff00 == 0xff00
        }
    }
}

/// The hosts of the proxies that the environment names: those the user has chosen.
fn is_proxy(name: &str) -> bool {
    proxies().iter().any(|url| url.host_str() == Some(name))
}

fn proxies() -> Vec<Url> {
    let names = [
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
    ];
    let named = names.iter().filter_map(|variable| std::env::var(variable).ok());
    named
        .filter_map(|text| {
            Url::parse(&text)
                .or_else(|_| Url::parse(&format!("http://{text}")))
                .ok()
        })
        .collect()
}

/// The ports of proxies, which are connected to in place of servers.
pub fn proxy_ports() -> Vec<u16> {
    proxies()
        .iter()
        .filter_map(|url| url.port_or_known_default().or(Some(1080)))
        .collect()
}

/// The system's resolver, whose answers are judged: what was judged is what is connected to.
pub(super) struct Resolver;

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().to_string();
        Box::pin(async move {
            let asked = name.clone();
            let found = tokio::task::spawn_blocking(move || (asked.as_str(), 0).to_socket_addrs()).await??;
            let found: Vec<SocketAddr> = found.collect();
            let kept = match held() {
                Some(hosts) if !is_proxy(&name) => hosts.judged(&name, found)?,
                _ => found,
            };
            Ok(Box::new(kept.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(granted: &[&str]) -> Hosts {
        Hosts {
            granted: Some(granted.iter().map(|text| Grant::parse(text).unwrap()).collect()),
            denied: vec![Grant::parse("evil.example.org").unwrap()],
        }
    }

    fn may(hosts: &Hosts, url: &str) -> bool {
        hosts.check(&Url::parse(url).unwrap()).is_ok()
    }

    #[test]
    fn hosts_are_asked_by_what_was_granted() {
        let granted = hosts(&[
            "data.example.org",
            "*.example.com",
            "localhost:8000",
            "10.1.0.0/16",
            "*.example.org",
        ]);
        for url in [
            "https://data.example.org/a",
            "https://DATA.example.org./a",
            "https://a.b.example.com/",
            "http://localhost:8000/",
            "http://10.1.2.3/",
            "http://[::ffff:10.1.2.3]/",
        ] {
            assert!(may(&granted, url), "{url}");
        }
        for url in [
            "https://evil.example.org/",
            "https://example.net/",
            "https://data.example.org:8443/a",
            "https://data.example.org.evil.net/",
            "http://localhost:8001/",
            "http://127.0.0.1:8000/",
            "http://169.254.169.254/latest/meta-data/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://[::1]/",
            "http://10.2.0.1/",
        ] {
            assert!(!may(&granted, url), "{url}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in [
            "",
            "*",
            "*.org",
            "*.",
            "a b",
            "ex\u{430}mple.org",
            "user@host",
            "10.0.0.0/40",
            "host/path",
            "a*.org",
        ] {
            assert!(Grant::parse(text).is_err(), "{text}");
        }
        for (text, private) in [
            ("localhost:8000", true),
            ("127.0.0.1", true),
            ("192.168.0.0/16", true),
            ("[::1]:80", true),
            ("example.org", false),
            ("93.184.216.34", false),
        ] {
            assert_eq!(Grant::parse(text).unwrap().is_private(), private, "{text}");
        }
    }

    #[test]
    fn names_that_lead_to_private_addresses_are_refused() {
        let found = |texts: &[&str]| -> Vec<SocketAddr> {
            texts
                .iter()
                .map(|text| SocketAddr::new(text.parse().unwrap(), 0))
                .collect()
        };
        let granted = hosts(&["*.example.com", "localhost"]);
        for address in [
            "127.0.0.1",
            "127.9.9.9",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "ff02::1",
        ] {
            let refused = granted.judged("a.example.com", found(&[address]));
            assert!(refused.is_err_and(|why| is_refusal(&why)), "{address}");
        }
        let public = found(&["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"]);
        assert_eq!(
            granted.judged("a.example.com", public.clone()),
            Ok(public.clone())
        );
        let mixed = [found(&["10.0.0.1"]), public.clone()].concat();
        assert_eq!(granted.judged("a.example.com", mixed), Ok(public));
        assert!(granted.judged("localhost", found(&["127.0.0.1"])).is_ok());
        assert!(granted.judged("localhost", found(&["10.0.0.1"])).is_err());
        let network = hosts(&["*.example.com", "10.0.0.0/8"]);
        assert!(network.judged("a.example.com", found(&["10.0.0.1"])).is_ok());
    }
}
