//! Plain normalised correlation and phase correlation.

use super::ampcor::Matching;
use crate::correlation::method::Method;
use crate::correlation::zncc::{NccSettings, PeakFit};
use crate::error::Result;
use crate::lua::module::Module;
use crate::options;

pub fn define(m: &mut Module) -> Result<()> {
    m.function_with("ncc(reference, secondary, options?)", |lua, args, o: Ncc| {
        let method = Method::Ncc(NccSettings {
            zero_mean: o.zero_mean,
            peak: o.peak,
            common: o.place.settings(),
        });
        o.place.run(lua, args, &method)
    })?;
    m.function_with("phase(reference, secondary, options?)", |lua, args, o: Matching| {
        o.run(lua, args, &Method::Phase(o.settings()))
    })?;
    Ok(())
}

options! {
    struct Ncc("correlation.NccOptions") {
        ..place: Matching,
        /// Whether the means are removed under every shift (ZNCC).
        zero_mean: bool = true,
        /// How the peak is found between pixels: the maximum of the windowed-sinc interpolation, or parabolas through three pixels,
        /// which pull offsets towards whole pixels.
        peak: PeakFit = PeakFit::Sinc,
    }
}
