//! Arithmetic on rasters: which bands meet, and what unit the result has.

use std::sync::Arc;

use super::bits::{self, Meaning};
use super::complex;
use super::element::{Binary, Element, Unary};
use super::image::{Band, Raster, float_of};
use super::{DType, Grid, Kind, Port, Unit, doubt, integer};
use crate::error::{Error, Remedy, Result};

/// What a raster is combined with.
#[derive(Clone)]
pub enum Operand {
    Raster(Raster),
    Number(f64),
    /// One that no f64 is.
    Integer(i64),
}

/// `left op right`, band by band; an operand of one band meets every band of the other. Names, time and properties
/// are the left raster's. `force` skips the check of units.
///
/// # Errors
/// Images on different grids, or of band counts that do not meet; no image; units that make no sense together (unless `force`);
/// comparisons and powers of complex bands; `and` and `or` of what is neither masks nor integers.
pub fn binary(left: &Operand, op: Binary, right: &Operand, force: bool) -> Result<Raster> {
    let (template, count) = match (left, right) {
        (Operand::Raster(a), Operand::Raster(b)) => {
            a.check_grid(b)?;
            match (a.bands.len(), b.bands.len()) {
                (n, m) if n == m => (a, n),
                (n, 1) => (a, n),
                (1, m) => (b, m),
                (n, m) => {
                    return Err(Error::argument(
                        "band count",
                        "the same on both sides, or one on one side",
                        format!(
                            "{n} ({}) and {m} ({})",
                            a.band_names().join(", "),
                            b.band_names().join(", ")
                        ),
                    ));
                }
            }
        }
        (Operand::Raster(a), _) | (_, Operand::Raster(a)) => (a, a.bands.len()),
        _ => return Err(Error::argument("operands", "at least one raster", "two numbers")),
    };
    let grid = &template.grid;
    let mut bands = Vec::with_capacity(count);
    for i in 0..count {
        let (a, b) = (side(left, i, grid), side(right, i, grid));
        if matches!(op, Binary::And | Binary::Or) {
            let (op, dtype, unit) = bits::meant(op, a.meaning(), b.meaning())?;
            let mut band = combine(grid, template.bands[i].name.clone(), op, a, b, unit)?;
            band.dtype = dtype;
            bands.push(band);
            continue;
        }
        let (mut a, mut b) = (a, b);
        let unstated = |side: &Side| side.number.is_none() && doubt::is_unstated(&side.unit, &side.port);
        if op == Binary::Divide && !force && unstated(&a) && unstated(&b) {
            for side in [&mut a, &mut b] {
                side.port = doubt::as_power(grid, "ratio", &template.bands[i].name, side.port.clone());
            }
        }
        let unit = if force && !gives_truth(op) {
            forced_unit(op, &a, &b)
        } else {
            unit_of(op, &a, &b, force)?
        };
        bands.push(combine(grid, template.bands[i].name.clone(), op, a, b, unit)?);
    }
    Ok(template.with_bands(bands))
}

/// One side of an operation: a band, or a number as a band without a unit.
struct Side {
    port: Port,
    unit: Unit,
    dtype: DType,
    number: Option<f64>,
}

impl Side {
    fn meaning(&self) -> Meaning<'_> {
        Meaning {
            dtype: self.dtype,
            unit: &self.unit,
            number: self.number,
        }
    }
}

fn side(operand: &Operand, index: usize, grid: &Arc<Grid>) -> Side {
    match operand {
        Operand::Raster(r) => {
            let b = &r.bands[index.min(r.bands.len() - 1)];
            Side {
                port: b.port.clone(),
                unit: b.unit.clone(),
                dtype: b.dtype,
                number: None,
            }
        }
        Operand::Number(v) => Side {
            port: Port::element(grid, Element::Constant(*v), Vec::new()),
            unit: Unit::Unknown,
            dtype: DType::F32,
            number: Some(*v),
        },
        Operand::Integer(v) => Side {
            port: Port::tiles(grid, integer::constant((*v).into()), Vec::new()).swap_remove(0),
            unit: Unit::Unknown,
            dtype: DType::I64,
            number: Some(*v as f64),
        },
    }
}

/// Beside a band of 64-bit integers a whole number is one of them.
fn meet(grid: &Arc<Grid>, mut a: Side, mut b: Side) -> (Side, Side) {
    let is_wide = |side: &Side| side.port.kind() == Kind::I128;
    let (number, band) = if is_wide(&a) { (&mut b, &a) } else { (&mut a, &b) };
    if let Some(whole) = number.number.and_then(integer::whole)
        && is_wide(band)
        && !is_wide(number)
    {
        number.port = Port::tiles(grid, integer::constant(whole), Vec::new()).swap_remove(0);
        number.dtype = band.dtype;
    }
    (a, b)
}

