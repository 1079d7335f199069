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
        let mut asf_login = earthdata.clone();
        asf_login.set_path("/oauth/authorize");
        asf_login
            .query_pairs_mut()
            .append_pair("client_id", ASF_CLIENT)
            .append_pair("response_type", "code")
            .append_pair("redirect_uri", address("PERILUNE_ASF_LOGIN_URL", ASF)?.as_str());
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

    /// The archives themselves.
    pub fn real() -> Services {
        Services::new(|_| None).expect("the constants above are addresses")
    }
}
