//! Files on servers: how GDAL calls them, and what to do about its complaints.

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

/// GDAL's message about the file that it calls `name`, with a way out where the file is on a server.
pub fn explained(name: &str, message: &str) -> String {
    const LATER: &str = "the server has a problem or is busy; try again later";
    const REFUSED: &str = "the server refuses: the file needs a login, or the address has run out";
    const NETWORK: &str = "check the address and the network; behind a proxy, set https_proxy";
    const BUCKET: &str =
        "check bucket and key, and the settings AWS_REGION, AWS_S3_ENDPOINT, AWS_REQUEST_PAYER";
    const KEYS: &str = "of a public bucket, set AWS_NO_SIGN_REQUEST=YES; else AWS_ACCESS_KEY_ID and \
                        AWS_SECRET_ACCESS_KEY, or ~/.aws/credentials";
    let known = [
        (
            "response code: 404",
            "the server has no such file; check the address",
        ),
        ("response code: 401", REFUSED),
        ("response code: 403", REFUSED),
        ("response code: 429", LATER),
        ("response code: 5", LATER),
        (
            "Could not resolve host",
            "check the server's name, and the network",
        ),
        ("CURL error", NETWORK),
        (
            "Range downloading not supported",
            "this server sends whole files only; download the file first",
        ),
        ("AWS_NO_SIGN_REQUEST", KEYS),
        ("Access Denied", KEYS),
    ];
    let remote = ["/vsicurl/", "/vsis3/", "/vsigs/", "/vsiaz/"];
    if !remote.iter().any(|prefix| name.contains(prefix)) {
        return message.to_string();
    }
    let found = known.iter().find(|(part, _)| message.contains(part));
    match found.map(|(_, way_out)| *way_out) {
        Some(way_out) => format!("{message}; {way_out}"),
        None if name.contains("/vsis3/") => format!("{message}; {BUCKET}"),
        None => message.to_string(),
    }
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

    #[test]
    fn only_servers_get_advice() {
        let message = "HTTP response code: 403";
        assert_eq!(explained("a.tif", message), message);
        assert!(explained("/vsicurl/https://host/a.tif", message).contains("login"));
        assert!(explained("/vsis3/bucket/a.tif", "Invalid AWS response: no").contains("bucket and key"));
    }
}
