//! Hears what a run says beside whoever shows it, and keeps it by the step of the script that it comes from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::picture;
use super::steps::Outline;
use crate::error::Result;
use crate::work::{Bundle, Form, Output, Record, Recorder, Stream};

/// Of a value these are kept: the best of the first three, and where maps in it are.
const FORMS: &[Form] = &[Form::Html, Form::Svg, Form::Png, Form::Places];
/// Bytes of text that are kept of a step.
const MOST_TEXT: usize = 1 << 20;
/// Bytes of values that are kept of all steps.
const MOST_SHOWN: usize = 64 << 20;
/// A larger drawing is kept as pixels.
const LARGEST_DRAWING: usize = 3 << 20;

/// An output that passes everything on.
pub struct Listener {
    to: Arc<dyn Output>,
    forms: Vec<Form>,
    outline: Outline,
    /// One a step.
    kept: Vec<Recorder>,
    state: Mutex<State>,
}

struct State {
    step: usize,
    since: Instant,
    took: Vec<Option<Duration>>,
    /// What did not find room: bytes of text of each step, and values of all.
    text: Vec<usize>,
    left_out: Vec<usize>,
    shown: usize,
    values_left_out: usize,
    /// What was named to be written, and the step in which that was first.
    written: BTreeMap<PathBuf, usize>,
    /// Where the maps are in pictures that were written.
    maps: BTreeMap<PathBuf, String>,
    /// What pictures that were shown look like.
    pictures: Vec<String>,
    is_deaf: bool,
}

/// What a step has said.
pub struct Heard {
    pub records: Vec<Record>,
    /// None of a step that was never come to.
    pub took: Option<Duration>,
    /// Bytes of text that were not kept.
    pub left_out: usize,
}

impl Listener {
    pub fn new(outline: Outline, to: Arc<dyn Output>) -> Listener {
        let steps = outline.steps.len();
        let mut took = vec![None; steps];
        took[0] = Some(Duration::ZERO);
        Listener {
            forms: to.forms().iter().chain(FORMS).copied().collect(),
            to,
            outline,
            kept: (0..steps).map(|_| Recorder::new(FORMS)).collect(),
            state: Mutex::new(State {
                step: 0,
                since: Instant::now(),
                took,
                text: vec![0; steps],
                left_out: vec![0; steps],
                shown: 0,
                values_left_out: 0,
                written: BTreeMap::new(),
                maps: BTreeMap::new(),
                pictures: Vec::new(),
                is_deaf: false,
            }),
        }
    }

    pub fn outline(&self) -> &Outline {
        &self.outline
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The script has come to this line of its main part.
    pub fn at(&self, line: usize) {
        let step = self.outline.step_at(line);
        let state = &mut *self.state();
        if step != state.step {
            state.turn();
            state.step = step;
            state.took[step].get_or_insert_default();
        }
    }

    /// The step that the script is in.
    pub fn step(&self) -> usize {
        self.state().step
    }

    /// The script is going to write this file.
    pub fn writes(&self, path: &Path) {
        let mut state = self.state();
        let step = state.step;
        state.written.entry(path.to_path_buf()).or_insert(step);
    }

    /// The picture that was written there has maps.
    pub fn has_maps(&self, path: &Path, places: &str) {
        self.state().maps.insert(path.to_path_buf(), places.to_string());
    }

    pub fn maps_in(&self, path: &Path) -> Option<String> {
        self.state().maps.get(path).cloned()
    }

    /// Passes on without keeping anything, or listens again.
    pub fn be_deaf(&self, deaf: bool) {
        self.state().is_deaf = deaf;
    }

    /// What the steps have said, in their order, by now.
    pub fn heard(&self) -> Vec<Heard> {
        let mut state = self.state();
        state.turn();
        let steps = self.kept.iter().enumerate();
        steps
            .map(|(i, kept)| Heard {
                records: kept.records(),
                took: state.took[i],
                left_out: state.left_out[i],
            })
            .collect()
    }

    pub fn values_left_out(&self) -> usize {
        self.state().values_left_out
    }

    /// Files that were to be written, and the step of each.
    pub fn written(&self) -> BTreeMap<PathBuf, usize> {
        self.state().written.clone()
    }

    /// Whether a picture that looks like this one was shown.
    pub fn has_shown(&self, picture: &[u8]) -> bool {
        picture::looks(picture).is_some_and(|looks| self.state().pictures.contains(&looks))
    }

    fn keep(&self, bundle: &Bundle) -> Result<()> {
        let step = {
            let state = &mut *self.state();
            if state.is_deaf {
                return Ok(());
            }
            let pictures = [Form::Svg, Form::Png].into_iter();
            let pictures = pictures.filter_map(|form| picture::looks(bundle.get(form)?));
            state.pictures.extend(pictures);
            state.step
        };
        let drawing = bundle.get(Form::Svg).map_or(0, <[u8]>::len);
        let best = match () {
            () if bundle.get(Form::Html).is_some() => Form::Html,
            () if drawing > 0 && (drawing <= LARGEST_DRAWING || bundle.get(Form::Png).is_none()) => Form::Svg,
            () if bundle.get(Form::Png).is_some() => Form::Png,
            () => Form::Plain,
        };
        let kept = bundle.with_only(&[Form::Plain, best, Form::Places]);
        {
            let state = &mut *self.state();
            if state.shown + kept.bytes() > MOST_SHOWN {
                state.values_left_out += 1;
                return Ok(());
            }
            state.shown += kept.bytes();
        }
        self.kept[step].show(kept)
    }
}

impl State {
    /// Counts the time so far for the step that it is in.
    fn turn(&mut self) {
        let now = Instant::now();
        *self.took[self.step].get_or_insert_default() += now - self.since;
        self.since = now;
    }
}

impl Output for Listener {
    fn forms(&self) -> &[Form] {
        &self.forms
    }

    fn write(&self, stream: Stream, text: &[u8]) -> Result<()> {
        let (step, kept) = {
            let state = &mut *self.state();
            let step = state.step;
            let room = match state.is_deaf {
                true => 0,
                false => MOST_TEXT.saturating_sub(state.text[step]),
            };
            let kept = text.len().min(room);
            state.text[step] += kept;
            if !state.is_deaf {
                state.left_out[step] += text.len() - kept;
            }
            (step, kept)
        };
        if kept > 0 {
            self.kept[step].write(stream, &text[..kept])?;
        }
        self.to.write(stream, text)
    }

    fn show(&self, bundle: Bundle) -> Result<()> {
        self.keep(&bundle)?;
        self.to.show(bundle)
    }

    fn columns(&self) -> usize {
        self.to.columns()
    }

    fn colours(&self) -> bool {
        self.to.colours()
    }
}
