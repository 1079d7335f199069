//! Which chips train, which choose, and which judge: units of ground are dealt out whole.

use std::collections::BTreeMap;

use super::ground::{self, Place};
use super::{Chip, Scene, Side};
use crate::error::{Choice, Domain, Error, Result, counted};
use crate::raster::{Crs, Grid, Transformer};
use crate::statistics::random::Random;

/// What is never divided between sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// A scene (those of one group together).
    Scene,
    /// A square of ground.
    Block,
    /// Scenes with one value of a property.
    Column,
    /// A chip: its neighbours may be on the other side.
    Chip,
}

impl Choice for By {
    const ALL: &'static [(&'static str, Self)] = &[
        ("scene", By::Scene),
        ("block", By::Block),
        ("column", By::Column),
        ("chip", By::Chip),
    ];
}

/// What a side gets.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// About this share of the chips.
    Share(f64),
    /// The groups, or values of the column, of these names.
    Names(Vec<String>),
}

impl Part {
    pub const SHARES: Domain = Domain::within(0.0, 0.9);

    fn is_wanted(&self) -> bool {
        match self {
            Part::Share(share) => *share > 0.0,
            Part::Names(names) => !names.is_empty(),
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    pub by: By,
    pub validation: Part,
    pub test: Part,
    pub seed: u64,
    /// Metres along a side of a block.
    pub block: Option<f64>,
    /// The property that divides scenes.
    pub column: Option<String>,
}

impl Split {
    pub const BLOCKS: Domain = Domain::above(0.0).in_unit("metres");
}

impl Default for Split {
    fn default() -> Self {
        Split {
            by: By::Scene,
            validation: Part::Share(0.2),
            test: Part::Share(0.1),
            seed: 1,
            block: None,
            column: None,
        }
    }
}

/// What a split did beside dealing out.
#[derive(Debug, Default, PartialEq)]
pub struct Dealt {
    /// Units that were kept together because they share ground: their names.
    pub joined: Vec<Vec<String>>,
    /// Chips that were dropped, because they share ground with a chip of another side.
    pub dropped: usize,
}

/// Gives every chip its side, such that no ground lies on two. Scenes, and values of a column, whose chips share ground are one unit. Of blocks
/// and chips, a chip that shares ground with one of another side is dropped: for validation and test those of training, for test those of
/// validation, too.
///
/// # Errors
/// A column or block that is not given; blocks without a CRS; names that are no unit's; one unit named for two sides; a side that stays empty.
pub fn split(scenes: &[Scene], chips: &mut Vec<Chip>, split: &Split) -> Result<Dealt> {
    let names = names(scenes, chips, split)?;
    let mut units = Units::new(&names);
    let grids: Vec<&Grid> = scenes.iter().map(|scene| scene.image.grid.as_ref()).collect();
    let places: Vec<Place> = chips
        .iter()
        .map(|chip| Place {
            grid: chip.scene,
            window: chip.window,
        })
        .collect();
    let mut dealt = Dealt::default();
    let whole = matches!(split.by, By::Scene | By::Column);
    if whole {
        ground::shared(&grids, &places, false, |a, b| units.join(a, b))?;
        dealt.joined = units.joined();
    }
    let sides = deal(&units, split)?;
    for (i, chip) in chips.iter_mut().enumerate() {
        chip.side = sides[units.of(i)];
    }
    if !whole {
        let mut drop = vec![false; chips.len()];
        ground::shared(&grids, &places, true, |a, b| {
            let (first, second) = (chips[a].side, chips[b].side);
            if first != second {
                drop[if first < second { a } else { b }] = true;
            }
        })?;
        dealt.dropped = drop.iter().filter(|drop| **drop).count();
        let mut drop = drop.into_iter();
        chips.retain(|_| !drop.next().unwrap_or_default());
    }
    for (side, part) in [
        (Side::Validation, Some(&split.validation)),
        (Side::Test, Some(&split.test)),
        (Side::Training, None),
    ] {
        let is_wanted = part.is_none_or(Part::is_wanted);
        if is_wanted && !chips.iter().any(|chip| chip.side == side) {
            return Err(Error::message(format!(
                "the {} side has no chip: {} are left of {}, {} were dropped because they share ground with another side; give more scenes, a smaller chip, \
                 larger blocks, or other shares",
                side.name(),
                counted(chips.len(), "chip"),
                chips.len() + dealt.dropped,
                dealt.dropped
            )));
        }
    }
    Ok(dealt)
}

/// The name of the unit of each chip.
fn names(scenes: &[Scene], chips: &[Chip], split: &Split) -> Result<Vec<String>> {
    match split.by {
        By::Scene => Ok(chips
            .iter()
            .map(|chip| scenes[chip.scene].group.clone())
            .collect()),
        By::Chip => Ok((0..chips.len()).map(|i| format!("{i:09}")).collect()),
        By::Column => {
            let column = split.column.as_deref().ok_or_else(|| {
                Error::message("the option split.column is missing: it must be the name of the property that divides scenes")
            })?;
            let values = scenes.iter().map(|scene| {
                scene.properties.get(column).cloned().ok_or_else(|| {
                    Error::message(format!(
                        "scene {} has no property `{column}` to split by; it has {}; give it as properties = {{ {column} = … }}",
                        scene.group,
                        match scene.properties.is_empty() {
                            true => "none".to_string(),
                            false => scene.properties.keys().cloned().collect::<Vec<_>>().join(", "),
                        }
                    ))
                })
            });
            let values = values.collect::<Result<Vec<String>>>()?;
            Ok(chips.iter().map(|chip| values[chip.scene].clone()).collect())
        }
        By::Block => {
            let side = split.block.ok_or_else(|| {
                Error::message(
                    "the option split.block is missing: it must be the metres along a side of a block",
                )
            })?;
            Split::BLOCKS.check("split.block", side)?;
            let wgs84 = Crs::wgs84()?;
            let to_degrees = scenes
                .iter()
                .map(|scene| Transformer::new(scene.image.grid.crs()?, &wgs84))
                .collect::<Result<Vec<_>>>()?;
            let of_chip = |chip: &Chip| {
                let (window, grid) = (chip.window, &scenes[chip.scene].image.grid);
                let (col, row) = (
                    window.col as f64 + window.cols as f64 / 2.0,
                    window.row as f64 + window.rows as f64 / 2.0,
                );
                let (x, y) = grid.transform.apply(col, row);
                let (mut xs, mut ys) = ([x], [y]);
                to_degrees[chip.scene].apply(&mut xs, &mut ys);
                match xs[0].is_finite() && ys[0].is_finite() {
                    true => {
                        let (row, col) = ground::block(xs[0], ys[0], side);
                        Ok(format!("{row}, {col}"))
                    }
                    false => Err(Error::message(format!(
                        "the middle of the chip at {window} of scene {} has no longitude and latitude; split by scene instead",
                        scenes[chip.scene].group
                    ))),
                }
            };
            chips.iter().map(of_chip).collect()
        }
    }
}

/// Chips by unit. Units that are joined have all their names.
struct Units {
    names: Vec<String>,
    of_chip: Vec<usize>,
    parents: Vec<usize>,
    sizes: Vec<usize>,
}

impl Units {
    /// Units in the order of their names, whatever the order of the scenes.
    fn new(of_chip: &[String]) -> Units {
        let mut sizes: BTreeMap<&String, usize> = BTreeMap::new();
        of_chip
            .iter()
            .for_each(|name| *sizes.entry(name).or_default() += 1);
        let numbers: BTreeMap<&String, usize> =
            sizes.keys().enumerate().map(|(i, name)| (*name, i)).collect();
        Units {
            names: sizes.keys().map(|name| name.to_string()).collect(),
            of_chip: of_chip.iter().map(|name| numbers[name]).collect(),
            parents: (0..sizes.len()).collect(),
            sizes: sizes.values().copied().collect(),
        }
    }

    fn root(&self, mut unit: usize) -> usize {
        while self.parents[unit] != unit {
            unit = self.parents[unit];
        }
        unit
    }

    fn of(&self, chip: usize) -> usize {
        self.root(self.of_chip[chip])
    }

    /// Puts the units of two chips together, under the first of their names.
    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.of(a), self.of(b));
        self.parents[a.max(b)] = a.min(b);
    }

