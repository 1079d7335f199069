//! Where the user keeps her logins: the environment, what `perilune login` stored, netrc, and the archives' own files.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::netrc;
use super::place::Place;
use super::secret::Secret;
use super::services::Services;
use super::store::{Login, Store};

/// A login, where it counts, and where it was found.
#[derive(Debug, Clone)]
pub struct StoredLogin {
    pub place: Place,
    pub login: Login,
    /// Such as `EARTHDATA_TOKEN` or `/home/me/.netrc`.
    pub source: String,
}

/// What a variable of the environment holds, if it is set.
type Variable = Box<dyn Fn(&str) -> Option<String>>;

/// The user's surroundings: variables and files.
pub struct Sources {
    pub variable: Variable,
    pub home: Option<PathBuf>,
    pub store: Option<Store>,
}

impl Sources {
    pub fn of_user() -> Sources {
        Sources {
            variable: Box::new(|name| std::env::var(name).ok().filter(|text| !text.trim().is_empty())),
            home: std::env::home_dir(),
            store: Store::of_user(),
        }
    }

    /// All logins, the ones that win first, and what could not be used, in words for the user.
    pub fn read(&self, services: &Services) -> (Vec<StoredLogin>, Vec<String>) {
        let (mut entries, mut problems) = (Vec::new(), Vec::new());
        self.environment(services, &mut entries, &mut problems);
        if let Some(store) = &self.store {
            match store.load() {
                Ok(logins) => entries.extend(logins.into_iter().map(|(host, login)| StoredLogin {
                    place: Place::host(&host),
                    login,
                    source: store.path().display().to_string(),
                })),
                Err(error) => problems.push(error.to_string()),
            }
        }
        if let Some(path) = self.netrc_path() {
            self.netrc(&path, &mut entries, &mut problems);
        }
        if let Some(path) = self.home.as_ref().map(|home| home.join(PLANETARY_COMPUTER_FILE)) {
            planetary_computer(&path, services, &mut entries);
        }
        (entries, problems)
    }

    /// The variable, or the contents of the file that `<variable>_FILE` names.
    fn secret(&self, name: &str, problems: &mut Vec<String>) -> Option<(Secret, String)> {
        if let Some(text) = (self.variable)(name) {
            return Some((Secret::new(text.trim()), name.to_string()));
        }
        let file = format!("{name}_FILE");
        let path = (self.variable)(&file)?;
        match fs::read_to_string(&path).map(Zeroizing::new) {
            Ok(text) if !text.trim().is_empty() => Some((Secret::new(text.trim()), file)),
            Ok(_) => {
                problems.push(format!("{path}, which {file} names, is empty"));
                None
            }
            Err(error) => {
                problems.push(format!("{path}, which {file} names: {error}"));
                None
            }
        }
    }

    fn environment(&self, services: &Services, entries: &mut Vec<StoredLogin>, problems: &mut Vec<String>) {
        let user = |names: &[&str]| names.iter().find_map(|name| (self.variable)(name));
        let mut found = |names: &[&str], place: Place, login: &dyn Fn(Secret) -> Option<Login>| {
            let secret = names.iter().find_map(|name| self.secret(name, problems));
            if let Some((secret, source)) = secret {
                match login(secret) {
                    Some(login) => entries.push(StoredLogin { place, login, source }),
                    None => problems.push(format!(
                        "{source} is set, but not the user's name that belongs to it"
                    )),
                }
            }
        };
        let password = |names: &'static [&'static str]| {
            move |password: Secret| user(names).map(|user| Login::Password { user, password })
        };
        let earthdata = Place::of(&services.earthdata);
        found(&["EARTHDATA_TOKEN"], earthdata.clone(), &|token| {
            Some(Login::Token { user: None, token })
        });
        found(
            &["EARTHDATA_PASSWORD"],
            earthdata,
            &password(&["EARTHDATA_USERNAME"]),
        );
        found(
            &["USGS_PASSWORD"],
            Place::of(&services.ers),
            &password(&["USGS_USERNAME"]),
        );
        found(
            &["USGS_TOKEN", "USGSXPLORE_TOKEN"],
            Place::of(&services.m2m),
            &|token| {
                let user = user(&["USGS_USERNAME", "USGSXPLORE_USERNAME"])?;
                Some(Login::Token {
                    user: Some(user),
                    token,
                })
            },
        );
        found(
            &["PC_SDK_SUBSCRIPTION_KEY"],
            Place::of(&services.planetary_computer),
            &|token| Some(Login::Token { user: None, token }),
        );
    }

    fn netrc_path(&self) -> Option<PathBuf> {
        match (self.variable)("NETRC") {
            Some(path) => Some(PathBuf::from(path)),
            None => Some(self.home.as_ref()?.join(".netrc")),
        }
    }

    fn netrc(&self, path: &Path, entries: &mut Vec<StoredLogin>, problems: &mut Vec<String>) {
        let shown = path.display();
        let bytes = match fs::read(path) {
            Ok(bytes) => Zeroizing::new(bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return,
            Err(error) => {
                problems.push(format!("{shown}: {error}"));
                return;
            }
        };
        let mode = fs::metadata(path).map_or(0, |data| data.mode() & 0o777);
        if mode & 0o077 != 0 {
            problems.push(format!(
                "others can read the passwords in {shown} (mode {mode:o}); make it yours alone with `chmod 600 {shown}`"
            ));
        }
        match netrc::parse(&String::from_utf8_lossy(&bytes)) {
            Ok(machines) => entries.extend(machines.into_iter().map(|machine| StoredLogin {
                place: Place::host(&machine.host),
                login: Login::Password {
                    user: machine.user,
                    password: machine.password,
                },
                source: shown.to_string(),
            })),
            Err((line, why)) => problems.push(format!(
                "{shown}, line {line}: {why}; no login of this file is used"
            )),
        }
    }

    /// All files with secrets in them that are the host's to read and no script's.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = self.netrc_path().into_iter().collect();
        files.extend(self.store.as_ref().map(|store| store.path().to_path_buf()));
        let names = [
            "EARTHDATA_TOKEN_FILE",
            "EARTHDATA_PASSWORD_FILE",
            "USGS_PASSWORD_FILE",
            "USGS_TOKEN_FILE",
            "USGSXPLORE_TOKEN_FILE",
            "PC_SDK_SUBSCRIPTION_KEY_FILE",
            // Keys and tokens of AWS and Google, the second and third of which nothing here reads.
            "AWS_SHARED_CREDENTIALS_FILE",
            "AWS_WEB_IDENTITY_TOKEN_FILE",
            "GOOGLE_APPLICATION_CREDENTIALS",
        ];
        files.extend(
            names
                .iter()
                .filter_map(|name| (self.variable)(name))
                .map(PathBuf::from),
        );
        let known = [
            ".netrc",
            "_netrc",
            PLANETARY_COMPUTER_FILE,
            ".edl_token",
            ".aws/credentials",
            ".urs_cookies",
        ];
        if let Some(home) = &self.home {
            files.extend(known.iter().map(|name| home.join(name)));
        }
        files
    }
}

