//! The names of hosts that a secret is bound to.

use url::Url;

use crate::bytes::http::is_loopback;

/// A host, or a domain with all hosts beneath it, on one port or on any.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    name: String,
    port: Option<u16>,
    beneath: bool,
}

impl Place {
    /// This host alone: `host`, on any port, or `host:port`.
    pub fn host(text: &str) -> Place {
        let text = text.trim().to_ascii_lowercase();
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) if !name.is_empty() && (!name.contains(':') || name.ends_with(']')) => {
                match port.parse() {
                    Ok(port) => (name.to_string(), Some(port)),
                    Err(_) => (text.clone(), None),
                }
            }
            _ => (text.clone(), None),
        };
        // The dot at the end of a fully qualified name says nothing more.
        Place {
            name: name.trim_end_matches('.').to_string(),
            port,
            beneath: false,
        }
    }

    /// This host and all beneath it.
    pub fn domain(text: &str) -> Place {
        Place {
            beneath: true,
            ..Place::host(text)
        }
    }

    /// The host and, unless it is the usual one, the port of an address.
    pub fn of(url: &Url) -> Place {
        Place {
            port: url.port(),
            ..Place::host(url.host_str().unwrap_or(""))
        }
    }

    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// Whether `url` lies here. Says nothing about whether the way there is protected.
    pub fn holds(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else { return false };
        let host = host.to_ascii_lowercase();
        let host = host.trim_end_matches('.');
        let beneath = || {
            self.beneath
                && matches!(url.host(), Some(url::Host::Domain(_)))
                && host
                    .strip_suffix(&self.name)
                    .is_some_and(|rest| rest.ends_with('.') && rest.len() > 1)
        };
        let port = self.port.is_none() || self.port == url.port_or_known_default();
        !self.name.is_empty() && port && (host == self.name || beneath())
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// Whether nobody on the way to `url` can read what is sent: https, or this machine itself.
pub fn protected(url: &Url) -> bool {
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_bind_hosts() {
        let url = |text: &str| Url::parse(text).unwrap();
        let domain = Place::domain("asf.alaska.edu");
        for inside in [
            "https://asf.alaska.edu/x",
            "https://a.b.ASF.alaska.edu./x",
            "https://x.asf.alaska.edu:8443/",
        ] {
            assert!(domain.holds(&url(inside)), "{inside}");
        }
        for outside in [
            "https://asf.alaska.edu.evil.org/",
            "https://evilasf.alaska.edu/",
            "https://alaska.edu/",
            "https://asf.alaska.edu@evil.org/",
            "https://evil.org/asf.alaska.edu",
        ] {
            assert!(!domain.holds(&url(outside)), "{outside}");
        }
        let host = Place::host("urs.earthdata.nasa.gov");
        assert!(host.holds(&url("https://urs.earthdata.nasa.gov/oauth")));
        assert!(!host.holds(&url("https://x.urs.earthdata.nasa.gov/oauth")));
        let port = Place::host("localhost:8000");
        assert!(port.holds(&url("http://localhost:8000/")) && !port.holds(&url("http://localhost:8001/")));
        assert!(Place::host("a:443").holds(&url("https://a/")));
        assert!(Place::host("[::1]:80").holds(&url("http://[::1]/")));
        assert!(!Place::domain("0.0.1").holds(&url("http://127.0.0.1/")));
        assert!(!Place::host("").holds(&url("https://a/")));
    }

    #[test]
    fn only_https_and_this_machine_are_protected() {
        for (text, expected) in [
            ("https://a/", true),
            ("http://a/", false),
            ("http://localhost:1/", true),
            ("http://127.3.2.1/", true),
            ("http://localhost.evil.org/", false),
            ("http://[::1]/", true),
            ("ftp://localhost/", false),
        ] {
            assert_eq!(protected(&Url::parse(text).unwrap()), expected, "{text}");
        }
    }
}
