//! Signatures of bundles: SSHSIG, as `ssh-keygen -Y sign -n perilune-bundle` makes them and `ssh-keygen -Y verify` checks them.

use std::fs;
use std::path::{Path, PathBuf};

use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA512, RsaPublicKeyComponents};
use ssh_key::public::KeyData;
use ssh_key::{Algorithm, HashAlg, LineEnding, PrivateKey, PublicKey, SshSig};

use super::signers::{ME, NAMESPACE, Signers};
use crate::error::{Error, Result};

const KINDS: &str = "perilune signs with ed25519 and ecdsa (nistp256) keys";
/// Longer is no signature.
const LONGEST: u64 = 64 << 10;

/// By whom a bundle is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signed {
    Nobody,
    /// By a key that stands in no list of the user's; the key is as such lists have it.
    Unknown {
        fingerprint: String,
        key: String,
    },
    Known {
        name: String,
        fingerprint: String,
    },
}

impl Signed {
    /// By the user herself.
    pub fn is_own(&self) -> bool {
        matches!(self, Signed::Known { name, .. } if name == ME)
    }

    /// A name that is remembered with answers; none where nobody known has signed.
    pub fn signer(&self) -> Option<String> {
        match self {
            Signed::Known { name, fingerprint } => Some(format!("{name} {fingerprint}")),
            _ => None,
        }
    }

    /// In words.
    pub fn shown(&self) -> String {
        match self {
            Signed::Nobody => "nobody".into(),
            Signed::Unknown { fingerprint, .. } => format!("a key that you do not know: {fingerprint}"),
            Signed::Known { name, fingerprint } if name == ME => format!("yourself, with {fingerprint}"),
            Signed::Known { name, fingerprint } => format!("{name}, with {fingerprint}"),
        }
    }
}

/// Where the signature of a bundle lies.
pub fn beside(bundle: &Path) -> PathBuf {
    let mut name = bundle.as_os_str().to_os_string();
    name.push(".sig");
    PathBuf::from(name)
}

/// Who has signed these bytes, which are those of the file `bundle`.
///
/// # Errors
/// When what lies beside it is no signature, or one of something else: then the bundle is not what was signed.
pub fn check(bundle: &Path, bytes: &[u8], signers: Option<&Signers>) -> Result<Signed> {
    let path = beside(bundle);
    let size = match fs::metadata(&path) {
        Ok(data) => data.len(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Signed::Nobody),
        Err(e) => return Err(Error::io(&path, e)),
    };
    let no_signature = |why: String| {
        Error::file(
            &path,
            format!("is no signature of a bundle ({why}); nothing of the bundle was run"),
        )
    };
    if size > LONGEST {
        return Err(no_signature("it is too long".into()));
    }
    let text = fs::read(&path).map_err(|e| Error::io(&path, e))?;
    let signature = SshSig::from_pem(&text).map_err(|e| no_signature(e.to_string()))?;
    if signature.namespace() != NAMESPACE {
        return Err(no_signature(format!(
            "it was made for `{}`, not for `{NAMESPACE}`",
            crate::share::permissions::escaped(signature.namespace())
        )));
    }
    let key = PublicKey::from(signature.public_key().clone());
    let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
    let held = match signature.public_key() {
        KeyData::Rsa(_) => holds_by_rsa(&signature, bytes),
        _ => key.verify(NAMESPACE, bytes, &signature),
    };
    held.map_err(|e| {
        let beside = path.display();
        let why = match e {
            ssh_key::Error::AlgorithmUnknown | ssh_key::Error::AlgorithmUnsupported { .. } => format!(
                "its signature {beside} is by a key of the kind {}, and perilune checks those of ed25519, ecdsa (nistp256) and rsa (2048 bits and more) keys; where `ssh-keygen -Y verify` \
                 accepts it, move it away, and run the bundle as one that nobody has signed",
                key.algorithm()
            ),
            _ => format!("its signature {beside} does not hold: the bundle is not what was signed, or the signature was changed"),
        };
        Error::file(bundle, format!("{why}; nothing of it was run"))
    })?;
    let name = match signers {
        Some(signers) => signers.name_of(&key)?,
        None => None,
    };
    Ok(match name {
        Some(name) => Signed::Known { name, fingerprint },
        None => Signed::Unknown {
            fingerprint,
            key: key.to_openssh().map_err(|e| no_signature(e.to_string()))?,
        },
    })
}

/// By ring, since the library that `ssh-key` takes for RSA leaks the timing of private keys; checking takes none.
fn holds_by_rsa(signature: &SshSig, bytes: &[u8]) -> Result<(), ssh_key::Error> {
    let KeyData::Rsa(key) = signature.public_key() else {
        return Err(ssh_key::Error::AlgorithmUnknown);
    };
    let scheme = match signature.signature().algorithm() {
        Algorithm::Rsa {
            hash: Some(HashAlg::Sha512),
        } => &RSA_PKCS1_2048_8192_SHA512,
        Algorithm::Rsa {
            hash: Some(HashAlg::Sha256),
        } => &RSA_PKCS1_2048_8192_SHA256,
        // SHA-1, which no longer holds anything.
        _ => return Err(ssh_key::Error::AlgorithmUnknown),
    };
    let (Some(n), Some(e)) = (key.n.as_positive_bytes(), key.e.as_positive_bytes()) else {
        return Err(ssh_key::Error::Crypto);
    };
    let signed = SshSig::signed_data(signature.namespace(), signature.hash_alg(), bytes)?;
    RsaPublicKeyComponents { n, e }
        .verify(scheme, &signed, signature.signature_bytes())
        .map_err(|_| ssh_key::Error::Crypto)
}

/// The signature of `bytes` by the key in the file `key`, and the public key.
///
/// # Errors
/// When there is no key that signs without more.
pub fn sign(key: &Path, bytes: &[u8]) -> Result<(String, PublicKey)> {
    let text = fs::read(key).map_err(|e| Error::io(key, e))?;
    let by_hand = format!(
        "bundle without --sign, then `ssh-keygen -Y sign -n {NAMESPACE} -f {} BUNDLE`",
        key.display()
    );
    let secret = PrivateKey::from_openssh(&text).map_err(|e| {
        let hint = match text.starts_with(b"ssh-") || text.starts_with(b"ecdsa-") {
            true => "this is the public key, and the private one signs, which lies beside it without .pub"
                .to_string(),
            false => format!(
                "is no private key of OpenSSH that perilune reads ({e}): {KINDS}; for others, {by_hand}"
            ),
        };
        Error::file(key, hint)
    })?;
    if secret.is_encrypted() {
        return Err(Error::file(
            key,
            format!("has a passphrase, which ssh-keygen or your agent knows: {by_hand}"),
        ));
    }
    let signature = SshSig::sign(&secret, NAMESPACE, HashAlg::Sha512, bytes)
        .and_then(|signature| signature.to_pem(LineEnding::LF))
        .map_err(|e| {
            Error::file(
                key,
                format!("does not sign ({e}): {KINDS}; for others, {by_hand}"),
            )
        })?;
    Ok((signature, secret.public_key().clone()))
}