fn combine(grid: &Arc<Grid>, name: String, op: Binary, a: Side, b: Side, unit: Unit) -> Result<Band> {
    let (a, b) = meet(grid, a, b);
    let complex = a.port.kind() == Kind::C32 || (b.port.kind() == Kind::C32 && op != Binary::Mask);
    let port = if complex {
        complex::binary(grid, op, a.port, b.port)?
    } else {
        Port::element(grid, Element::Binary(op), vec![a.port, b.port])
    };
    let dtype = if gives_truth(op) {
        DType::U8
    } else if op == Binary::Mask || port.kind() == Kind::I128 {
        a.dtype
    } else {
        float_of(port.kind())
    };
    Ok(Band {
        name,
        dtype,
        unit,
        nodata: None,
        port,
    })
}

/// The answer is 1 or 0.
fn gives_truth(op: Binary) -> bool {
    op.is_comparison() || matches!(op, Binary::And | Binary::Or)
}

fn forced_unit(op: Binary, a: &Side, b: &Side) -> Unit {
    match op {
        Binary::Divide if a.unit == b.unit => Unit::Other("1".into()),
        Binary::Multiply | Binary::Divide | Binary::Power => Unit::Unknown,
        Binary::Mask | Binary::Fill => a.unit.clone(),
        _ => a.unit.plain(),
    }
}

/// The unit of `a op b`, or why it makes no sense.
fn unit_of(op: Binary, a: &Side, b: &Side, force: bool) -> Result<Unit> {
    use Unit::*;
    let choice = matches!(
        op,
        Binary::Minimum | Binary::Maximum | Binary::Mask | Binary::Fill
    );
    let has_meaning = |unit: &Unit| *unit != unit.plain();
    if choice && has_meaning(&a.unit) && (a.unit == b.unit || op == Binary::Mask) {
        return Ok(a.unit.clone());
    }
    if has_meaning(&a.unit) || has_meaning(&b.unit) {
        let plain = |side: &Side| Side {
            port: side.port.clone(),
            unit: side.unit.plain(),
            ..*side
        };
        return unit_of(op, &plain(a), &plain(b), force);
    }
    let one = || Other("1".into());
    let refuse = |way_out: Remedy| {
        let verb = match op {
            Binary::Add => "adding",
            Binary::Subtract => "subtracting",
            Binary::Multiply => "multiplying",
            Binary::Divide => "dividing",
            _ => "comparing",
        };
        let text = format!(
            "{verb} {} and {} makes no sense: {way_out}",
            named(&a.unit),
            named(&b.unit)
        );
        Err(Error::Unit {
            message: match op {
                Binary::Minimum | Binary::Maximum => text,
                _ => format!("{text}; {}", Remedy::Force),
            },
        })
    };
    let radar = |u: &Unit| matches!(u, Power | Amplitude | Decibel);
    // Metres times 0.001 are kilometres, and times 0.02 perhaps radians: only what knows the factor can tell. Power is power in any scale.
    let scaled = |u: &Unit| match u {
        Class(_) => Unknown,
        Other(symbol) if symbol != "1" && a.number.or(b.number).is_none_or(|n| n.abs() != 1.0) => Unknown,
        u => u.clone(),
    };
    match op {
        Binary::Atan2 => Ok(Other("rad".into())),
        Binary::Add | Binary::Subtract | Binary::Minimum | Binary::Maximum => {
            match (&a.unit, &b.unit) {
                (x, y) if x == y => Ok(x.clone()),
                (x, Unknown) => Ok(x.clone()),
                (Unknown, y) => Ok(y.clone()),
                (Decibel, y) | (y, Decibel) if radar(y) => refuse(Remedy::OneScale),
                (x, y) if radar(x) && radar(y) => refuse(Remedy::OneScale),
                // A number of unit 1 (a ratio) shifts decibels; everything else that differs is a mistake.
                (Decibel, Other(u)) | (Other(u), Decibel) if u == "1" => Ok(Decibel),
                _ => refuse(Remedy::WrongUnit),
            }
        }
        Binary::Multiply => match (&a.unit, &b.unit) {
            (Decibel, y) | (y, Decibel) if radar(y) => refuse(Remedy::ProductOfDecibels),
            (x, Unknown) | (Unknown, x) => Ok(scaled(x)),
            (x, Other(u)) | (Other(u), x) if u == "1" => Ok(x.clone()),
            _ => Ok(Unknown),
        },
        Binary::Divide => match (&a.unit, &b.unit) {
            (Decibel, Decibel) => refuse(Remedy::RatioOfDecibels),
            (Decibel, y) | (y, Decibel) if radar(y) => refuse(Remedy::OneScale),
            (x, y) if x == y && *x != Unknown => Ok(one()),
            (x, Unknown) => Ok(scaled(x)),
            (x, Other(u)) if u == "1" => Ok(x.clone()),
            _ => Ok(Unknown),
        },
        Binary::Power => Ok(if b.number == Some(1.0) {
            a.unit.clone()
        } else {
            Unknown
        }),
        Binary::Modulo | Binary::Mask | Binary::Fill => Ok(a.unit.clone()),
        Binary::Less
        | Binary::LessEqual
        | Binary::Greater
        | Binary::GreaterEqual
        | Binary::Equal
        | Binary::NotEqual => {
            let clash = a.unit != b.unit && radar(&a.unit) && radar(&b.unit);
            if clash && !force {
                refuse(Remedy::OneScale)
            } else {
                Ok(Mask)
            }
        }
        // `bits` says what these mean.
        Binary::And | Binary::Or | Binary::BitAnd | Binary::BitOr => Ok(Unknown),
    }
}

