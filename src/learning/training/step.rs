//! One change of the weights, over batches that may be larger than the device.

use ndarray::{Axis, Slice};

use super::batch::Batch;
use super::loss::Loss;
use crate::error::{Error, Result};
use crate::learning::network::{Net, State};
use crate::learning::torch::operators as op;
use crate::learning::torch::{Tensor, is_out_of_memory};
use crate::work;

/// A loss, and the gradients of the parameters.
pub struct Gradients {
    /// Of one number, on the device.
    pub loss: Tensor,
    pub of: State,
}

/// The gradients of `batches` together, whose share in the loss is `whole`. No more than `most` samples go through the network at once;
/// where the device has no memory for so many, `most` is halved for good, with a note. The parts' normalisations are then by their own means
/// and variances, and the running ones follow each part.
///
/// # Errors
/// libtorch's; where not even one sample fits, with the way out.
pub fn gradients(
    net: &Net,
    loss: &Loss,
    batches: &[Batch],
    whole: f64,
    most: &mut usize,
) -> Result<Gradients> {
    let before = running(net.state())?;
    halving(most, |most| {
        let found = attempt(net, loss, batches, whole, most);
        if found.is_err() {
            // What a part has changed before there was no memory for the next.
            for (name, tensor) in &before {
                net.state()[name].copy_from(tensor)?;
            }
        }
        found
    })
}

/// Calls `attempt` with fewer samples at once until the device has memory for them.
fn halving<R>(most: &mut usize, mut attempt: impl FnMut(usize) -> Result<R>) -> Result<R> {
    loop {
        match attempt(*most) {
            Err(e) if is_out_of_memory(&e) && *most > 1 => {
                *most = most.div_ceil(2);
                work::tell(&format!(
                    "note: the device has no memory for a whole batch; it is computed in parts of {most}, whose gradients are summed"
                ));
            }
            other => return other.map_err(no_room),
        }
    }
}

/// The way out where not even one sample has room.
pub fn no_room(e: Error) -> Error {
    match is_out_of_memory(&e) {
        true => Error::message(format!(
            "the device has no memory for a single chip; take smaller chips, a smaller encoder, or another device ({e})"
        )),
        false => e,
    }
}

/// The running means and variances, as they are.
fn running(state: &State) -> Result<State> {
    let names = state.keys().filter(|name| name.contains(".running_"));
    names
        .map(|name| Ok((name.clone(), op::copy(&state[name])?)))
        .collect()
}

fn attempt(net: &Net, loss: &Loss, batches: &[Batch], whole: f64, most: usize) -> Result<Gradients> {
    let mut sum: Option<Gradients> = None;
    for batch in batches {
        for start in (0..batch.samples()).step_by(most.max(1)) {
            let samples = start..batch.samples().min(start + most.max(1));
            let labels = batch.labels.slice_axis(Axis(0), Slice::from(samples.clone()));
            // Without labels a part has no gradient, and its own loss would be 0/0.
            if loss.share(labels) == 0.0 {
                continue;
            }
            let (logits, tape) = net.train(&batch.tensor(samples, net.device())?)?;
            let scored = loss.score(&logits, labels, whole, net.device())?;
            drop(logits);
            let part = Gradients {
                loss: scored.value,
                of: net.backward(tape, scored.gradient)?,
            };
            sum = Some(match sum {
                Some(sum) => added(sum, part)?,
                None => part,
            });
        }
    }
    sum.ok_or_else(|| Error::message("a batch without a labelled pixel has no gradient"))
}

fn added(sum: Gradients, mut part: Gradients) -> Result<Gradients> {
    let mut of = State::new();
    for (name, gradient) in sum.of {
        let both = match part.of.remove(&name) {
            Some(other) => op::add(&gradient, &other)?,
            None => gradient,
        };
        of.insert(name, both);
    }
    Ok(Gradients {
        loss: op::add(&sum.loss, &part.loss)?,
        of,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn batches_are_halved_until_they_fit_and_stay_so() {
        let fits = |room: usize| {
            move |most: usize| match most > room {
                true => Err(Error::message(
                    "libtorch: aten::convolution: CUDA out of memory. Tried to allocate 2 GiB",
                )),
                false => Ok(most),
            }
        };
        let recorder = Arc::new(work::Recorder::new(&[]));
        let context = work::Context::new().with_output(recorder.clone());
        let _entered = context.enter();
        let mut most = 10;
        assert_eq!(halving(&mut most, fits(3)).unwrap(), 3);
        assert_eq!(most, 3);
        let told = recorder.text(work::Stream::Stderr);
        for parts in [5, 3] {
            let note = format!(
                "no memory for a whole batch; it is computed in parts of {parts}, whose gradients are summed"
            );
            assert_eq!(told.matches(&note).count(), 1, "{told}");
        }
        let why = halving(&mut most, fits(0)).unwrap_err().to_string();
        assert!(
            why.contains("single chip") && why.contains("smaller chips"),
            "{why}"
        );
        // Other failures are not tried again.
        let mut tries = 0;
        let failed = halving(&mut 8, |_| -> Result<()> {
            tries += 1;
            Err(Error::message("libtorch: aten::cat: sizes differ"))
        });
        assert!(failed.is_err() && tries == 1);
    }
}
