//! Files on servers: how GDAL calls them. Their bytes come by the program's own client (`crate::bytes`).

use super::drivers;
use super::truncated::container_of;
use crate::bytes;
use crate::bytes::http::redacted;
use crate::error::{Error, Result};

/// Opens the file of the name that GDAL is about to open, where it is one on a server, so that what goes wrong is told as it is. A file in an
/// archive on a server is found by GDAL.
///
/// # Errors
/// When it is not there, needs a login that is not known, or its server does not serve parts of it.
pub fn reach(name: &str) -> Result<()> {
    bytes::forget_refusals();
    match bytes::address(container_of(name)) {
        Some(address) => bytes::reach(&address?),
        None => Ok(()),
    }
}

/// Why GDAL could not open `name`, where it was not the file's doing.
pub fn why(name: &str) -> Option<Error> {
    let Some(address) = bytes::address(container_of(name)) else {
        return bytes::reason();
    };
    // It was there, so that something beside it may have been missing.
    bytes::refusal().or_else(|| {
        let address = address.ok()?;
        let format = match &bytes::beginning(&address)? {
            b"CDF\x01" | b"CDF\x02" | b"CDF\x05" => "netCDF in its classic format",
            b"\x0e\x03\x13\x01" => "HDF4",
            _ => return None,
        };
        Some(Error::message(format!(
            "{}: is a file of {format}, which its library reads from this machine's disk only; download it and open it from there",
            redacted(&address)
        )))
    })
}

/// The drivers that may open a file on a server; None for all. netCDF's library opens files of this machine only, and HDF5's driver reads
/// netCDF-4.
pub fn drivers_for(name: &str) -> Option<Vec<&'static str>> {
    is_served(name).then(|| {
        let others = drivers::ALLOWED.iter().filter(|driver| **driver != "netCDF");
        others.copied().collect()
    })
}

/// Whether a part of the name is one of a file on a server.
fn is_served(name: &str) -> bool {
    ["/vsicurl/", "/vsis3/", "/vsigs/", "/vsiaz/"]
        .iter()
        .any(|prefix| name.contains(prefix))
}

/// GDAL's name for a path or URL: remote files go through its virtual file systems, which read by ranges.
pub fn gdal_name(path: &str) -> String {
    for (scheme, prefix) in [("s3://", "/vsis3/"), ("gs://", "/vsigs/"), ("az://", "/vsiaz/")] {
        if let Some(rest) = path.strip_prefix(scheme) {
            return format!("{prefix}{rest}");
        }
    }
    if path.starts_with("https://") || path.starts_with("http://") {
        return format!("/vsicurl/{path}");
    }
    path.to_string()
}

/// True for names that are not plain local paths: URLs, `/vsi…/`, and GDAL's `DRIVER:…` forms.
pub fn is_special(path: &str) -> bool {
    let driver_prefix = path.split_once(':').is_some_and(|(head, _)| {
        head.len() > 1
            && head
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
    });
    path.contains("://") || path.starts_with("/vsi") || driver_prefix
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_become_names_of_gdal() {
        for (path, name) in [
            ("s3://bucket/a.tif", "/vsis3/bucket/a.tif"),
            ("gs://bucket/a.tif", "/vsigs/bucket/a.tif"),
            ("https://host/a.tif", "/vsicurl/https://host/a.tif"),
            ("folder/a.tif", "folder/a.tif"),
        ] {
            assert_eq!(gdal_name(path), name);
        }
        assert!(is_special("NETCDF:\"a.nc\":v") && is_special("/vsizip/a.zip/a.tif"));
        assert!(!is_special("C:a.tif") && !is_special("a:b.tif"));
    }
}