fn named(unit: &Unit) -> &str {
    match unit {
        Unit::Unknown => "a plain number",
        Unit::Mask => "a mask",
        Unit::Other(u) if u == "1" => "a ratio (unit 1)",
        other => other.symbol(),
    }
}

/// `condition ≠ 0 ? then : otherwise`, on the condition's grid; unit and name are those of `then`.
///
/// # Errors
/// Images on different grids, or of band counts that do not meet; units that differ; complex bands.
pub fn choose(condition: &Raster, then: &Operand, otherwise: &Operand) -> Result<Raster> {
    for operand in [then, otherwise] {
        if let Operand::Raster(r) = operand {
            condition.check_grid(r)?;
        }
    }
    let count = [
        Some(condition.bands.len()),
        band_count(then),
        band_count(otherwise),
    ];
    let bands_wanted = count.into_iter().flatten().max().unwrap_or(1);
    if let Some(wrong) = count.into_iter().flatten().find(|&n| n != 1 && n != bands_wanted) {
        return Err(Error::argument(
            "band count",
            format!("1 or {bands_wanted}, as in the other images"),
            wrong,
        ));
    }
    let template = match (then, otherwise) {
        (Operand::Raster(r), _) | (_, Operand::Raster(r)) if r.bands.len() == bands_wanted => r,
        _ => condition,
    };
    let mut bands = Vec::with_capacity(bands_wanted);
    for i in 0..bands_wanted {
        let c = condition.bands[i.min(condition.bands.len() - 1)].port.clone();
        let (a, b) = (
            side(then, i, &condition.grid),
            side(otherwise, i, &condition.grid),
        );
        let unit = unit_of(Binary::Minimum, &a, &b, false)?;
        let (a, b) = meet(&condition.grid, a, b);
        for port in [&c, &a.port, &b.port] {
            if port.kind() == Kind::C32 {
                return Err(Error::argument(
                    "where",
                    format!("real bands; {}", Remedy::Real),
                    "a complex band",
                ));
            }
        }
        let port = Port::element(&condition.grid, Element::Where, vec![c, a.port, b.port]);
        let dtype = if a.dtype == b.dtype {
            a.dtype
        } else {
            float_of(port.kind())
        };
        bands.push(Band {
            name: template.bands[i].name.clone(),
            dtype,
            unit,
            nodata: None,
            port,
        });
    }
    Ok(condition.with_bands(bands))
}

fn band_count(operand: &Operand) -> Option<usize> {
    match operand {
        Operand::Raster(r) => Some(r.bands.len()),
        Operand::Number(_) | Operand::Integer(_) => None,
    }
}

/// Each band through an elementwise function, with the unit that it leaves.
///
/// # Errors
/// Complex bands, of all but the magnitude; sines of degrees; `not` of bands that are neither masks nor integers.
pub fn unary(raster: &Raster, op: Unary) -> Result<Raster> {
    if raster.bands.iter().any(|b| b.kind() == Kind::C32) {
        return complex::unary(raster, op);
    }
    if op == Unary::Not {
        return bits::not(raster);
    }
    raster.map_elements(op, |b| {
        let float = float_of(b.kind());
        if matches!(op, Unary::Sin | Unary::Cos | Unary::Tan) && angle(&b.unit) == Some("deg") {
            return Err(Error::Unit {
                message: format!("band `{}` is in degrees; {}", b.name, Remedy::Radians),
            });
        }
        Ok(match op {
            Unary::Negate | Unary::Abs | Unary::Floor | Unary::Ceil | Unary::Round => (b.unit.plain(), float),
            Unary::Unmask(v) if v != 0.0 && v != 1.0 => (b.unit.plain(), b.dtype),
            Unary::Clamp(..) | Unary::MaskOutside(..) | Unary::Unmask(_) => (b.unit.clone(), b.dtype),
            Unary::Not | Unary::IsValid => (Unit::Mask, DType::U8),
            Unary::Sqrt if b.unit == Unit::Power => (Unit::Amplitude, float),
            Unary::Atan => (Unit::Other("rad".into()), float),
            Unary::Sin | Unary::Cos | Unary::Tan => (Unit::Other("1".into()), float),
            _ => (Unit::Unknown, float),
        })
    })
}

