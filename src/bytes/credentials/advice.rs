//! What to do about a refusal: which login, approval or licence is missing.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;
use url::Url;

use super::store::Login;
use super::{Place, Vault, token};

impl Vault {
    /// What to do about an answer of status 401 or 403 from `url`, whose body is `text`.
    pub fn advice(&self, url: &Url, status: u16, text: &str) -> Option<String> {
        if !matches!(status, 401 | 403) {
            return None;
        }
        let services = self.services();
        let at = |service: &Url| Place::of(service).holds(url);
        let within = |places: &[Place]| places.iter().any(|place| place.holds(url));
        let mut words = if at(&services.earthdata) || within(&services.earthdata_data) {
            self.about_earthdata(url, status, text)
        } else if at(&services.ers) || within(&services.ers_data) {
            self.about_usgs()
        } else if at(&services.m2m) {
            self.about_m2m(text)
        } else if services.blobs.holds(url) {
            "the file is private, or the signature in its address has run out: search again for a new address"
                .into()
        } else {
            self.about_others(url, status)
        };
        for problem in self.problems() {
            words = format!("{words}; {problem}");
        }
        Some(words)
    }

    /// The login that would be used at `place`.
    fn found(&self, place: &Place, is: impl Fn(&Login) -> bool) -> Option<&super::StoredLogin> {
        self.logins()
            .find(|entry| entry.place == *place && is(&entry.login) && token::expired(entry).is_none())
    }

    fn about_earthdata(&self, url: &Url, status: u16, text: &str) -> String {
        let services = self.services();
        let place = Place::of(&services.earthdata);
        let profile = services
            .earthdata
            .join("profile")
            .map_or(String::new(), |url| url.to_string());
        let parameter = |wanted: &str| {
            let found = url.query_pairs().find(|(name, _)| name == wanted);
            found.map(|(_, value)| value.into_owned())
        };
        let reason = format!("{text} {}", parameter("error_msg").unwrap_or_default());
        let resolution = parameter("resolution_url").or_else(|| resolution(text));
        // A page that a server names is passed on only where it is Earthdata's own.
        let resolution = resolution
            .and_then(|text| {
                Url::parse(&text.replacen("http://", "https://", 1))
                    .ok()
                    .or(Url::parse(&text).ok())
            })
            .filter(|page| place.holds(page) || services.earthdata_data.iter().any(|data| data.holds(page)));
        let approve = parameter("client_id").and_then(|client| {
            let mut page = services.earthdata.join("approve_app").ok()?;
            page.query_pairs_mut().append_pair("client_id", &client);
            Some(page)
        });
        let page = resolution.or_else(|| approve.clone());
        if reason.to_ascii_lowercase().contains("eula") {
            let page = page.map_or(format!("{profile} (Applications, Accept New EULAs)"), |page| {
                page.to_string()
            });
            return format!(
                "the licence (EULA) of this archive is not accepted yet: accept it at {page}, then start again"
            );
        }
        if reason.contains("access_denied")
            || parameter("error").is_some_and(|error| error == "access_denied")
        {
            let page = page.map_or(format!("{profile} (Applications, Authorized Apps)"), |page| {
                page.to_string()
            });
            return format!(
                "this archive's application is not approved for your account yet: approve it at {page}, then start again"
            );
        }
        let token = self.found(&place, |login| matches!(login, Login::Token { .. }));
        let password = self.found(&place, |login| matches!(login, Login::Password { .. }));
        let at_login = place.holds(url);
        match (password, token) {
            (None, None) => format!(
                "no Earthdata login is known here: `perilune login {place}` stores one; or set EARTHDATA_TOKEN, or have a \
                 line for {place} in ~/.netrc"
            ),
            (Some(entry), _) if at_login => {
                let approve = approve.map_or(String::new(), |page| {
                    format!("; if they are right, this archive's application may lack your approval: {page}")
                });
                format!(
                    "Earthdata refuses the user and password from {}; they are not tried again in this run, since repeated \
                     attempts lock the account{approve}",
                    entry.source
                )
            }
            (None, Some(entry)) if status == 401 || at_login => format!(
                "Earthdata's token from {} is refused here: it may have run out (after 60 days), and some hosts, ASF's \
                 bursts among them, take only user and password: `perilune login {place}`",
                entry.source
            ),
            (Some(entry), _) | (None, Some(entry)) => format!(
                "Earthdata knows you (login from {}), but you may not have this file: look in {profile} whether a study \
                 area is set, all EULAs are accepted and the archive's application is approved",
                entry.source
            ),
        }
    }

    fn about_usgs(&self) -> String {
        let place = Place::of(&self.services().ers);
        match self.found(&place, |login| matches!(login, Login::Password { .. })) {
            None => format!(
                "no USGS login is known here: `perilune login {place}` stores one; or fetch the file by S3 (requester pays)"
            ),
            Some(entry) => format!(
                "the USGS login from {} does not open this file: check in a browser that the account is active",
                entry.source
            ),
        }
    }

    fn about_m2m(&self, text: &str) -> String {
        let place = Place::of(&self.services().m2m);
        let ers = Place::of(&self.services().ers);
        match self.found(&place, |login| matches!(login, Login::Token { .. })) {
            None => format!(
                "no application token of the USGS is known here: make one in the profile at https://{ers} and store it with \
                 `perilune login {place}`"
            ),
            Some(_) if text.contains("AUTH_UNAUTHORIZED") => {
                format!(
                    "the account lacks access to the machine-to-machine API: ask for it at https://{ers}/profile/access"
                )
            }
            Some(entry) => format!(
                "the application token from {} is refused: it may have run out; make a new one in the profile at https://{ers} \
                 with the scope M2M API",
                entry.source
            ),
        }
    }

    fn about_others(&self, url: &Url, status: u16) -> String {
        let place = Place::of(url);
        match self.logins().find(|entry| entry.place.holds(url)) {
            Some(entry) if super::protected(url) => match status {
                401 => format!(
                    "{place} refuses the login from {}; it is not tried again in this run",
                    entry.source
                ),
                _ => format!(
                    "{place} knows you (login from {}), but you may not have this",
                    entry.source
                ),
            },
            Some(_) => format!("the login for {place} is sent over https only; ask for https://{place}"),
            None => format!("no login for {place} is known here; `perilune login {place}` stores one"),
        }
    }
}

/// The page that an answer of Earthdata's egress names for getting what is missing.
fn resolution(text: &str) -> Option<String> {
    static PAGE: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r#"https?://[^\s"'<>\\]+/approve_app\?[^\s"'<>\\]+"#).ok());
    if let Ok(json) = serde_json::from_str::<Value>(text)
        && let Some(page) = json.get("resolution_url").and_then(Value::as_str)
    {
        return Some(page.to_string());
    }
    Some(PAGE.as_ref()?.find(text)?.as_str().to_string())
}
