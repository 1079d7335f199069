//! The front end as the output of a run: text as streams, values as what the notebook keeps below its cell.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json, json};

use super::outbox::Outbox;
use crate::error::Result;
use crate::work::{Bundle, Form, Output, Stream};

/// A larger drawing makes notebooks slow; its pixels are there, too.
const LARGEST_DRAWING: usize = 1 << 20;

pub struct Frontend {
    outbox: Arc<Outbox>,
    /// Of the cell that runs.
    cell: AtomicUsize,
}

impl Frontend {
    pub fn new(outbox: Arc<Outbox>) -> Frontend {
        Frontend {
            outbox,
            cell: AtomicUsize::new(0),
        }
    }

    pub fn begin(&self, cell: usize) {
        self.cell.store(cell, Ordering::Relaxed);
    }

    fn send(&self, kind: &str, bundle: &Bundle, mut content: Json) -> Result<()> {
        self.outbox.wait_for_room()?;
        content["data"] = data(bundle);
        content["metadata"] = json!({});
        // The schema asks for it.
        content["transient"] = json!({});
        self.outbox.publish(kind, content, bundle.bytes());
        Ok(())
    }
}

fn data(bundle: &Bundle) -> Json {
    let has_pixels = bundle.get(Form::Png).is_some();
    let mut data = Map::new();
    for (form, content) in bundle.iter() {
        let text = match form {
            Form::Png => STANDARD.encode(content),
            Form::Svg if has_pixels && content.len() > LARGEST_DRAWING => continue,
            _ => String::from_utf8_lossy(content).into_owned(),
        };
        data.insert(form.mime().to_string(), text.into());
    }
    Json::Object(data)
}

impl Output for Frontend {
    fn forms(&self) -> &[Form] {
        &[Form::Html, Form::Svg, Form::Png]
    }

    fn write(&self, stream: Stream, text: &[u8]) -> Result<()> {
        self.outbox.wait_for_room()?;
        self.outbox.text(stream, text);
        Ok(())
    }

    fn show(&self, bundle: Bundle) -> Result<()> {
        self.send("display_data", &bundle, json!({}))
    }

    fn show_result(&self, bundle: Bundle) -> Result<()> {
        let cell = self.cell.load(Ordering::Relaxed);
        self.send("execute_result", &bundle, json!({ "execution_count": cell }))
    }

    /// That fit below a cell without being wrapped.
    fn columns(&self) -> usize {
        88
    }

    /// Of errors: front ends draw the sequences of terminals.
    fn colours(&self) -> bool {
        std::env::var_os("NO_COLOR").is_none()
    }
}
