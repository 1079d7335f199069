//! Flips and quarter turns of windows, over which predictions are averaged.

use ndarray::{Array3, ArrayView3, Axis};
use serde::{Deserialize, Serialize};

use crate::error::Choice;

/// In which positions each window is shown to the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Augment {
    /// As it is.
    None,
    /// And with its rows, its columns, or both the other way round: four in all.
    Flips,
    /// Those and the same after an exchange of rows and columns: the eight of a square (dihedral group D4).
    Dihedral,
}

impl Choice for Augment {
    const ALL: &'static [(&'static str, Self)] = &[
        ("none", Augment::None),
        ("flips", Augment::Flips),
        ("dihedral", Augment::Dihedral),
    ];
}

/// One of them: rows and columns are exchanged, then turned round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    exchange: bool,
    rows: bool,
    cols: bool,
}

impl Augment {
    pub fn turns(self) -> Vec<Turn> {
        let flips = |exchange: bool| {
            [(false, false), (true, false), (false, true), (true, true)].map(|(rows, cols)| Turn {
                exchange,
                rows,
                cols,
            })
        };
        match self {
            Augment::None => flips(false)[..1].to_vec(),
            Augment::Flips => flips(false).to_vec(),
            Augment::Dihedral => [flips(false), flips(true)].concat(),
        }
    }
}

impl Turn {
    /// Bands × rows × cols, in this position.
    pub fn there<'a>(self, pixels: ArrayView3<'a, f32>) -> ArrayView3<'a, f32> {
        let mut view = pixels;
        if self.exchange {
            view.swap_axes(1, 2);
        }
        self.flip(&mut view);
        view
    }

    /// And back.
    pub fn back(self, pixels: ArrayView3<'_, f32>) -> Array3<f32> {
        let mut view = pixels;
        self.flip(&mut view);
        if self.exchange {
            view.swap_axes(1, 2);
        }
        view.as_standard_layout().into_owned()
    }

    fn flip(self, view: &mut ArrayView3<'_, f32>) {
        if self.rows {
            view.invert_axis(Axis(1));
        }
        if self.cols {
            view.invert_axis(Axis(2));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_position_is_another_and_leads_back() {
        let square = Array3::from_shape_fn((2, 3, 3), |(k, r, c)| (100 * k + 10 * r + c) as f32);
        let mut seen: Vec<Array3<f32>> = Vec::new();
        for turn in Augment::Dihedral.turns() {
            let turned = turn.there(square.view()).to_owned();
            assert_eq!(turn.back(turned.view()), square);
            assert!(!seen.contains(&turned));
            seen.push(turned);
        }
        assert_eq!(
            (
                seen.len(),
                Augment::Flips.turns().len(),
                Augment::None.turns().len()
            ),
            (8, 4, 1)
        );
        assert_eq!(seen[0], square);
        let oblong = Array3::from_shape_fn((1, 2, 5), |(_, r, c)| (10 * r + c) as f32);
        for turn in Augment::Flips.turns() {
            assert_eq!(turn.there(oblong.view()).dim(), (1, 2, 5));
        }
    }
}
