//! An output that keeps what it gets, for reports and tests.

use std::sync::{Mutex, MutexGuard};

use super::budget::Held;
use super::display::{Bundle, Form};
use super::output::{Output, Stream};
use crate::error::Result;

/// What an output got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// Text of one stream, until something else came.
    Text(Stream, Vec<u8>),
    Shown(Bundle),
}

/// Keeps text and values in their order, in the forms that it was made for. What is shown is in the ledger of memory.
pub struct Recorder {
    forms: Vec<Form>,
    records: Mutex<Vec<(Record, Option<Held>)>>,
}

impl Recorder {
    /// Of values it keeps these forms, and their text.
    #[must_use]
    pub fn new(forms: &[Form]) -> Recorder {
        Recorder {
            forms: forms.to_vec(),
            records: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Record, Option<Held>)>> {
        self.records.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Everything so far.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        self.lock().iter().map(|(record, _)| record.clone()).collect()
    }

    /// All that was written to a stream so far.
    #[must_use]
    pub fn text(&self, stream: Stream) -> String {
        let records = self.lock();
        let of_stream = records.iter().filter_map(|(record, _)| match record {
            Record::Text(of, text) if *of == stream => Some(text.as_slice()),
            _ => None,
        });
        let bytes: Vec<u8> = of_stream.flatten().copied().collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The values that were shown so far.
    #[must_use]
    pub fn shown(&self) -> Vec<Bundle> {
        let records = self.lock();
        let shown = records.iter().filter_map(|(record, _)| match record {
            Record::Shown(bundle) => Some(bundle.clone()),
            Record::Text(..) => None,
        });
        shown.collect()
    }
}

impl Output for Recorder {
    fn forms(&self) -> &[Form] {
        &self.forms
    }

    fn write(&self, stream: Stream, text: &[u8]) -> Result<()> {
        let mut records = self.lock();
        match records.last_mut() {
            Some((Record::Text(of, before), _)) if *of == stream => before.extend_from_slice(text),
            _ => records.push((Record::Text(stream, text.to_vec()), None)),
        }
        Ok(())
    }

    fn show(&self, bundle: Bundle) -> Result<()> {
        let held = Held::hold(bundle.bytes());
        self.lock().push((Record::Shown(bundle), Some(held)));
        Ok(())
    }
}
