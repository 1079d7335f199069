//! Whose certificates servers are held to: those of the system, or that SSL_CERT_FILE and SSL_CERT_DIR name; where there are none, as in small
//! containers, those that came with the program.

use std::fmt;
use std::fs;

use reqwest::{Certificate, ClientBuilder};

use super::failure::innermost;
use crate::error::{Error, Result};
use crate::package;

#[derive(Debug, Clone)]
pub enum Authorities {
    System,
    Package(Vec<Certificate>),
}

impl Authorities {
    /// What `make` makes with the first that there are: clients without any cannot be made.
    ///
    /// # Errors
    /// When there are none, with the way out.
    pub(super) fn first_of<T>(make: impl Fn(&Authorities) -> reqwest::Result<T>) -> Result<(T, Authorities)> {
        let system = make(&Authorities::System).map(|made| (made, Authorities::System));
        system.or_else(|failed| {
            if let Some(own) = Authorities::of_package()
                && let Ok(made) = make(&own)
            {
                return Ok((made, own));
            }
            Err(Error::message(format!(
                "cannot start the HTTP client: {}; install the certificates of authorities (Debian's and Fedora's package ca-certificates), or \
                 name a file of them in SSL_CERT_FILE",
                innermost(&failed)
            )))
        })
    }

    fn of_package() -> Option<Authorities> {
        let pem = fs::read(package::own()?.certificates()).ok()?;
        let certificates = Certificate::from_pem_bundle(&pem).ok()?;
        (!certificates.is_empty()).then_some(Authorities::Package(certificates))
    }

    pub(super) fn hold(&self, client: ClientBuilder) -> ClientBuilder {
        match self {
            Authorities::System => client,
            Authorities::Package(certificates) => client.tls_certs_only(certificates.clone()),
        }
    }
}

impl fmt::Display for Authorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Authorities::System => "of the system",
            Authorities::Package(_) => "that came with the program, since the system has none",
        })
    }
}
