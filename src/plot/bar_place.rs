//! Where colour bars and legends outside a panel stand.

use super::figure::{ColorBar, Figure, Side};
use super::panel::Panel;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BarPlace {
    Right,
    Bottom,
}

/// Height over width of a chart that nothing else decides on.
pub const CHART_ASPECT: f64 = 0.68;

/// Height over width of panels beside which a bar would have no room for labels.
const FLAT: f64 = 0.25;

impl BarPlace {
    /// Of a panel's own colour bar.
    pub fn of(bar: &ColorBar, panel: &Panel) -> BarPlace {
        BarPlace::by_shape(bar.side, panel.aspect.unwrap_or(CHART_ASPECT))
    }

    /// Of the colour bar of all panels.
    pub fn shared(bar: &ColorBar, figure: &Figure, panels: &[Panel]) -> BarPlace {
        let aspects = panels.iter().map(|p| p.aspect.unwrap_or(CHART_ASPECT));
        let highest = aspects.fold(0.0, f64::max);
        BarPlace::by_shape(bar.side, highest * figure.rows as f64 / figure.cols as f64)
    }

    fn by_shape(side: Side, aspect: f64) -> BarPlace {
        match side {
            Side::Right => BarPlace::Right,
            Side::Auto if aspect >= FLAT => BarPlace::Right,
            Side::Auto | Side::Bottom => BarPlace::Bottom,
        }
    }
}
