//! The archives whose ways of logging in are known here, and what belongs to them.

use url::Url;

use super::place::{Place, protected};
use crate::error::{Error, Result};

/// Where the archives' logins are. The environment can move them to a test system, such as Earthdata's `uat`.
#[derive(Debug, Clone)]
pub struct Services {
    /// Earthdata Login (URS): user and password go here and nowhere else.
    pub earthdata: Url,
    /// The hosts that take Earthdata's bearer tokens.
    pub earthdata_data: Vec<Place>,
    /// The page of ASF that sets the cookie `asf-urs`, as an address to ask Earthdata Login for.
    pub asf_login: Url,
    /// That page itself.
    pub asf_page: Url,
    /// ASF's hosts that want this cookie.
    pub asf_cookie: Vec<Place>,
    /// The login form of the USGS (ERS).
    pub ers: Url,
    /// The hosts whose files stand behind that form.
    pub ers_data: Vec<Place>,
    /// The machine-to-machine API of the USGS, up to and with the last slash before a method's name.
    pub m2m: Url,
    /// Planetary Computer: `<this>/<account>/<container>` gives a signature.
    pub planetary_computer: Url,
    /// The hosts of accounts whose files such a signature opens.
    pub blobs: Place,
}

/// The client that ASF's own tools log in as, at Earthdata Login.
pub(super) const ASF_CLIENT: &str = "BO_n7nTIlMljdvU6kRRB3g";

const EARTHDATA: &str = "https://urs.earthdata.nasa.gov/";
const ASF: &str = "https://auth.asf.alaska.edu/login";
const ERS: &str = "https://ers.cr.usgs.gov/login";
const M2M: &str = "https://m2m.cr.usgs.gov/api/api/json/stable/";
const PLANETARY_COMPUTER: &str = "https://planetarycomputer.microsoft.com/api/sas/v1/token/";

impl Services {
    /// The archives themselves, or what `variable` of the environment puts in their place.
    ///
    /// # Errors
    /// When such a variable is no address of the web that secrets may be sent to.
    pub fn new(variable: impl Fn(&str) -> Option<String>) -> Result<Services> {
        let address = |name: &str, usual: &str| -> Result<Url> {
            let text = variable(name).unwrap_or_else(|| usual.to_string());
            let expected = "an https address";
            let url =
                Url::parse(&text).map_err(|e| Error::argument(name, expected, format!("`{text}` ({e})")))?;
            match protected(&url) {
                true => Ok(url),
                false => Err(Error::argument(name, expected, format!("`{text}`"))),
            }
        };
        // Names are added to these.
        let folder = |name: &str, usual: &str| -> Result<Url> {
            let mut url = address(name, usual)?;
            if !url.path().ends_with('/') {
                url.set_path(&format!("{}/", url.path()));
            }
            Ok(url)
        };
        let earthdata = address("PERILUNE_EARTHDATA_URL", EARTHDATA)?;
        let asf_page = address("PERILUNE_ASF_LOGIN_URL", ASF)?;
        let mut asf_login = earthdata.clone();
        asf_login.set_path("/oauth/authorize");
        asf_login
            .query_pairs_mut()
            .append_pair("client_id", ASF_CLIENT)
            .append_pair("response_type", "code")
            .append_pair("redirect_uri", asf_page.as_str());
        let list = |name: &str, usual: &[&str]| -> Vec<Place> {
            match variable(name) {
                Some(text) => text.split_whitespace().map(Place::domain).collect(),
                None => usual.iter().map(|text| Place::domain(text)).collect(),
            }
        };
        Ok(Services {
            earthdata,
            earthdata_data: list(
                "PERILUNE_EARTHDATA_HOSTS",
                &[
                    "earthdata.nasa.gov",
                    "earthdatacloud.nasa.gov",
                    "asf.alaska.edu",
                    "ecs.nsidc.org",
                ],
            ),
            asf_login,
            asf_page,
            asf_cookie: list(
                "PERILUNE_ASF_COOKIE_HOSTS",
                &["sentinel1-burst.asf.alaska.edu", "cumulus.asf.alaska.edu"],
            ),
            ers: address("PERILUNE_USGS_ERS_URL", ERS)?,
            ers_data: list(
                "PERILUNE_USGS_HOSTS",
                &[
                    "landsatlook.usgs.gov",
                    "dds.cr.usgs.gov",
                    "earthexplorer.usgs.gov",
                ],
            ),
            m2m: folder("PERILUNE_USGS_M2M_URL", M2M)?,
            planetary_computer: folder("PERILUNE_PLANETARY_COMPUTER_URL", PLANETARY_COMPUTER)?,
            blobs: Place::domain(
                &variable("PERILUNE_PLANETARY_COMPUTER_BLOBS").unwrap_or("blob.core.windows.net".into()),
            ),
        })
    }

    /// The host of a login, by its name or by that of an archive, for those who do not know their login's host by heart.
    pub fn host_of(&self, text: &str) -> String {
        let name = text
            .trim()
            .trim_start_matches("https://")
            .trim_end_matches('/')
            .to_ascii_lowercase();
        let service = match name.as_str() {
            "earthdata" | "nasa" | "asf" => Some(&self.earthdata),
            "usgs" | "ers" => Some(&self.ers),
            "m2m" => Some(&self.m2m),
            "planetary-computer" | "planetarycomputer" => Some(&self.planetary_computer),
            _ => None,
        };
        if let Some(service) = service {
            return Place::of(service).to_string();
        }
        // The data hosts of an archive have no logins of their own.
        let behind = |places: &[Place]| {
            let url = Url::parse(&format!("https://{name}/"));
            url.is_ok_and(|url| places.iter().any(|place| place.holds(&url)))
        };
        match () {
            () if behind(&self.earthdata_data) => Place::of(&self.earthdata).to_string(),
            () if behind(&self.ers_data) => Place::of(&self.ers).to_string(),
            () => Place::host(&name).to_string(),
        }
    }

    /// The places that a login of `host` is used at, so that whoever may use it may ask them: those of its archive.
    pub fn places_of(&self, host: &str) -> Vec<Place> {
        let place = Place::host(host);
        let is = |service: &Url| Place::of(service) == place;
        let mut places = vec![place.clone()];
        match () {
            () if is(&self.earthdata) => {
                places.push(Place::of(&self.asf_page));
                places.extend(self.earthdata_data.iter().cloned());
            }
            () if is(&self.ers) => places.extend(self.ers_data.iter().cloned()),
            () if is(&self.planetary_computer) => places.push(self.blobs.clone()),
            () => {}
        }
        places
    }

    /// The archives themselves.
    pub fn real() -> Services {
        Services::new(|_| None).expect("the constants above are addresses")
    }
}
