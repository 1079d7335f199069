//! What users have answered, remembered by the content that they were asked about.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::grants::Grants;
use crate::bytes::credentials::{PERMISSIONS, Store};
use crate::error::{Error, Result};
use crate::files::private;

/// Of the file. One that is newer than the program is left alone.
const VERSION: u32 = 1;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Of the content: any other is asked about anew.
    pub sha256: String,
    /// Who has signed it.
    pub signer: Option<String>,
    /// What it was called, for people who read the file.
    pub script: String,
    /// The day, in UTC.
    pub on: String,
    pub granted: Grants,
}

#[derive(Serialize, Deserialize)]
struct Contents {
    version: u32,
    answers: Vec<Answer>,
}

/// The file of answers: one that only its owner can change.
#[derive(Debug, Clone)]
pub struct Answers {
    path: PathBuf,
}

impl Answers {
    pub fn at(path: impl Into<PathBuf>) -> Answers {
        Answers { path: path.into() }
    }

    /// `permissions.json` beside the file of logins; none where there is no home folder.
    pub fn of_user() -> Option<Answers> {
        let store = Store::of_user()?;
        Some(Answers::at(store.path().parent()?.join(PERMISSIONS)))
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What was granted to this content.
    ///
    /// # Errors
    /// When the file is not this user's alone, or is not what `remember` writes.
    pub fn of(&self, sha256: &str, signer: Option<&str>) -> Result<Option<Answer>> {
        let mut answers = self.load()?;
        answers.retain(|answer| answer.sha256 == sha256 && answer.signer.as_deref() == signer);
        Ok(answers.pop())
    }

    fn load(&self) -> Result<Vec<Answer>> {
        let file = match fs::File::open(&self.path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(Error::io(&self.path, e)),
            Ok(file) => file,
        };
        let data = file.metadata().map_err(|e| Error::io(&self.path, e))?;
        // The process's own entry is its user's.
        let user = fs::metadata("/proc/self").map(|own| own.uid());
        if data.mode() & 0o077 != 0 || user.ok() != Some(data.uid()) {
            return Err(Error::file(
                &self.path,
                format!(
                    "is not yours alone (mode {:o}), so that its answers are not used; look through it, and make it yours with `chmod 600`",
                    data.mode() & 0o777
                ),
            ));
        }
        let text = std::io::read_to_string(file).map_err(|e| Error::io(&self.path, e))?;
        let wrong = |why: String| Error::file(&self.path, format!("{why}; remove it, and scripts ask again"));
        // The version first: a newer one may have other fields.
        let version = serde_json::from_str::<serde_json::Value>(&text)
            .map_err(|e| wrong(format!("is no file of answers ({e})")))?["version"]
            .as_u64();
        if version != Some(u64::from(VERSION)) {
            return Err(wrong("was written by another version of perilune".into()));
        }
        let contents: Contents =
            serde_json::from_str(&text).map_err(|e| wrong(format!("is no file of answers ({e})")))?;
        Ok(contents.answers)
    }

    /// Remembers that what `answer` grants was granted, beside what was before.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn remember(&self, answer: Answer) -> Result<()> {
        let _lock = private::lock(&self.path)?;
        let mut answers = self.load()?;
        let mut answer = answer;
        answers.retain(|old| {
            let same = old.sha256 == answer.sha256 && old.signer == answer.signer;
            if same {
                answer.granted.add(&old.granted);
            }
            !same
        });
        answers.push(answer);
        self.write(answers)
    }

    /// Forgets what was granted to this content, whoever signed it; whether there was anything.
    ///
    /// # Errors
    /// As `remember`.
    pub fn forget(&self, sha256: &str) -> Result<bool> {
        let _lock = private::lock(&self.path)?;
        let before = self.load()?;
        let (gone, left): (Vec<_>, Vec<_>) = before.into_iter().partition(|answer| answer.sha256 == sha256);
        if !gone.is_empty() {
            self.write(left)?;
        }
        Ok(!gone.is_empty())
    }

    fn write(&self, answers: Vec<Answer>) -> Result<()> {
        let contents = Contents {
            version: VERSION,
            answers,
        };
        let text = serde_json::to_string_pretty(&contents).map_err(|e| Error::io(&self.path, e.into()))?;
        private::write(&self.path, &text)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn answer(sha256: &str, signer: Option<&str>, read: &str) -> Answer {
        Answer {
            sha256: sha256.into(),
            signer: signer.map(str::to_string),
            script: "a.lua".into(),
            on: "2026-11-30".into(),
            granted: Grants {
                read: vec![read.into()],
                ..Grants::default()
            },
        }
    }

    #[test]
    fn answers_are_of_one_content() {
        let folder = tempfile::tempdir().unwrap();
        let answers = Answers::at(folder.path().join("a/permissions.json"));
        assert_eq!(answers.of("1", None).unwrap(), None);
        answers.remember(answer("1", None, "/a")).unwrap();
        answers.remember(answer("1", Some("me"), "/b")).unwrap();
        answers.remember(answer("1", None, "/c")).unwrap();
        let read =
            |sha256: &str, signer: Option<&str>| answers.of(sha256, signer).unwrap().map(|a| a.granted.read);
        assert_eq!(read("1", None), Some(vec!["/c".into(), "/a".into()]));
        assert_eq!(read("1", Some("me")), Some(vec!["/b".into()]));
        assert_eq!(read("2", None), None);
        assert_eq!(read("1", Some("you")), None);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(answers.path()), 0o600);
    }

    #[test]
    fn a_file_that_others_may_have_written_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let answers = Answers::at(folder.path().join("permissions.json"));
        answers.remember(answer("1", None, "/a")).unwrap();
        for mode in [0o620, 0o602, 0o644] {
            fs::set_permissions(answers.path(), fs::Permissions::from_mode(mode)).unwrap();
            assert!(
                answers
                    .of("1", None)
                    .unwrap_err()
                    .to_string()
                    .contains("yours alone")
            );
            assert!(answers.remember(answer("2", None, "/a")).is_err());
        }
        for text in [
            "",
            "{}",
            "[]",
            r#"{"version":2,"answers":[]}"#,
            r#"{"version":1,"answers":[{}]}"#,
        ] {
            fs::write(answers.path(), text).unwrap();
            fs::set_permissions(answers.path(), fs::Permissions::from_mode(0o600)).unwrap();
            let error = answers.of("1", None).unwrap_err().to_string();
            assert!(error.contains("scripts ask again"), "{text}: {error}");
        }
    }
}