    /// Those units that stand for themselves or others, in order: all names and chips of each.
    fn whole(&self) -> BTreeMap<usize, (Vec<&str>, usize)> {
        let mut out: BTreeMap<usize, (Vec<&str>, usize)> = BTreeMap::new();
        for (unit, name) in self.names.iter().enumerate() {
            let (names, size) = out.entry(self.root(unit)).or_default();
            names.push(name);
            *size += self.sizes[unit];
        }
        out
    }

    fn joined(&self) -> Vec<Vec<String>> {
        let several = self.whole().into_values().filter(|(names, _)| names.len() > 1);
        several
            .map(|(names, _)| names.into_iter().map(str::to_string).collect())
            .collect()
    }
}

/// The side of each unit. Named ones first; then, in an order drawn by the seed, test takes units for as long as each brings it nearer to its
/// share of the chips, at least the smallest one; then validation; the rest trains.
fn deal(units: &Units, split: &Split) -> Result<Vec<Side>> {
    let whole = units.whole();
    let chips: usize = whole.values().map(|(_, size)| size).sum();
    let mut sides = vec![Side::Training; units.names.len()];
    let mut named: BTreeMap<usize, Side> = BTreeMap::new();
    for (side, part) in [(Side::Validation, &split.validation), (Side::Test, &split.test)] {
        let Part::Names(wanted) = part else { continue };
        for name in wanted {
            let Some(unit) = units.names.iter().position(|known| known == name) else {
                return Err(Error::not_found("group to put aside", name, units.names.iter()));
            };
            let root = units.root(unit);
            if named.insert(root, side).is_some_and(|other| other != side) {
                return Err(Error::message(format!(
                    "{} cannot be on both the validation and the test side: {}",
                    name,
                    match whole[&root].0.as_slice() {
                        [_] => "it is named for both".to_string(),
                        names => format!("{} share ground and stay together", names.join(", ")),
                    }
                )));
            }
        }
    }
    let mut left: Vec<(usize, usize)> = whole
        .iter()
        .filter(|(root, _)| !named.contains_key(root))
        .map(|(root, (_, size))| (*root, *size))
        .collect();
    let shares = [(Side::Test, &split.test), (Side::Validation, &split.validation)];
    let wanted = shares
        .iter()
        .filter(|(_, part)| matches!(part, Part::Share(share) if *share > 0.0))
        .count();
    if left.len() <= wanted && chips > 0 {
        let what = match split.by {
            By::Scene => "scenes (groups)",
            By::Column => "values of the column",
            By::Block => "blocks",
            By::Chip => "chips",
        };
        let names: Vec<&str> = left
            .iter()
            .flat_map(|(root, _)| whole[root].0.iter().copied())
            .take(12)
            .collect();
        return Err(Error::message(format!(
            "{} sides need as many {what} that share no ground, and there are {} ({}); give more scenes, split by blocks of ground \
             ({{ by = \"block\", block = metres }}), or set validation or test to 0",
            wanted + 1,
            left.len(),
            names.join(", ")
        )));
    }
    Random::of(&[split.seed]).shuffle(&mut left);
    for (at, (side, part)) in shares.into_iter().enumerate() {
        let Part::Share(share) = part else { continue };
        if *share <= 0.0 {
            continue;
        }
        let target = share * chips as f64;
        // Each side that is still to come, and training, needs a unit.
        let behind = shares[at + 1..]
            .iter()
            .filter(|(_, part)| matches!(part, Part::Share(share) if *share > 0.0))
            .count()
            + 1;
        let (mut taken, mut sum) = (Vec::new(), 0);
        for (i, (_, size)) in left.iter().enumerate() {
            let nearer = ((sum + size) as f64 - target).abs() < (sum as f64 - target).abs();
            if nearer && left.len() - taken.len() > behind {
                taken.push(i);
                sum += size;
            }
        }
        if taken.is_empty() {
            let smallest = (0..left.len()).min_by_key(|i| left[*i].1);
            taken.extend(smallest);
        }
        for i in taken.into_iter().rev() {
            sides[left.remove(i).0] = side;
        }
    }
    for (root, side) in named {
        sides[root] = side;
    }
    Ok(sides)
}
