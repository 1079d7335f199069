//! What a bearer token says about itself.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;

use super::sources::StoredLogin;
use super::store::Login;

/// When the token runs out, if it is one of RFC 7519 (as Earthdata's are) and says so.
fn expiry(token: &str) -> Option<Timestamp> {
    let claims = token.split('.').nth(1)?;
    let claims = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&claims).ok()?;
    Timestamp::from_second(claims.get("exp")?.as_f64()? as i64).ok()
}

/// Words about a token that has run out; such a token is not sent.
pub fn expired(entry: &StoredLogin) -> Option<String> {
    let Login::Token { token, .. } = &entry.login else {
        return None;
    };
    let end = expiry(token.reveal())?;
    (end < Timestamp::now()).then(|| {
        format!(
            "the token from {} ran out on {} and is not used; get a new one and store it with `perilune login {} --token`",
            entry.source,
            end.strftime("%Y-%m-%d"),
            entry.place
        )
    })
}
