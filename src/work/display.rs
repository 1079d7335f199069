//! What is shown of a value: a text, and richer forms of it, each by its MIME type.

use std::collections::BTreeMap;
use std::fmt;

use crate::error::{Error, Result};

/// In what a value can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// UTF-8 without any markup: every display has it.
    Plain,
    /// The same with pictures and colours as the terminal of this process draws them.
    Terminal,
    /// A fragment, to stand in a page's body. It asks for nothing from elsewhere.
    Html,
    Svg,
    Png,
    /// Where the maps of a picture are, as JSON beside the picture: a list of `at`, `x`, `y`, `crs` and `lonlat`.
    Places,
}

impl Form {
    /// Those that do not depend on where they are shown.
    pub const PORTABLE: &'static [Form] = &[Form::Plain, Form::Html, Form::Svg, Form::Png];

    #[must_use]
    pub fn mime(self) -> &'static str {
        match self {
            Form::Plain => "text/plain",
            Form::Terminal => "text/vnd.perilune.terminal",
            Form::Html => "text/html",
            Form::Svg => "image/svg+xml",
            Form::Png => "image/png",
            Form::Places => "application/vnd.perilune.places+json",
        }
    }
}

type Make = Box<dyn Fn() -> Result<Option<Vec<u8>>>>;

/// A text, and how its richer forms are made once an output asks for them.
pub struct Display {
    text: String,
    richer: Vec<(Form, Make)>,
    /// How the text goes on where a richer form could not be made; without, that is an error of the whole.
    instead: Option<&'static str>,
}

impl Display {
    #[must_use]
    pub fn new(text: impl Into<String>) -> Display {
        Display {
            text: text.into(),
            richer: Vec::new(),
            instead: None,
        }
    }

    /// With another form; what makes it may find that there is none.
    #[must_use]
    pub fn with(mut self, form: Form, make: impl Fn() -> Result<Option<Vec<u8>>> + 'static) -> Display {
        self.richer.push((form, Box::new(make)));
        self
    }

    /// Where a richer form fails, the text stays and ends with "(no picture: …)", of which these are the first words.
    #[must_use]
    pub fn or_say(self, instead: &'static str) -> Display {
        Display {
            instead: Some(instead),
            ..self
        }
    }

    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text, and of the forms that are wanted those that there are. No other is made.
    ///
    /// # Errors
    /// What goes wrong in making a form, unless the display says that in its text; a stop in any case.
    pub fn bundle(&self, wanted: &[Form]) -> Result<Bundle> {
        let mut forms = BTreeMap::new();
        let mut text = self.text.clone();
        for (form, make) in self.richer.iter().filter(|(form, _)| wanted.contains(form)) {
            match (make(), self.instead) {
                (Ok(Some(content)), _) => drop(forms.insert(*form, content)),
                (Ok(None), _) => {}
                (Err(error), Some(instead)) if !matches!(error, Error::Interrupted) => {
                    let line = format!("\n({instead}: {error})");
                    if !text.ends_with(&line) {
                        text.push_str(&line);
                    }
                }
                (Err(error), _) => return Err(error),
            }
        }
        forms.insert(Form::Plain, text.into_bytes());
        Ok(Bundle(forms))
    }
}

impl From<String> for Display {
    fn from(text: String) -> Display {
        Display::new(text)
    }
}

impl fmt::Debug for Display {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let forms: Vec<Form> = self.richer.iter().map(|(form, _)| *form).collect();
        write!(f, "{:?} in {forms:?}", self.text)
    }
}

/// The forms of a value that an output asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle(BTreeMap<Form, Vec<u8>>);

impl Bundle {
    #[must_use]
    pub fn get(&self, form: Form) -> Option<&[u8]> {
        self.0.get(&form).map(Vec::as_slice)
    }

    /// The same in these forms alone, as far as it has them.
    #[must_use]
    pub fn with_only(&self, forms: &[Form]) -> Bundle {
        let of = |form: &Form| Some((*form, self.0.get(form)?.clone()));
        Bundle(forms.iter().filter_map(of).collect())
    }

    /// A form that is text.
    #[must_use]
    pub fn text(&self, form: Form) -> Option<&str> {
        self.get(form).and_then(|bytes| std::str::from_utf8(bytes).ok())
    }

    /// What a terminal shows.
    #[must_use]
    pub fn for_terminal(&self) -> &str {
        let richer = self.text(Form::Terminal);
        richer.or_else(|| self.text(Form::Plain)).unwrap_or_default()
    }

    pub fn iter(&self) -> impl Iterator<Item = (Form, &[u8])> {
        self.0.iter().map(|(form, content)| (*form, content.as_slice()))
    }

    /// Of all its forms.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(make: impl Fn() -> Result<Option<Vec<u8>>> + 'static) -> Display {
        Display::new("a sea")
            .with(Form::Png, make)
            .with(Form::Svg, || panic!("nobody wants it"))
    }

    #[test]
    fn only_what_is_wanted_is_made() {
        let display = of(|| Ok(Some(vec![1])));
        assert_eq!(display.bundle(&[]).unwrap().iter().count(), 1);
        let bundle = display.bundle(&[Form::Plain, Form::Html, Form::Png]).unwrap();
        assert_eq!(
            (bundle.text(Form::Plain), bundle.get(Form::Png)),
            (Some("a sea"), Some(&[1][..]))
        );
        assert_eq!((bundle.get(Form::Html), bundle.bytes()), (None, 6));
        assert_eq!(of(|| Ok(None)).bundle(&[Form::Png]).unwrap().iter().count(), 1);
    }

    #[test]
    fn what_cannot_be_made_is_told_in_the_text_or_an_error() {
        let lost = || Err(Error::message("lost"));
        assert_eq!(of(lost).bundle(&[Form::Png]).unwrap_err().to_string(), "lost");
        let told = of(lost).with(Form::Html, lost).or_say("no picture");
        let bundle = told.bundle(&[Form::Png, Form::Html]).unwrap();
        assert_eq!(bundle.text(Form::Plain), Some("a sea\n(no picture: lost)"));
        // A stop is never told as a reason.
        let stopped = of(|| Err(Error::Interrupted)).or_say("no picture");
        assert!(matches!(stopped.bundle(&[Form::Png]), Err(Error::Interrupted)));
    }
}
