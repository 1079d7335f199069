//! Login forms in web pages: their hidden fields, such as the one against forged requests, have to be sent back.

use std::sync::LazyLock;

use regex::Regex;

/// A form with a field for a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// Where it is sent, relative to its page; empty for the page itself.
    pub action: String,
    /// Names and values of the hidden fields.
    pub hidden: Vec<(String, String)>,
    pub user: String,
    pub password: String,
}

/// The first form of the page with a field of type password, and a text field before it for the user's name.
pub fn login_form(page: &str) -> Option<Form> {
    static FORM: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?is)<form\b([^>]*)>(.*?)</form\s*>").ok());
    static INPUT: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?is)<input\b([^>]*)>").ok());
    FORM.as_ref()?.captures_iter(page).find_map(|form| {
        let mut found = Form {
            action: attribute(&form[1], "action").unwrap_or_default(),
            hidden: Vec::new(),
            user: String::new(),
            password: String::new(),
        };
        for input in INPUT.as_ref()?.captures_iter(&form[2]) {
            let Some(name) = attribute(&input[1], "name") else {
                continue;
            };
            let kind = attribute(&input[1], "type")
                .unwrap_or_default()
                .to_ascii_lowercase();
            match kind.as_str() {
                "hidden" => found
                    .hidden
                    .push((name, attribute(&input[1], "value").unwrap_or_default())),
                "password" if found.password.is_empty() => found.password = name,
                "" | "text" | "email" if found.user.is_empty() => found.user = name,
                _ => {}
            }
        }
        (!found.password.is_empty() && !found.user.is_empty()).then_some(found)
    })
}

/// The value of an attribute of a tag, with or without quotes, its character references resolved.
fn attribute(tag: &str, name: &str) -> Option<String> {
    static ATTRIBUTE: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r#"(?s)([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))"#).ok());
    let found = ATTRIBUTE
        .as_ref()?
        .captures_iter(tag)
        .find(|c| c[1].eq_ignore_ascii_case(name))?;
    let value = found.get(2).or(found.get(3)).or(found.get(4))?.as_str();
    let plain = [
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&#x3D;", "="),
        ("&#x2F;", "/"),
        ("&#43;", "+"),
        ("&#x2B;", "+"),
        ("&amp;", "&"),
    ];
    Some(
        plain
            .iter()
            .fold(value.to_string(), |text, (from, to)| text.replace(from, to)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_found_among_others() {
        let page = r#"<html><form action="/search"><input name="q"></form>
            <FORM id=login METHOD=post action='/login?a=1&amp;b=2'>
            <INPUT TYPE="hidden" name="csrf" value="a&quot;b+/="><input type=hidden value=x name=__ncforminfo>
            <input name="username" class="text"/><input type="checkbox" name="remember">
            <input type="password"
               name="password"></FORM></html>"#;
        let form = login_form(page).unwrap();
        assert_eq!(form.action, "/login?a=1&b=2");
        assert_eq!(
            form.hidden,
            [
                ("csrf".into(), "a\"b+/=".into()),
                ("__ncforminfo".into(), "x".into())
            ]
        );
        assert_eq!(
            (form.user.as_str(), form.password.as_str()),
            ("username", "password")
        );
    }

    #[test]
    fn pages_without_a_login_have_no_form() {
        for page in [
            "",
            "<form><input name=a></form>",
            "<input type=password name=p>",
            "<form><input type=password name=p></form>",
        ] {
            assert_eq!(login_form(page), None, "{page}");
        }
    }
}