/// Power (10·log10) or amplitude (20·log10) to decibels; decibels stay as they are. Bands without a unit are taken as
/// power.
///
/// # Errors
/// Complex bands; bands in another unit.
pub fn to_db(raster: &Raster) -> Result<Raster> {
    convert(raster, "to_db", &Unit::Decibel, |unit| match unit {
        Unit::Power | Unit::Unknown => Some(Unary::PowerToDb),
        Unit::Amplitude => Some(Unary::AmplitudeToDb),
        _ => None,
    })
}

/// Decibels or amplitude to power; power stays as it is. Bands without a unit are refused: nobody can tell.
///
/// # Errors
/// Complex bands; bands without a unit or in another one.
pub fn to_power(raster: &Raster) -> Result<Raster> {
    convert(raster, "to_power", &Unit::Power, |unit| match unit {
        Unit::Decibel => Some(Unary::DbToPower),
        Unit::Amplitude => Some(Unary::Square),
        _ => None,
    })
}

fn convert(
    raster: &Raster,
    what: &str,
    target: &Unit,
    op: impl Fn(&Unit) -> Option<Unary>,
) -> Result<Raster> {
    let one = |b: &Band| {
        if b.unit == *target {
            return Ok(b.clone());
        }
        if b.kind() == Kind::C32 {
            return Err(Error::Unit {
                message: format!("{what}: band `{}` is complex; {}", b.name, Remedy::Power),
            });
        }
        let op = op(&b.unit).ok_or_else(|| Error::Unit {
            message: format!(
                "{what}: band `{}` is in {}; {}",
                b.name,
                if b.unit == Unit::Unknown {
                    "no known unit"
                } else {
                    b.unit.symbol()
                },
                Remedy::SayUnit
            ),
        })?;
        let input = match op {
            Unary::PowerToDb if doubt::is_unstated(&b.unit, &b.port) => {
                doubt::as_power(&raster.grid, what, &b.name, b.port.clone())
            }
            _ => b.port.clone(),
        };
        let port = Port::element(&raster.grid, Element::Unary(op), vec![input]);
        Ok(Band {
            dtype: float_of(port.kind()),
            unit: target.clone(),
            nodata: None,
            port,
            ..b.clone()
        })
    };
    let bands: Result<Vec<Band>> = raster.bands.iter().map(one).collect();
    Ok(raster.with_bands(bands?))
}

/// Degrees to radians; radians stay as they are. Bands without a unit are taken as degrees.
///
/// # Errors
/// Bands in a unit that is no angle.
pub fn to_radians(raster: &Raster) -> Result<Raster> {
    turn(raster, "deg", "rad", std::f64::consts::PI / 180.0)
}

/// Radians to degrees; degrees stay as they are. Bands without a unit are taken as radians.
///
/// # Errors
/// Bands in a unit that is no angle.
pub fn to_degrees(raster: &Raster) -> Result<Raster> {
    turn(raster, "rad", "deg", 180.0 / std::f64::consts::PI)
}

fn turn(raster: &Raster, from: &str, to: &str, factor: f64) -> Result<Raster> {
    let one = |i: usize, b: &Band| {
        if angle(&b.unit) == Some(to) {
            return Ok(b.clone());
        }
        if b.unit != Unit::Unknown && angle(&b.unit) != Some(from) {
            return Err(Error::Unit {
                message: format!("band `{}` is in {}, which is no angle", b.name, named(&b.unit)),
            });
        }
        let number = side(&Operand::Number(factor), 0, &raster.grid);
        let band = side(&Operand::Raster(raster.clone()), i, &raster.grid);
        let unit = Unit::Other(to.into());
        combine(&raster.grid, b.name.clone(), Binary::Multiply, band, number, unit)
    };
    let bands: Result<Vec<Band>> = raster.bands.iter().enumerate().map(|(i, b)| one(i, b)).collect();
    Ok(raster.with_bands(bands?))
}

/// `deg` or `rad`, where the unit is one of their usual spellings.
fn angle(unit: &Unit) -> Option<&'static str> {
    match unit.symbol() {
        "deg" | "degree" | "degrees" | "°" => Some("deg"),
        "rad" | "radian" | "radians" => Some("rad"),
        _ => None,
    }
}