impl Sources {
    /// Files and folders of keys and logins that neither the host nor scripts read: below the home folder, and what variables move.
    pub fn closed(&self) -> Vec<PathBuf> {
        let mut closed: Vec<PathBuf> = Vec::new();
        if let Some(home) = &self.home {
            closed.extend(CLOSED.iter().map(|name| home.join(name)));
        }
        // The answers to questions about permissions, and whose keys are known, which nobody but the user says.
        let beside = self.store.as_ref().and_then(|store| store.path().parent());
        closed.extend(
            beside
                .into_iter()
                .flat_map(|folder| [folder.join(PERMISSIONS), folder.join(SIGNERS)]),
        );
        let moved = [
            "GNUPGHOME",
            "KUBECONFIG",
            "DOCKER_CONFIG",
            "AWS_CONFIG_FILE",
            "CLOUDSDK_CONFIG",
            "AZURE_CONFIG_DIR",
        ];
        let moved = moved.iter().filter_map(|name| (self.variable)(name));
        closed.extend(
            moved
                .map(PathBuf::from)
                .filter(|path| path.is_absolute() && path.parent().is_some()),
        );
        closed
    }
}

/// The file of answers about permissions, beside the file of logins.
pub const PERMISSIONS: &str = "permissions.json";
/// The file of known signers, there, too.
pub const SIGNERS: &str = "allowed_signers";

/// Where programs keep keys, tokens, cookies and passwords, below the home folder.
const CLOSED: &[&str] = &[
    ".ssh",
    ".gnupg",
    ".aws",
    ".azure",
    ".kube",
    ".docker/config.json",
    ".config/gcloud",
    ".config/earthengine",
    ".config/gh",
    ".config/hub",
    ".config/glab-cli",
    ".config/git/credentials",
    ".config/rclone",
    ".config/eodag",
    ".config/op",
    ".config/doctl",
    ".config/containers/auth.json",
    ".git-credentials",
    ".password-store",
    ".local/share/keyrings",
    ".local/share/kwalletd",
    ".pki",
    ".pgpass",
    ".my.cnf",
    ".mylogin.cnf",
    ".s3cfg",
    ".boto",
    ".oci",
    ".cdsapirc",
    ".hdapirc",
    ".ecmwfapirc",
    ".cmemsapirc",
    ".copernicusmarine",
    ".dodsrc",
    ".ncrc",
    ".daprc",
    ".kaggle",
    ".huggingface",
    ".cache/huggingface/token",
    ".vault-token",
    ".npmrc",
    ".pypirc",
    ".gem/credentials",
    ".cargo/credentials",
    ".cargo/credentials.toml",
    ".terraform.d",
    ".subversion/auth",
    ".mozilla",
    ".thunderbird",
    ".config/google-chrome",
    ".config/chromium",
    ".config/BraveSoftware",
    ".config/microsoft-edge",
    ".config/opera",
    ".config/vivaldi",
    ".config/Signal",
    ".config/Slack",
    ".var/app/org.mozilla.firefox",
    ".var/app/com.google.Chrome",
    ".var/app/org.chromium.Chromium",
    ".var/app/com.brave.Browser",
    "snap/firefox",
    "snap/chromium",
    "snap/thunderbird",
    // What was typed holds passwords, too.
    ".bash_history",
    ".zsh_history",
    ".local/share/fish/fish_history",
];

/// Where Planetary Computer's own tool keeps its key.
const PLANETARY_COMPUTER_FILE: &str = ".planetarycomputer/settings.env";

fn planetary_computer(path: &Path, services: &Services, entries: &mut Vec<StoredLogin>) {
    let Ok(text) = fs::read_to_string(path).map(Zeroizing::new) else {
        return;
    };
    let key = text.lines().find_map(|line| {
        let (name, value) = line.split_once('=')?;
        (name.trim() == "PC_SDK_SUBSCRIPTION_KEY").then(|| value.trim().trim_matches(['"', '\'']))
    });
    if let Some(key) = key.filter(|key| !key.is_empty()) {
        entries.push(StoredLogin {
            place: Place::of(&services.planetary_computer),
            login: Login::Token {
                user: None,
                token: Secret::new(key),
            },
            source: path.display().to_string(),
        });
    }
}
